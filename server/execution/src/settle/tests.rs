//! Which accounts a round takes up, and who waits after a failed transaction.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clawos_base::SystemClock;
use clawos_base::database::columns::key_text;
use clawos_interface::Key;
use clawos_interface::accounts::{Config as Market, Licence};
use clawos_interface::instruction::{AccountMeta, Instruction, set_compute_unit_limit};
use clawos_interface::integers::U64;
use clawos_licensing::ListingState;

use super::batch::BatchContents;
use super::pending_store::{self, PendingAccount};
use super::*;
use crate::testing::databases;

const NOW: i64 = 10_000_000;
const MINUTE: i64 = 60_000;

struct World {
    settler: Settler,
    _folder: tempfile::TempDir,
}

impl World {
    async fn on_each_database() -> Vec<World> {
        let mut worlds = Vec::new();
        for (mut config, db, folder) in databases().await {
            config.settle = SettleConfig {
                settle_max_age_ms: 60_000,
                settle_max_count: 10,
                settle_max_amount: 1_000,
                anchor_max_age_ms: 3_600_000,
            };
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let delay = longest_settlement_secs(&config.settle);
            let licensing =
                Licensing::open(&config.chain, folder.path(), delay, db.clone(), Arc::clone(&clock)).await.unwrap();
            let settler = Settler::new(db, clock, Arc::new(licensing), config.settle, "test".to_owned());
            worlds.push(World { settler, _folder: folder });
        }
        worlds
    }

    /// An account with so much pending since `age` milliseconds.
    async fn account(&self, n: u16, priced: i64, count: i64, amount: i64, age: i64) -> Account {
        sqlx::query(
            "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced,
                 pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
             VALUES ($1, 1, $1, $1, $1, $2, $3, $3, $4, $5, 0, 0)",
        )
        .bind(key_text(&key(n)))
        .bind(priced)
        .bind(count)
        .bind(amount)
        .bind(NOW - age)
        .execute(&*self.settler.db)
        .await
        .unwrap();
        Account { licence: key(n), opened_slot: 1 }
    }

    /// Gives the account these receipts, oldest first, a base unit for each unit.
    async fn receipts(&self, account: Account, units: &[i64]) {
        for (n, units) in (0_i64..).zip(units) {
            sqlx::query(
                "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at,
                     settlement, leaf, body, evidence)
                 VALUES ($1, '', '', '', $2, 1, $3, $3, $4, 'pending', $5, '', '')",
            )
            .bind(format!("run_{n}"))
            .bind(key_text(&account.licence))
            .bind(*units)
            .bind(n)
            .bind(vec![5_u8; 32])
            .execute(&*self.settler.db)
            .await
            .unwrap();
        }
        sqlx::query(
            "UPDATE usage_accounts SET pending_units = $1, pending_count = $2, pending_amount = $1 WHERE licence = $3",
        )
        .bind(units.iter().sum::<i64>())
        .bind(i64::try_from(units.len()).unwrap())
        .bind(key_text(&account.licence))
        .execute(&*self.settler.db)
        .await
        .unwrap();
    }

    /// Units, receipts and amount in no batch.
    async fn pending(&self, account: Account) -> (i64, i64, i64) {
        sqlx::query_as("SELECT pending_units, pending_count, pending_amount FROM usage_accounts WHERE licence = $1")
            .bind(key_text(&account.licence))
            .fetch_one(&*self.settler.db)
            .await
            .unwrap()
    }

    /// What became of the account's receipts, oldest first.
    async fn settlements(&self, account: Account) -> Vec<String> {
        sqlx::query_scalar("SELECT settlement FROM receipts WHERE licence = $1 ORDER BY issued_at")
            .bind(key_text(&account.licence))
            .fetch_all(&*self.settler.db)
            .await
            .unwrap()
    }

    async fn is_due(&self, account: Account) -> bool {
        self.due().await.iter().any(|found| found.account == account)
    }

    async fn due(&self) -> Vec<PendingAccount> {
        pending_store::due(&self.settler.db, NOW, &self.settler.config, MAX_ROUND).await.unwrap()
    }

    /// A batch on its way.
    async fn batch(&self, account: Account) -> Batch {
        let hash = vec![7_u8; 32];
        sqlx::query(
            "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
                 chain_root, status, formed_at, tx, retry_at)
             VALUES ($1, 1, 1, $2, 1, 1, 1, $2, $2, $2, 'submitted', 0, 'signature', 0)",
        )
        .bind(key_text(&account.licence))
        .bind(hash)
        .execute(&*self.settler.db)
        .await
        .unwrap();
        self.again(account).await
    }

    async fn again(&self, account: Account) -> Batch {
        find_batch(&self.settler.db, &account, 1).await.unwrap().unwrap()
    }

    /// Those that may be worked on at once.
    async fn ready(&self) -> HashSet<Account> {
        let now = self.settler.clock.now_ms();
        let open = store::open_batches(&self.settler.db, now, MAX_ROUND).await.unwrap();
        open.iter().map(|batch| batch.account).collect()
    }
}

fn key(n: u16) -> Key {
    let mut key = [9; 32];
    key[..2].copy_from_slice(&n.to_be_bytes());
    key
}

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
        store::void_batch(&mut tx, &batch).await.unwrap();
        assert!(!store::knows(&mut tx, &account, 1, &batch.contents.chain_root).await.unwrap());
        tx.commit().await.unwrap();
        assert!(find_batch(&world.settler.db, &account, 1).await.unwrap().is_none());
    }
}

/// The licence as the chain has it, with this cap per batch.
fn states(account: Account, licence: Licence) -> States {
    let config = Market::blank();
    let listing = ListingState { skill_account: account.licence, skill: None, config };
    let value = LicenceState { licence_account: account.licence, licence: Some(licence), listing };
    HashMap::from([(account.licence, Snapshot { slot: 9, chain_secs: 0, read_at_ms: 0, value })])
}

fn licence(account: Account, per_batch: u64) -> Licence {
    let mut licence = Licence::blank();
    (licence.unit_price, licence.max_units_per_batch) = (U64::new(1), U64::new(per_batch));
    (licence.created_slot, licence.chain_root) = (U64::new(account.opened_slot), [7; 32]);
    licence
}

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
        // While the call is young the licence may have been read without the looser caps it rests on.
        assert!(world.settler.form(due, &after, 3 * MINUTE).await.unwrap().is_none());
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

#[test]
fn the_defaults_fit_into_the_local_networks_settle_delay() {
    let worlds = tokio::runtime::Runtime::new().unwrap().block_on(World::on_each_database());
    let world = &worlds[0];
    assert!(world.settler.licensing.delay_secs() <= 300, "{}", world.settler.licensing.delay_secs());
}
