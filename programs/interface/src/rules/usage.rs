//! Recording usage: the chain of roots, the buyer's caps, and what is charged.

use super::bill::cost;
use super::exit;
use crate::accounts::{Config, Licence};
use crate::codes::{LicenceStatus, SuspendReason};
use crate::errors::ProgramError;
use crate::{Hasher, Key, MAX_AMOUNT, NO_KEY};

/// What the first root of a licence is hashed with.
const FIRST_ROOT: u8 = 0x03;

/// What each step of the chain is hashed with.
const NEXT_ROOT: u8 = 0x04;

/// Seconds of a UTC day.
const DAY_SECS: i64 = 86_400;

/// Where the chain of a licence account starts. The slot makes a re-created account refuse the batches of an earlier
/// one.
#[inline(always)]
pub fn first_root(hasher: Hasher, licence: &Key, created_slot: u64) -> [u8; 32] {
    hasher(&[&[FIRST_ROOT], licence, &created_slot.to_le_bytes()])
}

/// The chain's root after a batch with the anchored root `root`.
#[inline(always)]
pub fn next_root(hasher: Hasher, chain_root: &[u8; 32], root: &[u8; 32]) -> [u8; 32] {
    hasher(&[&[NEXT_ROOT], chain_root, root])
}

/// The UTC day of a Unix time, counted from 1970.
///
/// # Errors
/// [`ProgramError::DayInvalid`] before 1970 and after 2106.
#[inline(always)]
pub fn day_of(now: i64) -> Result<u32, ProgramError> {
    if !(0..=u32::MAX as i64).contains(&now) {
        return Err(ProgramError::DayInvalid);
    }
    Ok((now / DAY_SECS) as u32)
}

/// The buyer's caps in units; 0 = none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Caps {
    /// Units the licence may ever use.
    pub usage_limit: u64,
    /// Units one batch may carry.
    pub max_units_per_batch: u64,
    /// Units that may be recorded per UTC day.
    pub max_units_per_day: u64,
}

/// The looser of two caps, where 0 = none.
#[inline(always)]
const fn looser(a: u64, b: u64) -> u64 {
    if a == 0 || (b != 0 && b < a) {
        a
    } else {
        b
    }
}

impl Caps {
    /// The caps in force.
    #[inline(always)]
    fn present(licence: &Licence) -> Self {
        Self {
            usage_limit: licence.usage_limit(),
            max_units_per_batch: licence.max_units_per_batch(),
            max_units_per_day: licence.max_units_per_day(),
        }
    }

    /// The caps that wait for recording: those the buyer set last.
    #[inline(always)]
    fn waiting(licence: &Licence) -> Self {
        Self {
            usage_limit: licence.next_usage_limit(),
            max_units_per_batch: licence.next_units_per_batch(),
            max_units_per_day: licence.next_units_per_day(),
        }
    }

    /// The caps that bound new calls: those the buyer set last, from the moment they were set.
    #[inline(always)]
    pub fn for_spending(licence: &Licence) -> Self {
        if licence.caps_eta() == 0 {
            Self::present(licence)
        } else {
            Self::waiting(licence)
        }
    }

    /// The caps that bound what is recorded at `now` (Unix seconds): stricter ones count once the settle delay has
    /// passed, so that calls already served can still be recorded.
    ///
    /// # Errors
    /// [`ProgramError::MathOverflow`] at the end of time.
    #[inline(always)]
    pub fn for_recording(licence: &Licence, config: &Config, now: i64) -> Result<Self, ProgramError> {
        if licence.caps_eta() != 0 && now >= exit::after_pauses(licence.caps_eta(), config)? {
            Ok(Self::waiting(licence))
        } else {
            Ok(Self::present(licence))
        }
    }

    /// Cap by cap the looser of both.
    #[inline(always)]
    fn looser(&self, other: &Self) -> Self {
        Self {
            usage_limit: looser(self.usage_limit, other.usage_limit),
            max_units_per_batch: looser(self.max_units_per_batch, other.max_units_per_batch),
            max_units_per_day: looser(self.max_units_per_day, other.max_units_per_day),
        }
    }

    /// Sets the caps of a licence at `now` (Unix seconds): each looser one at once; each stricter one for new calls at
    /// once, for recording after the settle delay. Without that delay a buyer could make usage unrecordable after it
    /// was served.
    ///
    /// # Errors
    /// [`ProgramError::MathOverflow`] at the end of time.
    pub fn set(&self, licence: &mut Licence, config: &Config, now: i64) -> Result<(), ProgramError> {
        let recording = Self::for_recording(licence, config, now)?;
        let present = self.looser(&recording);
        let (waiting, eta) = if present == *self { (Self::default(), 0) } else { (*self, exit::eta(config, now)?) };
        present.store_present(licence);
        licence.next_usage_limit.set(waiting.usage_limit);
        licence.next_units_per_batch.set(waiting.max_units_per_batch);
        licence.next_units_per_day.set(waiting.max_units_per_day);
        licence.caps_eta.set(eta);
        Ok(())
    }

    /// Sets the caps of a new licence account, under which nothing was served yet.
    #[inline(always)]
    pub fn set_fresh(&self, licence: &mut Licence) {
        licence.caps_eta.set(0);
        self.store_present(licence);
    }

    fn store_present(&self, licence: &mut Licence) {
        licence.usage_limit.set(self.usage_limit);
        licence.max_units_per_batch.set(self.max_units_per_batch);
        licence.max_units_per_day.set(self.max_units_per_day);
    }
}

/// `a + b`, at most [`MAX_AMOUNT`].
///
/// # Errors
/// [`ProgramError::MathOverflow`] above that.
#[inline(always)]
pub fn add(a: u64, b: u64) -> Result<u64, ProgramError> {
    a.checked_add(b).filter(|sum| *sum <= MAX_AMOUNT).ok_or(ProgramError::MathOverflow)
}

/// Whether `signer` may record usage of `licence` at `now` (Unix seconds): its meter, and the one before it until the
/// settle delay has passed, so that calls it served can still be recorded. Only where nothing is paid per unit: the
/// buyer never agreed that the earlier one charges, and before a usage licence replaces another kind everything of that
/// kind has been recorded.
///
/// # Errors
/// [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn may_record(licence: &Licence, config: &Config, signer: &Key, now: i64) -> Result<bool, ProgramError> {
    Ok(&licence.meter == signer
        || (&licence.previous_meter == signer
            && licence.unit_price() == 0
            && now < exit::after_pauses(licence.meter_until(), config)?))
}

/// Makes `meter` the one that records usage of `licence` from `now` (Unix seconds) on.
///
/// # Errors
/// [`ProgramError::KeyMissing`] for no key; [`ProgramError::MeterChangeTooEarly`] while the meter before still has its
/// time to record; [`ProgramError::MathOverflow`] at the end of time.
#[inline(always)]
pub fn set_meter(licence: &mut Licence, config: &Config, meter: &Key, now: i64) -> Result<(), ProgramError> {
    if meter == &NO_KEY {
        return Err(ProgramError::KeyMissing);
    }
    if &licence.meter == meter {
        return Ok(());
    }
    // A new account has no meter that could have served anything.
    if licence.meter != NO_KEY {
        if licence.meter_until() != 0 && now < exit::after_pauses(licence.meter_until(), config)? {
            return Err(ProgramError::MeterChangeTooEarly);
        }
        licence.previous_meter = licence.meter;
        licence.meter_until.set(exit::eta(config, now)?);
    }
    licence.meter = *meter;
    Ok(())
}

/// Counts `units` at `now` (Unix seconds) into a licence, inside the buyer's caps, and adds their price to `unbilled`.
/// Money moves by [`charge`] and [`settle`] afterwards.
///
/// # Errors
/// [`ProgramError`] naming the cap that is exceeded; the licence is then unchanged.
#[inline(always)]
pub fn count(licence: &mut Licence, config: &Config, units: u64, now: i64) -> Result<(), ProgramError> {
    let caps = Caps::for_recording(licence, config, now)?;
    if units == 0 {
        return Err(ProgramError::UnitsMissing);
    }
    if caps.max_units_per_batch != 0 && units > caps.max_units_per_batch {
        return Err(ProgramError::BatchTooLarge);
    }
    let total = add(licence.usage_total(), units)?;
    if caps.usage_limit != 0 && total > caps.usage_limit {
        return Err(ProgramError::UsageLimitExceeded);
    }
    let day = day_of(now)?;
    let used = if day == licence.day() { licence.day_units() } else { 0 };
    let day_units = add(used, units)?;
    if caps.max_units_per_day != 0 && day_units > caps.max_units_per_day {
        return Err(ProgramError::DayCapExceeded);
    }
    let unbilled = add(licence.unbilled(), cost(units, licence.unit_price())?)?;
    let seq = add(licence.usage_seq(), 1)?;

    licence.usage_total.set(total);
    licence.usage_seq.set(seq);
    licence.day.set(day);
    licence.day_units.set(day_units);
    licence.unbilled.set(unbilled);
    Ok(())
}

/// What one charge moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Base units that leave the credit; `fee` is a part of it.
    pub amount: u64,
    /// Base units of it for the treasury.
    pub fee: u64,
}

impl Charge {
    /// Base units for the seller.
    #[inline(always)]
    pub const fn seller(&self) -> u64 {
        self.amount.wrapping_sub(self.fee)
    }
}

/// What the credit of `licence` covers of its unbilled usage, and the fee on it. Changes nothing.
///
/// # Errors
/// [`ProgramError::MathOverflow`] when the total billed would exceed [`MAX_AMOUNT`].
#[inline(always)]
pub fn charge(licence: &Licence, fee_bps: u16) -> Result<Charge, ProgramError> {
    let amount = licence.credit().min(licence.unbilled());
    let fee = super::fee::fee_delta(licence.billed_total(), amount, fee_bps)?;
    Ok(Charge { amount, fee })
}

/// Enters a payment into `licence`: `paid` leaves its credit and its debt, and what it still owes suspends it.
///
/// `paid` is what [`charge`] gave, or nothing where a recipient cannot receive it; `receivable` says which.
#[inline(always)]
pub fn settle(licence: &mut Licence, paid: &Charge, receivable: bool) {
    // `charge` bounds the amount by both, and the sum with the total.
    licence.credit.set(licence.credit().wrapping_sub(paid.amount));
    licence.unbilled.set(licence.unbilled().wrapping_sub(paid.amount));
    licence.billed_total.set(licence.billed_total().wrapping_add(paid.amount));
    let (status, reason) = match (licence.unbilled(), receivable) {
        (0, _) => (LicenceStatus::Active, SuspendReason::None),
        (_, true) => (LicenceStatus::Suspended, SuspendReason::Unpaid),
        (_, false) => (LicenceStatus::Suspended, SuspendReason::Recipient),
    };
    if licence.status != LicenceStatus::Refunded as u8 {
        licence.status = status as u8;
    }
    licence.suspended_reason = reason as u8;
}
