//! A skill's folder: `skill.toml`, the files it names, and the artifact.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clawos_client::FieldError;
use clawos_manifest::manifest::MAX_MANIFEST_BYTES;
use clawos_manifest::resolve::MAX_FILE_BYTES;
use clawos_manifest::{Manifest, ManifestError, ResolvedManifest};
use clawos_runtime::limits::MAX_ARTIFACT_BYTES;

use crate::build::BuildError;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::language;
use crate::sdk;
use crate::table;
use crate::whole_file::{self, WholeFile};

/// The longest README, in bytes; the server's limit.
const MAX_README_BYTES: u64 = 256 << 10;

/// A skill's folder whose manifest has passed every check.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    /// The text of `skill.toml`.
    pub text: String,
    /// The manifest with its files read in.
    pub manifest: ResolvedManifest,
    /// SHA-256 of the manifest's canonical form, which the publisher signs.
    pub manifest_sha256: [u8; 32],
    /// Schemas and examples: (path as the manifest names it, content).
    pub files: Vec<(String, Bytes)>,
    artifact: String,
}

impl Project {
    /// Reads and checks the skill in `folder`.
    ///
    /// # Errors
    /// [`CliError::Invalid`] with everything that is wrong; [`CliError::File`] when there is no `skill.toml`.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("skill.toml");
        let bytes = read_bounded(&path, MAX_MANIFEST_BYTES as u64).map_err(CliError::file(&path))?;
        let text = String::from_utf8(bytes).map_err(|_| CliError::invalid("skill.toml is not UTF-8 text"))?;
        let manifest = Manifest::parse(&text).map_err(|errors| invalid("skill.toml", errors))?;
        let artifact = manifest.runtime.artifact.clone();
        let mut files = Vec::new();
        let mut read = |path: &str| {
            let content = read_inside(folder, path, MAX_FILE_BYTES as u64)?;
            files.push((path.to_owned(), Bytes::from(content.clone())));
            Ok(content)
        };
        let manifest = manifest.resolve(&mut read).map_err(|errors| invalid("skill.toml", errors))?;
        let manifest_sha256 = manifest.sha256().map_err(|error| CliError::invalid(error.to_string()))?;
        Ok(Self { folder: folder.to_owned(), text, manifest, manifest_sha256, files, artifact })
    }

    /// The skill's id, such as `acme.word-count`.
    pub fn id(&self) -> &str {
        &self.manifest.skill.id
    }

    /// Where the artifact is, or will be.
    pub fn artifact_path(&self) -> PathBuf {
        self.folder.join(&self.artifact)
    }

    /// The artifact, if it has been built.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read, leads out of the folder, or is larger than any server takes.
    pub fn artifact(&self) -> Result<Option<Bytes>> {
        match read_inside(&self.folder, &self.artifact, MAX_ARTIFACT_BYTES) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CliError::File { path: self.artifact_path(), source }),
        }
    }

    /// The README, if there is one.
    ///
    /// # Errors
    /// [`CliError::File`]; [`CliError::Invalid`] when it is not text.
    pub fn readme(&self) -> Result<Option<String>> {
        match read_inside(&self.folder, "README.md", MAX_README_BYTES) {
            Ok(bytes) => {
                String::from_utf8(bytes).map(Some).map_err(|_| CliError::invalid("README.md is not UTF-8 text"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CliError::File { path: self.folder.join("README.md"), source }),
        }
    }

    /// Builds the artifact when its sources are here and `build` says so; reads it in any case.
    ///
    /// # Errors
    /// [`CliError::Invalid`] when it does not build, or there is nothing to build and no artifact.
    pub async fn build_and_read(&self, build: bool, context: &Context) -> Result<Bytes> {
        if build && language::of(&self.folder).is_some() {
            return self.build(context).await;
        }
        let artifact = self.artifact()?;
        artifact.ok_or_else(|| {
            CliError::invalid(format!(
                "there is no {}; build it first (`clawos build`)",
                self.artifact_path().display()
            ))
        })
    }

    /// Builds the artifact and writes it to its place.
    ///
    /// # Errors
    /// [`CliError::Invalid`] with the compiler's messages.
    pub async fn build(&self, context: &Context) -> Result<Bytes> {
        let (out, cache) = (context.out, context.build_cache()?);
        let language = language::of(&self.folder).ok_or_else(|| language::missing(&self.folder))?;
        sdk::provide(language, &self.folder, &context.home)?;
        let progress = out.progress(format!("building {}", self.id()));
        let (folder, sdks) = (self.folder.clone(), context.home.sdk(""));
        let built = move || (language.build)(&folder, &sdks, &cache, &mut |text| out.report(text));
        let built = tokio::task::spawn_blocking(built).await;
        drop(progress);
        let built = built.map_err(|error| CliError::System(io::Error::other(error)))?;
        let component = built.map_err(|error| match &error {
            BuildError::Compile { said, .. } if !out.shows_notes() => CliError::invalid(format!("{error}:\n{said}")),
            _ => CliError::invalid(error.to_string()),
        })?;
        let path = self.artifact_path();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(CliError::file(parent))?;
            inside(&self.folder, parent).map_err(CliError::file(parent))?;
        }
        WholeFile::begin(&path, whole_file::SHARED)?.finish(&component)?;
        Ok(component.into())
    }
}

/// Findings about a manifest.
fn invalid(what: &str, errors: Vec<ManifestError>) -> CliError {
    let finding = |error: ManifestError| FieldError {
        pointer: if error.key.is_empty() { what.to_owned() } else { error.key },
        detail: format!("{}: {}", error.problem, error.hint),
    };
    let message = format!("{what} has {}", table::count(errors.len() as u64, "problem", "problems"));
    CliError::Invalid { message, findings: errors.into_iter().map(finding).collect() }
}

/// Reads a file of the project; one that a link leads out of it is refused.
fn read_inside(folder: &Path, path: &str, limit: u64) -> io::Result<Vec<u8>> {
    read_bounded(&inside(folder, &folder.join(path))?, limit)
}

/// Where `path` really is; it must be in the project's folder.
fn inside(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    if !path.starts_with(folder.canonicalize()?) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link leads out of the project's folder"));
    }
    Ok(path)
}

fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}
