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
    resolve: Resolve,
    #[serde(rename = "workspace_root")]
    root: PathBuf,
}

/// Who uses whom.
#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
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
        self.root.join("Cargo.lock").is_file()
    }

    /// The crates of the project's workspace that the package at `manifest` uses, if any, and then the workspace they are
    /// in: cargo tells them from equally named ones of another project only by the folder they are compiled in.
    pub(super) fn own(&self, manifest: &Path) -> Option<(&Path, Vec<&str>)> {
        let package = self.packages.iter().find(|package| package.manifest_path == manifest)?;
        let mut reached = BTreeSet::from([package.id.as_str()]);
        let mut next = vec![package.id.as_str()];
        while let Some(id) = next.pop() {
            let node = self.resolve.nodes.iter().find(|node| node.id == id);
            next.extend(
                node.into_iter()
                    .flat_map(|node| &node.dependencies)
                    .map(String::as_str)
                    .filter(|id| reached.insert(id)),
            );
        }
        let sdks = self.root.join(".clawos/sdk");
        let own = self.packages.iter().filter(|other| {
            let inside =
                other.folder().is_some_and(|folder| folder.starts_with(&self.root) && !folder.starts_with(&sdks));
            other.source.is_none() && inside && other.id != package.id && reached.contains(other.id.as_str())
        });
        let own: Vec<&str> = own.map(|package| package.name.as_str()).collect();
        (!own.is_empty()).then_some((&*self.root, own))
    }

    /// Compiler flags that replace the names of folders in the module, though not in messages to the author: those of
    /// downloads, of packages outside the workspace and of `target`. What lies in the workspace has a relative name
    /// already. Where several match, the compiler takes the last.
    pub(super) fn remappings(&self, target: &Path) -> Vec<String> {
        let packages = |downloaded| self.packages.iter().filter(move |package| package.source.is_some() == downloaded);
        let downloads: BTreeSet<&Path> = packages(true).filter_map(|package| package.folder()?.parent()).collect();
        let mut flags = vec!["--remap-path-scope=object".to_owned(), remapping(target, "/target")];
        flags.extend(downloads.into_iter().map(|folder| remapping(folder, "/crates")));
        let outside = packages(false).filter_map(|package| Some((package.folder()?, &package.name)));
        let outside = outside.filter(|(folder, _)| !folder.starts_with(&self.root));
        flags.extend(outside.map(|(folder, name)| remapping(folder, &format!("/{name}"))));
        flags
    }

    /// The flag that replaces the name of the workspace's folder.
    pub(super) fn root_remapping(&self) -> String {
        remapping(&self.root, "/workspace")
    }
}

fn remapping(folder: &Path, name: &str) -> String {
    format!("--remap-path-prefix={}={name}", folder.display())
}

impl Package {
    fn folder(&self) -> Option<&Path> {
        self.manifest_path.parent()
    }
}

#[cfg(test)]
mod tests {
    //! A project with a dependency of each kind.

    use super::*;

    fn workspace() -> Workspace {
        let sample = serde_json::from_str(
            r#"{
                "packages": [
                    {"id": "1", "name": "skill", "manifest_path": "/home/ada/skill/Cargo.toml", "source": null},
                    {"id": "2", "name": "clawos-skill", "manifest_path": "/home/ada/skill/.clawos/sdk/rust-1/rust/Cargo.toml", "source": null},
                    {"id": "3", "name": "shared", "manifest_path": "/home/ada/shared/Cargo.toml", "source": null},
                    {"id": "4", "name": "table", "manifest_path": "/home/ada/skill/table/Cargo.toml", "source": null},
                    {"id": "5", "name": "serde", "manifest_path": "/home/ada/.cargo/registry/src/x/serde-1/Cargo.toml", "source": "registry"},
                    {"id": "6", "name": "itoa", "manifest_path": "/home/ada/.cargo/registry/src/x/itoa-1/Cargo.toml", "source": "registry"}
                ],
                "resolve": {"nodes": [
                    {"id": "1", "dependencies": ["2", "3"]},
                    {"id": "3", "dependencies": ["1", "5"]},
                    {"id": "4", "dependencies": ["1"]}
                ]},
                "workspace_root": "/home/ada/skill"
            }"#,
        );
        sample.expect("what cargo says")
    }

    #[test]
    fn every_folder_gets_a_name_that_does_not_depend_on_the_machine() {
        let workspace = workspace();
        assert_eq!(
            workspace.remappings(Path::new("/cache/t")),
            [
                "--remap-path-scope=object",
                "--remap-path-prefix=/cache/t=/target",
                "--remap-path-prefix=/home/ada/.cargo/registry/src/x=/crates",
                "--remap-path-prefix=/home/ada/shared=/shared",
            ]
        );
        assert_eq!(workspace.root_remapping(), "--remap-path-prefix=/home/ada/skill=/workspace");
        assert!(!workspace.is_locked());
    }

    #[test]
    fn a_project_that_uses_crates_of_its_own_workspace_says_so() {
        let mut workspace = workspace();
        assert_eq!(workspace.own(Path::new("/home/ada/skill/Cargo.toml")), None, "the SDK is everybody's");
        workspace.resolve.nodes[1].dependencies.push("4".to_owned());
        let own = workspace.own(Path::new("/home/ada/skill/Cargo.toml"));
        assert_eq!(own, Some((Path::new("/home/ada/skill"), vec!["table"])));
    }
}
