//! A settler on each database, with accounts and receipts as calls would have left them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod forming;
mod landed;
mod meters;
mod moved;
mod number;
mod odd_rows;
mod past;
mod rounds;
mod takeover;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use clawos_base::Clock;
use clawos_base::database::columns::{int, key_text};
use clawos_base::vault::Vault;
use clawos_config::SettleConfig;
use clawos_interface::accounts::{Config as Market, Licence};
use clawos_interface::integers::U64;
use clawos_interface::rules::bill::MEGAFUEL;
use clawos_interface::{Currency, Key, Kind, PROGRAM_ID, Tier, Unit};
use clawos_licensing::{LicenceState, Licensing, ListingState, Snapshot};
use clawos_receipts::receipt::{Limits, Outcome, Receipt, VERSION, seed_of};
use clawos_receipts::seal::seal;
use clawos_receipts::statement::KeyCertificate;
use clawos_receipts::text::to_base58;
use clawos_receipts::{SignedReceipt, SigningKey, new_id, signature};

use super::pending_store::{self, PendingAccount};
use super::{Batch, MAX_ROUND, Settler, States, find_batch, longest_settlement_secs, store};
use crate::account::Account;
use crate::testing::databases;

/// The time of the tests, Unix milliseconds.
const NOW: i64 = 1_795_000_000_000;
const MINUTE: i64 = 60_000;
/// When the first receipt was made: long enough ago for its caps to be certain.
const ISSUED_AT: i64 = NOW - 4 * MINUTE;
const GENESIS: Key = [7; 32];

/// A clock that goes on when it is told to.
#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct World {
    settler: Settler,
    clock: Arc<Hand>,
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
            sqlx::query("INSERT INTO networks (id, genesis, program) VALUES (1, $1, $2)")
                .bind(key_text(&GENESIS))
                .bind(key_text(&PROGRAM_ID))
                .execute(&*db)
                .await
                .unwrap();
            // Nobody answers there: the network is known from before.
            config.chain.rpc_url = "http://127.0.0.1:1".to_owned();
            let clock = Arc::new(Hand(AtomicI64::new(NOW)));
            let delay = longest_settlement_secs(&config.settle);
            let licensing =
                Licensing::open(&config.chain, folder.path(), delay, db.clone(), clock.clone()).await.unwrap();
            let (licensing, vault) = (Arc::new(licensing), Vault::new(&[3; 32]));
            let settler = Settler::new(db, clock.clone(), licensing, vault, config.settle, "test".to_owned());
            worlds.push(World { settler, clock, _folder: folder });
        }
        worlds
    }

    /// Another server on the same database.
    fn second(&self) -> Settler {
        let Settler { db, licensing, vault, config, .. } = &self.settler;
        let (licensing, server) = (Arc::clone(licensing), "second".to_owned());
        Settler::new(db.clone(), self.clock.clone(), licensing, vault.clone(), config.clone(), server)
    }

    /// An account with so much pending since `age` milliseconds.
    async fn account(&self, n: u16, priced: i64, count: i64, amount: i64, age: i64) -> Account {
        sqlx::query(
            "INSERT INTO usage_accounts (licence, opened_slot, skill_account, buyer, seller, priced, currency,
                 pending_units, pending_count, pending_amount, pending_since, batch_cap, retry_at)
             VALUES ($1, 1, $1, $1, $1, $2, 'usdc', $3, $3, $4, $5, 0, 0)",
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

    /// Gives the account receipts of so many units, oldest first, a base unit for each unit.
    async fn receipts(&self, account: Account, units: &[u64]) -> Vec<SignedReceipt> {
        let made =
            (ISSUED_AT..).zip(units).map(|(issued_at, units)| self.receipt(account, *units, issued_at)).collect();
        let mut signed = seal(made, self.settler.licensing.receipt_key()).unwrap();
        signed.sort_by_key(|signed| signed.receipt.issued_at);
        for signed in &signed {
            self.store(account, signed).await;
        }
        self.count(account).await;
        signed
    }

    /// A receipt as a call that succeeded would have made it.
    fn receipt(&self, account: Account, units: u64, issued_at: i64) -> Receipt {
        let (id, issued_at) = (new_id("run"), u64::try_from(issued_at).unwrap());
        Receipt {
            amount: units,
            buyer: key(1),
            currency: Some(Currency::Usdc),
            endpoint: "echo".to_owned(),
            exchanges_sha256: None,
            fee_bps: 250,
            fuel: units * MEGAFUEL,
            genesis: GENESIS,
            input_sha256: [1; 32],
            issued_at,
            key: signature::public_key(self.settler.licensing.receipt_key()),
            kind: Some(Kind::Usage),
            licence: Some(account.licence),
            licence_age_ms: Some(1),
            licence_slot: Some(account.opened_slot + 1),
            limits: Limits { fuel: 1_000_000_000, memory: 1 << 20, output: 1 << 10 },
            manifest_sha256: [2; 32],
            module_sha256: [3; 32],
            outcome: Outcome::Ok,
            output_sha256: Some([4; 32]),
            parent: None,
            peak_memory: 1,
            program: PROGRAM_ID,
            replayable: true,
            runtime: "wasmtime-0".to_owned(),
            seed: seed_of(&id),
            seller: key(2),
            skill: "acme.echo".to_owned(),
            terms_version: Some(1),
            tier: Some(Tier::Personal),
            time: issued_at,
            unit: Unit::Megafuel,
            unit_price: 1,
            units,
            v: VERSION,
            version: "1.0.0".to_owned(),
            wall_us: 1,
            id,
        }
    }

    /// A pending receipt, as the group commit would have stored it.
    async fn store(&self, account: Account, signed: &SignedReceipt) {
        let SignedReceipt { receipt, evidence } = signed;
        sqlx::query(
            "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at,
                 settlement, leaf, body, evidence)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $11, $12)",
        )
        .bind(&receipt.id)
        .bind(key_text(&receipt.buyer))
        .bind(key_text(&receipt.seller))
        .bind(&receipt.skill)
        .bind(key_text(&account.licence))
        .bind(int(account.opened_slot))
        .bind(int(receipt.units))
        .bind(int(receipt.amount))
        .bind(int(receipt.issued_at))
        .bind(receipt.leaf_hash().to_vec())
        .bind(serde_json::to_string(receipt).unwrap())
        .bind(serde_json::to_string(evidence).unwrap())
        .execute(&*self.settler.db)
        .await
        .unwrap();
    }

    async fn count(&self, account: Account) {
        let mut tx = self.settler.db.write().await.unwrap();
        pending_store::recount(&mut tx, &account, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Publishes a receipt key that another server's meter certified.
    async fn certify(&self, meter: &SigningKey, key: &SigningKey) {
        let (from_ms, to_ms) = (NOW - 10 * MINUTE, NOW + 10 * MINUTE);
        let key = signature::public_key(key);
        let certificate = KeyCertificate { genesis: GENESIS, program: PROGRAM_ID, key, from_ms, to_ms }.sign(meter);
        sqlx::query("INSERT INTO receipt_keys (key, meter, from_ms, to_ms, certificate) VALUES ($1, $2, $3, $4, $5)")
            .bind(key_text(&key))
            .bind(key_text(&signature::public_key(meter)))
            .bind(from_ms)
            .bind(to_ms)
            .bind(to_base58(&certificate.certificate))
            .execute(&*self.settler.db)
            .await
            .unwrap();
    }

    /// What somebody with the database's password does to a receipt.
    async fn tamper(&self, statement: &'static str, id: &str) {
        let done = sqlx::query(statement).bind(id).execute(&*self.settler.db).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
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

    /// What the audit log says that settlement did, in order: action and detail.
    async fn audited(&self) -> Vec<(String, String)> {
        sqlx::query_as("SELECT action, detail FROM audit_log WHERE actor = 'settlement' ORDER BY n")
            .fetch_all(&*self.settler.db)
            .await
            .unwrap()
    }

    async fn is_due(&self, account: Account) -> bool {
        self.due().await.iter().any(|found| found.account == account)
    }

    async fn due(&self) -> Vec<PendingAccount> {
        pending_store::due(&self.settler.db, NOW, &self.settler.config, MAX_ROUND).await.unwrap().rows
    }

    /// A batch on its way.
    async fn batch(&self, account: Account) -> Batch {
        let hash = vec![7_u8; 32];
        sqlx::query(
            "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
                 chain_root, sealed_newest, status, formed_at, tx, retry_at)
             VALUES ($1, 1, 1, $2, 1, 1, 1, $2, $2, $2, $2, 'submitted', 0, 'signature', 0)",
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
        let open = store::open_batches(&self.settler.db, NOW, MAX_ROUND).await.unwrap();
        open.rows.iter().map(|batch| batch.account).collect()
    }
}

fn key(n: u16) -> Key {
    let mut key = [9; 32];
    key[..2].copy_from_slice(&n.to_be_bytes());
    key
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
