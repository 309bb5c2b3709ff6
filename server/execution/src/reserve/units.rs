//! How many units a licence has left. Pure: one chain snapshot in, numbers out.
//!
//! available = what limit, caps and credit allow as read at slot S − units used or promised that slot S does not show.

use clawos_interface::NO_KEY;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::validity;

/// What a licence allows as of one slot, before what this marketplace used since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Units; none when nothing bounds them.
    pub units: Option<u64>,
    /// Whether it is the credit that bounds them, so that a deposit would help.
    pub by_credit: bool,
    /// Most units of one call, because a batch has to carry the whole call; none when there is no cap.
    pub per_batch: Option<u64>,
    /// Most units that may be used or promised and not recorded yet. A paid batch carries no more than the buyer's cap,
    /// and what is not recorded when an exit is executed is never paid. None when there is no cap or no price.
    pub unrecorded: Option<u64>,
    /// The licence's root on chain, where units are paid for and another proxy's meter may have recorded some: then this
    /// server can charge more only if it knows the batch that leads there.
    pub moved: Option<[u8; 32]>,
}

impl Allowance {
    /// Reads it off a licence at `now` (Unix seconds), of which `full_batches` are surely recorded before an exit. A
    /// licence that is not valid allows nothing.
    pub(crate) fn of(licence: &Licence, now: i64, full_batches: u64) -> Allowance {
        let units = Some(validity(licence, now).units_left).filter(|units| *units != u64::MAX);
        let credit = licence.credit().saturating_sub(licence.unbilled()).checked_div(licence.unit_price());
        let per_batch = Some(Caps::for_spending(licence).max_units_per_batch).filter(|cap| *cap != 0);
        let unrecorded = per_batch.filter(|_| licence.unit_price() != 0).map(|cap| cap.saturating_mul(full_batches));
        let moved = (licence.previous_meter != NO_KEY && licence.unit_price() != 0).then_some(licence.chain_root);
        Allowance { units, by_credit: units.is_some() && credit == units, per_batch, unrecorded, moved }
    }

    /// Units still free when `outstanding` of them are used or promised already; none when more than all are, as
    /// after the buyer lowered a cap.
    pub(crate) fn available(&self, outstanding: u64) -> Option<u64> {
        let below = |bound: Option<u64>| bound.map_or(Some(u64::MAX), |bound| bound.checked_sub(outstanding));
        Some(below(self.units)?.min(below(self.unrecorded)?))
    }

    /// Whether `needed` units are the buyer's when `spent` of them are used, so that they can be had later if not now.
    pub(crate) fn covers(&self, spent: u64, needed: u64) -> bool {
        self.units.is_none_or(|units| units.saturating_sub(spent) >= needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawos_interface::LicenceStatus;
    use clawos_interface::integers::{I64, U32, U64};
    use proptest::prelude::*;

    const DAY: i64 = 86_400;
    const NOON: i64 = 20_000 * DAY + 43_200;

    fn licence() -> Licence {
        let mut licence = Licence::blank();
        licence.status = LicenceStatus::Active as u8;
        licence
    }

    #[test]
    fn without_price_limits_and_caps_nothing_bounds_it() {
        let free = Allowance { units: None, by_credit: false, per_batch: None, unrecorded: None, moved: None };
        assert_eq!(Allowance::of(&licence(), NOON, 5), free);
        assert_eq!(free.available(u64::MAX), Some(u64::MAX));
    }

    #[test]
    fn credit_buys_whole_units_only() {
        let mut l = licence();
        (l.unit_price, l.credit) = (U64::new(300), U64::new(1_000));
        let allowance = Allowance::of(&l, NOON, 5);
        assert_eq!((allowance.units, allowance.by_credit), (Some(3), true));
    }

    #[test]
    fn the_day_cap_counts_only_what_the_chain_recorded_today() {
        let mut l = licence();
        (l.max_units_per_day, l.day_units, l.day) = (U64::new(100), U64::new(60), U32::new(20_000));
        assert_eq!(Allowance::of(&l, NOON, 5).units, Some(40));
        assert_eq!(Allowance::of(&l, NOON + DAY, 5).units, Some(100));
    }

    #[test]
    fn a_stricter_cap_counts_before_it_takes_effect_on_chain() {
        let mut l = licence();
        (l.usage_limit, l.next_usage_limit, l.caps_eta) = (U64::new(50), U64::new(10), I64::new(NOON + 600));
        assert_eq!(Allowance::of(&l, NOON, 5).units, Some(10));
    }

    #[test]
    fn a_suspended_licence_allows_nothing() {
        let mut l = licence();
        l.status = LicenceStatus::Suspended as u8;
        assert_eq!(Allowance::of(&l, NOON, 5).units, Some(0));
    }

    #[test]
    fn more_outstanding_than_allowed_is_told_apart_from_nothing_left() {
        let mut l = licence();
        l.usage_limit = U64::new(5);
        assert_eq!(Allowance::of(&l, NOON, 5).available(5), Some(0));
        assert_eq!(Allowance::of(&l, NOON, 5).available(6), None);
    }

    #[test]
    fn what_is_paid_is_served_only_as_far_as_batches_under_the_buyers_cap_record_it_in_time() {
        let mut l = licence();
        (l.unit_price, l.credit, l.max_units_per_batch) = (U64::new(1), U64::new(1_000), U64::new(10));
        let allowance = Allowance::of(&l, NOON, 5);
        assert_eq!([0, 49, 50, 51].map(|used| allowance.available(used)), [Some(50), Some(1), Some(0), None]);
        assert_eq!([50, 999, 1_000].map(|used| allowance.covers(used, 1)), [true, true, false]);
        // Nobody loses anything when what is free is recorded late.
        l.unit_price = U64::new(0);
        assert_eq!(Allowance::of(&l, NOON, 5).available(51), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_available_never_costs_more_than_the_credit_nor_passes_a_limit(
            price in 1_u64..1_000_000, credit in 0_u64..u64::MAX / 2, limit in 0_u64..1_000_000, total in 0_u64..1_000_000,
            outstanding in 0_u64..1_000_000,
        ) {
            let mut l = licence();
            l.unit_price = U64::new(price);
            l.credit = U64::new(credit);
            l.usage_limit = U64::new(limit);
            l.usage_total = U64::new(total);
            if let Some(units @ 1..) = Allowance::of(&l, NOON, 5).available(outstanding) {
                let spent = u128::from(units) + u128::from(outstanding);
                prop_assert!(spent * u128::from(price) <= u128::from(credit));
                prop_assert!(limit == 0 || spent + u128::from(total) <= u128::from(limit));
            }
        }
    }
}
