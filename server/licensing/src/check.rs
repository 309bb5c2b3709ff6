//! Whether a licence allows a call now. Pure: chain state in, the licence or a reason out.

use clawos_interface::Key;
use clawos_interface::accounts::{Config, Licence};
use clawos_interface::codes::PauseBits;
use clawos_interface::rules::validity::{Reason, validity};

/// Why a licence does not allow a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no licence, or its account was closed.
    #[error("you have no licence for this skill; buy one first")]
    Missing,
    /// Its period has ended.
    #[error("the licence has expired; renew it")]
    Expired,
    /// Usage is unpaid.
    #[error("the licence is suspended because recorded usage is unpaid; deposit credit")]
    Suspended,
    /// The price was given back.
    #[error("the licence was refunded; buy it again")]
    Refunded,
    /// An exit is pending.
    #[error("an exit is pending on the licence, which freezes spending")]
    Closing,
    /// The buyer's limit is reached.
    #[error("the licence's usage limit is reached; raise it")]
    LimitReached,
    /// It names another meter.
    #[error("the licence names another proxy's key as its meter; call that proxy")]
    WrongProxy,
    /// The chain records no usage now, so nothing may be spent.
    #[error("recording usage is paused on chain, so calls that spend credit are refused")]
    UsagePaused,
    /// A buyer could take credit back before what it has to pay is recorded.
    #[error(
        "this server may need longer to record usage than the marketplace's settle delay allows, so calls that spend credit are refused; its operator has to change its settings"
    )]
    SettleDelayTooShort,
}

impl Refusal {
    /// Its name in answers about a licence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Refusal::Missing => Reason::Missing.as_str(),
            Refusal::Expired => Reason::Expired.as_str(),
            Refusal::Suspended => Reason::Suspended.as_str(),
            Refusal::Refunded => Reason::Refunded.as_str(),
            Refusal::Closing => Reason::Closing.as_str(),
            Refusal::LimitReached => Reason::LimitReached.as_str(),
            Refusal::WrongProxy => "wrong_proxy",
            // For callers it is the same: nothing that costs credit runs now.
            Refusal::UsagePaused | Refusal::SettleDelayTooShort => "usage_paused",
        }
    }
}

/// The licence, if it allows a call at `now` (Unix seconds: the later of wall clock and chain clock) through the proxy whose
/// meter key is `meter` and which needs `delay_secs` at most to record usage.
pub(crate) fn usable<'a>(
    licence: Option<&'a Licence>,
    config: &Config,
    now: i64,
    meter: &Key,
    delay_secs: u64,
) -> Result<&'a Licence, Refusal> {
    let licence = licence.ok_or(Refusal::Missing)?;
    match validity(licence, now).reason {
        Reason::Ok => {}
        Reason::Missing => return Err(Refusal::Missing),
        Reason::Expired => return Err(Refusal::Expired),
        Reason::Suspended => return Err(Refusal::Suspended),
        Reason::Refunded => return Err(Refusal::Refunded),
        Reason::Closing => return Err(Refusal::Closing),
        Reason::LimitReached => return Err(Refusal::LimitReached),
    }
    if licence.meter != *meter {
        return Err(Refusal::WrongProxy);
    }
    if licence.unit_price() != 0 && config.is_paused(PauseBits::USAGE) {
        return Err(Refusal::UsagePaused);
    }
    if licence.unit_price() != 0 && u64::from(config.settle_delay()) < delay_secs {
        return Err(Refusal::SettleDelayTooShort);
    }
    Ok(licence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawos_interface::integers::{I64, U16, U32, U64};
    use clawos_interface::{ExitKind, LicenceStatus};

    const METER: Key = [9; 32];
    const NOW: i64 = 1_700_000_000;

    fn licence() -> Licence {
        let mut licence = Licence::blank();
        licence.status = LicenceStatus::Active as u8;
        licence.meter = METER;
        licence
    }

    fn config() -> Config {
        Config::blank()
    }

    #[test]
    fn a_valid_licence_of_this_proxy_passes() {
        assert_eq!(usable(Some(&licence()), &config(), NOW, &METER, 0).map(drop), Ok(()));
    }

    #[test]
    fn each_defect_has_its_own_reason() {
        type Defect = fn(&mut Licence);
        let defects: [(Defect, Refusal); 6] = [
            (|l| l.expires_at = I64::new(NOW), Refusal::Expired),
            (|l| l.status = LicenceStatus::Suspended as u8, Refusal::Suspended),
            (|l| l.status = LicenceStatus::Refunded as u8, Refusal::Refunded),
            (|l| l.exit_kind = ExitKind::Close as u8, Refusal::Closing),
            (|l| (l.usage_limit, l.usage_total) = (U64::new(5), U64::new(5)), Refusal::LimitReached),
            (|l| l.meter = [8; 32], Refusal::WrongProxy),
        ];
        for (spoil, refusal) in defects {
            let mut spoilt = licence();
            spoil(&mut spoilt);
            assert_eq!(usable(Some(&spoilt), &config(), NOW, &METER, 0).map(drop), Err(refusal));
        }
        assert_eq!(usable(None, &config(), NOW, &METER, 0).map(drop), Err(Refusal::Missing));
    }

    #[test]
    fn a_pause_of_recording_stops_only_calls_that_spend() {
        let mut paused = config();
        paused.pause_bits = U16::new(PauseBits::USAGE);
        assert_eq!(usable(Some(&licence()), &paused, NOW, &METER, 0).map(drop), Ok(()));
        let mut priced = licence();
        priced.unit_price = U64::new(1);
        assert_eq!(usable(Some(&priced), &paused, NOW, &METER, 0).map(drop), Err(Refusal::UsagePaused));
    }

    #[test]
    fn too_short_a_settle_delay_stops_only_calls_that_spend() {
        let mut market = config();
        market.settle_delay = U32::new(300);
        assert_eq!(usable(Some(&licence()), &market, NOW, &METER, 301).map(drop), Ok(()));
        let mut priced = licence();
        priced.unit_price = U64::new(1);
        assert_eq!(usable(Some(&priced), &market, NOW, &METER, 300).map(drop), Ok(()));
        assert_eq!(usable(Some(&priced), &market, NOW, &METER, 301).map(drop), Err(Refusal::SettleDelayTooShort));
    }
}
