//! The resolved manifest: everything in one value, with a canonical form that is hashed, signed and stored.

use clawos_receipts::canonical::CanonicalError;
use clawos_receipts::{Hash, canonical_json, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::Limits;
use crate::pricing::Prices;
use crate::source::{Permissions, RuntimeKind, Skill};

/// A manifest with its schemas and examples read in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedManifest {
    /// What the skill is.
    pub skill: Skill,
    /// The back end that runs it.
    pub runtime: Runtime,
    /// What one call may use, defaults filled in.
    pub limits: Limits,
    /// What it may reach.
    pub permissions: Permissions,
    /// What it costs; `None` (JSON `null`) when it is free.
    pub prices: Option<Prices>,
    /// What it can do.
    pub endpoints: Vec<Endpoint>,
}

/// What runs a skill. Where its author keeps the artifact is nobody else's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// The back end, as `runtime.kind` names it.
    pub kind: RuntimeKind,
}

/// One endpoint with its schemas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The name that calls use, 1 to 64 characters.
    pub name: String,
    /// One line that says what it does; 1 to 160 characters.
    pub summary: String,
    /// JSON Schema of the payload.
    pub input: Value,
    /// JSON Schema of the answer.
    pub output: Value,
    /// Calls that must match.
    pub examples: Vec<Example>,
}

/// A call that must match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The payload of the call.
    pub input: Value,
    /// The answer it must give.
    pub output: Value,
}

impl ResolvedManifest {
    /// RFC 8785 canonical JSON. It cannot fail for what [`Manifest::resolve`](crate::Manifest::resolve) made; a value
    /// from elsewhere may hold integers beyond 2^53.
    pub fn canonical_json(&self) -> Result<String, CanonicalError> {
        canonical_json(&serde_json::to_value(self).expect("a manifest holds nothing that JSON cannot"))
    }

    /// SHA-256 of the canonical JSON: what the publisher signs. Errors as [`Self::canonical_json`] does.
    pub fn sha256(&self) -> Result<Hash, CanonicalError> {
        Ok(sha256(self.canonical_json()?.as_bytes()))
    }

    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}
