//! Modules: how one is named, where its bytes come from, and what is known of it once it has been checked.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    io::{self, Cursor},
    pin::Pin,
    sync::{Arc, RwLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use clawos_manifest::source::RuntimeKind;
use sha2::{Digest as _, Sha256};
use tokio::{fs::File, io::AsyncRead};

use crate::Permission;

/// Names a module by what runs it and by its content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ModuleRef {
    /// The manifest's `runtime.kind`: which back end runs it.
    pub kind: RuntimeKind,
    /// SHA-256 of the artifact as published.
    pub sha256: [u8; 32],
}

impl fmt::Debug for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleRef({} {})", self.kind, hex::encode(self.sha256))
    }
}

/// What is known of a module that passed [`Sandbox::prepare`](crate::Sandbox::prepare).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Size of the artifact, in bytes.
    pub size: u64,
    /// The permissions it uses; its manifest must declare the same ([`permission_mismatches`](crate::permission_mismatches)).
    pub permissions: BTreeSet<Permission>,
    /// Every interface it imports, without version: `clawos:skill/log`, `wasi:random/random`. Empty for kinds of module
    /// that import nothing.
    pub imports: BTreeSet<String>,
}

/// Where a sandbox gets artifacts from.
#[async_trait]
pub trait ModuleSource: Send + Sync {
    /// Opens an artifact. Its bytes need not be checked: a sandbox compares their hash with the module's name itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such artifact; any other error when it cannot be read now.
    async fn open(&self, module: &ModuleRef) -> io::Result<ModuleFile>;
}

/// An artifact that is being read, from its start. It may be larger than memory allows: images have 256 MiB.
pub struct ModuleFile {
    /// How many bytes `content` will yield.
    pub length: u64,
    /// The bytes.
    pub content: Pin<Box<dyn AsyncRead + Send>>,
}

impl ModuleFile {
    /// A file of this machine, read from where it stands.
    ///
    /// # Errors
    /// When its length cannot be read.
    pub async fn on_disk(file: File) -> io::Result<Self> {
        Ok(Self { length: file.metadata().await?.len(), content: Box::pin(file) })
    }
}

impl From<Bytes> for ModuleFile {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, content: Box::pin(Cursor::new(bytes)) }
    }
}

impl fmt::Debug for ModuleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleFile({} bytes)", self.length)
    }
}

/// A source that holds WASM modules in memory, for the command line's local runs and for replays.
#[derive(Clone, Debug, Default)]
pub struct InMemoryModules {
    modules: Arc<RwLock<HashMap<[u8; 32], Bytes>>>,
}

impl InMemoryModules {
    /// Adds a WASM module and names it.
    #[must_use]
    pub fn add(&self, bytes: impl Into<Bytes>) -> ModuleRef {
        let bytes = bytes.into();
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        self.modules.write().expect("no code panics while holding this lock").insert(sha256, bytes);
        ModuleRef { kind: RuntimeKind::Wasm, sha256 }
    }
}

#[async_trait]
impl ModuleSource for InMemoryModules {
    async fn open(&self, module: &ModuleRef) -> io::Result<ModuleFile> {
        let modules = self.modules.read().expect("no code panics while holding this lock");
        modules.get(&module.sha256).cloned().map(ModuleFile::from).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
