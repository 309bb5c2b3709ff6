//! An upload's module in the sandbox: compiled, its imports compared with the manifest, its examples run.

use std::collections::BTreeSet;

use clawos_api::FieldError;
use clawos_api::registry::ExampleReport;
use clawos_manifest::source::Permissions;
use clawos_runtime::{ModuleInfo, ModuleRef, Permission, PermissionMismatch, permission_mismatches};

use crate::candidate::Candidate;
use crate::{Registry, RegistryError, Upload, examples};

/// What the sandbox found out.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) info: ModuleInfo,
    pub(crate) examples: Vec<ExampleReport>,
}

impl Registry {
    /// Compiles the module, compares its imports with the manifest, and runs the examples. Nothing is stored.
    pub(crate) async fn try_out(&self, candidate: &Candidate, upload: &Upload) -> Result<Trial, RegistryError> {
        let _staged = self.ports.staging.hold(upload.module_sha256, upload.parts.artifact.clone());
        let module = ModuleRef { kind: candidate.manifest.runtime.kind, sha256: upload.module_sha256 };
        let info = self.ports.sandbox.prepare(&module).await?;
        check_permissions(&candidate.manifest.permissions, &info.permissions)?;
        let examples = examples::run(&*self.ports.sandbox, &module, &candidate.manifest).await?;
        Ok(Trial { info, examples })
    }
}

fn check_permissions(declared: &Permissions, used: &BTreeSet<Permission>) -> Result<(), RegistryError> {
    let field = |mismatch: PermissionMismatch| FieldError {
        pointer: format!("/manifest/permissions/{}", mismatch.permission),
        detail: mismatch.to_string(),
    };
    let errors: Vec<_> = permission_mismatches(declared, used).into_iter().map(field).collect();
    if errors.is_empty() { Ok(()) } else { Err(RegistryError::Permissions(errors)) }
}
