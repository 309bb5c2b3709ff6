//! One call: a fresh store and instance, its limits, and the bill.

use std::time::{Duration, Instant};

use bytes::Bytes;
use wasmtime::{
    Engine, PoolConcurrencyLimitError, ResourceLimiter, Store, Trap, UpdateDeadline,
    component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower, ResourceTable},
};

use super::{
    engine::{HOST_BYTE_FUEL, MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLES},
    failure::{DeadlineReached, MemoryLimit, classify},
    watch::watched,
};
use crate::{
    Failure, GuestErrorCode, Invocation, Limits, MAX_FAILURE_TEXT, Outcome, Usage,
    capability::{clock::Clock, log::Log, random::Random},
    error::truncated,
    limits::{HOSTCALL_SLACK_BYTES, MAX_HANDLES, MAX_RESOURCES},
};

/// Bytes of the host that one table element takes.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// A module that can be called at once.
pub(super) struct LoadedModule {
    pre: InstancePre<Guest>,
    run: ComponentExportIndex,
    /// Size of its compiled code, in bytes.
    pub(super) code_bytes: u64,
}

/// What the host keeps for one call.
pub(super) struct Guest {
    pub(super) table: ResourceTable,
    pub(super) log: Log,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) host_calls: u64,
    /// Fuel for calls of wasmtime's own functions.
    calls_owed: u64,
    memory: MemoryMeter,
}

/// `enum error-code` of `clawos:skill/types`.
#[expect(dead_code, reason = "most values of it come from guests only")]
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum ErrorCode {
    #[component(name = "bad-request")]
    BadRequest,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "unavailable")]
    Unavailable,
    #[component(name = "internal")]
    Internal,
}

/// `record skill-error` of `clawos:skill/types`.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct SkillError {
    #[component(name = "code")]
    code: ErrorCode,
    #[component(name = "message")]
    message: String,
}

/// `record context` of `clawos:skill/types`. A replay fills it from the receipt.
#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
struct Context {
    #[component(name = "call-id")]
    call_id: String,
    #[component(name = "tier")]
    tier: Option<String>,
    #[component(name = "fuel-limit")]
    fuel_limit: u64,
    #[component(name = "memory-limit")]
    memory_limit: u64,
}

/// What `run` takes: endpoint, payload and context.
type Call<'a> = (&'a str, &'a str, &'a Context);

/// What `run` returns.
type Answer = Result<String, SkillError>;

impl LoadedModule {
    /// Links a compiled component.
    ///
    /// # Errors
    /// A sentence for the module's author, when an import does not fit or `run` is missing.
    pub(super) fn new(linker: &Linker<Guest>, component: &Component, code_bytes: u64) -> Result<Self, String> {
        let run = component
            .get_export_index(None, "run")
            .ok_or_else(|| "it does not export the function `run`".to_owned())?;
        let pre =
            linker.instantiate_pre(component).map_err(|error| format!("it does not fit this server: {error:#}"))?;
        Ok(Self { pre, run, code_bytes })
    }

    /// Makes an instance and throws it away: the last thing that can go wrong before a call.
    ///
    /// # Errors
    /// The engine's error when there was no room for an instance; inside, a sentence for the module's author.
    pub(super) async fn try_instance(&self, limits: Limits) -> wasmtime::Result<Result<(), String>> {
        let started = Instant::now();
        let guest = Guest::new(&limits, [0; 32], 0);
        let mut store = new_store(self.pre.engine(), guest, &limits, started)?;
        let check = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            instance.get_typed_func::<Call<'_>, (Answer,)>(&mut store, &self.run)?;
            wasmtime::Result::Ok(())
        };
        match watched(check, started, limits.wall).await.0 {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.is::<PoolConcurrencyLimitError>() => Err(error),
            Err(error) => Ok(Err(match classify(&error) {
                Failure::Trap(_) => format!("an instance of it cannot be made: {error:#}"),
                failure => format!("an instance of it cannot be made: {failure}"),
            })),
        }
    }

    /// Runs one call. It gives way only when it has computed for a whole tick.
    ///
    /// # Errors
    /// The engine's error when there was no room for an instance; nothing ran then.
    pub(super) async fn call(&self, invocation: Invocation) -> wasmtime::Result<Outcome> {
        let Invocation { call_id, tier, endpoint, payload, limits, seed, time_ms, capabilities: _ } = invocation;
        let context = Context { call_id, tier, fuel_limit: limits.fuel, memory_limit: limits.memory_bytes };
        let started = Instant::now();
        let guest = Guest::new(&limits, seed, time_ms);
        let mut store = new_store(self.pre.engine(), guest, &limits, started)?;
        let (result, cpu) = match std::str::from_utf8(&payload) {
            Ok(payload) => watched(self.answer(&mut store, (&endpoint, payload, &context)), started, limits.wall).await,
            Err(_) => (Ok(Err(not_text())), Duration::ZERO),
        };
        let left = store.get_fuel()?.checked_sub(store.data().owed());
        let result = match result {
            Err(error) if error.is::<PoolConcurrencyLimitError>() => return Err(error),
            result => match judge(result, limits.output_bytes) {
                Err(Failure::Deadline) => Err(Failure::Deadline),
                _ if left.is_none() => Err(Failure::OutOfFuel),
                result => result,
            },
        };
        // How far a guest comes until its deadline depends on the host's speed, and how deep it can call on the frames
        // that were compiled for its processor.
        let replayable = !matches!(result, Err(Failure::Deadline | Failure::StackOverflow));
        let left = if matches!(result, Err(Failure::OutOfFuel)) { 0 } else { left.unwrap_or(0) };
        let usage = Usage {
            fuel: limits.fuel.saturating_sub(left),
            wall_us: microseconds(started.elapsed()),
            cpu_us: microseconds(cpu),
            peak_memory: store.data().memory.peak as u64,
            bytes_in: (endpoint.len() + payload.len()) as u64,
            bytes_out: bytes_out(&result),
            host_calls: store.data().host_calls,
        };
        let (logs, logs_truncated) = store.data().log.take();
        Ok(Outcome { result, logs, logs_truncated, usage, replayable })
    }

    async fn answer(&self, store: &mut Store<Guest>, call: Call<'_>) -> wasmtime::Result<Answer> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let run = instance.get_typed_func::<Call<'_>, (Answer,)>(&mut *store, &self.run)?;
        let (answer,) = run.call_async(&mut *store, call).await?;
        Ok(answer)
    }
}

/// A store with every limit set, before any guest code can run.
fn new_store(engine: &Engine, guest: Guest, limits: &Limits, started: Instant) -> wasmtime::Result<Store<Guest>> {
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_fuel(limits.fuel)?;
    let largest_value = limits.output_bytes.saturating_add(HOSTCALL_SLACK_BYTES);
    store.set_hostcall_fuel(usize::try_from(largest_value).unwrap_or(usize::MAX));
    store.set_max_component_handles(MAX_HANDLES);
    // A limit too long to be told in time is none.
    let deadline = started.checked_add(limits.wall);
    store.set_epoch_deadline(1);
    let mut whole_tick = false;
    store.epoch_deadline_callback(move |store| {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(DeadlineReached.into());
        }
        if store.data().owed() > store.get_fuel()? {
            return Err(Trap::OutOfFuel.into());
        }
        // Ticks come when they come, so that the first one may find a guest that has only just begun.
        if !std::mem::replace(&mut whole_tick, true) {
            return Ok(UpdateDeadline::Continue(1));
        }
        // Gives way, so that a guest that computes cannot hold a worker thread.
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(store)
}

impl Guest {
    fn new(limits: &Limits, seed: [u8; 32], time_ms: u64) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            table,
            log: Log::new(limits.log_bytes),
            clock: Clock::new(time_ms),
            random: Random::new(seed),
            host_calls: 0,
            calls_owed: 0,
            memory: MemoryMeter { limit: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX), used: 0, peak: 0 },
        }
    }

    /// Takes a progress report whose note has at most [`MAX_PROGRESS_NOTE_BYTES`](crate::limits::MAX_PROGRESS_NOTE_BYTES)
    /// bytes. Calls have no sink for reports yet, so it is dropped.
    pub(super) fn progress(&mut self, _done: u32, _total: u32, _note: String) {}

    /// Notes fuel for a call of a function that cannot take it itself.
    pub(super) fn owe(&mut self, fuel: u64) {
        self.calls_owed = self.calls_owed.saturating_add(fuel);
    }

    /// Fuel for what wasmtime's own functions did.
    ///
    /// It is part of the bill, and a guest that owes more than it has left is out of fuel. Both only ever grow, so when
    /// that is noticed (at a tick, or at the end) has no influence on how the call ends.
    pub(super) fn owed(&self) -> u64 {
        self.calls_owed.saturating_add(self.log.streamed().saturating_mul(HOST_BYTE_FUEL))
    }
}

/// Counts all memories and tables of a call together.
///
/// Asking for more than the limit ends the call, rather than telling the guest that there is no more: the failure is
/// then the same for every guest language, and a guest cannot try again for ever.
struct MemoryMeter {
    limit: usize,
    used: usize,
    peak: usize,
}

impl MemoryMeter {
    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            return Err(MemoryLimit.into());
        }
        self.used = used;
        self.peak = self.peak.max(used);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The guest's own declared bound: it is told so, as the standard says.
            return Ok(false);
        }
        self.grow(current, desired)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        // Beyond what 32 bits can address, or the host has no memory: either way not something to go on with.
        Err(MemoryLimit.into())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let bytes = |elements: usize| elements.saturating_mul(TABLE_ELEMENT_BYTES);
        self.grow(bytes(current), bytes(desired))
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }
}

fn judge(answer: wasmtime::Result<Answer>, output_bytes: u64) -> Result<Bytes, Failure> {
    match answer {
        Ok(Ok(text)) if text.len() as u64 > output_bytes => Err(Failure::OutputTooLarge),
        Ok(Ok(text)) => Ok(Bytes::from(text)),
        Ok(Err(error)) => {
            Err(Failure::GuestError { code: error.code.into(), message: truncated(error.message, MAX_FAILURE_TEXT) })
        }
        Err(error) => Err(classify(&error)),
    }
}

/// What a guest would say to a payload that is not text; strings of the interface are UTF-8.
fn not_text() -> SkillError {
    SkillError { code: ErrorCode::BadRequest, message: "the payload is not UTF-8".to_owned() }
}

impl From<ErrorCode> for GuestErrorCode {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::BadRequest => Self::BadRequest,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::Unavailable => Self::Unavailable,
            ErrorCode::Internal => Self::Internal,
        }
    }
}

fn bytes_out(result: &Result<Bytes, Failure>) -> u64 {
    match result {
        Ok(bytes) => bytes.len() as u64,
        Err(Failure::GuestError { message, .. }) => message.len() as u64,
        Err(_) => 0,
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
