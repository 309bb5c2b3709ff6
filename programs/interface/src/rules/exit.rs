//! Exits in two steps: asked for, and executed once everything metered before has had time to be recorded.

use crate::accounts::{Config, Licence};
use crate::errors::ProgramError;

/// Shortest delay a marketplace may set, seconds.
pub const MIN_SETTLE_DELAY_SECS: u32 = 120;

/// Longest delay a marketplace may set, seconds: 7 days. Pauses add at most as much again, so nobody's credit can be
/// locked in.
pub const MAX_SETTLE_DELAY_SECS: u32 = 604_800;

/// `now` plus the marketplace's delay, Unix seconds.
///
/// # Errors
/// [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn eta(config: &Config, now: i64) -> Result<i64, ProgramError> {
    now.checked_add(config.settle_delay() as i64).ok_or(ProgramError::MathOverflow)
}

/// When something that was to happen at `planned` (Unix seconds) after the settle delay may happen, given the pauses
/// since.
///
/// A pause of `record_usage` never blocks it. But when recording is resumed, the delay starts again, so that what was
/// metered meanwhile can still be recorded; however often that is, it happens at most [`MAX_SETTLE_DELAY_SECS`] after
/// `planned`. Where no time of the request is kept, a delay that had run out starts again, too.
///
/// # Errors
/// [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn after_pauses(planned: i64, config: &Config) -> Result<i64, ProgramError> {
    let restarted = eta(config, config.usage_resumed_at())?;
    let latest = planned.saturating_add(MAX_SETTLE_DELAY_SECS as i64);
    Ok(restarted.min(latest).max(planned))
}

/// When the pending exit of `licence` may be executed, Unix seconds. Only a resumption after the request restarts its
/// delay, also where the marketplace's delay has changed since.
///
/// # Errors
/// [`ProgramError::NoExitPending`]; [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn ready_at(licence: &Licence, config: &Config) -> Result<i64, ProgramError> {
    if licence.exit_kind == 0 {
        return Err(ProgramError::NoExitPending);
    }
    if config.usage_resumed_at() <= licence.exit_requested_at() {
        return Ok(licence.exit_at());
    }
    after_pauses(licence.exit_at(), config)
}
