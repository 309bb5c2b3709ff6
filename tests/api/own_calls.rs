//! An author and his own skill: he calls it without a licence, for nothing, and cannot buy it.

use clawos_tests::app::{Answer, TestDatabase, databases};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use clawos_tests::wat_skill::WatSkill;
use serde_json::{Value, json};

use crate::execute::receipt;
use crate::settlement::{BATCH_AGE, CALL, usage};

/// A usage-priced skill that answers its example and otherwise logs an error, with a colour and a line break, and crashes.
fn panicking(handle: &str) -> Publication {
    let skill = WatSkill::new(
        r#"(data (i32.const 64) "panicked at src/lib.rs:3:5:\0a\1b[31mno such row")
           (func $run (param i32 i32) (param $payload i32) (param $length i32) (result i32)
             (if (i32.eq (local.get $length) (i32.const 16))
               (then (return (call $ok (local.get $payload) (local.get $length)))))
             (call $log (i32.const 3) (i32.const 64) (i32.const 44))
             unreachable)"#,
    );
    Publication { artifact: skill.build(), ..usage(handle) }
}

async fn call_own(market: &Market, text: &str) -> Answer {
    let path = format!("/skills/{}/execute", market.skill);
    let body = json!({ "endpoint": "echo", "payload": { "text": text } });
    market.app.post_as(market.author.token(), &path, &body).await
}

#[tokio::test]
async fn an_author_calls_his_own_priced_skill_for_nothing_and_others_do_not() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let stranger = market.buyer("stranger").await;
        market.call(&stranger, "hello").await.problem("licence_required");
        let answer = call_own(&market, "hello").await.json(200);
        assert_eq!((&answer["price"]["amount"], &answer["licence"]), (&json!("0"), &Value::Null));
        let signed = receipt(&answer).receipt;
        let author = *market.author.key.verifying_key().as_bytes();
        assert_eq!((signed.buyer, signed.seller), (author, author), "by this a reader tells it from a sale");
        assert_eq!((signed.licence, signed.kind, signed.tier), (None, None, None));
        assert_eq!((signed.unit_price, signed.amount, signed.fee_bps), (0, 0, 0));
        market.call(&stranger, "hello").await.problem("licence_required");
    }
}

#[tokio::test]
async fn strangers_who_use_up_the_days_free_calls_do_not_stop_the_author() {
    for database in databases().await {
        let trials =
            |handle: &str| Publication::priced(handle, "echo", "1.0.0", &format!("{USAGE_PRICING}free_calls = 2\n"));
        let market = Market::with(&database, |config| config.limits.free_calls_per_day = 3, trials).await;
        let path = format!("/skills/{}/execute", market.skill);
        let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
        let free = async |name: &str, path: &str| {
            let agent = market.app.enrol(name).await;
            market.app.post_as(agent.token(), path, &body).await
        };
        for name in ["one", "two", "three"] {
            free(name, &path).await.json(200);
        }
        free("four", &path).await.problem("licence_required");
        let look = format!("{path}?dry_run=true");
        free("five", &look).await.problem("licence_required");
        // His own are three as well, and nobody has used one of them.
        market.app.post_as(market.author.token(), &look, &body).await.json(200);
        for _ in 0..3 {
            call_own(&market, "mine").await.json(200);
        }
        let refused = call_own(&market, "mine").await;
        assert!(refused.headers.contains_key("retry-after"));
        refused.problem("rate_limited");
        market.app.post_as(market.author.token(), &look, &body).await.problem("rate_limited");
    }
}

#[tokio::test]
async fn own_calls_are_no_sales_and_no_use_on_chain() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let before = market.listing().await.skill;
    let own = receipt(&call_own(&market, "mine").await.json(200)).receipt.id;
    let paid = receipt(&market.call(&buyer, "theirs").await.json(200)).receipt.id;
    market.app.clock.advance(BATCH_AGE);
    market.anchored(&buyer, &paid).await;
    let seen = market.app.get_as(market.author.token(), &format!("/receipts/{own}")).await.json(200);
    assert_eq!(seen["anchor"], Value::Null, "it is in no batch");
    let after = market.listing().await.skill;
    assert_eq!((after.sales(), after.open_licences()), (before.sales(), before.open_licences()));
    assert_eq!(market.licence(&buyer).await.usage_total(), 1, "the buyer's call alone");
}

#[tokio::test]
async fn a_look_at_the_price_of_an_own_call_says_that_it_is_free() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let path = format!("/skills/{}/execute?dry_run=true", market.skill);
    let body = json!({ "endpoint": "echo", "payload": { "text": "hello" }, "max_cost": "0" });
    let seen = market.app.post_as(market.author.token(), &path, &body).await.json(200);
    assert_eq!((&seen["price"]["amount"], &seen["licence"]), (&json!("0"), &Value::Null));
}

#[tokio::test]
async fn own_calls_that_fail_again_and_again_have_to_wait_like_anybodys() {
    let market = Market::open(&TestDatabase::Sqlite, panicking).await;
    for _ in 0..60 {
        call_own(&market, "not the example").await.problem("trap");
    }
    call_own(&market, "not the example").await.problem("rate_limited");
}

#[tokio::test]
async fn what_a_failing_skill_logged_is_told_to_its_author_and_to_nobody_else() {
    let free_calls = USAGE_PRICING.replace("[pricing]", "[pricing]\nfree_calls = 1");
    let market = Market::open(&TestDatabase::Sqlite, |handle| {
        let priced = Publication::priced(handle, "echo", "1.0.0", &free_calls);
        Publication { artifact: panicking(handle).artifact, ..priced }
    })
    .await;
    let buyer = market.buyer("buyer").await;
    let told = call_own(&market, "not the example").await.problem("trap");
    let detail = told["detail"].as_str().expect("a sentence");
    let logged = "It logged: panicked at src/lib.rs:3:5: [31mno such row. Nothing was charged.";
    assert!(detail.starts_with("the skill crashed: ") && detail.ends_with(logged), "{detail}");
    let told = market.call(&buyer, "not the example").await.problem("trap");
    assert!(!told["detail"].as_str().expect("a sentence").contains("no such row"), "{told}");
    assert!(told.get("logs").is_none(), "{told}");
}

#[tokio::test]
async fn an_author_who_would_buy_his_own_skill_is_told_that_he_need_not() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let order = json!({ "skill": market.skill, "kind": "usage", "tier": "personal" });
    let refused = market.app.post_as(market.author.token(), "/marketplace/purchase", &order).await;
    let refused = refused.problem("self_purchase");
    assert!(refused["detail"].as_str().expect("a sentence").contains("without a licence"), "{refused}");
    let buyer = market.buyer("buyer").await;
    market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &order).await.json(200);
}
