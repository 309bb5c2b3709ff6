//! Reads `cargo metadata` and remaps the folder names it reports, so that the same source gives the same bytes on
//! every machine.

use std::collections::BTreeSet;
use std::fs;
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
    targets: Vec<Target>,
}

/// What cargo compiles of a package.
#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// A project: a package of a workspace and what it is made of.
pub(super) struct Project<'a> {
    workspace: &'a Workspace,
    /// Its `Cargo.toml`.
    manifest: &'a Path,
    /// Where the copies of the SDK are that all projects share.
    sdks: &'a Path,
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

    /// The project whose `Cargo.toml` is `manifest`; `sdks` is where the copies of the SDK are that all projects share.
    pub(super) fn project<'a>(&'a self, manifest: &'a Path, sdks: &'a Path) -> Project<'a> {
        Project { workspace: self, manifest, sdks }
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

impl<'a> Project<'a> {
    /// The workspace's folder, when the project must not be compiled where others are. Cargo names what is in a workspace by
    /// its place there alone, so only the folder that they are compiled in tells crates of one project from those of another,
    /// and their build scripts as well. The library of the project itself has a flag that tells it apart; a build script gets none.
    pub(super) fn alone(&self) -> Option<&'a Path> {
        let root = &*self.workspace.root;
        let is_inside = |package: &Package| package.folder().is_some_and(|folder| folder.starts_with(root));
        let mut packages = self.packages().into_iter();
        let alone = packages.any(
            |package| {
                if self.is_itself(package) { package.has_build_script() } else { is_inside(package) }
            },
        );
        alone.then_some(root)
    }

    /// The packages, by id and folder, whose files cargo takes for unchanged when their times are old: all in folders, but for
    /// the library of the project itself, which has a flag for that.
    pub(super) fn folders(&self) -> Vec<(&'a str, &'a Path)> {
        let root = &*self.workspace.root;
        let mut folders = Vec::new();
        for package in self.packages() {
            let Some(folder) = package.folder() else { continue };
            let may_change = package.source.is_none() || folder.starts_with(root);
            if may_change && (!self.is_itself(package) || package.has_build_script()) {
                folders.push((&*package.id, folder));
            }
        }
        folders
    }

    /// What it is made of, itself included and without a shared SDK.
    fn packages(&self) -> Vec<&'a Package> {
        let Workspace { packages, resolve, .. } = self.workspace;
        let mut next: Vec<&str> = packages.iter().filter(|each| self.is_itself(each)).map(|each| &*each.id).collect();
        let mut reached: BTreeSet<&str> = next.iter().copied().collect();
        while let Some(id) = next.pop() {
            let node = resolve.nodes.iter().find(|node| node.id == id);
            let dependencies = node.into_iter().flat_map(|node| &node.dependencies).map(String::as_str);
            next.extend(dependencies.filter(|id| reached.insert(id)));
        }
        let used = packages.iter().filter(|package| reached.contains(&*package.id));
        used.filter(|package| !self.is_shared_sdk(package)).collect()
    }

    fn is_itself(&self, package: &Package) -> bool {
        package.manifest_path == self.manifest
    }

    /// Whether a package is of a shared copy of an SDK, at a place in the workspace that has the copy's name. What an author
    /// keeps in the place of the link to it is the project's own, and so is what another link leads to.
    fn is_shared_sdk(&self, package: &Package) -> bool {
        let Some(folder) = package.folder() else { return false };
        let paths = [folder, self.sdks, &self.workspace.root].map(fs::canonicalize);
        let [Ok(real), Ok(sdks), Ok(root)] = paths else { return false };
        let within = real.strip_prefix(sdks).is_ok_and(|within| folder.ends_with(within));
        within && !real.starts_with(root)
    }
}

fn remapping(folder: &Path, name: &str) -> String {
    format!("--remap-path-prefix={}={name}", folder.display())
}

impl Package {
    fn folder(&self) -> Option<&Path> {
        self.manifest_path.parent()
    }

    fn has_build_script(&self) -> bool {
        self.targets.iter().flat_map(|target| &target.kind).any(|kind| kind == "custom-build")
    }
}

#[cfg(test)]
mod tests {
    //! A project with a dependency of each kind.

    use std::os::unix::fs::symlink;

    use super::*;

    fn workspace() -> Workspace {
        let folders = [
            ("1", "skill", "/home/ada/skill", None),
            ("2", "clawos-skill", "/home/ada/skill/.clawos/sdk/rust-1/rust", None),
            ("3", "shared", "/home/ada/shared", None),
            ("4", "table", "/home/ada/skill/table", None),
            ("5", "serde", "/home/ada/.cargo/registry/src/x/serde-1", Some("registry")),
            ("6", "itoa", "/home/ada/.cargo/registry/src/x/itoa-1", Some("registry")),
        ];
        let packages = folders.map(|(id, name, folder, source)| Package {
            id: id.to_owned(),
            name: name.to_owned(),
            manifest_path: Path::new(folder).join("Cargo.toml"),
            source: source.map(str::to_owned),
            targets: vec![Target { kind: vec!["lib".to_owned()] }],
        });
        let nodes = [("1", &["3", "5"][..]), ("3", &["1", "5"]), ("4", &["1"])].map(|(id, dependencies)| Node {
            id: id.to_owned(),
            dependencies: dependencies.iter().map(|id| (*id).to_owned()).collect(),
        });
        Workspace {
            packages: packages.into(),
            resolve: Resolve { nodes: nodes.into() },
            root: "/home/ada/skill".into(),
        }
    }

    impl Workspace {
        /// Where the project is compiled, if not with all others, and the packages whose files are watched.
        fn own(&self, sdks: &Path) -> (Option<&Path>, Vec<&str>) {
            let manifest = self.root.join("Cargo.toml");
            let project = self.project(&manifest, sdks);
            let names = project.folders().into_iter().map(|(id, _)| {
                let package = self.packages.iter().find(|package| package.id == id).expect("one of ours");
                &*package.name
            });
            (project.alone().map(|_| &*self.root), names.collect())
        }

        fn script(&mut self, id: &str) {
            let package = self.packages.iter_mut().find(|package| package.id == id).expect("there");
            package.targets.push(Target { kind: vec!["custom-build".to_owned()] });
        }
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
    fn a_project_with_crates_of_its_own_workspace_or_a_build_script_is_compiled_alone() {
        let (sdks, root) = (Path::new("/home/ada/sdks"), Path::new("/home/ada/skill"));
        let mut plain = workspace();
        // A build script beside the project is named by its whole path, a downloaded one by where it is from.
        plain.script("3");
        plain.script("5");
        assert_eq!(plain.own(sdks), (None, vec!["shared"]));
        let mut script = workspace();
        script.script("1");
        assert_eq!(script.own(sdks), (Some(root), vec!["skill", "shared"]));
        let mut inside = workspace();
        inside.resolve.nodes[1].dependencies.push("4".to_owned());
        assert_eq!(inside.own(sdks), (Some(root), vec!["shared", "table"]));
        // A download that the project brings in its own folder may be another than everybody's.
        let mut vendored = workspace();
        vendored.packages[4].manifest_path = root.join("vendor/serde/Cargo.toml");
        assert_eq!(vendored.own(sdks), (Some(root), vec!["shared", "serde"]));
    }

    #[test]
    fn only_the_users_copy_of_an_sdk_is_everybodys() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, sdks) = (folder.path().join("skill"), folder.path().join("sdks"));
        let (links, elsewhere) = (root.join(".clawos/sdk"), folder.path().join("elsewhere/rust-1"));
        for made in [&sdks.join("rust-1/rust"), &links, &elsewhere.join("rust")] {
            fs::create_dir_all(made).expect("made");
        }
        let mut workspace = workspace();
        for (package, below) in [(0, ""), (1, ".clawos/sdk/rust-1/rust")] {
            workspace.packages[package].manifest_path = root.join(below).join("Cargo.toml");
        }
        workspace.root.clone_from(&root);
        workspace.resolve.nodes[0].dependencies = vec!["2".to_owned()];
        let own = (Some(&*root), vec!["clawos-skill"]);
        let link = links.join("rust-1");

        symlink(sdks.join("rust-1"), &link).expect("linked");
        assert_eq!(workspace.own(&sdks), (None, vec![]));
        // A link to a patched one, one that leads nowhere, and a folder.
        for patched in [&elsewhere, Path::new("/nowhere")] {
            fs::remove_file(&link).expect("removed");
            symlink(patched, &link).expect("linked");
            assert_eq!(workspace.own(&sdks), own);
        }
        fs::remove_file(&link).expect("removed");
        fs::create_dir_all(link.join("rust")).expect("made");
        assert_eq!(workspace.own(&sdks), own);
        // Nor when the user's copies are said to be in the project.
        assert_eq!(workspace.own(&links), own);
    }
}
