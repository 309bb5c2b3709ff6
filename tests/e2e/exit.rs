//! A licence closed: what was used is settled first, then rent and credit come back to the buyer, to the base unit.

use clawos_interface::Currency;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::clawos::units;
use serde_json::json;

use crate::books::{self, purses};
use crate::world::{TRANSACTION_FEE, World, on_both_databases, until};

/// Seconds between the request of an exit and its execution.
const SETTLE_DELAY: i64 = 300;
/// Flags under which usage is settled late, and the chain asked about the licence before each call.
const LATE: &[&str] = &[
    "--settle-max-age-ms",
    "110000",
    "--anchor-max-age-ms",
    "3600000",
    "--grace-secs",
    "10",
    "--licence-ttl-secs",
    "0",
];

on_both_databases!(rent_and_credit_are_returned);

async fn rent_and_credit_are_returned(database: &TestDatabase) {
    let world = World::enrolled_on(database, LATE);
    world.publish(LOOPS);
    let lamports = purses(&world, &world.buyer, Currency::Sol).await.buyer;
    let before = purses(&world, &world.buyer, Currency::Usdc).await;
    let licence = world.buy_usage(LOOPS, &[], "1");
    for n in 0..3 {
        world.buyer.run(&["exec", LOOPS, "echo", &n.to_string()]);
    }
    assert_eq!(world.recorded(&licence).await, 0, "it is not due for a long time");

    let asked = world.buyer.run(&["withdraw", "request", LOOPS, "--close"]);
    assert_eq!(asked["withdrawal"], "close", "{asked}");
    world.until_refused("licence_closing").await;
    let refused = world.buyer.refused(&["exec", LOOPS, "echo", "3"], "licence_closing");
    assert!(refused["receipt"].is_null(), "{refused}");
    world.buyer.refused(&["withdraw", "request", LOOPS, "--close"], "ExitPending");
    world.buyer.refused(&["buy", LOOPS, "--kind", "usage"], "LicenceClosing");
    world.stranger.refused(&["withdraw", "execute", LOOPS], "not_found");
    world.buyer.refused(&["withdraw", "execute", LOOPS], "ExitNotReady");
    // The server sees the exit, and settles before credit can leave.
    until("the calls before the exit are settled", async || world.recorded(&licence).await == 3).await;

    world.advance(SETTLE_DELAY).await;
    let done = world.buyer.run(&["withdraw", "execute", LOOPS]);
    assert_eq!((units(&done["credit_before"]), &done["closed"]), (997_000, &json!(true)), "{done}");
    let account = world.ledger().account(&licence).await.expect("the chain answers");
    assert!(account.value.is_none(), "the account is gone");
    world.until_refused("licence_required").await;
    world.buyer.refused(&["withdraw", "execute", LOOPS], "not_found");

    let after = purses(&world, &world.buyer, Currency::Usdc).await;
    let moved = [before.buyer - after.buyer, after.seller - before.seller, after.platform - before.platform];
    assert_eq!(moved, [3_000, 2_925, 75]);
    // Purchase, deposit, request and execution cost their fees, and the rent of the account and of its vault is back.
    let spent = lamports - purses(&world, &world.buyer, Currency::Sol).await.buyer;
    assert_eq!(spent, 4 * TRANSACTION_FEE);
    assert_eq!(books::receipts(&world, &world.buyer, LOOPS).await.len(), 3, "the receipts stay");
}
