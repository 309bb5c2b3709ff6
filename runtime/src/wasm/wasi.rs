//! The part of WASI 0.2 that an ordinary `wasm32-wasip2` program imports, with nothing behind it.
//!
//! Clocks and randomness are the call's derived ones, standard output and error are its log, and of files,
//! environment, arguments and terminals there are none.

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime::{
    StoreContextMut,
    component::{
        ComponentType, HasData, Linker, Lower, Resource, ResourceTable, ResourceType, Val, types::ComponentFunc,
    },
};
use wasmtime_wasi_io::{
    bindings::wasi::io,
    poll::{DynPollable, Pollable, subscribe},
    streams::{DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult},
};

use super::{
    bindings::{charge, draw},
    engine::HOST_CALL_FUEL,
    failure::Denied,
    instance::Guest,
};
use crate::{
    LogLevel,
    capability::{
        clock::{Clock, STEP_NS},
        log::Log,
    },
};

type Linked = wasmtime::Result<()>;
type Store<'a> = StoreContextMut<'a, Guest>;

/// Most bytes a guest may write to a stream at once.
const STREAM_PERMIT: usize = 64 * 1024;

// --- clocks

/// `record datetime` of `wasi:clocks/wall-clock`.
#[derive(Clone, Copy, Debug, ComponentType, Lower)]
#[component(record)]
struct Datetime {
    #[component(name = "seconds")]
    seconds: u64,
    #[component(name = "nanoseconds")]
    nanoseconds: u32,
}

pub(super) fn wall_clock(linker: &mut Linker<Guest>, name: &str) -> Linked {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("now", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        let ms = store.data().clock.wall_ms();
        let nanoseconds = u32::try_from(ms % 1000 * 1_000_000).expect("less than a second of nanoseconds");
        Ok((Datetime { seconds: ms / 1000, nanoseconds },))
    })?;
    instance.func_wrap("resolution", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((Datetime { seconds: 0, nanoseconds: 1_000_000 },))
    })
}

/// A moment of the derived monotonic clock that a guest can wait for.
struct Timer {
    clock: Clock,
    deadline_ns: u64,
}

#[async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {
        self.clock.sleep_until(self.deadline_ns).await;
    }
}

pub(super) fn monotonic_clock(linker: &mut Linker<Guest>, name: &str) -> Linked {
    fn timer(store: &mut Store<'_>, deadline_ns: u64) -> wasmtime::Result<(Resource<DynPollable>,)> {
        let guest = store.data_mut();
        let timer = guest.table.push(Timer { clock: guest.clock.clone(), deadline_ns })?;
        Ok((subscribe(&mut guest.table, timer)?,))
    }
    let mut instance = linker.instance(name)?;
    instance.func_wrap("now", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((store.data().clock.read_ns(),))
    })?;
    instance.func_wrap("resolution", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((STEP_NS,))
    })?;
    instance.func_wrap("subscribe-instant", |mut store: Store<'_>, (when,): (u64,)| {
        charge(&mut store, 0)?;
        timer(&mut store, when)
    })?;
    instance.func_wrap("subscribe-duration", |mut store: Store<'_>, (duration,): (u64,)| {
        charge(&mut store, 0)?;
        let deadline = store.data().clock.read_ns().saturating_add(duration);
        timer(&mut store, deadline)
    })
}

// --- random

pub(super) fn random(linker: &mut Linker<Guest>, name: &str) -> Linked {
    random_functions(linker, name, "get-random-bytes", "get-random-u64")
}

pub(super) fn insecure_random(linker: &mut Linker<Guest>, name: &str) -> Linked {
    random_functions(linker, name, "get-insecure-random-bytes", "get-insecure-random-u64")
}

fn random_functions(linker: &mut Linker<Guest>, name: &str, bytes: &str, number: &str) -> Linked {
    let mut instance = linker.instance(name)?;
    instance.func_wrap(bytes, |mut store: Store<'_>, (len,): (u64,)| Ok((draw(&mut store, len)?,)))?;
    instance.func_wrap(number, |mut store: Store<'_>, (): ()| {
        charge(&mut store, 8)?;
        Ok((store.data_mut().random.number(),))
    })
}

pub(super) fn insecure_seed(linker: &mut Linker<Guest>, name: &str) -> Linked {
    linker.instance(name)?.func_wrap("insecure-seed", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 16)?;
        let random = &mut store.data_mut().random;
        Ok(((random.number(), random.number()),))
    })
}

// --- io: wasmtime's own implementation, over a resource table of bounded size

/// Gives wasmtime's implementation the call's resource table.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// What wasmtime's implementation asks for in each of its calls, which cannot pay for themselves: the guest owes them.
fn table(guest: &mut Guest) -> &mut ResourceTable {
    guest.owe(HOST_CALL_FUEL);
    &mut guest.table
}

pub(super) fn io_error(linker: &mut Linker<Guest>, _: &str) -> Linked {
    io::error::add_to_linker::<_, Io>(linker, table)
}

pub(super) fn io_poll(linker: &mut Linker<Guest>, name: &str) -> Linked {
    io::poll::add_to_linker::<_, Io>(linker, table)?;
    // `poll` asks up to a thousand pollables in one call, so each of them costs like a call.
    linker.allow_shadowing(true);
    linker.instance(name)?.func_wrap_async(
        "poll",
        |mut store: Store<'_>, (pollables,): (Vec<Resource<DynPollable>>,)| {
            Box::new(async move {
                let guest = store.data_mut();
                guest.owe(HOST_CALL_FUEL.saturating_mul(pollables.len() as u64));
                Ok((io::poll::Host::poll(table(guest), pollables).await?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

pub(super) fn io_streams(linker: &mut Linker<Guest>, _: &str) -> Linked {
    io::streams::add_to_linker::<_, Io>(linker, table)
}

// --- cli

pub(super) fn environment(linker: &mut Linker<Guest>, name: &str) -> Linked {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("get-environment", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((Vec::<(String, String)>::new(),))
    })?;
    instance.func_wrap("get-arguments", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((Vec::<String>::new(),))
    })?;
    instance.func_wrap("initial-cwd", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((None::<String>,))
    })
}

pub(super) fn exit(linker: &mut Linker<Guest>, name: &str) -> Linked {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("exit", |_: Store<'_>, (_,): (Result<(), ()>,)| -> wasmtime::Result<()> {
        wasmtime::bail!("it exited instead of answering")
    })?;
    instance.func_wrap("exit-with-code", |_: Store<'_>, (code,): (u8,)| -> wasmtime::Result<()> {
        wasmtime::bail!("it exited with code {code} instead of answering")
    })
}

/// Standard input: at its end from the start.
struct Empty;

#[async_trait]
impl Pollable for Empty {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for Empty {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

/// Standard output or error: always ready, and into the log.
struct Logged {
    log: Log,
    level: LogLevel,
}

#[async_trait]
impl Pollable for Logged {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Logged {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > STREAM_PERMIT {
            let words =
                format!("it wrote {} bytes at once to a stream; at most {STREAM_PERMIT} are taken", bytes.len());
            return Err(StreamError::trap(&words));
        }
        self.log.stream(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STREAM_PERMIT)
    }
}

pub(super) fn stdin(linker: &mut Linker<Guest>, name: &str) -> Linked {
    linker.instance(name)?.func_wrap("get-stdin", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        let stream: DynInputStream = Box::new(Empty);
        Ok((store.data_mut().table.push(stream)?,))
    })
}

pub(super) fn stdout(linker: &mut Linker<Guest>, name: &str) -> Linked {
    output(linker, name, "get-stdout", LogLevel::Info)
}

pub(super) fn stderr(linker: &mut Linker<Guest>, name: &str) -> Linked {
    output(linker, name, "get-stderr", LogLevel::Warn)
}

fn output(linker: &mut Linker<Guest>, name: &str, function: &str, level: LogLevel) -> Linked {
    linker.instance(name)?.func_wrap(function, move |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        let guest = store.data_mut();
        let stream: DynOutputStream = Box::new(Logged { log: guest.log.clone(), level });
        Ok((guest.table.push(stream)?,))
    })
}

/// Types of resources of which there are none: no value of them is ever made.
enum TerminalInput {}
enum TerminalOutput {}
enum Descriptor {}
enum DirectoryEntryStream {}

fn resource<T: 'static>(linker: &mut Linker<Guest>, interface: &str, name: &str) -> Linked {
    linker.instance(interface)?.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

pub(super) fn terminal_input(linker: &mut Linker<Guest>, name: &str) -> Linked {
    resource::<TerminalInput>(linker, name, "terminal-input")
}

pub(super) fn terminal_output(linker: &mut Linker<Guest>, name: &str) -> Linked {
    resource::<TerminalOutput>(linker, name, "terminal-output")
}

pub(super) fn terminal_stdin(linker: &mut Linker<Guest>, name: &str) -> Linked {
    no_terminal::<TerminalInput>(linker, name, "get-terminal-stdin")
}

pub(super) fn terminal_stdout(linker: &mut Linker<Guest>, name: &str) -> Linked {
    no_terminal::<TerminalOutput>(linker, name, "get-terminal-stdout")
}

pub(super) fn terminal_stderr(linker: &mut Linker<Guest>, name: &str) -> Linked {
    no_terminal::<TerminalOutput>(linker, name, "get-terminal-stderr")
}

fn no_terminal<T: 'static>(linker: &mut Linker<Guest>, name: &str, function: &str) -> Linked {
    linker.instance(name)?.func_wrap(function, |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((None::<Resource<T>>,))
    })
}

// --- filesystem

pub(super) fn preopens(linker: &mut Linker<Guest>, name: &str) -> Linked {
    linker.instance(name)?.func_wrap("get-directories", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 0)?;
        Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
    })
}

/// Methods of `descriptor`. Without a directory to start from no guest can get one, so none of them is reached.
const DESCRIPTOR_METHODS: &[&str] = &[
    "read-via-stream",
    "write-via-stream",
    "append-via-stream",
    "advise",
    "sync-data",
    "get-flags",
    "get-type",
    "set-size",
    "set-times",
    "read",
    "write",
    "read-directory",
    "sync",
    "create-directory-at",
    "stat",
    "stat-at",
    "set-times-at",
    "link-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "symlink-at",
    "unlink-file-at",
    "is-same-object",
    "metadata-hash",
    "metadata-hash-at",
];

pub(super) fn filesystem(linker: &mut Linker<Guest>, name: &str) -> Linked {
    resource::<Descriptor>(linker, name, "descriptor")?;
    resource::<DirectoryEntryStream>(linker, name, "directory-entry-stream")?;
    let mut instance = linker.instance(name)?;
    for method in DESCRIPTOR_METHODS {
        instance.func_new(&format!("[method]descriptor.{method}"), deny_files)?;
    }
    instance.func_new("[method]directory-entry-stream.read-directory-entry", deny_files)?;
    // Asks whether a stream's error came from a file: never.
    instance.func_new("filesystem-error-code", |mut store: Store<'_>, _: ComponentFunc, _: &[Val], out: &mut [Val]| {
        charge(&mut store, 0)?;
        out[0] = Val::Option(None);
        Ok(())
    })
}

fn deny_files(_: Store<'_>, _: ComponentFunc, _: &[Val], _: &mut [Val]) -> wasmtime::Result<()> {
    Err(Denied("files").into())
}
