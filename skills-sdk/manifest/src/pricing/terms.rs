//! Converts prices to the terms that are registered on chain.

use clawos_interface::rules::terms::Terms;
use clawos_interface::{Key, Kind, Unit};

use super::prices::Prices;

impl Prices {
    /// How licences are sold, in the order of [`Kind::ALL`].
    pub fn kinds(&self) -> Vec<Kind> {
        let offered = |kind: &Kind| match kind {
            Kind::OneTime => self.once.is_some(),
            Kind::Subscription => self.period.is_some(),
            Kind::Usage => self.unit.is_some(),
        };
        Kind::ALL.iter().copied().filter(offered).collect()
    }

    /// The terms to register: what the manifest says, paid to `payout`, metered by `meter` (zeros: the platform's).
    pub fn terms(&self, payout: Key, meter: Key) -> Terms {
        let period = self.period.as_ref();
        let unit = self.unit.as_ref();
        Terms {
            payout,
            meter,
            price_once: self.once.unwrap_or(0),
            price_period: period.map_or(0, |period| period.amount),
            price_unit: unit.map_or(0, |unit| unit.amount),
            period_secs: period.map_or(0, |period| period.secs),
            refund_window: self.refund_secs,
            tier_bps: self.tier_bps,
            currency: self.currency as u8,
            kinds: self.kinds().into_iter().fold(0, |mask, kind| mask | kind.bit()),
            unit_kind: unit.map_or(Unit::Call, |unit| unit.kind) as u8,
        }
    }
}
