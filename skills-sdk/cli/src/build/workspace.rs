//! Reads `cargo metadata` and remaps the folder names it reports, so that the same source gives the same bytes on
//! every machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use super::BuildError;
use super::compiler::Compiler;

/// The part of `cargo metadata` that a build needs.
#[derive(Deserialize)]
pub(super) struct Workspace {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    /// Where a package was downloaded from; none for a folder.
    source: Option<String>,
}

impl Workspace {
    /// Asks cargo about the project whose `Cargo.toml` is `manifest`.
    ///
    /// # Errors
    /// [`BuildError::Start`] or [`BuildError::Project`].
    pub(super) fn read(compiler: &Compiler, manifest: &Path) -> Result<Self, BuildError> {
        let mut cargo = compiler.cargo();
        let output = cargo
            .args(["metadata", "--format-version=1", "--filter-platform"])
            .arg(compiler.target())
            .arg("--manifest-path")
            .arg(manifest)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| BuildError::Start { program: cargo.get_program().into(), source })?;
        if !output.status.success() {
            return Err(BuildError::Project(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Project(error.to_string()))
    }

    /// Whether the versions of all dependencies are fixed.
    pub(super) fn is_locked(&self) -> bool {
        self.workspace_root.join("Cargo.lock").is_file()
    }

    /// Compiler flags that replace the names of folders in the module, though not in messages to the author. Where
    /// several match, the compiler takes the last.
    pub(super) fn remappings(&self) -> Vec<String> {
        let mut folders = vec![
            (self.workspace_root.clone(), "/workspace".to_owned()),
            (self.target_directory.clone(), "/target".to_owned()),
        ];
        let downloads: BTreeSet<&Path> = self
            .packages
            .iter()
            .filter(|package| package.source.is_some())
            .filter_map(|package| package.folder()?.parent())
            .collect();
        folders.extend(downloads.into_iter().map(|folder| (folder.to_owned(), "/crates".to_owned())));
        for package in self.packages.iter().filter(|package| package.source.is_none()) {
            if let Some(folder) = package.folder() {
                folders.push((folder.to_owned(), format!("/{}", package.name)));
            }
        }
        let flags = folders.iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()));
        std::iter::once("--remap-path-scope=object".to_owned()).chain(flags).collect()
    }
}

impl Package {
    fn folder(&self) -> Option<&Path> {
        self.manifest_path.parent()
    }
}

#[cfg(test)]
mod tests {
    //! The remappings of a project with a dependency of each kind.

    use super::*;

    #[test]
    fn every_folder_gets_a_name_that_does_not_depend_on_the_machine() {
        let workspace: Workspace = serde_json::from_str(
            r#"{
                "packages": [
                    {"name": "skill", "manifest_path": "/home/ada/skill/Cargo.toml", "source": null},
                    {"name": "serde", "manifest_path": "/home/ada/.cargo/registry/src/x/serde-1/Cargo.toml", "source": "registry"},
                    {"name": "itoa", "manifest_path": "/home/ada/.cargo/registry/src/x/itoa-1/Cargo.toml", "source": "registry"}
                ],
                "target_directory": "/home/ada/skill/target",
                "workspace_root": "/home/ada/skill"
            }"#,
        )
        .unwrap();
        assert_eq!(
            workspace.remappings(),
            [
                "--remap-path-scope=object",
                "--remap-path-prefix=/home/ada/skill=/workspace",
                "--remap-path-prefix=/home/ada/skill/target=/target",
                "--remap-path-prefix=/home/ada/.cargo/registry/src/x=/crates",
                "--remap-path-prefix=/home/ada/skill=/skill",
            ]
        );
        assert!(!workspace.is_locked());
    }
}
