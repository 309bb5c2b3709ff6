//! What the registry refuses, in the words that the caller reads, and what can fail inside.

use std::time::Duration;

use clawos_api::FieldError;
use clawos_base::idempotency::IdempotencyError;
use clawos_base::{Cause, Invalid, PageError};
use clawos_identity::ScopeMissing;
use clawos_receipts::signature::SignatureError;
use clawos_runtime::{RuntimeKind, Unavailable};
use clawos_storage::StorageError;

use crate::limits;

/// A request about skills is refused, or failed. The text of a refusal is for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Values outside what is allowed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Limit or cursor of a list are wrong.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The caller's key lacks a scope.
    #[error(transparent)]
    ScopeMissing(#[from] ScopeMissing),
    /// The answer cannot be stored for the request's `Idempotency-Key`.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The artifact cannot be stored or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something that cannot be, such as a stored value that does not decode.
    #[error(transparent)]
    Internal(Cause),

    /// No skill has this id.
    #[error("There is no such skill; search with GET /api/v1/skills.")]
    SkillNotFound,
    /// The skill has no version of this number.
    #[error("The skill has no such version; see GET /api/v1/skills/{{id}}/versions.")]
    VersionNotFound,

    /// As many uploads are in memory as may be.
    #[error(
        "The server takes {} uploads at a time, {} of one agent; send this one again later.",
        limits::MAX_UPLOADS,
        limits::MAX_OF_AGENT
    )]
    TooManyUploads {
        /// When to try again.
        retry_after: Duration,
    },
    /// The agent has published as much as it may in a day.
    #[error(
        "An agent may publish {} versions with {} bytes a day; go on later.",
        limits::MAX_VERSIONS,
        limits::MAX_BYTES
    )]
    QuotaReached {
        /// When the first of it is a day old.
        retry_after: Duration,
    },

    /// `skill.toml` has errors.
    #[error("Correct `skill.toml`.")]
    Manifest(Vec<FieldError>),
    /// `skill.toml` has errors, all of them in its prices.
    #[error("Correct `skill.toml`.")]
    Prices(Vec<FieldError>),
    /// A file that `skill.toml` names is missing, or is no schema that can be used.
    #[error("Correct the files that `skill.toml` names.")]
    Schemas(Vec<FieldError>),
    /// An example's file is missing or does not fit its schema.
    #[error("Correct the files that `skill.toml` names.")]
    ExampleFiles(Vec<FieldError>),
    /// The skill is for another kind of sandbox.
    #[error("This server does not run skills of runtime.kind = \"{0}\".")]
    UnsupportedKind(RuntimeKind),
    /// The manifest names somebody else as publisher.
    #[error("skill.id must begin with your own name: \"{handle}.\".")]
    ForeignId {
        /// The caller's handle.
        handle: String,
    },
    /// The manifest is for another skill than the one that the version was sent to.
    #[error("The manifest is for {0}; publish it there.")]
    OtherSkill(String),

    /// The skill is somebody else's.
    #[error("Only {publisher} can publish versions of {id}.")]
    NotPublisher {
        /// Whose it is.
        publisher: String,
        /// `publisher.name`
        id: String,
    },
    /// A skill of this id was published before.
    #[error("{0} exists; publish a version of it with POST /api/v1/skills/{0}/versions.")]
    SkillExists(String),
    /// A version of this number was published before.
    #[error("This version is published and never changes; choose a higher number.")]
    VersionExists,
    /// There is no signature, or it is not base58 of 64 bytes.
    #[error("Sign the version statement (clawos/version/v1).")]
    Unsigned(FieldError),
    /// The signature is of something else, or of somebody else.
    #[error("The signature is not your wallet's over this skill, version, module and manifest.")]
    BadSignature(#[source] SignatureError),

    /// The module can never run here. Holds why.
    #[error("The artifact was refused: {0}.")]
    ModuleRefused(String),
    /// The manifest's permissions are not what the module imports.
    #[error("Declare exactly what the module imports.")]
    Permissions(Vec<FieldError>),
    /// The module's answers are not the examples' outputs.
    #[error("The module does not give what its examples say.")]
    ExamplesFailed(Vec<FieldError>),
    /// The examples ran too long.
    #[error("All examples together may take {} s; use smaller ones.", limits::EXAMPLES_BUDGET.as_secs())]
    ExamplesTooSlow,
    /// As many calls run as may.
    #[error("All sandboxes are busy; try again.")]
    SandboxBusy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The host has no room for the compiled module.
    #[error("The server has no room for the compiled module.")]
    NoRoomForModule(#[source] Unavailable),
}

impl RegistryError {
    pub(crate) fn internal(cause: impl Into<Cause>) -> RegistryError {
        RegistryError::Internal(cause.into())
    }
}

impl From<Unavailable> for RegistryError {
    fn from(error: Unavailable) -> Self {
        match error {
            Unavailable::InvalidModule(reason) => RegistryError::ModuleRefused(reason),
            Unavailable::PoolFull { retry_after } => RegistryError::SandboxBusy { retry_after },
            Unavailable::StorageFull(_) => RegistryError::NoRoomForModule(error),
            other => RegistryError::internal(other),
        }
    }
}
