//! Which accounts a round takes up, and who waits after a failed transaction.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clawos_interface::Key;
use clawos_interface::instruction::{AccountMeta, Instruction, set_compute_unit_limit};

use super::pending_store::{self, PendingAccount};
use super::*;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::execution::columns::key_text;
use crate::licensing::Blockhash;

const NOW: i64 = 10_000_000;
const MINUTE: i64 = 60_000;

struct World {
    settler: Settler,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::for_testing(folder.path());
        config.settle = SettleConfig {
            settle_max_age_ms: 60_000,
            settle_max_count: 10,
            settle_max_amount: 1_000,
            anchor_max_age_ms: 3_600_000,
        };
        let db = Database::open(&config.data).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let licensing = Licensing::open(&config, db.clone(), Arc::clone(&clock)).await.unwrap();
        let in_flight = Mutex::new(HashMap::new());
        let settler = Settler { db, clock, licensing, config: config.settle, server: "test".to_owned(), in_flight };
        World { settler, _folder: folder }
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
    let world = World::new().await;
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

#[tokio::test]
async fn accounts_that_are_not_due_keep_no_other_waiting() {
    let world = World::new().await;
    for n in 0..=u16::try_from(MAX_ROUND).unwrap() {
        world.account(n, 0, 1, 0, 50 * MINUTE).await;
    }
    let due = world.account(1_000, 1, 1, 1, 2 * MINUTE).await;
    assert_eq!(world.due().await.iter().map(|found| found.account).collect::<Vec<_>>(), [due]);
}

#[tokio::test]
async fn every_account_is_looked_at_for_an_exit_in_turn() {
    let world = World::new().await;
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

#[tokio::test]
async fn after_a_failed_transaction_all_go_alone_and_only_the_culprit_waits() {
    let world = World::new().await;
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

#[tokio::test]
async fn the_one_whose_instruction_failed_waits_at_once() {
    let world = World::new().await;
    let (licensing, meter) = (&world.settler.licensing, world.settler.licensing.meter());
    let (mut batches, mut instructions) = (Vec::new(), vec![set_compute_unit_limit(1)]);
    for n in [1, 2] {
        let account = world.account(n, 1, 1, 1, 0).await;
        batches.push(world.batch(account).await);
        let accounts = vec![AccountMeta { key: account.licence, signer: false, writable: true }];
        instructions.push(Instruction { program_id: [3; 32], accounts, data: Vec::new() });
    }
    let blockhash = Blockhash { hash: [0; 32], last_valid_block_height: 0 };
    let (sent, _) = licensing.chain.sign(&licensing.meter_keypair(), &meter, &instructions, &blockhash);
    world.settler.in_flight.lock().await.insert("signature".to_owned(), sent);
    world.settler.failed("signature", &batches, "broken", Some(2)).await.unwrap();
    assert_eq!(world.ready().await, HashSet::from([batches[0].account]));
}

#[tokio::test]
async fn a_batch_goes_alone_until_it_lands() {
    let world = World::new().await;
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

#[tokio::test]
async fn an_intent_taken_back_leaves_nothing_to_settle() {
    let world = World::new().await;
    let account = world.account(1, 1, 1, 1, 0).await;
    let batch = world.batch(account).await;
    world.settler.change(&batch, Change::Pending { problem: None, retry_at: 0 }).await.unwrap();
    let mut tx = world.settler.db.write().await.unwrap();
    store::dissolve(&mut tx, &batch).await.unwrap();
    assert!(!store::knows(&mut tx, &account, 1, &batch.chain_root).await.unwrap());
    tx.commit().await.unwrap();
    assert!(find_batch(&world.settler.db, &account, 1).await.unwrap().is_none());
}

#[test]
fn the_defaults_fit_into_the_local_networks_settle_delay() {
    let world = tokio::runtime::Runtime::new().unwrap().block_on(World::new());
    assert!(world.settler.licensing.delay_secs() <= 300, "{}", world.settler.licensing.delay_secs());
}
