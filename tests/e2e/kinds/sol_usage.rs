//! Usage in SOL: the credit lies in the licence's own account, and what is not used comes back.

use clawos_interface::Currency;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::clawos::units;
use serde_json::json;

use crate::books::{self, Account, purses};
use crate::world::{ALWAYS_ASK, TRANSACTION_FEE, World, on_both_databases};

/// Lamports of a call.
const PRICE: u64 = 2_000_000;
/// Seconds between the request of an exit and its execution.
const SETTLE_DELAY: i64 = 300;

on_both_databases!(what_is_not_used_is_returned);

async fn what_is_not_used_is_returned(database: &TestDatabase) {
    let world = World::enrolled_on(database, ALWAYS_ASK);
    world.price(LOOPS, "currency = \"SOL\"\nusage = { amount = \"0.002\", per = \"call\" }\n");
    world.publish(LOOPS);
    let before = purses(&world, &world.buyer, Currency::Sol).await;
    let licence = world.buy_usage(LOOPS, &[], "0.006");
    for n in 0..3 {
        let answer = world.buyer.run(&["exec", LOOPS, "echo", &n.to_string()]);
        assert_eq!(answer["price"], json!({ "amount": "2000000", "currency": "SOL", "decimals": 9 }), "{answer}");
    }
    world.buyer.refused(&["exec", LOOPS, "echo", "3"], "insufficient_credit");
    let deposit = world.buyer.run(&["credit", "deposit", LOOPS, "0.004"]);
    assert_eq!(units(&deposit["deposit"]), 4_000_000, "{deposit}");
    let totals = books::audit_licence(&world, &Account { skill: LOOPS, licence, deposited: 10_000_000 }).await;
    assert_eq!((totals.units, totals.amount), (3, 3 * PRICE));

    world.buyer.run(&["withdraw", "request", LOOPS]);
    world.until_refused("licence_closing").await;
    world.buyer.refused(&["exec", LOOPS, "echo", "4"], "licence_closing");
    world.buyer.refused(&["withdraw", "execute", LOOPS], "ExitNotReady");
    world.advance(SETTLE_DELAY).await;
    let done = world.buyer.run(&["withdraw", "execute", LOOPS]);
    assert_eq!((units(&done["credit_before"]), &done["closed"]), (4_000_000, &json!(false)), "{done}");
    world.until_refused("insufficient_credit").await;

    let after = purses(&world, &world.buyer, Currency::Sol).await;
    // Purchase, two deposits, request and execution; a transaction that would fail is not sent.
    let own_costs = world.licence_rent().await + 5 * TRANSACTION_FEE;
    let debit = before.buyer - after.buyer - own_costs;
    let [seller, platform] = [after.seller - before.seller, after.platform - before.platform];
    assert_eq!((debit, seller, platform), (6_000_000, 5_850_000, 150_000));
}
