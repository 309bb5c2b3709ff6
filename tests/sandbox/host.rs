//! A sandbox of one's own for each test, with the real compile child and a cache folder that goes away.

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use clawos_runtime::{
    Failure, InMemoryModules, Invocation, Limits, ModuleInfo, ModuleRef, Outcome, Sandbox as _, Unavailable,
    WasmSandbox,
    wasm::{CompilerCommand, WasmConfig},
};
use tempfile::TempDir;

/// A sandbox, its modules and its folder.
pub(crate) struct Host {
    pub(crate) sandbox: WasmSandbox,
    modules: InMemoryModules,
    folder: Arc<TempDir>,
}

/// The program that is the compile child.
pub(crate) fn compiler() -> CompilerCommand {
    CompilerCommand { program: env!("CARGO_BIN_EXE_wasm-compiler").into(), args: Vec::new() }
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A host whose configuration `change` has changed.
    pub(crate) fn with(change: impl FnOnce(&mut WasmConfig)) -> Self {
        let folder = TempDir::new().expect("the system's folder for temporary files can be used");
        Self::start(InMemoryModules::default(), Arc::new(folder), change)
    }

    /// Another host over the same folder and modules, as after a restart.
    pub(crate) fn restarted(&self) -> Self {
        self.restarted_with(|_| {})
    }

    /// The same with a configuration that `change` has changed.
    pub(crate) fn restarted_with(&self, change: impl FnOnce(&mut WasmConfig)) -> Self {
        Self::start(self.modules.clone(), self.folder.clone(), change)
    }

    fn start(modules: InMemoryModules, folder: Arc<TempDir>, change: impl FnOnce(&mut WasmConfig)) -> Self {
        let mut config = WasmConfig::new(folder.path().join("compiled"));
        config.compiler = compiler();
        config.max_concurrent = 8;
        change(&mut config);
        let sandbox = WasmSandbox::new(config, Arc::new(modules.clone())).expect("the sandbox starts");
        Self { sandbox, modules, folder }
    }

    pub(crate) fn add(&self, artifact: Vec<u8>) -> ModuleRef {
        self.modules.add(artifact)
    }

    pub(crate) async fn prepare(&self, artifact: Vec<u8>) -> Result<ModuleInfo, Unavailable> {
        self.sandbox.prepare(&self.add(artifact)).await
    }

    /// The reason why an artifact is refused at publish.
    pub(crate) async fn refusal(&self, artifact: Vec<u8>) -> String {
        match self.prepare(artifact).await {
            Err(Unavailable::InvalidModule(reason)) => reason,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub(crate) async fn run(&self, artifact: Vec<u8>) -> Outcome {
        self.run_with(artifact, Limits::default()).await
    }

    pub(crate) async fn run_with(&self, artifact: Vec<u8>, limits: Limits) -> Outcome {
        let module = self.add(artifact);
        self.sandbox.run(&module, call(limits)).await.expect("the call takes place")
    }

    /// How the call fails, after checking what every failure must keep to.
    pub(crate) async fn failure(&self, artifact: Vec<u8>, limits: Limits) -> Failure {
        let outcome = self.run_with(artifact, limits).await;
        assert!(outcome.usage.fuel <= limits.fuel, "{outcome:?}");
        assert!(outcome.usage.peak_memory <= limits.memory_bytes, "{outcome:?}");
        outcome.result.expect_err("the call fails")
    }

    /// Files of the compiled-code cache.
    pub(crate) fn compiled(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("compiled")).expect("the cache folder exists");
        let paths = entries.map(|entry| entry.expect("the folder can be read").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect()
    }
}

/// A call of endpoint `main` with payload `{"n":1}`.
pub(crate) fn call(limits: Limits) -> Invocation {
    Invocation {
        tier: Some("commercial".to_owned()),
        limits,
        seed: [7; 32],
        time_ms: 1_700_000_000_123,
        ..Invocation::new("run_0123456789abcdef0123456789abcdef", "main", r#"{"n":1}"#)
    }
}

/// Limits under which only the wall clock can stop a guest.
pub(crate) fn only_wall(wall: Duration) -> Limits {
    Limits { fuel: u64::MAX, wall, ..Limits::default() }
}

/// The answer of a call that went well.
pub(crate) fn text(outcome: &Outcome) -> &str {
    let bytes = outcome.result.as_ref().expect("the call succeeds");
    std::str::from_utf8(bytes).expect("results are UTF-8")
}

/// Runs one of the ignored tests in a process of its own, and gives what it printed.
pub(crate) fn in_own_process(test: &str) -> String {
    let this_program = std::env::current_exe().expect("a running test has a file");
    let arguments = ["--exact", test, "--ignored", "--nocapture"];
    let output = Command::new(this_program).args(arguments).output().expect("this program starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{complaints}");
    printed
}
