//! A back end that runs ordinary programs, one process per call: what shows that nothing in the trait is about WASM.
//!
//! It stands where images will (`docker`). It isolates nothing and is for tests only.

use std::{
    collections::BTreeSet,
    io,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use clawos_runtime::{
    CallCapabilities, Engine, Failure, GuestErrorCode, Invocation, LogLevel, LogLine, ModuleInfo, ModuleRef,
    ModuleSource, Outcome, Permission, RuntimeKind, Sandbox, Unavailable, Usage, capability::kv::KeyValueCall,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::{
    fs::{self, File},
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{sleep, sleep_until},
};

/// Runs programs of its source, from copies in a folder of its own.
pub(crate) struct NativeSandbox {
    source: Arc<dyn ModuleSource>,
    folder: TempDir,
}

/// What a program says.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Progress(u64, u64, String),
    Log(LogLevel, String),
    Get(String),
    Set(String, String),
    Answer(String),
    Refusal(String, String),
}

impl NativeSandbox {
    pub(crate) fn new(source: Arc<dyn ModuleSource>) -> Self {
        Self { source, folder: TempDir::new().expect("the system's folder for temporary files can be used") }
    }

    /// Copies the program, a piece at a time, and checks its hash.
    async fn copy(&self, module: &ModuleRef) -> Result<(PathBuf, u64), Unavailable> {
        let path = self.folder.path().join(hex::encode(module.sha256));
        if let Ok(metadata) = fs::metadata(&path).await {
            return Ok((path, metadata.len()));
        }
        let host = |error: io::Error| Unavailable::Host(error.to_string());
        let mut from = self.source.open(module).await.map_err(host)?;
        let unfinished = path.with_extension("new");
        let mut to = File::create(&unfinished).await.map_err(host)?;
        let (mut hasher, mut piece, mut size) = (Sha256::new(), vec![0; 64 * 1024], 0);
        loop {
            let read = from.content.read(&mut piece).await.map_err(host)?;
            if read == 0 {
                break;
            }
            hasher.update(&piece[..read]);
            to.write_all(&piece[..read]).await.map_err(host)?;
            size += read as u64;
        }
        to.flush().await.map_err(host)?;
        drop(to.into_std().await);
        if size != from.length || <[u8; 32]>::from(hasher.finalize()) != module.sha256 {
            return Err(Unavailable::Host("its bytes have another hash".to_owned()));
        }
        fs::set_permissions(&unfinished, std::fs::Permissions::from_mode(0o500)).await.map_err(host)?;
        fs::rename(&unfinished, &path).await.map_err(host)?;
        Ok((path, size))
    }
}

/// Starts a program. Another thread that forks at the wrong moment holds the file open for writing for a while.
async fn start(program: &PathBuf) -> Result<Child, Unavailable> {
    for _ in 0..200 {
        let child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).env_clear().kill_on_drop(true).spawn();
        match child {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => sleep(Duration::from_millis(10)).await,
            child => return child.map_err(|error| Unavailable::Host(error.to_string())),
        }
    }
    Err(Unavailable::Host("the program's file stays busy".to_owned()))
}

/// A program at work on a call.
struct Call<'a> {
    invocation: &'a Invocation,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
    capabilities: CallCapabilities,
    logs: Vec<LogLine>,
    host_calls: u64,
}

impl Call<'_> {
    async fn answer(&mut self) -> Result<Bytes, Failure> {
        let call =
            serde_json::json!({ "endpoint": self.invocation.endpoint, "payload": text(&self.invocation.payload) });
        self.tell(&call).await?;
        loop {
            let line = self.says.next_line().await.map_err(crashed)?;
            let line = line.ok_or_else(|| Failure::Trap("it ended without an answer".to_owned()))?;
            match serde_json::from_str(&line).map_err(crashed)? {
                Said::Progress(done, total, note) => self.invocation.events.progress(done, total, &note),
                Said::Log(level, message) => {
                    let line = LogLine { level, message };
                    self.invocation.events.log(&line);
                    self.logs.push(line);
                }
                Said::Get(key) => {
                    let value = self.kv()?.get(&key).await.map_err(crashed)?;
                    self.tell(&value.map(|value| text(&value)).into()).await?;
                }
                Said::Set(key, value) => self.kv()?.set(key, value.into()).map_err(crashed)?,
                Said::Answer(answer) if answer.len() as u64 > self.invocation.limits.output_bytes => {
                    return Err(Failure::OutputTooLarge);
                }
                Said::Answer(answer) => return Ok(answer.into()),
                Said::Refusal(code, message) => {
                    assert_eq!(code, "not-found", "the only one the program knows");
                    return Err(Failure::GuestError { code: GuestErrorCode::NotFound, message });
                }
            }
        }
    }

    fn kv(&mut self) -> Result<&mut KeyValueCall, Failure> {
        self.host_calls += 1;
        self.capabilities.get().ok_or_else(|| Failure::Denied(Permission::Kv.to_string()))
    }

    async fn tell(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        self.hears.write_all(format!("{value}\n").as_bytes()).await.map_err(crashed)
    }
}

fn crashed(error: impl std::fmt::Display) -> Failure {
    Failure::Trap(error.to_string())
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[async_trait]
impl Sandbox for NativeSandbox {
    async fn run(&self, module: &ModuleRef, invocation: Invocation) -> Result<Outcome, Unavailable> {
        let (program, _) = self.copy(module).await?;
        if let Some(reason) = invocation.too_late() {
            return Err(reason);
        }
        let mut child = start(&program).await?;
        let started = Instant::now();
        let mut call = Call {
            invocation: &invocation,
            says: BufReader::new(child.stdout.take().expect("it is piped")).lines(),
            hears: child.stdin.take().expect("it is piped"),
            capabilities: invocation.capabilities.begin(),
            logs: Vec::new(),
            host_calls: 0,
        };
        let end =
            invocation.deadline.into_iter().chain([started + invocation.limits.wall]).min().expect("there is one");
        let result = tokio::select! {
            result = call.answer() => result,
            () = sleep_until(end.into()) => Err(Failure::Deadline),
            () = invocation.cancellation.cancelled() => Err(Failure::Cancelled),
        };
        child.kill().await.map_err(|error| Unavailable::Host(error.to_string()))?;
        let usage = Usage {
            wall_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            bytes_in: (invocation.endpoint.len() + invocation.payload.len()) as u64,
            bytes_out: result.as_ref().map_or(0, |answer| answer.len() as u64),
            host_calls: call.host_calls,
            ..Usage::default()
        };
        let (exchanges, effects) = std::mem::take(&mut call.capabilities).finish(result.is_ok());
        let engine = self.engine(module.kind).ok_or_else(|| Unavailable::unsupported(module.kind, &self.engines()))?;
        let logs = std::mem::take(&mut call.logs);
        Ok(Outcome { engine, result, logs, logs_truncated: false, usage, replayable: false, exchanges, effects })
    }

    async fn prepare(&self, module: &ModuleRef) -> Result<ModuleInfo, Unavailable> {
        let (_, size) = self.copy(module).await?;
        // A program imports nothing, so that what it may use is for its manifest alone to say.
        Ok(ModuleInfo { size, permissions: BTreeSet::new(), imports: BTreeSet::new() })
    }

    fn engines(&self) -> Vec<Engine> {
        vec![Engine { kind: RuntimeKind::Docker, id: "native-1".into() }]
    }
}
