//! A subscription: bought, used, lapsed, bought again, and renewed before its end.

use clawos_interface::Currency;
use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::clawos::{key, units};
use serde_json::Value;

use crate::books::{self, Account, purses};
use crate::world::{ALWAYS_ASK, World, on_both_databases, until};

/// Seconds of a period.
const HOUR: i64 = 3_600;
/// Base units of a period, and the platform's part of them.
const PRICE: u64 = 2_000_000;
const FEE: u64 = 50_000;

on_both_databases!(a_subscription_lapses_and_is_bought_again);

async fn a_subscription_lapses_and_is_bought_again(database: &TestDatabase) {
    let world = World::enrolled_on(database, ALWAYS_ASK);
    world.price(LOOPS, "currency = \"USDC\"\nperiod = { amount = \"2\", every = \"hourly\" }\n");
    world.publish(LOOPS);
    let quote = world.buyer.run(&["quote", LOOPS, "--kind", "subscription"]);
    assert_eq!(["price", "fee"].map(|name| units(&quote[name])), [PRICE, FEE], "{quote}");
    call_is_refused(&world, "licence_required");

    let bought = buy(&world, false).await;
    let licence = key(&bought["licence"]);
    let first_end = end(&world, &licence).await;
    call(&world);
    call(&world);

    lapse(&world).await;
    let judged = world.outsider.refused(&["verify", "licence", LOOPS, &world.buyer.address()], "invalid");
    assert!(judged.to_string().contains("expired"), "{judged}");

    buy(&world, false).await;
    let second_end = end(&world, &licence).await;
    assert!(second_end >= first_end + HOUR, "the period begins when it is bought: {first_end} {second_end}");
    call(&world);

    // Renewed before its end, it goes on from there.
    buy(&world, true).await;
    assert_eq!(end(&world, &licence).await, second_end + HOUR);
    world.advance(HOUR).await;
    call(&world);
    lapse(&world).await;

    let totals = books::audit_licence(&world, &Account { skill: LOOPS, licence, deposited: 0 }).await;
    assert_eq!((totals.receipts, totals.units, totals.amount), (4, 4, 0), "calls are counted, and cost no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_the_buyer_s_own_cap_makes_useless_is_not_paid_for() {
    let world = World::enrolled(ALWAYS_ASK);
    world.price(LOOPS, "currency = \"USDC\"\nperiod = { amount = \"2\", every = \"hourly\" }\n");
    world.publish(LOOPS);
    let bought = world.buyer.run(&["buy", LOOPS, "--kind", "subscription", "--limit", "1"]);
    let licence = key(&bought["licence"]);
    call(&world);
    until("the call is recorded", async || world.recorded(&licence).await == 1).await;

    // Before its end, when only `caps` can set another cap, and after it, when a purchase can too.
    cap_is_told(&world, &["renew", LOOPS], false).await;
    cap_is_told(&world, &["buy", LOOPS, "--kind", "subscription"], false).await;
    world.advance(HOUR).await;
    cap_is_told(&world, &["renew", LOOPS], true).await;
    cap_is_told(&world, &["buy", LOOPS, "--kind", "subscription", "--limit", "1"], true).await;
    world.buyer.run(&["buy", LOOPS, "--kind", "subscription", "--limit", "2"]);
    call(&world);
    until("the call is recorded", async || world.recorded(&licence).await == 2).await;

    cap_is_told(&world, &["renew", LOOPS], false).await;
    world.buyer.run(&["caps", LOOPS, "--limit", "0"]);
    assert_eq!(world.buyer.run(&["renew", LOOPS])["renewal"], true);
    call(&world);
}

/// Is refused for the cap that is used up, before anything is paid, and told how to set another.
async fn cap_is_told(world: &World, line: &[&str], by_purchase: bool) {
    let before = world.usdc(&world.buyer.wallet().key()).await;
    let problem = world.buyer.refused(line, "invalid");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains(&format!("clawos caps {LOOPS} --limit UNITS")), "{detail}");
    assert_eq!(detail.contains("buy with `--limit UNITS`"), by_purchase, "{detail}");
    assert_eq!(world.usdc(&world.buyer.wallet().key()).await, before, "nothing was paid");
}

/// Lets an hour go by, after which calls are refused.
async fn lapse(world: &World) {
    world.advance(HOUR).await;
    world.until_refused("licence_expired").await;
    call_is_refused(world, "licence_expired");
}

/// Buys a period, and checks what it moves.
async fn buy(world: &World, renewal: bool) -> Value {
    let before = purses(world, &world.buyer, Currency::Usdc).await;
    let bought = world.buyer.run(&["buy", LOOPS, "--kind", "subscription", "--max-price", "2 USDC"]);
    assert_eq!((&bought["renewal"], units(&bought["price"])), (&Value::from(renewal), PRICE), "{bought}");
    let after = purses(world, &world.buyer, Currency::Usdc).await;
    let moved = [before.buyer - after.buyer, after.seller - before.seller, after.platform - before.platform];
    assert_eq!(moved, [PRICE, PRICE - FEE, FEE]);
    bought
}

/// When the licence ends, Unix seconds.
async fn end(world: &World, licence: &Key) -> i64 {
    let found = world.ledger().licence_at(licence).await.expect("the chain answers");
    found.value.expect("there is a licence").expires_at()
}

fn call(world: &World) {
    let answer = world.buyer.run(&["exec", LOOPS, "echo", "1"]);
    assert_eq!((units(&answer["price"]), units(&answer["receipt"]["units"])), (0, 1), "{answer}");
}

fn call_is_refused(world: &World, code: &str) {
    let refused = world.buyer.refused(&["exec", LOOPS, "echo", "1"], code);
    assert!(refused["receipt"].is_null(), "what did not run has no receipt: {refused}");
}
