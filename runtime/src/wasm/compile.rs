//! Compilation as hostile work: a child process that can be killed, with bounded memory, processor time and priority.
//!
//! The parent gives the child an artifact on standard input (after two bytes: for which processor to compile, and how many
//! seconds of processor time it may take) and a file as standard output. The child ends with 0 and the code in that file; with 65 and a reason
//! on standard error; with 70 or by a signal of its own doing when the artifact was too much for it; and with anything
//! else when the machine is at fault: killed from outside, for instance, because the machine is out of memory.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    num::NonZeroU8,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

use super::{
    cache::MAX_COMPILED_BYTES,
    engine::{self, Cpu},
};
use crate::{
    Unavailable,
    error::{MAX_FAILURE_TEXT, truncated},
    limits::MAX_ARTIFACT_BYTES,
};

/// Address space of the child, in bytes.
const MAX_ADDRESS_SPACE: u64 = 2 * 1024 * 1024 * 1024;
/// Open files of the child.
const MAX_FILES: u64 = 32;
/// Stack of the child's working thread, in bytes: the compiler recurses along with its input.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// The child's answer to an artifact that is not valid (`EX_DATAERR`).
const EXIT_REFUSED: u8 = 65;
/// The child's answer to an artifact that crashed the compiler (`EX_SOFTWARE`).
const EXIT_CRASHED: u8 = 70;
/// Exit code of a child that could not write all of the code (`EX_IOERR`).
const EXIT_FULL: u8 = 74;

/// Signals that an artifact cannot bring about: the system's when it is out of memory, and an operator's. The child's own
/// bounds end it by others: `SIGABRT` for memory, `SIGXCPU` for processor time, `SIGXFSZ` for the size of the code.
const FROM_OUTSIDE: [i32; 5] = [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];
/// When a compilation that was ended from outside is worth trying again.
const RETRY_KILLED_AFTER: Duration = Duration::from_secs(10);
/// Seconds of processor time after the limit at which the child is killed without a choice, by a signal that would look as if
/// it came from outside.
const HARD_LIMIT_AFTER: u64 = 5;

/// How to start the compile child: a program whose `main` calls [`child_main`] when started like this.
#[derive(Clone, Debug)]
pub struct CompilerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl CompilerCommand {
    /// The running program itself, with the argument `compile`.
    #[must_use]
    pub fn this_program() -> Self {
        // The link names the program that runs, even when its file has been replaced by an update.
        Self { program: PathBuf::from("/proc/self/exe"), args: vec!["compile".into()] }
    }
}

/// Compiles what [`write_input`] wrote to `input` into `output`, in a child process.
///
/// # Errors
/// [`Unavailable::InvalidModule`] when the child refuses it or does not survive it; [`Unavailable::PoolFull`] when this
/// host is too busy or too full to tell; [`Unavailable::Host`] when the child cannot be started.
pub(super) async fn compile(
    command: &CompilerCommand,
    wall: Duration,
    input: File,
    output: File,
) -> Result<(), Unavailable> {
    let host = |error: io::Error| Unavailable::Host(format!("the compiler could not be started: {error}"));
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .env_clear()
        .current_dir("/")
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(host)?;
    let stderr = child.stderr.take().expect("standard error is piped");
    let finished = timeout(wall, async {
        let mut reason = String::new();
        let read = stderr.take(MAX_FAILURE_TEXT as u64).read_to_string(&mut reason).await;
        (child.wait().await, read.map(|_| reason).unwrap_or_default())
    })
    .await;
    match finished {
        Ok((status, reason)) => judge(status.map_err(host)?, reason),
        Err(_) => {
            let computed = child.id().and_then(cpu_time).unwrap_or(wall);
            // Dropping the child kills it too, but only this waits until it is gone.
            let _ = child.kill().await;
            Err(too_slow(computed, wall))
        }
    }
}

/// Whose fault it is that a compilation met its wall limit: the child runs only when nobody else wants to.
fn too_slow(computed: Duration, wall: Duration) -> Unavailable {
    if computed < wall / 2 {
        return Unavailable::PoolFull { retry_after: wall };
    }
    Unavailable::InvalidModule(format!("it took longer than {} s to compile", wall.as_secs_f32()))
}

/// Processor time of a running process, all threads together.
fn cpu_time(process: u32) -> Option<Duration> {
    /// Linux counts in these for user space, whatever its own clock is.
    const TICKS_PER_SEC: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name, in brackets, may contain anything; after it, the 12th and 13th fields are what we want.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SEC))
}

/// Writes the child's input to a file: a pipe would have to be fed while the child's messages are read.
pub(super) fn write_input(mut file: &File, cpu: Cpu, seconds: NonZeroU8, artifact: &[u8]) -> io::Result<()> {
    file.write_all(&[u8::from(cpu == Cpu::Baseline), seconds.get()])?;
    file.write_all(artifact)?;
    file.rewind()
}

fn judge(status: ExitStatus, reason: String) -> Result<(), Unavailable> {
    if status.success() {
        return Ok(());
    }
    if status.signal().is_some_and(|signal| FROM_OUTSIDE.contains(&signal)) {
        tracing::warn!(%status, "the compile child was ended from outside; is the host out of memory?");
        return Err(Unavailable::PoolFull { retry_after: RETRY_KILLED_AFTER });
    }
    let reason = reason.trim();
    match status.code().map(u8::try_from) {
        Some(Ok(EXIT_REFUSED)) => Err(Unavailable::InvalidModule(reason.to_owned())),
        None | Some(Ok(EXIT_CRASHED)) => {
            tracing::warn!(%status, reason, "the compile child did not survive an artifact");
            Err(Unavailable::InvalidModule(format!("it cannot be compiled within the limits ({status})")))
        }
        Some(Ok(EXIT_FULL)) => Err(Unavailable::StorageFull(reason.to_owned())),
        _ => Err(Unavailable::Host(format!("the compiler failed ({status}): {reason}"))),
    }
}

/// The compile child's whole life. A host program calls it, and nothing else, when started with `compile`.
#[must_use]
pub fn child_main() -> ExitCode {
    let mut order = [0; 2];
    let limited = io::stdin().read_exact(&mut order).and_then(|()| lower_limits(order[1].into()));
    if let Err(error) = limited {
        eprintln!("cannot limit the compiler: {error}");
        return ExitCode::FAILURE;
    }
    let cpu = if order[0] == 1 { Cpu::Baseline } else { Cpu::Native };
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || compile_stdin(cpu));
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(ChildError::Refused(reason)))) => {
            eprint!("{}", truncated(reason, MAX_FAILURE_TEXT));
            ExitCode::from(EXIT_REFUSED)
        }
        Ok(Ok(Err(ChildError::Full(reason)))) => {
            eprint!("{}", truncated(reason, MAX_FAILURE_TEXT));
            ExitCode::from(EXIT_FULL)
        }
        Ok(Ok(Err(ChildError::Host(reason)))) => {
            eprint!("{}", truncated(reason, MAX_FAILURE_TEXT));
            ExitCode::FAILURE
        }
        Ok(Err(_)) => ExitCode::from(EXIT_CRASHED),
        Err(_) => ExitCode::FAILURE,
    }
}

enum ChildError {
    /// The artifact is at fault.
    Refused(String),
    /// There is no room for the code.
    Full(String),
    /// The machine is at fault.
    Host(String),
}

fn compile_stdin(cpu: Cpu) -> Result<(), ChildError> {
    let host = |error: &dyn std::fmt::Display| ChildError::Host(error.to_string());
    let mut artifact = Vec::new();
    io::stdin().take(MAX_ARTIFACT_BYTES).read_to_end(&mut artifact).map_err(|error| host(&error))?;
    let engine = engine::compiler(cpu).map_err(|error| host(&error))?;
    let code = engine
        .precompile_component(&artifact)
        .map_err(|error| ChildError::Refused(format!("it does not compile: {error:#}")))?;
    io::stdout().write_all(&code).and_then(|()| io::stdout().flush()).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ChildError::Full(error.to_string()),
        _ => host(&error),
    })
}

/// Binds this process. Of its input, which is buffered, it has looked at no more than its parent's own two bytes.
fn lower_limits(cpu_seconds: u64) -> io::Result<()> {
    let limit = |max| Rlimit { current: Some(max), maximum: Some(max) };
    setrlimit(Resource::As, limit(MAX_ADDRESS_SPACE))?;
    let hard = cpu_seconds.saturating_add(HARD_LIMIT_AFTER);
    setrlimit(Resource::Cpu, Rlimit { current: Some(cpu_seconds), maximum: Some(hard) })?;
    setrlimit(Resource::Fsize, limit(MAX_COMPILED_BYTES))?;
    setrlimit(Resource::Nofile, limit(MAX_FILES))?;
    setrlimit(Resource::Core, limit(0))?;
    rustix::process::nice(19)?;
    run_only_when_idle();
    Ok(())
}

/// Leaves the processor to everybody else: a publisher must not slow other agents' calls down.
fn run_only_when_idle() {
    // Safety of the host does not hang on this: where the kernel refuses, `nice` still holds.
    #[allow(unsafe_code, reason = "no safe wrapper exists for sched_setscheduler")]
    // SAFETY: the parameter block is a valid, fully initialised local that the kernel only reads.
    unsafe {
        let parameters = libc::sched_param { sched_priority: 0 };
        libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_processor_time() {
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        let time = cpu_time(std::process::id()).expect("this process runs");
        assert!(time > Duration::ZERO && time < Duration::from_secs(600), "{time:?}");
        assert_eq!(cpu_time(u32::MAX), None);
    }

    #[test]
    fn a_busy_host_does_not_blame_the_artifact() {
        let wall = Duration::from_secs(120);
        assert!(matches!(too_slow(Duration::from_secs(2), wall), Unavailable::PoolFull { .. }));
        assert!(matches!(too_slow(Duration::from_secs(119), wall), Unavailable::InvalidModule(_)));
    }
}
