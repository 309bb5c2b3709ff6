//! Accounts and terms for the tests to start from.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::rules::terms::{Bounds, Terms};
use clawos_interface::{Kind, LicenceStatus};

/// An account of all zeros, of the present version.
pub fn licence() -> Licence {
    let mut licence = Licence::blank();
    licence.kind = Kind::Usage as u8;
    licence.status = LicenceStatus::Active as u8;
    licence
}

/// A Config with a settle delay of 600 s and a fee of 2.5 %.
pub fn config() -> Config {
    let mut config = Config::blank();
    config.settle_delay.set(600);
    config.fee_bps.set(250);
    config
}

/// A skill of all zeros, of the present version.
pub fn skill() -> Skill {
    Skill::blank()
}

/// Terms that pass [`bounds`]: all three kinds in USDC.
pub fn terms() -> Terms {
    Terms {
        payout: [1; 32],
        meter: [2; 32],
        price_once: 1_000_000,
        price_period: 500_000,
        price_unit: 1,
        period_secs: 86_400,
        refund_window: 0,
        tier_bps: [10_000, 15_000, 50_000],
        currency: 1,
        kinds: 7,
        unit_kind: 0,
    }
}

/// The bounds of the tests.
pub fn bounds() -> Bounds {
    Bounds { min_price: [1_000, 40], max_price: [1_000_000_000, 1_000_000_000], max_refund_window: 0 }
}
