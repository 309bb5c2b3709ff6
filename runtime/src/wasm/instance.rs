//! One call: a fresh store and instance, its limits, and the bill.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use wasmtime::{
    Engine, PoolConcurrencyLimitError, ResourceLimiter, Store, Trap, UpdateDeadline,
    component::{
        Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower, ResourceTable,
        types::ComponentItem,
    },
};

use super::{
    engine::{HOST_BYTE_FUEL, MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLES},
    failure::{MemoryLimit, classify},
    watch::{Span, watched},
};
use crate::{
    CallCapabilities, EventSink, Failure, GuestErrorCode, Invocation, Limits, MAX_FAILURE_TEXT, Outcome, Usage,
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
    /// What the call was granted besides.
    pub(super) capabilities: CallCapabilities,
    events: Arc<dyn EventSink>,
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
/// How many that are.
const RUN_PARAMETERS: usize = 3;

/// What `run` returns.
type Answer = Result<String, SkillError>;

impl LoadedModule {
    /// Links a compiled component.
    ///
    /// # Errors
    /// A sentence for the module's author, when an import does not fit or `run` is missing.
    pub(super) fn new(linker: &Linker<Guest>, component: &Component, code_bytes: u64) -> Result<Self, String> {
        let (item, run) =
            component.get_export(None, "run").ok_or_else(|| "it does not export the function `run`".to_owned())?;
        if let ComponentItem::ComponentFunc(function) = item
            && function.params().len() != RUN_PARAMETERS
        {
            return Err("its `run` does not take a context; build it with the present SDK".to_owned());
        }
        let pre =
            linker.instantiate_pre(component).map_err(|error| format!("it does not fit this server: {error:#}"))?;
        Ok(Self { pre, run, code_bytes })
    }

    /// Makes an instance and throws it away: the last thing that can go wrong before a call.
    ///
    /// # Errors
    /// The engine's error when there was no room for an instance; inside, a sentence for the module's author.
    pub(super) async fn try_instance(&self, limits: Limits) -> wasmtime::Result<Result<(), String>> {
        let trial = Invocation { limits, ..Invocation::new("run_trial", "", "") };
        let span = Span::start(&trial);
        let mut store = new_store(self.pre.engine(), &trial, &span)?;
        let check = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            instance.get_typed_func::<Call<'_>, (Answer,)>(&mut store, &self.run)?;
            wasmtime::Result::Ok(())
        };
        match watched(check, &span).await.0 {
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
    pub(super) async fn call(&self, invocation: Invocation, engine: Arc<str>) -> wasmtime::Result<Outcome> {
        let Invocation { call, tier, endpoint, payload, limits, .. } = &invocation;
        let (fuel_limit, memory_limit) = (limits.fuel, limits.memory_bytes);
        let context = Context { call_id: call.to_string(), tier: tier.clone(), fuel_limit, memory_limit };
        let span = Span::start(&invocation);
        let mut store = new_store(self.pre.engine(), &invocation, &span)?;
        let (result, cpu) = match std::str::from_utf8(payload) {
            Ok(payload) => watched(self.answer(&mut store, (endpoint, payload, &context)), &span).await,
            Err(_) => (Ok(Err(not_text())), Duration::ZERO),
        };
        let left = store.get_fuel()?.checked_sub(store.data().owed());
        let result = match result {
            Err(error) if error.is::<PoolConcurrencyLimitError>() => return Err(error),
            result => match judge(result, limits.output_bytes) {
                Err(stopped @ (Failure::Deadline | Failure::Cancelled)) => Err(stopped),
                _ if left.is_none() => Err(Failure::OutOfFuel),
                result => result,
            },
        };
        let left = if matches!(result, Err(Failure::OutOfFuel)) { 0 } else { left.unwrap_or(0) };
        let usage = Usage {
            fuel: limits.fuel.saturating_sub(left),
            wall_us: microseconds(span.started.elapsed()),
            cpu_us: microseconds(cpu),
            peak_memory: store.data().memory.peak as u64,
            bytes_in: (endpoint.len() + payload.len()) as u64,
            bytes_out: bytes_out(&result),
            host_calls: store.data().host_calls,
        };
        let guest = store.data_mut();
        let (logs, logs_truncated) = guest.log.take();
        let capabilities = mem::take(&mut guest.capabilities);
        let replayable = is_replayable(&result) && !capabilities.were_used();
        let (exchanges, effects) = capabilities.finish(result.is_ok());
        Ok(Outcome { engine, result, logs, logs_truncated, usage, replayable, exchanges, effects })
    }

    async fn answer(&self, store: &mut Store<Guest>, call: Call<'_>) -> wasmtime::Result<Answer> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let run = instance.get_typed_func::<Call<'_>, (Answer,)>(&mut *store, &self.run)?;
        let (answer,) = run.call_async(&mut *store, call).await?;
        Ok(answer)
    }
}

/// How far a guest comes until it is stopped depends on the host's speed, and how deep it can call on the frames that
/// were compiled for its processor.
fn is_replayable(result: &Result<Bytes, Failure>) -> bool {
    !matches!(result, Err(Failure::Deadline | Failure::Cancelled | Failure::StackOverflow))
}

/// A store with every limit set, before any guest code can run.
fn new_store(engine: &Engine, invocation: &Invocation, span: &Span) -> wasmtime::Result<Store<Guest>> {
    let limits = &invocation.limits;
    let mut store = Store::new(engine, Guest::new(invocation));
    store.limiter(|guest| &mut guest.memory);
    store.set_fuel(limits.fuel)?;
    let largest_value = limits.output_bytes.saturating_add(HOSTCALL_SLACK_BYTES);
    store.set_hostcall_fuel(usize::try_from(largest_value).unwrap_or(usize::MAX));
    store.set_max_component_handles(MAX_HANDLES);
    store.set_epoch_deadline(1);
    let span = span.clone();
    let mut ran_a_whole_tick = false;
    store.epoch_deadline_callback(move |store| {
        span.check()?;
        if store.data().owed() > store.get_fuel()? {
            return Err(Trap::OutOfFuel.into());
        }
        // The first tick can come right after the guest began, so it may go on; at the second one it has computed for a
        // whole tick, and from then on it gives way, so that it cannot hold a worker thread.
        if !mem::replace(&mut ran_a_whole_tick, true) {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(store)
}

impl Guest {
    fn new(invocation: &Invocation) -> Self {
        let limits = &invocation.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            table,
            log: Log::new(limits.log_bytes, Arc::clone(&invocation.events)),
            clock: Clock::new(invocation.time_ms),
            random: Random::new(invocation.seed),
            capabilities: invocation.capabilities.begin(),
            events: Arc::clone(&invocation.events),
            host_calls: 0,
            calls_owed: 0,
            memory: MemoryMeter { limit: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX), used: 0, peak: 0 },
        }
    }

    /// Passes on a progress report whose note has at most
    /// [`MAX_PROGRESS_NOTE_BYTES`](crate::limits::MAX_PROGRESS_NOTE_BYTES) bytes.
    pub(super) fn progress(&self, done: u32, total: u32, note: &str) {
        self.events.progress(done.into(), total.into(), note);
    }

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
