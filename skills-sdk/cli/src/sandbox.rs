//! The server's sandbox on this machine, for `check`, `test` and replays.

use std::sync::Arc;

use bytes::Bytes;
use clawos_client::FieldError;
use clawos_manifest::ResolvedManifest;
use clawos_runtime::capability::OFFERED;
use clawos_runtime::wasm::WasmConfig;
use clawos_runtime::{
    InMemoryModules, ModuleInfo, ModuleRef, Permission, PermissionMismatch, RuntimeKind, Sandbox, Unavailable,
    WasmSandbox,
};

use crate::error::{CliError, Result};
use crate::state::Home;

/// Concurrent calls of the pool; the command runs one after the other.
const CONCURRENT: u32 = 2;

/// The sandbox and the modules it knows.
pub struct LocalSandbox {
    sandbox: WasmSandbox,
    modules: InMemoryModules,
}

impl std::fmt::Debug for LocalSandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalSandbox({})", self.engine_id())
    }
}

impl LocalSandbox {
    /// Starts the engine; compiled modules are kept in the home folder.
    ///
    /// # Errors
    /// [`CliError::Sandbox`].
    pub fn start(home: &Home) -> Result<Self> {
        home.ensure()?;
        let offers = OFFERED.iter().copied().collect();
        let config = WasmConfig { max_concurrent: CONCURRENT, offers, ..WasmConfig::new(home.module_cache()) };
        let modules = InMemoryModules::default();
        let sandbox = WasmSandbox::new(config, Arc::new(modules.clone())).map_err(unavailable)?;
        Ok(Self { sandbox, modules })
    }

    /// The sandbox that runs calls.
    pub fn engine(&self) -> &WasmSandbox {
        &self.sandbox
    }

    /// The engine's id (its name and fuel price list), as in receipts.
    pub fn engine_id(&self) -> String {
        self.sandbox.engine(RuntimeKind::Wasm).map(|id| id.to_string()).unwrap_or_default()
    }

    /// The modules the engine knows.
    pub fn modules(&self) -> &InMemoryModules {
        &self.modules
    }

    /// Validates and compiles a module as the server does at publish.
    ///
    /// # Errors
    /// [`CliError::Invalid`] with the reason it is refused.
    pub async fn prepare(&self, artifact: Bytes) -> Result<(ModuleRef, ModuleInfo)> {
        let module = self.modules.add(artifact);
        let info = self.sandbox.prepare(&module).await.map_err(unavailable)?;
        Ok((module, info))
    }
}

/// An error of the sandbox: the module's fault or the machine's.
pub fn unavailable(error: Unavailable) -> CliError {
    match error {
        Unavailable::InvalidModule(reason) => CliError::invalid(format!("the module is refused: {reason}")),
        other => CliError::Sandbox(other.to_string()),
    }
}

/// The permissions that the manifest asks for and no server of this release offers.
pub fn permissions_not_offered(manifest: &ResolvedManifest) -> Vec<FieldError> {
    let asked = Permission::ALL.into_iter().filter(|permission| permission.is_declared(&manifest.permissions));
    let finding = |permission: Permission| FieldError {
        pointer: format!("permissions.{permission}"),
        detail: "servers do not offer this permission yet; remove it, and what imports it".to_owned(),
    };
    asked.filter(|permission| !OFFERED.contains(permission)).map(finding).collect()
}

/// Where the manifest's permissions and the module's imports differ: each must equal the other.
pub fn permission_mismatches(manifest: &ResolvedManifest, info: &ModuleInfo) -> Vec<FieldError> {
    let mismatches = clawos_runtime::permission_mismatches(&manifest.permissions, &info.permissions);
    let finding = |mismatch: PermissionMismatch| FieldError {
        pointer: format!("permissions.{}", mismatch.permission),
        detail: mismatch.to_string(),
    };
    mismatches.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clawos_manifest::Manifest;

    use super::*;
    use crate::language::LANGUAGES;
    use crate::template;

    fn manifest(permissions: &str) -> ResolvedManifest {
        let files = template::files(&LANGUAGES[0], "acme", "word-count");
        let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.clone());
        let toml = text("skill.toml").expect("listed") + permissions;
        let parsed = Manifest::parse(&toml).expect("a manifest");
        let read = &mut |path: &str| Ok(text(path).expect("listed").into_bytes());
        parsed.resolve(read).expect("resolved")
    }

    fn pointers(permissions: &str, used: &[Permission]) -> Vec<String> {
        let info = ModuleInfo { size: 1, permissions: used.iter().copied().collect(), imports: BTreeSet::new() };
        permission_mismatches(&manifest(permissions), &info).into_iter().map(|finding| finding.pointer).collect()
    }

    #[test]
    fn permissions_must_equal_imports_in_both_directions() {
        let none: &[String] = &[];
        assert_eq!(pointers("", &[]), none);
        assert_eq!(pointers("", &[Permission::Kv]), ["permissions.kv"]);
        assert_eq!(pointers("\n[permissions]\nkv = true\n", &[Permission::Kv]), none);
        let asked = "\n[permissions]\nkv = true\nhttp = [\"api.example.com\"]\n";
        assert_eq!(pointers(asked, &[]), ["permissions.http", "permissions.kv"]);
        assert_eq!(pointers(asked, &[Permission::Kv, Permission::Skills]), ["permissions.http", "permissions.skills"]);
    }
}
