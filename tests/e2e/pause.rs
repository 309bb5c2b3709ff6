//! Usage and sales paused on chain by the guardian: nothing new is sold or served, whoever wants to leave can, and
//! afterwards all goes on.

use clawos_client::Wallet;
use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::{Instruction, pause, unpause};
use clawos_interface::{Currency, Key};
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use serde_json::{Value, json};

use crate::books::{self, Account, purses};
use crate::world::{ALWAYS_ASK, World, on_both_databases, until};

/// Seconds between the request of an exit and its execution.
const SETTLE_DELAY: i64 = 300;
/// What is paused.
const PAUSED: u16 = PauseBits::USAGE | PauseBits::PURCHASE;

on_both_databases!(who_wants_to_leave_can_while_all_else_waits);

async fn who_wants_to_leave_can_while_all_else_waits(database: &TestDatabase) {
    let world = World::enrolled_on(database, ALWAYS_ASK);
    world.stranger.run(&["wallet", "airdrop", "--sol", "10", "--usdc", "100"]);
    let licence = world.sell(LOOPS, &[], "1");
    world.buyer.run(&["exec", LOOPS, "echo", "1"]);
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 1_000_000 }]).await;

    let [guardian, authority] = ["guardian", "authority"].map(|name| operator(&world, name));
    assert_eq!(send(&world, &world.buyer.wallet(), pause).await, Err("NotGuardian".to_owned()));
    assert_eq!(send(&world, &guardian, pause).await, Ok(()));
    assert_eq!(send(&world, &guardian, unpause).await, Err("NotAuthority".to_owned()));
    calls_and_sales_are_refused(&world).await;
    credit_can_leave(&world).await;

    assert_eq!(send(&world, &authority, unpause).await, Ok(()));
    until("it is on sale again", async || quote(&world)["purchasable"] == true).await;
    world.stranger.run(&["buy", LOOPS, "--kind", "usage"]);
    for agent in [&world.stranger, &world.buyer] {
        agent.run(&["credit", "deposit", LOOPS, "0.5"]);
        agent.run(&["exec", LOOPS, "echo", "2"]);
    }
    // What was left of the first deposit has left.
    let totals = books::audit_licence(&world, &Account { skill: LOOPS, licence, deposited: 501_000 }).await;
    assert_eq!((totals.receipts, totals.units, totals.amount), (2, 2, 2_000));
}

fn operator(world: &World, name: &str) -> Wallet {
    Wallet::load(&world.chain.key_file(name)).expect("the chain has made its keys")
}

/// Pauses or resumes; the program's word for a refusal.
async fn send(world: &World, signer: &Wallet, change: fn(&Key, u16) -> Instruction) -> Result<(), String> {
    let sent = world.ledger().send(signer, &[change(&signer.key(), PAUSED)]).await;
    sent.map(drop).map_err(|error| error.code().to_owned())
}

async fn calls_and_sales_are_refused(world: &World) {
    world.until_refused("usage_paused").await;
    let refused = world.buyer.refused(&["exec", LOOPS, "echo", "1"], "usage_paused");
    assert_eq!((&refused["retryable"], &refused["receipt"]), (&json!(true), &json!(null)), "{refused}");
    let line = ["buy", LOOPS, "--kind", "usage"];
    world.stranger.refused(&line, "sales_paused");
    assert_eq!(quote(world)["purchasable"], false);
    // Nor past the server.
    let creator = world.author.address();
    world.stranger.refused(&[&line[..], &["--creator", &creator]].concat(), "Paused");
}

fn quote(world: &World) -> Value {
    world.stranger.run(&["quote", LOOPS, "--kind", "usage"])
}

async fn credit_can_leave(world: &World) {
    let before = purses(world, &world.buyer, Currency::Usdc).await;
    world.buyer.run(&["withdraw", "request", LOOPS]);
    world.advance(SETTLE_DELAY).await;
    world.buyer.run(&["withdraw", "execute", LOOPS]);
    let after = purses(world, &world.buyer, Currency::Usdc).await;
    assert_eq!(after.buyer - before.buyer, 999_000);
    assert_eq!((after.seller, after.platform), (before.seller, before.platform));
    // The pause goes on; it is said before that the credit is gone.
    world.buyer.refused(&["exec", LOOPS, "echo", "1"], "usage_paused");
}
