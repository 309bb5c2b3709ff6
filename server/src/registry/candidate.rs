//! What was uploaded, checked step by step: manifest, publisher, signature, module, permissions, examples.
//!
//! Nothing is stored on the way. The cheap checks come first; the module is compiled only for a publisher who signed it.

use super::examples;
use super::types::ExampleReport;
use super::upload::Upload;
use crate::app::App;
use crate::error::{ApiError, Code, FieldError};
use crate::http::Caller;
use clawos_manifest::source::RuntimeKind;
use clawos_manifest::{Manifest, ManifestError, ResolvedManifest, names};
use clawos_receipts::statement::VersionStatement;
use clawos_receipts::text::from_base58;
use clawos_runtime::{ModuleInfo, ModuleRef, PermissionMismatch, Unavailable, permission_mismatches};
use std::io;

/// An upload whose manifest is right and whose publisher may publish it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) manifest: ResolvedManifest,
    pub(super) manifest_json: String,
    pub(super) manifest_sha256: [u8; 32],
    pub(super) module_sha256: [u8; 32],
}

/// What the sandbox found out.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) info: ModuleInfo,
    pub(super) examples: Vec<ExampleReport>,
}

impl Candidate {
    /// Reads the manifest and the files it names, and checks that `caller` is its publisher.
    pub(super) fn read(upload: &Upload, caller: &Caller) -> Result<Candidate, ApiError> {
        let parsed = Manifest::parse(&upload.manifest).map_err(|errors| {
            let price = errors.iter().all(|error| error.key.starts_with("pricing"));
            let code = if price { Code::PriceInvalid } else { Code::ManifestInvalid };
            manifest_error(code, "Correct `skill.toml`.", &errors)
        })?;
        if parsed.runtime.kind != RuntimeKind::Wasm {
            return Err(ApiError::new(
                Code::ArtifactInvalid,
                "This server runs WASM skills only: runtime.kind = \"wasm\".",
            ));
        }
        if names::publisher_of(&parsed.skill.id) != Some(&*caller.handle) {
            let detail = format!("skill.id must begin with your own name: \"{}.\".", caller.handle);
            return Err(ApiError::new(Code::NotPublisher, detail));
        }
        let mut read = |path: &str| {
            let found = upload.files.get(path).map(|bytes| bytes.to_vec());
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it was not sent along as a `file` part"))
        };
        let manifest = parsed.resolve(&mut read).map_err(|errors| {
            let example = errors.iter().all(|error| error.key.contains(".examples["));
            let code = if example { Code::ExampleFailed } else { Code::SchemaInvalid };
            manifest_error(code, "Correct the files that `skill.toml` names.", &errors)
        })?;
        let manifest_json = manifest.canonical_json().map_err(ApiError::internal)?;
        Ok(Candidate {
            manifest_sha256: clawos_receipts::sha256(manifest_json.as_bytes()),
            module_sha256: clawos_receipts::sha256(&upload.artifact),
            manifest,
            manifest_json,
        })
    }

    /// Checks the publisher's signature over exactly this module and manifest.
    pub(super) fn check_signature(&self, signature: Option<&str>, caller: &Caller) -> Result<String, ApiError> {
        let wrong = |detail: &str| {
            let field = FieldError { pointer: "/signature".to_owned(), detail: detail.to_owned() };
            ApiError::new(Code::ValidationFailed, "Sign the version statement (clawos/version/v1).")
                .with_errors(vec![field])
        };
        let text = signature.ok_or_else(|| wrong("is missing; only a dry run goes without"))?;
        let bytes = from_base58::<64>(text).map_err(|_| wrong("must be 64 bytes in base58"))?;
        let statement = VersionStatement {
            skill: self.manifest.skill.id.clone(),
            version: self.manifest.skill.version.clone(),
            module_sha256: self.module_sha256,
            manifest_sha256: self.manifest_sha256,
        };
        statement.verify(&caller.wallet, &bytes).map_err(|error| {
            let detail = "The signature is not your wallet's over this skill, version, module and manifest.";
            ApiError::new(Code::BadSignature, detail).caused_by(error)
        })?;
        Ok(text.to_owned())
    }

    /// Compiles the module in the sandbox, compares its imports with the manifest, and runs the examples.
    pub(super) async fn try_out(&self, app: &App, upload: &Upload) -> Result<Tried, ApiError> {
        let _staged = app.staging.hold(self.module_sha256, upload.artifact.clone());
        let module = ModuleRef { kind: self.manifest.runtime.kind, sha256: self.module_sha256 };
        let info = app.sandbox.prepare(&module).await.map_err(refused)?;
        self.check_permissions(&info)?;
        let examples = examples::run(app, &module, &self.manifest).await?;
        Ok(Tried { info, examples })
    }

    fn check_permissions(&self, info: &ModuleInfo) -> Result<(), ApiError> {
        let mismatches = permission_mismatches(&self.manifest.permissions, &info.permissions);
        let field = |mismatch: PermissionMismatch| FieldError {
            pointer: format!("/manifest/permissions/{}", mismatch.permission),
            detail: mismatch.to_string(),
        };
        let errors: Vec<_> = mismatches.into_iter().map(field).collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(ApiError::new(Code::PermissionMismatch, "Declare exactly what the module imports.").with_errors(errors))
    }
}

/// What a sandbox that could not run a module means for its publisher.
pub(super) fn refused(error: Unavailable) -> ApiError {
    match error {
        Unavailable::InvalidModule(reason) => {
            ApiError::new(Code::ArtifactInvalid, format!("The artifact was refused: {reason}."))
        }
        Unavailable::PoolFull { retry_after } => {
            ApiError::new(Code::SandboxBusy, "All sandboxes are busy; try again.").retry_after(retry_after)
        }
        Unavailable::StorageFull(_) => {
            ApiError::new(Code::StorageFull, "The server has no room for the compiled module.").caused_by(error)
        }
        other => ApiError::internal(other),
    }
}

fn manifest_error(code: Code, detail: &str, errors: &[ManifestError]) -> ApiError {
    let field = |error: &ManifestError| FieldError {
        pointer: pointer(&error.key),
        detail: format!("{} ({})", error.problem, error.hint),
    };
    ApiError::new(code, detail).with_errors(errors.iter().map(field).collect())
}

/// `endpoints[0].name` as `/manifest/endpoints/0/name`.
fn pointer(key: &str) -> String {
    let path = key.replace("].", "/").replace(['.', '['], "/").replace(']', "");
    if path.is_empty() { "/manifest".to_owned() } else { format!("/manifest/{path}") }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn keys_become_pointers() {
        assert_eq!(pointer(""), "/manifest");
        assert_eq!(pointer("pricing.usage.per"), "/manifest/pricing/usage/per");
        assert_eq!(pointer("endpoints[0].examples[12].input"), "/manifest/endpoints/0/examples/12/input");
    }
}
