//! How the chain behaves towards its clients: everything final at once, or with the delays and losses of a cluster.

use solana_commitment_config::CommitmentLevel;
use solana_transaction_status_client_types::TransactionConfirmationStatus;

use crate::config::ClusterConfig;

/// Slots behind the finalized one for which a cluster's node knows signatures without its history.
const STATUS_SLOTS: u64 = 300;

/// The behaviour of one chain. Slots are counted from the present one.
pub(crate) struct Behaviour {
    cluster: bool,
    confirm_slots: u64,
    finalize_slots: u64,
    unit_price: u64,
    drops: Drops,
}

impl Behaviour {
    /// As configured: without `cluster` nothing lags and nothing is lost.
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        let on = |value: u64| if config.cluster { value } else { 0 };
        Self {
            cluster: config.cluster,
            confirm_slots: on(config.confirm_slots),
            finalize_slots: on(config.finalize_slots),
            unit_price: on(config.unit_price),
            drops: Drops { percent: on(u64::from(config.drop_percent)), seed: config.drop_seed, seen: 0 },
        }
    }

    /// Whether this is a cluster's behaviour.
    pub(crate) fn is_cluster(&self) -> bool {
        self.cluster
    }

    /// The newest slot that has this commitment when `now` is the present one.
    pub(crate) fn slot_at(&self, level: CommitmentLevel, now: u64) -> u64 {
        now.saturating_sub(match level {
            CommitmentLevel::Processed => 0,
            CommitmentLevel::Confirmed => self.confirm_slots,
            CommitmentLevel::Finalized => self.finalize_slots,
        })
    }

    /// The commitment that `slot` has reached by `now`.
    pub(crate) fn status_of(&self, slot: u64, now: u64) -> TransactionConfirmationStatus {
        if slot <= self.slot_at(CommitmentLevel::Finalized, now) {
            TransactionConfirmationStatus::Finalized
        } else if slot <= self.slot_at(CommitmentLevel::Confirmed, now) {
            TransactionConfirmationStatus::Confirmed
        } else {
            TransactionConfirmationStatus::Processed
        }
    }

    /// Whether a node knows a signature of `slot` without looking into its history.
    pub(crate) fn remembers(&self, slot: u64, now: u64) -> bool {
        !self.cluster || slot + STATUS_SLOTS >= self.slot_at(CommitmentLevel::Finalized, now)
    }

    /// The price per compute unit that others pay, in micro-lamports.
    pub(crate) fn unit_price(&self) -> u64 {
        self.unit_price
    }

    /// Whether the transaction that is sent now gets lost on its way to the leader.
    pub(crate) fn loses_next(&mut self) -> bool {
        self.drops.next()
    }
}

/// Which sent transactions get lost: a sequence that its seed decides.
struct Drops {
    percent: u64,
    seed: u64,
    seen: u64,
}

impl Drops {
    fn next(&mut self) -> bool {
        self.seen += 1;
        mix(self.seed.wrapping_add(self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % 100 < self.percent
    }
}

/// The output function of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(config: &ClusterConfig) -> Vec<bool> {
        let mut behaviour = Behaviour::new(config);
        (0..1_000).map(|_| behaviour.loses_next()).collect()
    }

    #[test]
    fn a_seed_decides_what_is_lost() {
        let config = ClusterConfig { cluster: true, drop_percent: 25, ..ClusterConfig::default() };
        let first = lost(&config);
        assert_eq!(first, lost(&config));
        assert_ne!(first, lost(&ClusterConfig { drop_seed: 1, ..config.clone() }));
        let count = first.iter().filter(|lost| **lost).count();
        assert!((200..300).contains(&count), "{count} of 1,000");
        assert!(!lost(&ClusterConfig { cluster: false, ..config }).contains(&true));
    }

    #[test]
    fn a_slot_is_processed_then_confirmed_then_final_then_forgotten() {
        let behaviour = Behaviour::new(&ClusterConfig { cluster: true, ..ClusterConfig::default() });
        let status = |now| behaviour.status_of(1_000, now);
        assert_eq!(status(1_001), TransactionConfirmationStatus::Processed);
        assert_eq!(status(1_002), TransactionConfirmationStatus::Confirmed);
        assert_eq!(status(1_031), TransactionConfirmationStatus::Confirmed);
        assert_eq!(status(1_032), TransactionConfirmationStatus::Finalized);
        assert!(behaviour.remembers(1_000, 1_332) && !behaviour.remembers(1_000, 1_333));
        let calm = Behaviour::new(&ClusterConfig::default());
        assert_eq!(calm.status_of(1_000, 1_000), TransactionConfirmationStatus::Finalized);
        assert!(calm.remembers(0, u64::MAX));
    }
}
