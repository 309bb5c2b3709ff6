//! Which receipts make the next batch of an account, and what it records. Pure.

use clawos_interface::accounts::{Config, Licence};
use clawos_interface::rules::bill::cost;
use clawos_interface::rules::usage::{Caps, day_of};
use clawos_interface::{Key, ProgramError};

use super::batch::BatchContents;

/// Receipts in one batch, at most: its tree is rebuilt for every proof.
pub(super) const MAX_BATCH: usize = 4_096;

/// A receipt that a batch may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub id: String,
    pub leaf: [u8; 32],
    pub units: u64,
    pub amount: u64,
    /// Unix milliseconds.
    pub issued_at: i64,
    /// Meters that certified its key for its time, without this server's.
    pub other_meters: Vec<Key>,
}

/// Units that one `record_usage` may carry at `now` (Unix seconds).
///
/// # Errors
/// When the program could not tell either.
pub(super) fn room(licence: &Licence, config: &Config, now: i64) -> Result<u64, ProgramError> {
    let used_today = if day_of(now) == Ok(licence.day()) { licence.day_units() } else { 0 };
    units_left(licence, config, now, used_today)
}

/// Units of the largest receipt that can be recorded under the caps in force, at `now` or on a later day.
///
/// # Errors
/// When the program could not tell either.
pub(super) fn largest(licence: &Licence, config: &Config, now: i64) -> Result<u64, ProgramError> {
    units_left(licence, config, now, 0)
}

fn units_left(licence: &Licence, config: &Config, now: i64, used_today: u64) -> Result<u64, ProgramError> {
    let caps = Caps::for_recording(licence, config, now)?;
    let bounds = [
        (caps.max_units_per_batch, 0),
        (caps.max_units_per_day, used_today),
        (caps.usage_limit, licence.usage_total()),
    ];
    Ok(bounds
        .into_iter()
        .filter(|(cap, _)| *cap != 0)
        .map(|(cap, used)| cap.saturating_sub(used))
        .min()
        .unwrap_or(u64::MAX))
}

/// How many of the candidates, oldest first, fit into `room` units.
pub(super) fn fitting(candidates: &[Candidate], room: u64) -> usize {
    let mut units = 0_u64;
    let fits = |candidate: &&Candidate| {
        units = units.saturating_add(candidate.units);
        units <= room
    };
    candidates.iter().take(MAX_BATCH).take_while(fits).count()
}

/// Whether the chain would charge for a receipt what it says, at this price of a unit.
pub(super) fn agrees(receipt: &Candidate, unit_price: u64) -> bool {
    cost(receipt.units, unit_price) == Ok(receipt.amount)
}

/// What a batch of these receipts records on a licence as the chain has it; none without receipts, or when they say
/// another amount than the chain would charge.
pub(super) fn batch_contents(
    licence_account: &Key,
    licence: &Licence,
    receipts: &[Candidate],
) -> Option<BatchContents> {
    let contents =
        BatchContents::of(licence_account, licence.usage_seq().checked_add(1)?, licence.chain_root, receipts)?;
    (cost(contents.units, licence.unit_price()) == Ok(contents.amount)).then_some(contents)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use clawos_interface::integers::{U32, U64};
    use clawos_interface::rules::usage::count;
    use clawos_interface::sha256;
    use proptest::prelude::*;

    const NOON: i64 = 20_000 * 86_400 + 43_200;

    fn licence() -> Licence {
        let mut licence = Licence::blank();
        licence.unit_price = U64::new(3);
        licence
    }

    fn config() -> Config {
        Config::blank()
    }

    fn candidate(n: u64, units: u64) -> Candidate {
        Candidate {
            id: format!("run_{n:032x}"),
            leaf: sha256(&[&n.to_le_bytes()]),
            units,
            amount: units * 3,
            issued_at: 0,
            other_meters: Vec::new(),
        }
    }

    #[test]
    fn receipts_made_at_another_price_are_never_charged() {
        let mut licence = licence();
        licence.unit_price = U64::new(4);
        let receipts = [candidate(1, 2), Candidate { amount: 8, ..candidate(2, 2) }];
        assert_eq!(receipts.each_ref().map(|receipt| agrees(receipt, 4)), [false, true]);
        assert_eq!(batch_contents(&[5; 32], &licence, &receipts), None);
        assert_eq!(batch_contents(&[5; 32], &licence, &receipts[1..]).unwrap().amount, 8);
        assert!(!agrees(&candidate(1, 2), u64::MAX));
    }

    #[test]
    fn a_batch_stops_before_the_first_receipt_that_does_not_fit() {
        let all: Vec<_> = [3, 3, 5, 1].into_iter().zip(0..).map(|(units, n)| candidate(n, units)).collect();
        assert_eq!(fitting(&all, 10), 2);
        assert_eq!(fitting(&all, 2), 0);
        assert_eq!(fitting(&all, u64::MAX), 4);
    }

    #[test]
    fn a_receipt_may_wait_for_tomorrow_but_never_fits_above_a_cap() {
        let mut licence = licence();
        licence.max_units_per_day = U64::new(10);
        (licence.day, licence.day_units) = (U32::new(20_000), U64::new(7));
        assert_eq!(room(&licence, &config(), NOON), Ok(3));
        assert_eq!(largest(&licence, &config(), NOON), Ok(10));
        licence.max_units_per_batch = U64::new(4);
        assert_eq!(largest(&licence, &config(), NOON), Ok(4));
    }

    #[test]
    fn the_order_of_receipts_does_not_change_what_is_recorded() {
        let all: Vec<_> = (0..7).map(|n| candidate(n, 1)).collect();
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        assert_eq!(batch_contents(&[5; 32], &licence(), &all), batch_contents(&[5; 32], &licence(), &reversed));
    }

    proptest! {
        /// What fits into the room is what the program accepts.
        #[test]
        fn the_program_accepts_a_batch_that_fits(
            per_batch in 0_u64..50, per_day in 0_u64..80, limit in 0_u64..120, total in 0_u64..60, today in 0_u64..60,
            units in prop::collection::vec(1_u64..20, 1..12),
        ) {
            let mut licence = licence();
            licence.max_units_per_batch = U64::new(per_batch);
            licence.max_units_per_day = U64::new(per_day);
            licence.usage_limit = U64::new(limit);
            licence.usage_total = U64::new(total);
            licence.day = U32::new(20_000);
            licence.day_units = U64::new(today);
            let candidates: Vec<_> = units.into_iter().zip(0..).map(|(units, n)| candidate(n, units)).collect();
            let taken = fitting(&candidates, room(&licence, &config(), NOON).unwrap());
            if let Some(contents) = batch_contents(&[5; 32], &licence, &candidates[..taken]) {
                prop_assert_eq!(count(&mut licence.clone(), &config(), contents.units, NOON), Ok(()));
            }
            if let Some(next) = candidates.get(taken) {
                let sum: u64 = candidates[..taken].iter().map(|c| c.units).sum();
                prop_assert!(count(&mut licence, &config(), sum + next.units, NOON).is_err());
            }
        }
    }
}
