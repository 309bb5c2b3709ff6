//! What is on chain is never billed again, whatever the database says by then; what came late is billed all the same.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_base::vault::Vault;
use clawos_interface::accounts::Licence;
use clawos_interface::integers::U64;

use super::{MINUTE, NOW, World, licence, states};
use crate::account::Account;
use crate::settle::store::Change;
use crate::settle::{Batch, find_batch};

/// The account's next batch after those on chain, if one is formed.
async fn form(world: &World, account: Account, on_chain: Licence) -> Option<Batch> {
    let due = world.due().await.into_iter().find(|due| due.account == account).unwrap();
    world.settler.form(&due, &states(account, on_chain), NOW).await.unwrap()
}

/// A call of so many units each, batched and landed; the licence after it.
async fn settle(world: &World, account: Account, on_chain: Licence, units: &[u64]) -> Licence {
    world.receipts(account, units).await;
    let batch = form(world, account, on_chain).await.unwrap();
    world.settler.change(&batch, Change::Confirmed { slot: 1 }).await.unwrap();
    let mut after = on_chain;
    (after.usage_seq, after.chain_root) = (U64::new(batch.contents.seq), batch.contents.chain_root);
    after
}

/// An account with three batches on chain, and the licence after them.
async fn three_batches(world: &World) -> (Account, Licence) {
    let account = world.account(1, 1, 0, 0, MINUTE).await;
    let mut on_chain = licence(account, 0);
    for units in [[20, 30], [1, 2], [5, 6]] {
        on_chain = settle(world, account, on_chain, &units).await;
    }
    (account, on_chain)
}

async fn put_back(world: &World, account: Account, seq: &str) {
    let again = "UPDATE receipts SET settlement = 'pending', batch_seq = NULL
        WHERE id IN (SELECT MIN(id) FROM receipts WHERE CAST(batch_seq AS TEXT) = $1)";
    world.tamper(again, seq).await;
    world.count(account).await;
}

#[tokio::test]
async fn a_receipt_of_any_batch_on_chain_is_not_billed_again() {
    for seq in ["1", "2", "3"] {
        for world in World::on_each_database().await {
            let (account, on_chain) = three_batches(&world).await;
            put_back(&world, account, seq).await;
            world.receipts(account, &[7]).await;
            for _ in 0..2 {
                assert!(form(&world, account, on_chain).await.is_none());
                world.tamper("UPDATE usage_accounts SET retry_at = 0 WHERE seller <> $1", "").await;
            }
            let audited = world.audited().await;
            assert_eq!((audited.len(), &*audited[0].0), (1, "account.stop"), "{audited:?}");
            assert!(audited[0].1.contains(&format!("batch {seq} is missing, or")), "{audited:?}");
            // Nor with its batch gone, nor with something else in its place.
            world.tamper("DELETE FROM batches WHERE CAST(seq AS TEXT) = $1", seq).await;
            assert!(form(&world, account, on_chain).await.is_none());
        }
    }
}

#[tokio::test]
async fn a_copy_in_the_receipts_place_hides_nothing() {
    for world in World::on_each_database().await {
        let (account, on_chain) = three_batches(&world).await;
        let copy = "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at,
                 settlement, batch_seq, leaf, body, evidence)
             SELECT 'run_copy', buyer, seller, skill, licence, opened_slot, units, amount, issued_at, 'batched', 1, leaf,
                 body, evidence FROM receipts WHERE id IN (SELECT MIN(id) FROM receipts WHERE CAST(batch_seq AS TEXT) = $1)";
        world.tamper(copy, "1").await;
        put_back(&world, account, "1").await;
        // What batches say of their past is bound to them.
        let moved =
            "UPDATE batches SET sealed_newest = (SELECT sealed_newest FROM batches WHERE CAST(seq AS TEXT) = $1)
            WHERE seq = 3";
        world.tamper(moved, "1").await;
        assert!(form(&world, account, on_chain).await.is_none());
        assert!(world.audited().await[0].1.contains("is in batch 1"), "{:?}", world.audited().await);
    }
}

#[tokio::test]
async fn a_receipt_that_was_stored_late_is_billed() {
    for mut world in World::on_each_database().await {
        let (account, on_chain) = three_batches(&world).await;
        // As old as those of the first batch.
        let on_chain = settle(&world, account, on_chain, &[7]).await;
        assert_eq!(on_chain.usage_seq(), 4);
        // With another server key all that is on chain is read again.
        world.settler.vault = Vault::new(&[4; 32]);
        let on_chain = settle(&world, account, on_chain, &[8]).await;
        assert_eq!(on_chain.usage_seq(), 5);
        put_back(&world, account, "1").await;
        assert!(form(&world, account, on_chain).await.is_none());
        assert!(world.audited().await[0].1.contains("batch 1 is missing"));
    }
}

#[tokio::test]
async fn only_the_last_batchs_row_is_read_for_what_is_newer() {
    for world in World::on_each_database().await {
        let (account, on_chain) = three_batches(&world).await;
        // Were they read, they would not be found.
        let gone = "DELETE FROM receipts WHERE id IN (SELECT MIN(id) FROM receipts WHERE CAST(batch_seq AS TEXT) = $1)";
        world.tamper(gone, "2").await;
        world.tamper("DELETE FROM batches WHERE CAST(seq AS TEXT) = $1", "1").await;
        let newer = world.receipt(account, 9, NOW - MINUTE);
        let signed = clawos_receipts::seal::seal(vec![newer], world.settler.licensing.receipt_key()).unwrap().remove(0);
        world.store(account, &signed).await;
        world.count(account).await;
        let batch = form(&world, account, on_chain).await.unwrap();
        assert_eq!(find_batch(&world.settler.db, &account, 4).await.unwrap().unwrap().contents, batch.contents);
        assert_eq!((batch.contents.count, batch.contents.units), (1, 9));
    }
}

#[tokio::test]
async fn a_receipt_from_a_clock_that_was_ahead_waits_for_its_time_and_the_others_are_billed() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 0, 0, MINUTE).await;
        world.receipts(account, &[7]).await;
        let due = world.due().await.remove(0);
        let ahead = world.receipt(account, 9, NOW + 10 * MINUTE);
        let signed = clawos_receipts::seal::seal(vec![ahead], world.settler.licensing.receipt_key()).unwrap().remove(0);
        world.store(account, &signed).await;
        let mut on_chain = licence(account, 0);
        let batch = world.settler.form(&due, &states(account, on_chain), NOW).await.unwrap().unwrap();
        assert_eq!(
            (batch.contents.units, world.settlements(account).await),
            (7, vec!["batched".into(), "pending".into()])
        );
        world.settler.change(&batch, Change::Confirmed { slot: 1 }).await.unwrap();
        (on_chain.usage_seq, on_chain.chain_root) = (U64::new(1), batch.contents.chain_root);
        world.clock.0.store(NOW + 6 * MINUTE, std::sync::atomic::Ordering::Relaxed);
        let batch = world.settler.form(&due, &states(account, on_chain), NOW + 6 * MINUTE).await.unwrap().unwrap();
        assert_eq!(batch.contents.units, 9);
        assert!(world.audited().await.is_empty());
    }
}
