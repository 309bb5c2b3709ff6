//! A batch that waits to be sent while somebody changes one number or root of it: nothing of it is charged, waived, given up
//! or taken for settled, and once it is as it was formed it lands.

use clawos_tests::app::databases;
use clawos_tests::market::Market;

use crate::execute::receipt;
use crate::fraud::{BATCH_PROBLEM, Pending, forge_batch, key, pending, said};
use crate::settlement::{BATCH_AGE, CALL, check_proof};
use crate::tampered::{another_settles, nobody_settles, tamper};

/// A licence with a settled batch of three calls, and a second one that no server has sent yet.
async fn waiting(world: Pending) -> Pending {
    let Pending { market, buyer, signed } = world;
    market.app.clock.advance(BATCH_AGE);
    for one in &signed {
        check_proof(&market, &buyer, one).await;
    }
    another_settles(&market).await;
    let mut signed = Vec::new();
    for n in 3..6 {
        signed.push(receipt(&market.call(&buyer, &n.to_string()).await.json(200)));
    }
    let world = Pending { market, buyer, signed };
    forge_batch(&world, 3).await;
    let licence = key(&world.signed[0]);
    for statement in [
        "UPDATE receipts SET settlement = 'batched', batch_seq = 2 WHERE licence = $1 AND settlement = 'pending'",
        "UPDATE usage_accounts SET pending_units = 0, pending_count = 0, pending_amount = 0 WHERE licence = $1",
    ] {
        sqlx::query(statement).bind(&licence).execute(&*world.market.app.state.db).await.unwrap();
    }
    world
}

async fn audited(market: &Market, licence: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM audit_log WHERE actor = 'settlement' AND target LIKE $1")
        .bind(format!("{licence}@%"))
        .fetch_all(&*market.app.state.db)
        .await
        .unwrap()
}

/// Changes the batch that waits, lets the server work on it, and changes it back.
async fn changed_and_restored(change: &'static str, restore: &'static str) {
    for database in databases().await {
        let world = waiting(pending(&database).await).await;
        let Pending { market, buyer, signed } = &world;
        let licence = key(&signed[0]);
        tamper(market, change, &licence).await;
        nobody_settles(market).await;
        let problem = said(&world, BATCH_PROBLEM).await;
        assert!(problem.contains("changed after it was formed"), "{change}: {problem}");
        // It is tried again, and again nothing comes of it; that is in the log once.
        market.app.clock.advance(BATCH_AGE);
        assert!(said(&world, BATCH_PROBLEM).await.contains("changed after it was formed"), "{change}");
        assert_eq!(audited(market, &licence).await, ["batch.withhold"], "{change}");
        let on_chain = market.licence(buyer).await;
        assert_eq!((on_chain.usage_seq(), on_chain.usage_total(), on_chain.credit()), (1, 3, 597 * CALL), "{change}");
        tamper(market, restore, &licence).await;
        market.app.clock.advance(BATCH_AGE);
        for one in signed {
            check_proof(market, buyer, one).await;
        }
        let on_chain = market.licence(buyer).await;
        assert_eq!((on_chain.usage_seq(), on_chain.usage_total(), on_chain.credit()), (2, 6, 594 * CALL), "{change}");
    }
}

#[tokio::test]
async fn other_units_waive_nothing() {
    changed_and_restored(
        "UPDATE batches SET units = 504 WHERE licence = $1 AND seq = 2",
        "UPDATE batches SET units = 3 WHERE licence = $1 AND seq = 2",
    )
    .await;
}

#[tokio::test]
async fn another_amount_waives_nothing() {
    changed_and_restored(
        "UPDATE batches SET amount = 1 WHERE licence = $1 AND seq = 2",
        "UPDATE batches SET amount = 3000 WHERE licence = $1 AND seq = 2",
    )
    .await;
}

#[tokio::test]
async fn another_root_gives_nothing_up() {
    changed_and_restored(
        "UPDATE batches SET prev_root = tree_root WHERE licence = $1 AND seq = 2",
        "UPDATE batches SET prev_root = (SELECT chain_root FROM batches AS earlier
             WHERE earlier.licence = batches.licence AND earlier.seq = 1) WHERE licence = $1 AND seq = 2",
    )
    .await;
}

#[tokio::test]
async fn a_number_below_the_chains_is_not_taken_for_settled() {
    changed_and_restored(
        "UPDATE batches SET seq = 0 WHERE licence = $1 AND seq = 2",
        "UPDATE batches SET seq = 2 WHERE licence = $1 AND seq = 0",
    )
    .await;
}
