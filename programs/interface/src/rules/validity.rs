//! The one answer to "may this licence be used now?", for program, proxy, command and validators.

use super::usage::Caps;
use crate::accounts::Licence;
use crate::codes::{code, ExitKind, Kind, LicenceStatus, Tier};
use crate::errors::ProgramError;
use crate::{Key, NO_KEY};

code! {
    /// Why a licence is (not) valid.
    Reason, UnknownStatus {
        /// It is valid.
        Ok = 0 "ok",
        /// There is no licence account.
        Missing = 1 "missing",
        /// Its period has ended.
        Expired = 2 "expired",
        /// Usage is unpaid.
        Suspended = 3 "suspended",
        /// The price was given back.
        Refunded = 4 "refunded",
        /// An exit is pending: spending is frozen.
        Closing = 5 "closing",
        /// The buyer's usage limit is reached.
        LimitReached = 6 "limit_reached",
    }
}

/// What `verify_access` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Whether the licence gives access now.
    pub valid: bool,
    /// [`Kind`] code; 0 when there is no licence.
    pub kind: u8,
    /// [`Tier`] code.
    pub tier: u8,
    /// End of the right, Unix seconds; 0 = never.
    pub expires_at: i64,
    /// Units that limit, today's cap and credit leave, before anything the proxy has not recorded yet; `u64::MAX` = no
    /// bound.
    pub units_left: u64,
    /// Who records usage.
    pub meter: Key,
    /// Why (not).
    pub reason: Reason,
}

impl Validity {
    /// Length of the return data of `verify_access`.
    pub const LEN: usize = 1 + 1 + 1 + 8 + 8 + 32 + 1;

    /// The answer when there is no licence account.
    pub const MISSING: Self =
        Self { valid: false, kind: 0, tier: 0, expires_at: 0, units_left: 0, meter: NO_KEY, reason: Reason::Missing };

    /// Reads the return data of `verify_access`.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let word = |at: usize| bytes[at..at + 8].try_into().ok();
        Some(Self {
            valid: bytes[0] == 1,
            kind: bytes[1],
            tier: bytes[2],
            expires_at: i64::from_le_bytes(word(3)?),
            units_left: u64::from_le_bytes(word(11)?),
            meter: bytes[19..51].try_into().ok()?,
            reason: Reason::try_from(bytes[51]).ok()?,
        })
    }

    /// The kind, where there is a licence.
    pub fn kind(&self) -> Option<Kind> {
        Kind::try_from(self.kind).ok()
    }

    /// The tier, where there is a licence.
    pub fn tier(&self) -> Option<Tier> {
        self.kind().and_then(|_| Tier::try_from(self.tier).ok())
    }
}

/// Whether the right has ended at `now` (Unix seconds).
#[inline(always)]
pub fn is_expired(licence: &Licence, now: i64) -> bool {
    licence.expires_at() != 0 && now >= licence.expires_at()
}

/// Whether `licence` gives access at `now` (Unix seconds), and what is left of it.
#[inline(always)]
pub fn validity(licence: &Licence, now: i64) -> Validity {
    let caps = Caps::for_spending(licence);
    let reason = if licence.status == LicenceStatus::Refunded as u8 {
        Reason::Refunded
    } else if licence.exit_kind != ExitKind::None as u8 {
        Reason::Closing
    } else if licence.status != LicenceStatus::Active as u8 {
        Reason::Suspended
    } else if is_expired(licence, now) {
        Reason::Expired
    } else if caps.usage_limit != 0 && licence.usage_total() >= caps.usage_limit {
        Reason::LimitReached
    } else {
        Reason::Ok
    };
    let valid = matches!(reason, Reason::Ok);
    Validity {
        valid,
        kind: licence.kind,
        tier: licence.tier,
        expires_at: licence.expires_at(),
        units_left: if valid { units_left(licence, &caps, now) } else { 0 },
        meter: licence.meter,
        reason,
    }
}

/// Units that limit, today's cap and credit leave; `u64::MAX` when nothing bounds them.
fn units_left(licence: &Licence, caps: &Caps, now: i64) -> u64 {
    let mut left = u64::MAX;
    if caps.usage_limit != 0 {
        left = left.min(caps.usage_limit.saturating_sub(licence.usage_total()));
    }
    if caps.max_units_per_day != 0 {
        let used = if super::usage::day_of(now) == Ok(licence.day()) { licence.day_units() } else { 0 };
        left = left.min(caps.max_units_per_day.saturating_sub(used));
    }
    if licence.unit_price() != 0 {
        left = left.min(licence.credit().saturating_sub(licence.unbilled()) / licence.unit_price());
    }
    left
}
