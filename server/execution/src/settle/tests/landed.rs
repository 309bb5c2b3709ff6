//! When a batch counts as settled: by its receipts and the licence's root, never by what is stored beside them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_api::execution::BatchStatus;
use clawos_interface::accounts::Licence;
use clawos_interface::integers::U64;

use super::{MINUTE, NOW, World, licence, states};
use crate::account::Account;
use crate::settle::Batch;

/// A batch of two receipts that was formed, and the licence as it is once the batch has landed.
async fn formed(world: &World) -> (Account, Batch, Licence) {
    let account = world.account(1, 1, 2, 5, MINUTE).await;
    world.receipts(account, &[2, 3]).await;
    let due = world.due().await.remove(0);
    let mut on_chain = licence(account, 0);
    let batch = world.settler.form(&due, &states(account, on_chain), NOW).await.unwrap().unwrap();
    (on_chain.usage_seq, on_chain.chain_root) = (U64::new(1), batch.contents.chain_root);
    (account, batch, on_chain)
}

#[tokio::test]
async fn a_batch_whose_receipts_lead_to_the_licences_root_is_settled() {
    for world in World::on_each_database().await {
        let (account, batch, on_chain) = formed(&world).await;
        world.settler.conclude(vec![batch], &states(account, on_chain)).await.unwrap();
        assert_eq!(world.again(account).await.status, BatchStatus::Confirmed);
        assert!(world.audited().await.is_empty());
    }
}

#[tokio::test]
async fn a_changed_batch_with_the_licences_root_is_not_taken_for_settled() {
    let changes = [
        "UPDATE batches SET units = 504 WHERE tx IS NULL AND licence <> $1",
        "UPDATE batches SET amount = 1 WHERE tx IS NULL AND licence <> $1",
        "UPDATE batches SET prev_root = tree_root WHERE tx IS NULL AND licence <> $1",
        "UPDATE receipts SET batch_seq = NULL, settlement = 'pending' WHERE units = 2 AND id <> $1",
    ];
    for change in changes {
        for world in World::on_each_database().await {
            let (account, _, on_chain) = formed(&world).await;
            world.tamper(change, "").await;
            let changed = world.again(account).await;
            world.settler.conclude(vec![changed], &states(account, on_chain)).await.unwrap();
            assert_eq!(world.again(account).await.status, BatchStatus::Pending, "{change}");
            assert_eq!(world.audited().await[0].0, "batch.withhold", "{change}");
        }
    }
}

#[tokio::test]
async fn a_number_below_the_chains_is_no_proof() {
    for world in World::on_each_database().await {
        let (account, batch, mut on_chain) = formed(&world).await;
        (on_chain.usage_seq, on_chain.chain_root) = (U64::new(2), [8; 32]);
        world.settler.conclude(vec![batch], &states(account, on_chain)).await.unwrap();
        assert_eq!(world.again(account).await.status, BatchStatus::Dead);
    }
}
