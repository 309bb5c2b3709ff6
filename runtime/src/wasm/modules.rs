//! From an artifact's hash to a module that can be called: memory, then disk, then the compile child.

use std::{collections::BTreeSet, io, sync::Arc, time::Duration};

use moka::{future::Cache, policy::EvictionPolicy};
use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncReadExt as _, runtime::Handle, sync::Semaphore, task::spawn_blocking};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use super::{
    WasmConfig, bindings,
    cache::CompiledCache,
    compile, engine,
    instance::{Guest, LoadedModule},
    validate,
};
use crate::{ModuleFile, ModuleInfo, ModuleRef, ModuleSource, Permission, Unavailable};

/// Most callers who wait until their module is loaded or compiled: each holds a connection and a payload, which may be
/// a mebibyte, and when many modules are cold for minutes.
const MAX_WAITING: usize = 64;
/// What a caller who found too many waiting should wait: about as long as a usual skill takes to compile.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Most modules that are remembered as refused, and for how long: a host that was busy may take one after all.
const MAX_REFUSED: u64 = 10_000;
const REFUSED_FOR: Duration = Duration::from_secs(600);
/// How much of an artifact is read and hashed at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// All modules of a sandbox.
pub(super) struct Modules {
    config: WasmConfig,
    source: Arc<dyn ModuleSource>,
    engine: Engine,
    linker: Linker<Guest>,
    disk: Arc<CompiledCache>,
    loaded: Cache<[u8; 32], Arc<LoadedModule>>,
    /// Why modules were refused, so that calls of one do not compile it again and again.
    refused: Cache<[u8; 32], Arc<str>>,
    /// Places for callers whose module is not in memory.
    waiting: Semaphore,
    /// One compilation at a time: it is the dearest thing a stranger can ask for.
    compiler: Semaphore,
}

fn host(what: &str, error: impl std::fmt::Display) -> Unavailable {
    Unavailable::Host(format!("{what}: {error}"))
}

/// An error of the folder for compiled code, which may be full.
fn storage(what: &str, error: &io::Error) -> Unavailable {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Unavailable::StorageFull(format!("{what}: {error}"))
        }
        _ => host(what, error),
    }
}

impl Modules {
    pub(super) fn new(config: WasmConfig, source: Arc<dyn ModuleSource>) -> Result<Self, Unavailable> {
        let engine = engine::runner(config.cpu, config.max_concurrent, config.max_nested)
            .map_err(|error| host("the WASM engine cannot start", error))?;
        let mut linker = Linker::new(&engine);
        bindings::link(&mut linker, &config.offers)
            .map_err(|error| host("the host functions cannot be linked", error))?;
        let disk = CompiledCache::open(&config.cache_dir, engine::compatibility(&engine), config.max_cached_bytes)
            .map_err(|error| host("the folder for compiled modules cannot be used", error))?;
        let loaded = Cache::builder()
            .max_capacity(config.max_loaded_bytes)
            // The default also asks how often a module is used, and would turn a large one away again and again.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|_, module: &Arc<LoadedModule>| u32::try_from(module.code_bytes).unwrap_or(u32::MAX))
            .build();
        let refused = Cache::builder().max_capacity(MAX_REFUSED).time_to_live(REFUSED_FOR).build();
        let (waiting, compiler) = (Semaphore::new(MAX_WAITING), Semaphore::new(1));
        Ok(Self { config, source, engine, linker, disk: Arc::new(disk), loaded, refused, waiting, compiler })
    }

    /// Checks a module and makes it ready to be called. Its artifact is read once.
    pub(super) async fn prepare(&self, module: &ModuleRef) -> Result<(ModuleInfo, Arc<LoadedModule>), Unavailable> {
        self.check_not_refused(module).await?;
        let read = self.read(module).await;
        let Checked { info, artifact } = self.remember_refusal(module, read).await?;
        Ok((info, self.get_with(module, Some(artifact)).await?))
    }

    /// A module ready to be called. Of several callers that need it at once, one does the work.
    pub(super) async fn get(&self, module: &ModuleRef) -> Result<Arc<LoadedModule>, Unavailable> {
        self.get_with(module, None).await
    }

    /// The same, with the artifact when it has been read and checked already.
    async fn get_with(&self, module: &ModuleRef, artifact: Option<Vec<u8>>) -> Result<Arc<LoadedModule>, Unavailable> {
        if let Some(module) = self.loaded.get(&module.sha256).await {
            return Ok(module);
        }
        self.check_not_refused(module).await?;
        let place = self.waiting.try_acquire();
        let _place = place.map_err(|_| Unavailable::PoolFull { retry_after: RETRY_AFTER })?;
        let load = self.load(module, artifact);
        let loaded = self.loaded.try_get_with(module.sha256, load).await.map_err(Arc::unwrap_or_clone);
        self.remember_refusal(module, loaded).await
    }

    /// # Errors
    /// [`Unavailable::InvalidModule`] with the reason for which the module was refused a while ago.
    async fn check_not_refused(&self, module: &ModuleRef) -> Result<(), Unavailable> {
        let refusal = self.refused.get(&module.sha256).await;
        refusal.map_or(Ok(()), |reason| Err(Unavailable::InvalidModule(reason.to_string())))
    }

    async fn remember_refusal<T>(&self, module: &ModuleRef, outcome: Result<T, Unavailable>) -> Result<T, Unavailable> {
        if let Err(Unavailable::InvalidModule(reason)) = &outcome {
            self.refused.insert(module.sha256, reason.as_str().into()).await;
        }
        outcome
    }

    async fn load(&self, module: &ModuleRef, artifact: Option<Vec<u8>>) -> Result<Arc<LoadedModule>, Unavailable> {
        let (disk, sha256) = (self.disk.clone(), module.sha256);
        let cached = blocking(move || disk.read(sha256)).await?.map_err(|error| host("a compiled module", error))?;
        if let Some(code) = cached {
            match self.map_code(code).await? {
                Ok(component) => return self.link(&component).map(Arc::new),
                Err(error) => {
                    tracing::warn!(module = hex::encode(sha256), %error, "compiled module does not fit this engine");
                    self.disk.remove(sha256).map_err(|error| host("a compiled module", error))?;
                }
            }
        }
        let artifact = match artifact {
            Some(artifact) => artifact,
            None => self.read(module).await?.artifact,
        };
        let code = self.compile(sha256, artifact).await?;
        match self.map_code(code).await? {
            Ok(component) => self.link(&component).map(Arc::new),
            Err(error) => {
                self.disk.remove(sha256).map_err(|error| host("a compiled module", error))?;
                // The engine explains some refusals in a list.
                let reason = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
                Err(Unavailable::InvalidModule(format!("it does not fit this server: {reason}")))
            }
        }
    }

    fn link(&self, component: &Component) -> Result<LoadedModule, Unavailable> {
        let range = component.image_range();
        let code_bytes = (range.end as usize).saturating_sub(range.start as usize) as u64;
        LoadedModule::new(&self.linker, component, code_bytes).map_err(Unavailable::InvalidModule)
    }

    /// Makes code of bytes. The inner error is the engine's refusal: made for another processor, for instance.
    async fn map_code(&self, code: Vec<u8>) -> Result<wasmtime::Result<Component>, Unavailable> {
        let engine = self.engine.clone();
        blocking(move || {
            #[expect(unsafe_code, reason = "loading precompiled code is what this back end is about")]
            // SAFETY: the bytes were written by this host's own compile child and are held in this process's private
            // memory, where their keyed hash was checked (`CompiledCache`); the engine copies them from there.
            unsafe {
                Component::deserialize(&engine, &code)
            }
        })
        .await
    }

    /// Compiles an artifact that was checked.
    async fn compile(&self, sha256: [u8; 32], artifact: Vec<u8>) -> Result<Vec<u8>, Unavailable> {
        let _turn = self.compiler.acquire().await.map_err(|error| host("the compiler", error))?;
        let WasmConfig { compiler, cpu, compile_cpu_secs, compile_wall, .. } = self.config.clone();
        let disk = self.disk.clone();
        let files = blocking(move || {
            let input = disk.unnamed_file()?;
            compile::write_input(&input, cpu, compile_cpu_secs, &artifact)?;
            let output = disk.new_file()?;
            Ok((input, output.as_file().try_clone()?, output))
        });
        let (input, stdout, output) = files.await?.map_err(|error| storage("the compiler's files", &error))?;
        compile::compile(&compiler, compile_wall, input, stdout).await?;
        let disk = self.disk.clone();
        blocking(move || disk.keep(sha256, output))
            .await?
            .map_err(|error| storage("compiled code cannot be kept", &error))
    }

    /// Reads an artifact, hashing it meanwhile, and checks it without compiling it.
    async fn read(&self, module: &ModuleRef) -> Result<Checked, Unavailable> {
        let (name, sha256) = (format!("artifact {}", hex::encode(module.sha256)), module.sha256);
        let file = self.source.open(module).await.map_err(|error| host(&name, error))?;
        let (runtime, offers) = (Handle::current(), self.config.offers.clone());
        blocking(move || runtime.block_on(read_and_check(file, sha256, &name, &offers))).await?
    }
}

/// An artifact that passed the static pass.
struct Checked {
    info: ModuleInfo,
    artifact: Vec<u8>,
}

async fn read_and_check(
    file: ModuleFile,
    sha256: [u8; 32],
    name: &str,
    offers: &BTreeSet<Permission>,
) -> Result<Checked, Unavailable> {
    validate::check_size(file.length).map_err(Unavailable::InvalidModule)?;
    let mut artifact = Vec::with_capacity(usize::try_from(file.length).unwrap_or_default());
    let mut content = file.content.take(file.length);
    let mut hasher = Sha256::new();
    let mut hashed = 0;
    while (&mut content).take(CHUNK_BYTES as u64).read_to_end(&mut artifact).await.map_err(|error| host(name, error))?
        > 0
    {
        hasher.update(&artifact[hashed..]);
        hashed = artifact.len();
    }
    if <[u8; 32]>::from(hasher.finalize()) != sha256 {
        return Err(host(name, "its bytes have another hash"));
    }
    let info = validate::check(&artifact, offers).map_err(Unavailable::InvalidModule)?;
    Ok(Checked { info, artifact })
}

/// Runs work that would hold a worker thread for long.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unavailable> {
    spawn_blocking(work).await.map_err(|error| host("a background task", error))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::RuntimeKind;

    /// A store that is damaged: whatever it is asked for, it gives the same.
    struct Damaged;

    #[async_trait::async_trait]
    impl ModuleSource for Damaged {
        async fn open(&self, _: &ModuleRef) -> io::Result<ModuleFile> {
            Ok(Bytes::from_static(b"\0asm\x0d\0\x01\0").into())
        }
    }

    #[tokio::test]
    async fn an_artifact_with_another_hash_is_the_hosts_fault_and_never_compiled() {
        let folder = tempfile::tempdir().expect("the system's folder for temporary files can be used");
        let modules = Modules::new(WasmConfig::new(folder.path()), Arc::new(Damaged)).expect("the engine starts");
        let module = ModuleRef { kind: RuntimeKind::Wasm, sha256: [9; 32] };
        for answer in [modules.prepare(&module).await.map(|_| ()), modules.get(&module).await.map(|_| ())] {
            match answer {
                Err(Unavailable::Host(text)) => assert!(text.contains("its bytes have another hash"), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_full_disk_is_told_from_other_faults_of_the_host() {
        for (kind, code) in [
            (io::ErrorKind::StorageFull, "storage_full"),
            (io::ErrorKind::QuotaExceeded, "storage_full"),
            (io::ErrorKind::PermissionDenied, "internal"),
        ] {
            assert_eq!(storage("a file", &kind.into()).code(), code);
        }
    }
}
