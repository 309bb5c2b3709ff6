//! What guests are given: one table. An import that is not in it is refused at publish.
//!
//! Each entry links its interface itself, so the table cannot say one thing and the linker do another. The functions
//! behind `clawos:skill` are here; those that ordinary `wasm32-wasip2` programs import are in `wasi.rs`.

use std::collections::BTreeSet;

use wasmtime::{
    StoreContextMut, Trap,
    component::{ComponentType, Lift, Linker, WasmStr},
};

use super::{
    engine::{HOST_BYTE_FUEL, HOST_CALL_FUEL},
    failure::Denied,
    instance::Guest,
    kv, wasi,
};
use crate::{
    CapabilityCall, LogLevel, Permission,
    limits::{MAX_LOG_LINE_BYTES, MAX_PROGRESS_NOTE_BYTES, MAX_RANDOM_BYTES},
};

/// An interface that guests are given.
#[derive(Debug)]
pub struct Interface {
    /// Package and interface, without version: `clawos:skill/log`.
    pub name: &'static str,
    /// The version linked. Any other with the same major and minor number fits too.
    pub version: &'static str,
    /// What a guest gets from it.
    pub gives: &'static str,
    link: fn(&mut Linker<Guest>, &str) -> wasmtime::Result<()>,
}

/// Makes the table below readable.
const fn interface(
    name: &'static str,
    version: &'static str,
    link: fn(&mut Linker<Guest>, &str) -> wasmtime::Result<()>,
    gives: &'static str,
) -> Interface {
    Interface { name, version, gives, link }
}

/// The version of WASI 0.2 that is linked.
const WASI: &str = "0.2.12";

/// All that is linked for every guest. Deny by default: there is nothing else but what [`GRANTABLE`] says.
pub const LINKED: &[Interface] = &[
    interface("clawos:skill/log", "0.1.0", log, "log lines, counted and capped"),
    interface("clawos:skill/clock", "0.1.0", clock, "the call's time, which stands still"),
    interface("clawos:skill/random", "0.1.0", random, "bytes derived from the call's seed, 64 KiB at a time"),
    interface("clawos:skill/progress", "0.1.0", progress, "reports of how far the call has come"),
    interface("wasi:clocks/wall-clock", WASI, wasi::wall_clock, "the call's time, which stands still"),
    interface("wasi:clocks/monotonic-clock", WASI, wasi::monotonic_clock, "1 µs a read; sleeping is over at once"),
    interface("wasi:random/random", WASI, wasi::random, "the same bytes as clawos:skill/random"),
    interface("wasi:random/insecure", WASI, wasi::insecure_random, "the same bytes as clawos:skill/random"),
    interface("wasi:random/insecure-seed", WASI, wasi::insecure_seed, "the same bytes as clawos:skill/random"),
    interface("wasi:io/error", WASI, wasi::io_error, "errors of the streams below"),
    interface("wasi:io/poll", WASI, wasi::io_poll, "waiting for timers and for the streams below"),
    interface("wasi:io/streams", WASI, wasi::io_streams, "the streams below"),
    interface("wasi:cli/environment", WASI, wasi::environment, "no variables, no arguments, no directory"),
    interface("wasi:cli/exit", WASI, wasi::exit, "ends the call as a crash"),
    interface("wasi:cli/stdin", WASI, wasi::stdin, "an empty stream"),
    interface("wasi:cli/stdout", WASI, wasi::stdout, "the log, at level info"),
    interface("wasi:cli/stderr", WASI, wasi::stderr, "the log, at level warn"),
    interface("wasi:cli/terminal-input", WASI, wasi::terminal_input, "a type"),
    interface("wasi:cli/terminal-output", WASI, wasi::terminal_output, "a type"),
    interface("wasi:cli/terminal-stdin", WASI, wasi::terminal_stdin, "no terminal"),
    interface("wasi:cli/terminal-stdout", WASI, wasi::terminal_stdout, "no terminal"),
    interface("wasi:cli/terminal-stderr", WASI, wasi::terminal_stderr, "no terminal"),
    interface("wasi:filesystem/preopens", WASI, wasi::preopens, "no directories"),
    interface("wasi:filesystem/types", WASI, wasi::filesystem, "types; every function is denied"),
];

/// Interfaces that hold types alone: there is nothing to link and nothing to permit.
const TYPES_ONLY: &[&str] = &["clawos:skill/types"];

/// What is linked besides where the host offers its permission ([`WasmConfig::offers`](super::WasmConfig::offers)).
/// Permissions that are not here cannot be offered yet.
pub const GRANTABLE: &[Interface] = &[interface(
    Permission::Kv.interface(),
    "0.1.0",
    kv::link,
    "a store that the call was granted, else the call is denied",
)];

/// All that is linked on a host that offers these permissions.
fn linked(offers: &BTreeSet<Permission>) -> impl Iterator<Item = &'static Interface> {
    let is_offered = |interface: &&Interface| {
        Permission::of_interface(interface.name).is_some_and(|needed| offers.contains(&needed))
    };
    LINKED.iter().chain(GRANTABLE.iter().filter(is_offered))
}

/// The interface behind an import, or why there is none. `None` for one that holds types alone.
///
/// # Errors
/// A sentence for the module's author.
pub(super) fn find(import: &str, offers: &BTreeSet<Permission>) -> Result<Option<&'static Interface>, String> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if TYPES_ONLY.contains(&name) {
        return Ok(None);
    }
    let Some(found) = linked(offers).find(|interface| interface.name == name) else {
        return Err(match Permission::of_interface(name) {
            Some(permission) => {
                format!("it imports `{import}`: the permission `{permission}` is not available on this server yet")
            }
            None => format!("it imports `{import}`, which skills are not given; remove what needs it"),
        });
    };
    if !fits(found.version, version) {
        return Err(format!("it imports `{import}`; this server has version {}", found.version));
    }
    Ok(Some(found))
}

fn fits(linked: &str, wanted: &str) -> bool {
    let parse = |text: &str| semver::Version::parse(text).ok().filter(|version| version.pre.is_empty());
    match (parse(linked), parse(wanted)) {
        (Some(linked), Some(wanted)) => (linked.major, linked.minor) == (wanted.major, wanted.minor),
        _ => false,
    }
}

/// Links all that a host with these offers has.
pub(super) fn link(linker: &mut Linker<Guest>, offers: &BTreeSet<Permission>) -> wasmtime::Result<()> {
    for interface in linked(offers) {
        (interface.link)(linker, &format!("{}@{}", interface.name, interface.version))?;
    }
    Ok(())
}

/// Takes the price of one host call that hands over `bytes`, and counts it.
///
/// The functions of `wasi:io` are wasmtime's own and do not come here: what they cost is owed ([`Guest::owed`]).
///
/// # Errors
/// [`Trap::OutOfFuel`] when the guest cannot pay.
pub(super) fn charge(store: &mut StoreContextMut<'_, Guest>, bytes: u64) -> wasmtime::Result<()> {
    store.data_mut().host_calls += 1;
    pay(store, HOST_CALL_FUEL.saturating_add(bytes.saturating_mul(HOST_BYTE_FUEL)))
}

/// Takes `fuel`.
///
/// # Errors
/// [`Trap::OutOfFuel`] when the guest cannot pay.
pub(super) fn pay(store: &mut StoreContextMut<'_, Guest>, fuel: u64) -> wasmtime::Result<()> {
    match store.get_fuel()?.checked_sub(fuel) {
        Some(left) => store.set_fuel(left),
        None => {
            store.set_fuel(0)?;
            Err(Trap::OutOfFuel.into())
        }
    }
}

/// The call's view of a capability.
///
/// # Errors
/// [`denied`] when the call was not granted it.
pub(super) fn granted<'a, C: CapabilityCall>(
    store: &'a mut StoreContextMut<'_, Guest>,
    permission: Permission,
) -> wasmtime::Result<&'a mut C> {
    store.data_mut().capabilities.get().ok_or_else(|| denied(permission))
}

/// The end of a call that used what it was not granted.
pub(super) fn denied(permission: Permission) -> wasmtime::Error {
    Denied(permission.as_str()).into()
}

/// Draws random bytes for a guest, which pays for them.
pub(super) fn draw(store: &mut StoreContextMut<'_, Guest>, len: u64) -> wasmtime::Result<Vec<u8>> {
    if len > MAX_RANDOM_BYTES {
        wasmtime::bail!("it asked for {len} random bytes at once; at most {MAX_RANDOM_BYTES} are given");
    }
    charge(store, len)?;
    let len = usize::try_from(len).expect("64 KiB fits any address space");
    Ok(store.data_mut().random.bytes(len))
}

/// `enum level` of `clawos:skill/log`.
#[expect(dead_code, reason = "values of it come from guests only")]
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

fn log(linker: &mut Linker<Guest>, name: &str) -> wasmtime::Result<()> {
    linker.instance(name)?.func_wrap("write", |mut store: StoreContextMut<'_, Guest>, args: (Level, WasmStr)| {
        let (level, message) = args;
        let message = message.to_str(&store)?;
        let length = message.len() as u64;
        // One byte over the limit is enough for the log to know that the line was cut.
        let kept = message[..message.floor_char_boundary(MAX_LOG_LINE_BYTES + 1)].to_owned();
        drop(message);
        charge(&mut store, length)?;
        store.data_mut().log.write(level.into(), kept);
        Ok(())
    })
}

fn clock(linker: &mut Linker<Guest>, name: &str) -> wasmtime::Result<()> {
    linker.instance(name)?.func_wrap("now", |mut store: StoreContextMut<'_, Guest>, (): ()| {
        charge(&mut store, 0)?;
        Ok((store.data().clock.wall_ms(),))
    })
}

fn random(linker: &mut Linker<Guest>, name: &str) -> wasmtime::Result<()> {
    linker.instance(name)?.func_wrap("bytes", |mut store: StoreContextMut<'_, Guest>, (len,): (u32,)| {
        Ok((draw(&mut store, u64::from(len))?,))
    })
}

fn progress(linker: &mut Linker<Guest>, name: &str) -> wasmtime::Result<()> {
    linker.instance(name)?.func_wrap("report", |mut store: StoreContextMut<'_, Guest>, args: (u32, u32, WasmStr)| {
        let (done, total, note) = args;
        let note = note.to_str(&store)?;
        let length = note.len() as u64;
        let kept = note[..note.floor_char_boundary(MAX_PROGRESS_NOTE_BYTES)].to_owned();
        drop(note);
        charge(&mut store, length)?;
        store.data().progress(done, total, &kept);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(import: &str, offers: &[Permission]) -> Result<Option<&'static str>, String> {
        find(import, &offers.iter().copied().collect()).map(|found| found.map(|interface| interface.name))
    }

    #[test]
    fn a_linked_import_is_found_whatever_its_patch_version() {
        assert_eq!(found("clawos:skill/log@0.1.0", &[]), Ok(Some("clawos:skill/log")));
        assert_eq!(found("clawos:skill/progress@0.1.0", &[]), Ok(Some("clawos:skill/progress")));
        assert_eq!(found("wasi:io/poll@0.2.0", &[]), Ok(Some("wasi:io/poll")));
        assert_eq!(found("clawos:skill/types@0.1.0", &[]), Ok(None));
    }

    #[test]
    fn what_needs_a_permission_is_found_where_it_is_offered_and_can_be() {
        assert_eq!(found("clawos:skill/kv@0.1.0", &[Permission::Kv]), Ok(Some("clawos:skill/kv")));
        let refusal = found("clawos:skill/http@0.1.0", &Permission::ALL).expect_err("nothing implements it");
        assert!(refusal.contains("the permission `http` is not available on this server yet"), "{refusal}");
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        for (import, reason) in [
            ("clawos:skill/kv@0.1.0", "the permission `kv` is not available on this server yet"),
            ("clawos:skill/http@0.1.0", "the permission `http` is not available on this server yet"),
            ("clawos:skill/skills@0.1.0", "the permission `skills` is not available on this server yet"),
            ("wasi:sockets/tcp@0.2.0", "which skills are not given"),
            ("wasi:http/outgoing-handler@0.2.0", "which skills are not given"),
            ("wasi:clocks/timezone@0.2.0", "which skills are not given"),
            ("clawos:skill/log@0.2.0", "this server has version 0.1.0"),
            ("clawos:skill/log", "this server has version 0.1.0"),
            ("wasi:io/poll@0.2.0-rc-2023", "this server has version"),
        ] {
            let refusal = found(import, &[]).expect_err(import);
            assert!(refusal.contains(reason), "{import}: {refusal}");
        }
    }
}
