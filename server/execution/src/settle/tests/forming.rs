//! What a batch is formed of: signed receipts that fit under the caps, and nothing that somebody changed or added.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_receipts::{Evidence, Receipt, SignedReceipt, SigningKey, seal, signature};

use super::{ISSUED_AT, MINUTE, NOW, World, licence, states};
use crate::account::Account;
use crate::settle::batch::{Batch, BatchContents};
use crate::settle::form::set_aside;
use crate::settle::store::Change;
use crate::settle::{find_batch, receipt_store};

#[tokio::test]
async fn a_batch_that_later_caps_forbid_is_formed_again_without_the_receipt_that_no_batch_can_carry() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 3, 3, MINUTE).await;
        world.receipts(account, &[20, 30, 10]).await;
        let due = &world.due().await[0];
        let before = states(account, licence(account, 0));
        let large = world.settler.form(due, &before, NOW).await.unwrap().unwrap();
        assert_eq!((large.contents.units, world.pending(account).await), (60, (0, 0, 0)));
        // Sent once, refused; by now the buyer allows 25 units.
        let refused = Change::Pending { problem: Some("BatchTooLarge"), retry_at: 0 };
        world.settler.change(&large, refused).await.unwrap();
        let after = states(account, licence(account, 25));
        let to_send = world.settler.conclude(vec![world.again(account).await], &after).await.unwrap();
        assert!(to_send.is_empty() && find_batch(&world.settler.db, &account, 1).await.unwrap().is_none());
        assert_eq!(world.pending(account).await, (60, 3, 60));
        let reopened = "3 receipts, 60 units, 60 base units: it is larger than the buyer's caps allow by now";
        assert_eq!(world.audited().await, [("batch.reopen".to_owned(), reopened.to_owned())]);
        // While the call is young the licence may have been read without the looser caps it rests on.
        assert!(world.settler.form(due, &after, NOW - 2 * MINUTE).await.unwrap().is_none());
        assert_eq!(world.settlements(account).await, ["pending"; 3]);
        let small = world.settler.form(due, &after, NOW).await.unwrap().unwrap();
        let small = small.contents;
        assert_eq!((small.seq, small.count, small.units), (1, 1, 20));
        assert_eq!(world.settlements(account).await, ["batched", "waived", "pending"]);
        assert_eq!(world.pending(account).await, (10, 1, 10));
    }
}

#[tokio::test]
async fn a_licence_closed_before_its_usage_was_settled_leaves_nothing_pending() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 2, 2, MINUTE).await;
        world.receipts(account, &[2, 3]).await;
        let due = &world.due().await[0];
        let mut closed = states(account, licence(account, 0));
        closed.get_mut(&account.licence).unwrap().value.licence = None;
        assert!(world.settler.form(due, &closed, NOW).await.unwrap().is_none());
        assert_eq!((world.pending(account).await, world.due().await.len()), ((0, 0, 0), 0));
        assert_eq!(world.settlements(account).await, ["waived", "waived"]);
    }
}

#[tokio::test]
async fn a_batch_that_may_still_land_is_never_taken_back() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 1, MINUTE).await;
        world.receipts(account, &[30]).await;
        let due = &world.due().await[0];
        let unsent = world.settler.form(due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        let lowered = states(account, licence(account, 25));
        let to_send = world.settler.conclude(vec![unsent.clone()], &lowered).await.unwrap();
        assert_eq!(to_send.len(), 1, "the program has not refused it yet");
        // The node is behind: it does not show the batch before this one.
        let contents = BatchContents { seq: 2, ..unsent.contents.clone() };
        let refused = Batch { contents, problem: Some("BatchTooLarge".to_owned()), ..unsent };
        assert_eq!(world.settler.conclude(vec![refused], &lowered).await.unwrap().len(), 1);
    }
}

/// The next batch of the only account that is due, at a price of 1.
async fn form(world: &World, account: Account) -> Option<BatchContents> {
    let due = world.due().await.into_iter().find(|due| due.account == account).unwrap();
    let formed = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap();
    formed.map(|batch| batch.contents)
}

#[tokio::test]
async fn a_batch_is_what_its_receipts_were_signed_as() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 3, 60, MINUTE).await;
        world.receipts(account, &[20, 30, 10]).await;
        let contents = form(&world, account).await.unwrap();
        assert_eq!((contents.count, contents.units, contents.amount), (3, 60, 60));
        assert!(world.settler.is_as_signed(&world.again(account).await).await.unwrap());
        assert!(world.audited().await.is_empty());
    }
}

#[tokio::test]
async fn a_receipt_whose_row_says_something_else_is_set_aside_and_the_others_are_settled() {
    let changes = [
        "UPDATE receipts SET units = 500 WHERE id = $1",
        "UPDATE receipts SET amount = 500 WHERE id = $1",
        "UPDATE receipts SET units = -1 WHERE id = $1",
        "UPDATE receipts SET seller = buyer WHERE id = $1",
        "UPDATE receipts SET skill = 'acme.other' WHERE id = $1",
        "UPDATE receipts SET issued_at = issued_at - 1 WHERE id = $1",
        "UPDATE receipts SET leaf = (SELECT leaf FROM receipts WHERE units = 30 LIMIT 1) WHERE id = $1",
        // Body and columns together.
        r#"UPDATE receipts SET units = 21, amount = 21,
            body = replace(replace(body, '"20"', '"21"'), '"20000000"', '"21000000"') WHERE id = $1"#,
        "UPDATE receipts SET body = '{}' WHERE id = $1",
        "UPDATE receipts SET evidence = '{}' WHERE id = $1",
    ];
    for world in World::on_each_database().await {
        for (n, change) in (1..).zip(changes) {
            let account = world.account(n, 1, 3, 60, MINUTE).await;
            let signed = world.receipts(account, &[20, 30, 10]).await;
            world.tamper(change, &signed[0].receipt.id).await;
            let contents = form(&world, account).await.unwrap();
            assert_eq!((contents.count, contents.units, contents.amount), (2, 40, 40), "{change}");
            assert_eq!(world.settlements(account).await, ["set_aside", "batched", "batched"], "{change}");
            assert_eq!(world.pending(account).await, (0, 0, 0), "{change}");
            let audited = world.audited().await;
            assert_eq!((audited.len(), &*audited[usize::from(n) - 1].0), (usize::from(n), "receipt.set_aside"));
        }
    }
}

/// Stores a receipt that no call made, signed with `key`.
pub(super) async fn phantom(world: &World, account: Account, key: &SigningKey, change: impl FnOnce(&mut Receipt)) {
    let mut receipt = world.receipt(account, 500, ISSUED_AT + 7);
    change(&mut receipt);
    let root = receipt.leaf_hash();
    let signature = signature::sign(key, &seal::message(&receipt.genesis, &receipt.program, &root));
    world.store(account, &SignedReceipt { receipt, evidence: Evidence { path: Vec::new(), root, signature } }).await;
    world.count(account).await;
}

#[tokio::test]
async fn receipts_that_no_call_made_are_set_aside() {
    for world in World::on_each_database().await {
        let ours = world.settler.licensing.receipt_key().clone();
        let forger = SigningKey::from_bytes(&[9; 32]);
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        // Signed by a key of the forger's own, under its name or ours.
        phantom(&world, account, &forger, |receipt| receipt.key = signature::public_key(&forger)).await;
        phantom(&world, account, &forger, |_| ()).await;
        // Of another licence, of the one before it was closed and opened again, of another chain.
        phantom(&world, account, &ours, |receipt| receipt.licence = Some([8; 32])).await;
        phantom(&world, account, &ours, |receipt| receipt.licence_slot = Some(0)).await;
        phantom(&world, account, &ours, |receipt| receipt.genesis = [8; 32]).await;
        // From before the key was certified.
        phantom(&world, account, &ours, |receipt| receipt.issued_at -= 86_400_000).await;
        let contents = form(&world, account).await.unwrap();
        assert_eq!((contents.count, contents.units), (1, 10));
        assert_eq!(world.settlements(account).await.iter().filter(|word| *word == "set_aside").count(), 6);
        assert_eq!(world.pending(account).await, (0, 0, 0));
        let reasons: Vec<String> = world.audited().await.into_iter().map(|(_, detail)| detail).collect();
        for expected in ["not certified", "not signed by its key", "of another chain", "before the licence's account"] {
            assert!(reasons.iter().any(|reason| reason.contains(expected)), "{expected}: {reasons:?}");
        }
    }
}

#[tokio::test]
async fn what_was_not_set_aside_is_not_said_to_be() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        let signed = world.receipts(account, &[10, 20]).await;
        world.tamper("UPDATE receipts SET units = 500 WHERE id = $1", &signed[0].receipt.id).await;
        let stored = receipt_store::pending(&world.settler.db, &account).await.unwrap();
        let (_, refused) = world.settler.sort(&account, stored).await.unwrap();
        let mut tx = world.settler.db.write().await.unwrap();
        // Another server was faster.
        for expected in [1, 1] {
            set_aside(&mut tx, &account, &refused, NOW).await.unwrap();
            let entries = "SELECT COUNT(*) FROM audit_log WHERE action = 'receipt.set_aside'";
            let entries: i64 = sqlx::query_scalar(entries).fetch_one(&mut *tx).await.unwrap();
            assert_eq!(entries, expected);
        }
    }
}

#[tokio::test]
async fn a_batch_made_under_another_meter_waits_for_it_and_is_not_called_changed() {
    for world in World::on_each_database().await {
        let (meter, key) = (SigningKey::from_bytes(&[5; 32]), SigningKey::from_bytes(&[6; 32]));
        world.certify(&meter, &key).await;
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        form(&world, account).await.unwrap();
        phantom(&world, account, &key, |receipt| receipt.key = signature::public_key(&key)).await;
        let in_it = "UPDATE receipts SET settlement = 'batched', batch_seq = 1 WHERE settlement = $1";
        world.tamper(in_it, "pending").await;
        for _ in 0..2 {
            assert!(!world.settler.is_as_signed(&world.again(account).await).await.unwrap());
            let audited = world.audited().await;
            assert_eq!((audited.len(), &*audited[0].0), (1, "batch.wait"), "{audited:?}");
        }
        assert!(world.again(account).await.problem.unwrap().contains("start a server with its key"));
    }
}

#[tokio::test]
async fn a_copy_of_a_receipt_under_another_id_bills_nothing() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        let signed = world.receipts(account, &[10]).await.remove(0);
        let copy = "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at,
                 settlement, leaf, body, evidence)
             SELECT 'run_copy', buyer, seller, skill, licence, opened_slot, units, amount, issued_at, settlement, leaf,
                 body, evidence FROM receipts WHERE id = $1";
        world.tamper(copy, &signed.receipt.id).await;
        assert_eq!(form(&world, account).await.unwrap().units, 10);
        let (action, reason) = world.audited().await.remove(0);
        assert_eq!((&*action, reason.contains("its id is not")), ("receipt.set_aside", true), "{reason}");
    }
}

#[tokio::test]
async fn what_is_waived_voided_or_lost_is_in_the_audit_log() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 2, 5, MINUTE).await;
        world.receipts(account, &[2, 3]).await;
        let due = world.due().await.remove(0);
        let unsent = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        let mut dearer = licence(account, 0);
        dearer.unit_price.set(2);
        world.settler.conclude(vec![unsent], &states(account, dearer)).await.unwrap();
        world.receipts(account, &[4]).await;
        assert!(world.settler.form(&due, &states(account, dearer), NOW).await.unwrap().is_none());
        world.receipts(account, &[5]).await;
        let unsent = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        let mut other = licence(account, 0);
        other.chain_root = [8; 32];
        world.settler.conclude(vec![unsent], &states(account, other)).await.unwrap();
        let actions: Vec<String> = world.audited().await.into_iter().map(|(action, _)| action).collect();
        assert_eq!(actions, ["batch.void", "receipts.waive", "batch.dead"]);
        assert_eq!(world.settlements(account).await.iter().filter(|word| *word == "waived").count(), 3);
    }
}
