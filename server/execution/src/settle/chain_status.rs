//! Whether a batch is on chain, can still get there, or never will. Pure: the chain's word, nothing else.

use clawos_interface::accounts::Licence;

use super::Batch;

/// What the chain says of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChainStatus {
    /// It is on chain, if its receipts lead to its root: the licence's root is the one that it is stored with.
    Landed,
    /// It is not, and can be sent.
    Open,
    /// It can never be, for this reason.
    Impossible(&'static str),
}

/// Compares a batch with the licence as the chain has it.
pub(super) fn chain_status(batch: &Batch, licence: Option<&Licence>) -> ChainStatus {
    let Some(licence) = licence else { return ChainStatus::Impossible("the licence account was closed") };
    if licence.created_slot() != batch.account.opened_slot {
        return ChainStatus::Impossible("the licence account was closed and opened again");
    }
    let next = licence.usage_seq().saturating_add(1);
    if batch.contents.seq > next {
        // The node is behind what was read when the batch was formed.
        return ChainStatus::Open;
    }
    if batch.contents.seq == next {
        let follows = licence.chain_root == batch.contents.prev_root;
        return if follows { ChainStatus::Open } else { ChainStatus::Impossible("the licence's root is another one") };
    }
    if batch.contents.seq < licence.usage_seq() {
        // Its number tells nothing, and its root shows no more.
        return ChainStatus::Impossible("later batches were recorded, and nothing shows that it was before them");
    }
    if licence.chain_root != batch.contents.chain_root {
        return ChainStatus::Impossible(
            "another batch was recorded under its number: is the meter key used elsewhere?",
        );
    }
    ChainStatus::Landed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use crate::account::Account;
    use crate::settle::batch::BatchContents;
    use clawos_api::execution::BatchStatus;
    use clawos_interface::integers::U64;

    fn batch(seq: u64) -> Batch {
        Batch {
            account: Account { licence: [1; 32], opened_slot: 77 },
            skill_account: [2; 32],
            buyer: [3; 32],
            seller: [4; 32],
            contents: BatchContents {
                seq,
                prev_root: [5; 32],
                count: 1,
                units: 1,
                amount: 1,
                tree_root: [6; 32],
                anchored_root: [7; 32],
                chain_root: [8; 32],
            },
            status: BatchStatus::Submitted,
            transaction: None,
            last_valid_height: None,
            slot: None,
            problem: None,
        }
    }

    fn licence(seq: u64, root: [u8; 32]) -> Licence {
        let mut licence = Licence::blank();
        (licence.usage_seq, licence.chain_root, licence.created_slot) = (U64::new(seq), root, U64::new(77));
        licence
    }

    #[test]
    fn before_it_lands_the_chain_shows_its_previous_root() {
        assert_eq!(chain_status(&batch(4), Some(&licence(3, [5; 32]))), ChainStatus::Open);
        assert!(matches!(chain_status(&batch(4), Some(&licence(3, [9; 32]))), ChainStatus::Impossible(_)));
    }

    #[test]
    fn once_it_lands_the_chain_shows_its_root_until_the_next_one() {
        assert_eq!(chain_status(&batch(4), Some(&licence(4, [8; 32]))), ChainStatus::Landed);
        // After the next one its number alone is no proof.
        assert!(matches!(chain_status(&batch(4), Some(&licence(5, [9; 32]))), ChainStatus::Impossible(_)));
    }

    #[test]
    fn a_stranger_under_its_number_is_not_taken_for_it() {
        assert!(matches!(chain_status(&batch(4), Some(&licence(4, [9; 32]))), ChainStatus::Impossible(_)));
    }

    #[test]
    fn a_closed_or_reopened_account_never_takes_it() {
        assert!(matches!(chain_status(&batch(1), None), ChainStatus::Impossible(_)));
        let mut reopened = licence(0, [5; 32]);
        reopened.created_slot = U64::new(78);
        assert!(matches!(chain_status(&batch(1), Some(&reopened)), ChainStatus::Impossible(_)));
    }
}
