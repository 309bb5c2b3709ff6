//! Which accounts a round takes up, and who waits after a failed transaction.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::HashSet;

use clawos_interface::instruction::{AccountMeta, Instruction, set_compute_unit_limit};

use super::{MINUTE, NOW, World};
use crate::settle::rules::EXIT_CHECK_MS;
use crate::settle::store::{self, Change};
use crate::settle::{MAX_ROUND, Memory, find_batch};

#[tokio::test]
async fn an_account_is_due_by_age_count_or_amount() {
    for world in World::on_each_database().await {
        let cases = [
            (world.account(1, 1, 1, 1, MINUTE - 1).await, false),
            (world.account(2, 1, 1, 1, MINUTE).await, true),
            (world.account(3, 1, 10, 1, 0).await, true),
            (world.account(4, 1, 1, 1_000, 0).await, true),
            (world.account(5, 0, 1, 0, 60 * MINUTE - 1).await, false),
            (world.account(6, 0, 1, 0, 60 * MINUTE).await, true),
            (world.account(7, 0, 0, 0, 600 * MINUTE).await, false),
        ];
        for (account, due) in cases {
            assert_eq!(world.is_due(account).await, due, "{account:?}");
        }
    }
}

#[tokio::test]
async fn accounts_that_are_not_due_keep_no_other_waiting() {
    for world in World::on_each_database().await {
        for n in 0..=u16::try_from(MAX_ROUND).unwrap() {
            world.account(n, 0, 1, 0, 50 * MINUTE).await;
        }
        let due = world.account(1_000, 1, 1, 1, 2 * MINUTE).await;
        assert_eq!(world.due().await.iter().map(|found| found.account).collect::<Vec<_>>(), [due]);
    }
}

#[tokio::test]
async fn every_account_is_looked_at_for_an_exit_in_turn() {
    for world in World::on_each_database().await {
        let many = u16::try_from(MAX_ROUND + 20).unwrap();
        for n in 0..many {
            world.account(n, 0, 1, 0, 0).await;
        }
        let mut memory = Memory::default();
        let mut seen = HashSet::new();
        for expected in [MAX_ROUND, 20, 0] {
            let page = world.settler.exit_page(&mut memory, &[], NOW).await.unwrap();
            assert_eq!(page.len(), expected);
            seen.extend(page.iter().map(|found| found.account));
        }
        assert_eq!(seen.len(), usize::from(many));
        assert_eq!(world.settler.exit_page(&mut memory, &[], NOW + EXIT_CHECK_MS).await.unwrap().len(), MAX_ROUND);
    }
}

#[tokio::test]
async fn after_a_failed_transaction_all_go_alone_and_only_the_culprit_waits() {
    for world in World::on_each_database().await {
        let mut batches = Vec::new();
        for n in [1, 2] {
            let account = world.account(n, 1, 1, 1, 0).await;
            batches.push(world.batch(account).await);
        }
        let (first, second) = (batches[0].account, batches[1].account);
        // Which instruction failed is known, but not what was in it: both are tried again at once.
        world.settler.failed("signature", &batches, "broken", Some(1)).await.unwrap();
        assert_eq!(world.ready().await, HashSet::from([first, second]));
        let alone = [world.again(first).await, world.again(second).await];
        assert!(alone.iter().all(|batch| batch.problem.is_some()));
        // The one that fails alone waits.
        world.settler.failed("another", &alone[1..], "broken", None).await.unwrap();
        assert_eq!(world.ready().await, HashSet::from([first]));
    }
}

#[tokio::test]
async fn the_one_whose_instruction_failed_waits_at_once() {
    for world in World::on_each_database().await {
        let (mut batches, mut instructions) = (Vec::new(), vec![set_compute_unit_limit(1)]);
        for n in [1, 2] {
            let account = world.account(n, 1, 1, 1, 0).await;
            batches.push(world.batch(account).await);
            let accounts = vec![AccountMeta { key: account.licence, signer: false, writable: true }];
            instructions.push(Instruction { program_id: [3; 32], accounts, data: Vec::new() });
        }
        let sent = clawos_solana::transaction::signed(world.settler.licensing.meter_key(), &instructions, &[0; 32]);
        world.settler.in_flight.lock().await.insert("signature".to_owned(), sent);
        world.settler.failed("signature", &batches, "broken", Some(2)).await.unwrap();
        assert_eq!(world.ready().await, HashSet::from([batches[0].account]));
    }
}

#[tokio::test]
async fn a_batch_goes_alone_until_it_lands() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 1, 0).await;
        let batch = world.batch(account).await;
        let problem = Some("broken");
        world.settler.change(&batch, Change::Pending { problem, retry_at: 0 }).await.unwrap();
        let sent = Change::Submitted { tx: "signature", last_valid_height: 1 };
        world.settler.change(&world.again(account).await, sent).await.unwrap();
        let late = Change::Pending { problem: None, retry_at: 0 };
        world.settler.change(&world.again(account).await, late).await.unwrap();
        assert_eq!(world.again(account).await.problem.as_deref(), problem);
        world.settler.change(&world.again(account).await, Change::Confirmed { slot: 1 }).await.unwrap();
        assert_eq!(world.again(account).await.problem, None);
    }
}

#[tokio::test]
async fn a_voided_batch_leaves_nothing_to_settle() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 1, 0).await;
        let batch = world.batch(account).await;
        world.settler.change(&batch, Change::Pending { problem: None, retry_at: 0 }).await.unwrap();
        let mut tx = world.settler.db.write().await.unwrap();
        store::remove_batch(&mut tx, &batch, "waived").await.unwrap();
        tx.commit().await.unwrap();
        assert!(find_batch(&world.settler.db, &account, 1).await.unwrap().is_none());
    }
}

#[test]
fn the_defaults_fit_into_the_local_networks_settle_delay() {
    let worlds = tokio::runtime::Runtime::new().unwrap().block_on(World::on_each_database());
    let world = &worlds[0];
    assert!(world.settler.licensing.delay_secs() <= 300, "{}", world.settler.licensing.delay_secs());
}
