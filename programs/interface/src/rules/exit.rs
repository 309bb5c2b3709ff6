//! Exits in two steps: asked for, and executed once everything metered before has had time to be recorded.

use crate::accounts::{Config, Licence};
use crate::errors::ProgramError;

/// Shortest delay a marketplace may set, seconds.
pub const MIN_SETTLE_DELAY_SECS: u32 = 120;

/// Longest delay a marketplace may set, seconds: 7 days, so that nobody's credit can be locked in.
pub const MAX_SETTLE_DELAY_SECS: u32 = 604_800;

/// `now` plus the marketplace's delay, Unix seconds.
///
/// # Errors
/// [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn eta(config: &Config, now: i64) -> Result<i64, ProgramError> {
    now.checked_add(config.settle_delay() as i64).ok_or(ProgramError::MathOverflow)
}

/// When something that was to happen at `planned` (Unix seconds) after the settle delay may happen, given the pauses since.
///
/// A pause of `record_usage` never blocks it. But when recording is resumed before it has happened, the delay starts again, so that what was
/// metered meanwhile can still be recorded.
///
/// # Errors
/// [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn after_pauses(planned: i64, config: &Config) -> Result<i64, ProgramError> {
    let asked_at = planned.checked_sub(config.settle_delay() as i64).ok_or(ProgramError::MathOverflow)?;
    let resumed_at = config.usage_resumed_at();
    if resumed_at > asked_at {
        Ok(eta(config, resumed_at)?.max(planned))
    } else {
        Ok(planned)
    }
}

/// When the pending exit of `licence` may be executed, Unix seconds.
///
/// # Errors
/// [`ProgramError::NoExitPending`]; [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn ready_at(licence: &Licence, config: &Config) -> Result<i64, ProgramError> {
    if licence.exit_kind == 0 {
        return Err(ProgramError::NoExitPending);
    }
    after_pauses(licence.exit_at(), config)
}
