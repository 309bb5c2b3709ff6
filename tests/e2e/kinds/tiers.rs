//! Tiers: the multiplier of the manifest is in the quote, in the price that is paid, and in the licence.

use clawos_client::solana::actions::skill_address;
use clawos_interface::instruction::args::PurchaseArgs;
use clawos_interface::instruction::purchase;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, Kind, Tier};
use clawos_solana::assembly::payment;
use clawos_tests::guests::{self, LOOPS};
use clawos_tests::processes::Clawos;
use clawos_tests::processes::clawos::{key, units};
use serde_json::{Value, json};

use crate::books::purses;
use crate::world::{ALWAYS_ASK, TRANSACTION_FEE, World};

/// Lamports of each tier: times 1, 1.5001 rounded up, and 10.
const PERSONAL: u64 = 50_000_001;
const COMMERCIAL: u64 = 75_005_002;
const ENTERPRISE: u64 = 500_000_010;

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_costs_its_multiple() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(ALWAYS_ASK);
    let tiers = "tiers = { commercial = 1.5001, enterprise = 10.0 }";
    world.price(LOOPS, &format!("currency = \"SOL\"\nonce = \"0.050000001\"\n{tiers}\n"));
    world.publish(LOOPS);
    let personal = world.buyer.run(&["quote", LOOPS, "--kind", "one_time"]);
    assert_eq!(units(&personal["price"]), PERSONAL, "{personal}");

    a_tier_for_the_price_of_another_is_refused(&world).await;
    unknown_tiers_are_refused(&world).await;
    world.stranger.run(&["wallet", "airdrop", "--sol", "10"]);
    costs(&world, &world.stranger, "commercial", COMMERCIAL).await;
    costs(&world, &world.buyer, "enterprise", ENTERPRISE).await;
}

/// Who wants the dearest tier for the price of the cheapest gets neither, and pays nothing.
async fn a_tier_for_the_price_of_another_is_refused(world: &World) {
    let (buyer, author) = (world.buyer.wallet(), key(&Value::from(world.author.address())));
    let before = purses(world, &world.buyer, Currency::Sol).await;
    let chain = world.ledger();
    let listing = chain.listing(&skill_address(&author, LOOPS)).await.expect("it is registered");
    let route = listing.route().expect("its currency is known");
    let args = PurchaseArgs {
        kind: Kind::OneTime,
        tier: Tier::Enterprise,
        max_price: PERSONAL,
        terms_hash: listing.terms_hash(),
        caps: Caps::default(),
    };
    let instructions = payment(&buyer.key(), &route, &buyer.key(), purchase(&buyer.key(), &route, &args));
    let refused = chain.send(&buyer, &instructions).await.expect_err("it costs more");
    assert_eq!(refused.code(), "PriceAboveMax");
    assert_eq!(purses(world, &world.buyer, Currency::Sol).await, before);
    world.buyer.refused(&["exec", LOOPS, "echo", "1"], "licence_required");
}

async fn unknown_tiers_are_refused(world: &World) {
    let line = ["buy", LOOPS, "--kind", "one_time", "--tier", "academic"];
    assert_eq!(world.buyer.attempt(&line).expect_err("there is no such tier").exit, 2);
    let order = json!({ "skill": LOOPS, "kind": "one_time", "tier": "academic" });
    world.post(&world.buyer, "/marketplace/purchase", &order).await.problem("validation_failed");
}

async fn costs(world: &World, buyer: &Clawos, tier: &str, price: u64) {
    let asked = ["--kind", "one_time", "--tier", tier];
    let quote = buyer.run(&[&["quote", LOOPS], &asked[..]].concat());
    let fee = price * 250 / 10_000;
    let amounts = ["price", "fee", "seller_receives"].map(|name| units(&quote[name]));
    assert_eq!(amounts, [price, fee, price - fee], "{quote}");

    let before = purses(world, buyer, Currency::Sol).await;
    let bought = buyer.run(&[&["buy", LOOPS], &asked[..]].concat());
    assert_eq!((units(&bought["price"]), &bought["server_transaction_equal"]), (price, &json!(true)), "{bought}");
    let after = purses(world, buyer, Currency::Sol).await;
    assert_eq!([after.seller - before.seller, after.platform - before.platform], [price - fee, fee]);
    assert_eq!(before.buyer - after.buyer, price + world.licence_rent().await + TRANSACTION_FEE);

    let licence = world.outsider.run(&["verify", "licence", LOOPS, &buyer.address()]);
    assert_eq!((&licence["valid"], &licence["details"]["tier"]), (&json!(true), &json!(tier)), "{licence}");
    let told = buyer.run(&["exec", LOOPS, "context", "{}"]);
    assert_eq!(told["result"]["tier"], tier, "the skill is told: {told}");
}
