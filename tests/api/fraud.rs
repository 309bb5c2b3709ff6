//! An operator who changes what is stored to bill more: nobody is charged for it, it is seen, and the rest is settled.

use clawos_interface::rules::usage::next_root;
use clawos_interface::sha256;
use clawos_receipts::batch::anchored_root;
use clawos_receipts::merkle::{Leaf, Step, Tree, verify_path};
use clawos_receipts::text::from_hex;
use clawos_receipts::{Receipt, SignedReceipt, SigningKey, canonical_json, seal, signature};
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::market::{Buyer, Market};
use clawos_tests::publication::Publication;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL, check_proof, usage};
use crate::tampered::tamper;

/// A licence with three calls that are not settled yet.
pub(crate) struct Pending {
    pub market: Market,
    pub buyer: Buyer,
    /// In the order of their calls.
    pub signed: Vec<SignedReceipt>,
}

pub(crate) async fn pending(database: &TestDatabase) -> Pending {
    let market = Market::open(database, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 600 * CALL).await;
    let mut signed = Vec::new();
    for n in 0..3 {
        signed.push(receipt(&market.call(&buyer, &n.to_string()).await.json(200)));
    }
    Pending { market, buyer, signed }
}

impl Pending {
    /// Settles; then checks that exactly `honest` were charged and that the log names those that were not.
    async fn settles_only(&self, honest: &[&SignedReceipt], set_aside: &[&str], reason: &str) {
        let Pending { market, buyer, .. } = self;
        market.app.clock.advance(BATCH_AGE);
        for signed in honest {
            check_proof(market, buyer, signed).await;
        }
        let licence = market.licence(buyer).await;
        let count = u64::try_from(honest.len()).unwrap();
        assert_eq!((licence.usage_total(), licence.credit()), (count, (600 - count) * CALL));
        for id in set_aside {
            let row = sqlx::query("SELECT detail FROM audit_log WHERE action = 'receipt.set_aside' AND target LIKE $1")
                .bind(format!("%/{id}"))
                .fetch_one(&*market.app.state.db)
                .await
                .expect("it is in the audit log");
            assert!(row.get::<String, _>(0).contains(reason), "{}", row.get::<String, _>(0));
        }
        let left = "UPDATE usage_accounts SET licence = licence
            WHERE licence = $1 AND pending_units = 0 AND pending_count = 0 AND pending_amount = 0";
        tamper(market, left, &key(&self.signed[0])).await;
    }

    /// What anybody who has the receipt is told.
    async fn proof(&self, signed: &SignedReceipt) -> Value {
        let leaf = hex::encode(signed.receipt.leaf_hash());
        self.market.app.get(&format!("/receipts/{}/proof?leaf={leaf}", signed.receipt.id)).await.json(200)
    }
}

pub(crate) fn key(signed: &SignedReceipt) -> String {
    bs58::encode(signed.receipt.licence.expect("it is paid")).into_string()
}

#[tokio::test]
async fn units_that_the_operator_raises_in_a_row_are_never_charged() {
    for database in databases().await {
        let world = pending(&database).await;
        let [first, raised, last] = &world.signed[..] else { panic!("three calls") };
        let raise = "UPDATE receipts SET units = 502, amount = 502000 WHERE id = $1";
        tamper(&world.market, raise, &raised.receipt.id).await;
        world.settles_only(&[first, last], &[&raised.receipt.id], "units is not what its signed body says").await;
        assert_eq!(world.proof(raised).await, json!({ "settlement": "set_aside", "anchor": null }));
        // Its buyer sees that as well, and the receipt as it was signed.
        let path = format!("/receipts/{}", raised.receipt.id);
        let seen = world.market.app.get_as(world.buyer.agent.token(), &path).await.json(200);
        assert_eq!((&seen["settlement"], &seen["receipt"]["units"]), (&json!("set_aside"), &json!("1")));
    }
}

#[tokio::test]
async fn a_body_that_the_operator_rewrites_is_never_charged() {
    for database in databases().await {
        let world = pending(&database).await;
        let [first, rewritten, last] = &world.signed[..] else { panic!("three calls") };
        // Everything that he can change without the receipt key: body, columns and leaf.
        let mut receipt = rewritten.receipt.clone();
        (receipt.unit_price, receipt.amount) = (502 * CALL, 502 * CALL);
        let body = canonical_json(&serde_json::to_value(&receipt).unwrap()).unwrap();
        let done = sqlx::query("UPDATE receipts SET body = $1, amount = 502000, leaf = $2 WHERE id = $3")
            .bind(body)
            .bind(receipt.leaf_hash().to_vec())
            .bind(&receipt.id)
            .execute(&*world.market.app.state.db)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
        world.settles_only(&[first, last], &[&receipt.id], "Merkle path").await;
    }
}

/// Adds a row for a call that nobody made, as pending.
async fn add_row(market: &Market, like: &str, phantom: &SignedReceipt) {
    let SignedReceipt { receipt, evidence } = phantom;
    let done = sqlx::query(
        "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at, settlement, leaf,
             body, evidence)
         SELECT $1, buyer, seller, skill, licence, opened_slot, units, amount, issued_at, 'pending', $2, $3, $4
         FROM receipts WHERE id = $5",
    )
    .bind(&receipt.id)
    .bind(receipt.leaf_hash().to_vec())
    .bind(serde_json::to_string(receipt).unwrap())
    .bind(serde_json::to_string(evidence).unwrap())
    .bind(like)
    .execute(&*market.app.state.db)
    .await
    .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

#[tokio::test]
async fn phantom_rows_are_never_charged() {
    for database in databases().await {
        let world = pending(&database).await;
        let forger = SigningKey::from_bytes(&[9; 32]);
        let like = &world.signed[0];
        let mut phantoms = Vec::new();
        for _ in 0..3 {
            let id = clawos_receipts::new_id("run");
            let seed = clawos_receipts::receipt::seed_of(&id);
            let key = signature::public_key(&forger);
            let made_up = Receipt { id, seed, key, ..like.receipt.clone() };
            let phantom = seal::seal(vec![made_up], &forger).unwrap().remove(0);
            add_row(&world.market, &like.receipt.id, &phantom).await;
            phantoms.push(phantom.receipt.id);
        }
        let honest: Vec<&SignedReceipt> = world.signed.iter().collect();
        let phantoms: Vec<&str> = phantoms.iter().map(String::as_str).collect();
        world.settles_only(&honest, &phantoms, "not certified").await;
    }
}

/// What is said of the first row that `query` finds for the licence, as soon as something is.
pub(crate) async fn said(world: &Pending, query: &'static str) -> String {
    let licence = key(&world.signed[0]);
    for _ in 0..100 {
        world.market.app.clock.advance(1_000);
        let db = &*world.market.app.state.db;
        let row = sqlx::query(query).bind(&licence).fetch_one(db).await.expect("it is there");
        if let Some(problem) = row.get::<Option<String>, _>(0) {
            return problem;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing is said of it");
}

const ACCOUNT_PROBLEM: &str = "SELECT problem FROM usage_accounts WHERE licence = $1";
pub(crate) const BATCH_PROBLEM: &str = "SELECT problem FROM batches WHERE licence = $1 AND status <> 'confirmed'";

#[tokio::test]
async fn a_batch_that_the_operator_changes_before_it_is_sent_is_not_sent() {
    for database in databases().await {
        let world = pending(&database).await;
        // No batch can land, so it stays to be sent.
        crate::tampered::another_settles(&world.market).await;
        let form =
            "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
                chain_root, sealed_newest, status, formed_at, retry_at)
            SELECT licence, opened_slot, 1, leaf, 3, 504, 504000, leaf, leaf, leaf, leaf, 'pending', 0, 0 FROM receipts
            WHERE id = $1";
        tamper(&world.market, form, &world.signed[0].receipt.id).await;
        let root = world.market.licence(&world.buyer).await.chain_root;
        sqlx::query("UPDATE batches SET prev_root = $1")
            .bind(root.to_vec())
            .execute(&*world.market.app.state.db)
            .await
            .unwrap();
        crate::tampered::nobody_settles(&world.market).await;
        assert!(said(&world, BATCH_PROBLEM).await.contains("changed after it was formed"));
        assert_eq!(world.market.licence(&world.buyer).await.usage_total(), 0);
    }
}

/// Writes a whole batch of so many units, with roots that fit its totals, while no server settles.
pub(crate) async fn forge_batch(world: &Pending, units: u64) {
    let Pending { market, buyer, signed } = world;
    crate::tampered::another_settles(market).await;
    let licence = market.licence(buyer).await;
    let account = signed[0].receipt.licence.unwrap();
    let mut ordered: Vec<&SignedReceipt> = signed.iter().collect();
    ordered.sort_by(|a, b| a.receipt.id.cmp(&b.receipt.id));
    let tree_root = Tree::from_leaves(ordered.iter().map(|one| one.receipt.leaf_hash()).collect()).unwrap().root();
    let (seq, amount) = (licence.usage_seq() + 1, units * CALL);
    let anchored = anchored_root(&account, seq, 3, units, amount, &tree_root);
    let [seq, units, amount] = [seq, units, amount].map(|number| i64::try_from(number).unwrap());
    sqlx::query(
        "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
             chain_root, sealed_newest, status, formed_at, retry_at)
         SELECT licence, opened_slot, $1, $2, 3, $3, $4, $5, $6, $7, $7, 'pending', 0, 0 FROM usage_accounts
         WHERE licence = $8",
    )
    .bind(seq)
    .bind(licence.chain_root.to_vec())
    .bind(units)
    .bind(amount)
    .bind(tree_root.to_vec())
    .bind(anchored.to_vec())
    .bind(next_root(sha256, &licence.chain_root, &anchored).to_vec())
    .bind(key(&signed[0]))
    .execute(&*market.app.state.db)
    .await
    .unwrap();
}

/// Does what README.md tells an operator to do about a batch that is withheld.
async fn give_up(market: &Market, licence: &str, seq: i64) {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```sql\n").expect("README.md has statements");
    let (statements, _) = rest.split_once("```").expect("a fence ends");
    let db = &*market.app.state.db;
    let opened = "SELECT opened_slot FROM batches WHERE licence = $1 AND seq = $2";
    let opened: i64 = sqlx::query_scalar(opened).bind(licence).bind(seq).fetch_one(db).await.unwrap();
    let filled = [("= L", format!("= '{licence}'")), ("= O", format!("= {opened}")), ("= N", format!("= {seq}"))];
    for statement in statements.split_terminator(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        // `= NULL` begins like a place for the number.
        let words = format!("{statement} ");
        let words =
            filled.iter().fold(words, |words, (from, to)| words.replace(&format!("{from} "), &format!("{to} ")));
        sqlx::query(AssertSqlSafe(words.clone())).execute(db).await.unwrap_or_else(|error| panic!("{words}: {error}"));
    }
}

#[tokio::test]
async fn a_whole_batch_that_the_operator_makes_up_is_never_charged() {
    // Without receipts, and with the licence's own ones in it.
    for owned in [false, true] {
        for database in databases().await {
            let world = pending(&database).await;
            let Pending { market, buyer, signed } = &world;
            forge_batch(&world, 504).await;
            let licence = key(&signed[0]);
            if owned {
                let own = "UPDATE receipts SET settlement = 'batched', batch_seq = 1 WHERE licence = $1";
                sqlx::query(own).bind(&licence).execute(&*market.app.state.db).await.unwrap();
            }
            crate::tampered::nobody_settles(market).await;
            assert!(said(&world, BATCH_PROBLEM).await.contains("changed after it was formed"));
            // Nor is more served, which could not be charged.
            market.call(buyer, "more").await.problem("units_busy");
            assert_eq!(market.licence(buyer).await.usage_total(), 0);
            // Once in the log, however often it is tried.
            market.app.clock.advance(BATCH_AGE);
            let log = "SELECT COUNT(*) FROM audit_log WHERE action = 'batch.withhold' AND target LIKE $1";
            let noted: i64 =
                sqlx::query_scalar(log).bind(format!("{licence}@%/1")).fetch_one(&*market.app.state.db).await.unwrap();
            assert_eq!(noted, 1);
            // The operator gives it up, and the receipts are settled as they were signed.
            give_up(market, &licence, 1).await;
            let honest: Vec<&SignedReceipt> = signed.iter().collect();
            world.settles_only(&honest, &[], "").await;
        }
    }
}

/// Puts a settled receipt back to be settled, and the account's counters with it.
async fn put_back(world: &Pending, id: &str) {
    let again = "UPDATE receipts SET settlement = 'pending', batch_seq = NULL WHERE id = $1";
    tamper(&world.market, again, id).await;
    let due = "UPDATE usage_accounts SET pending_units = pending_units + 1, pending_count = pending_count + 1,
        pending_amount = pending_amount + 1000, pending_since = 0, problem = NULL, retry_at = 0 WHERE licence = $1";
    tamper(&world.market, due, &key(&world.signed[0])).await;
}

#[tokio::test]
async fn a_settled_receipt_that_the_operator_puts_back_is_not_charged_twice() {
    for database in databases().await {
        let world = pending(&database).await;
        let Pending { market, buyer, signed } = &world;
        let honest: Vec<&SignedReceipt> = signed.iter().collect();
        world.settles_only(&honest, &[], "").await;
        let again = &signed[1].receipt.id;
        let later = receipt(&market.call(buyer, "later").await.json(200));
        put_back(&world, again).await;
        market.app.clock.advance(BATCH_AGE);
        let problem = said(&world, ACCOUNT_PROBLEM).await;
        assert!(problem.contains("is not what was anchored"), "{problem}");
        // The same with something else in its place, so that the batch has as many rows as before.
        let filler = "INSERT INTO receipts (id, buyer, seller, skill, licence, opened_slot, units, amount, issued_at,
                 settlement, batch_seq, leaf, body, evidence)
             SELECT 'run_filler', buyer, seller, skill, licence, opened_slot, units, amount, issued_at, 'batched', 1, leaf,
                 body, evidence FROM receipts WHERE id = $1";
        tamper(market, filler, again).await;
        let unnoticed = "UPDATE usage_accounts SET problem = NULL, retry_at = 0 WHERE licence = $1";
        tamper(market, unnoticed, &key(&signed[0])).await;
        let problem = said(&world, ACCOUNT_PROBLEM).await;
        assert!(problem.contains("is not what was anchored"), "{problem}");
        let licence = market.licence(buyer).await;
        assert_eq!((licence.usage_seq(), licence.usage_total(), licence.credit()), (1, 3, 597 * CALL));
        let log = "SELECT detail FROM audit_log WHERE action = 'account.stop' AND target LIKE $1";
        let row =
            sqlx::query(log).bind(format!("{}@%", key(&signed[0]))).fetch_all(&*market.app.state.db).await.unwrap();
        assert!(row[0].get::<String, _>(0).contains("batch 1"));
        market.call(buyer, "more").await.problem("units_busy");
        // The operator restores what was there; what was used since is settled.
        tamper(market, "DELETE FROM receipts WHERE id = $1", "run_filler").await;
        tamper(market, "UPDATE receipts SET settlement = 'batched', batch_seq = 1 WHERE id = $1", again).await;
        market.app.clock.advance(BATCH_AGE);
        check_proof(market, buyer, &later).await;
        let licence = market.licence(buyer).await;
        assert_eq!((licence.usage_total(), licence.credit()), (4, 596 * CALL));
        market.call(buyer, "once more").await.json(200);
    }
}

#[tokio::test]
async fn what_is_changed_after_it_was_anchored_leads_to_no_root() {
    for database in databases().await {
        let world = pending(&database).await;
        let honest: Vec<&SignedReceipt> = world.signed.iter().collect();
        world.settles_only(&honest, &[], "").await;
        let [first, second, _] = honest[..] else { panic!("three calls") };
        let leaves = async || {
            let path = format!("/licences/{}/batches/1", key(first));
            world.market.app.get_as(world.buyer.agent.token(), &path).await.json(200)
        };
        let adds_up = |batch: &Value| {
            let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
            let leaf = |leaf: &Value| Leaf {
                units: number(&leaf["units"]),
                amount: number(&leaf["amount"]),
                receipt_sha256: from_hex(leaf["receipt_sha256"].as_str().unwrap()).unwrap(),
            };
            let leaves: Vec<Leaf> = batch["leaves"].as_array().unwrap().iter().map(leaf).collect();
            let root = Tree::from_leaves(leaves.iter().map(Leaf::hash).collect()).unwrap().root();
            let units = leaves.iter().map(|leaf| leaf.units).sum::<u64>();
            hex::encode(root) == batch["tree_root"] && units == number(&batch["units"])
        };
        assert!(adds_up(&leaves().await));
        tamper(&world.market, "UPDATE batches SET units = 504 WHERE licence = $1", &key(first)).await;
        assert!(!adds_up(&leaves().await), "totals above the leaves");
        tamper(&world.market, "UPDATE batches SET units = 3 WHERE licence = $1", &key(first)).await;
        let body = r#"UPDATE receipts SET body = replace(body, '"amount":"1000"', '"amount":"9000"') WHERE id = $1"#;
        tamper(&world.market, body, &first.receipt.id).await;
        assert!(!adds_up(&leaves().await), "another body");
        // A leaf that is changed breaks the proof of the others.
        let leaf = "UPDATE receipts SET leaf = (SELECT tree_root FROM batches) WHERE id = $1";
        tamper(&world.market, leaf, &first.receipt.id).await;
        let anchor = world.proof(second).await["anchor"].take();
        let path: Vec<Step> = serde_json::from_value(anchor["path"].clone()).unwrap();
        let root = from_hex(anchor["tree_root"].as_str().unwrap()).unwrap();
        assert!(!verify_path(second.receipt.leaf_hash(), &path, root));
    }
}

#[tokio::test]
async fn whoever_has_a_receipt_may_ask_for_its_proof_and_nobody_else() {
    for database in databases().await {
        let world = pending(&database).await;
        let [first, second, _] = &world.signed[..] else { panic!("three calls") };
        assert_eq!(world.proof(first).await, json!({ "settlement": "pending", "anchor": null }));
        world.market.app.clock.advance(BATCH_AGE);
        let seen = check_proof(&world.market, &world.buyer, first).await;
        let proof = world.proof(first).await;
        assert_eq!((&proof["anchor"], &proof["settlement"]), (&seen["anchor"], &json!("batched")));
        // The id alone is not enough, nor is another receipt's leaf, nor something else.
        let path = format!("/receipts/{}/proof", first.receipt.id);
        let other = hex::encode(second.receipt.leaf_hash());
        world.market.app.get(&format!("{path}?leaf={other}")).await.problem("receipt_not_found");
        world.market.app.get(&format!("{path}?leaf=rubbish")).await.problem("receipt_not_found");
        assert!(world.market.app.get(&path).await.status.is_client_error());
    }
}

#[tokio::test]
async fn a_receipt_says_which_manifest_was_signed_and_that_it_learned_nothing_from_outside() {
    let world = pending(&TestDatabase::Sqlite).await;
    let manifest = usage("acme").resolved().sha256().unwrap();
    let Receipt { manifest_sha256, exchanges_sha256, replayable, .. } = world.signed[0].receipt;
    assert_eq!((manifest_sha256, exchanges_sha256, replayable), (manifest, None, true));
    assert_ne!(manifest, Publication::echo("acme", "echo", "1.0.0").resolved().sha256().unwrap());
}
