//! Calls: what they answer, what they cost, what is refused, and that a refusal costs nothing.

use clawos_client::api::market::PurchaseOffer;
use clawos_client::solana::purchase::Order;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Kind, Tier};
use clawos_receipts::SignedReceipt;
use clawos_receipts::receipt::Outcome;
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::market::{Buyer, Market};
use clawos_tests::publication::{ONE_TIME_PRICING, Publication, USAGE_PRICING};
use clawos_tests::wat_skill::WatSkill;
use serde_json::{Value, json};

/// What one call of the usage-priced skill costs: 0.001 USDC in base units.
const CALL: u64 = 1_000;

fn usage(handle: &str) -> Publication {
    Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING)
}

/// A usage-priced skill that keeps the promise of its example, `{"text":"hello"}`, and does `body` with other lengths.
pub(crate) fn failing(handle: &str, body: &str) -> Publication {
    let run = format!(
        "(if (result i32) (i32.eq (local.get $payload-len) (i32.const 16))
           (then (call $ok (local.get $payload) (local.get $payload-len))) (else {body}))"
    );
    Publication { artifact: WatSkill::running(&run).build(), ..usage(handle) }
}

pub(crate) fn receipt(answer: &Value) -> SignedReceipt {
    let signed = SignedReceipt::parse(answer["receipt"].to_string().as_bytes()).expect("a signed receipt");
    signed.verify_evidence().expect("its evidence holds");
    signed.receipt.check().expect("its fields agree");
    signed
}

async fn credit_left(market: &Market, buyer: &Buyer) -> u64 {
    market.licence(buyer).await.credit()
}

#[tokio::test]
async fn a_free_skill_is_called_without_a_licence() {
    for database in databases().await {
        let market = Market::open(&database, |handle| Publication::echo(handle, "echo", "1.0.0")).await;
        let buyer = market.buyer("buyer").await;
        let answer = market.call(&buyer, "hello").await.json(200);
        assert_eq!(answer["result"], json!({ "text": "hello" }));
        assert_eq!(answer["licence"], Value::Null);
        assert_eq!(answer["price"]["amount"], "0");
        let signed = receipt(&answer);
        assert_eq!(signed.receipt.output_sha256, Some(clawos_receipts::sha256(br#"{"text":"hello"}"#)));
        assert_eq!((signed.receipt.licence, signed.receipt.amount), (None, 0));
        let again = market.app.get_as(buyer.agent.token(), &format!("/receipts/{}", signed.receipt.id)).await.json(200);
        assert_eq!((&again["receipt"], &again["anchor"]), (&answer["receipt"], &Value::Null));
    }
}

#[tokio::test]
async fn a_call_is_paid_from_credit_and_says_what_it_rests_on() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.call(&buyer, "hello").await.problem("licence_required");
        market.buy(&buyer, Kind::Usage, Caps::default()).await;
        market.call(&buyer, "hello").await.problem("insufficient_credit");
        // The very next call after the money is there must succeed.
        market.deposit(&buyer, 2 * CALL).await;
        let answer = market.call(&buyer, "hello").await.json(200);
        assert_eq!(answer["price"], json!({ "amount": "1000", "currency": "USDC", "decimals": 6 }));
        let signed = receipt(&answer);
        assert_eq!((signed.receipt.units, signed.receipt.amount, signed.receipt.fee_bps), (1, CALL, 250));
        assert_eq!(answer["licence"]["key"], bs58::encode(signed.receipt.licence.unwrap()).into_string());
        assert!(answer["usage"]["fuel"].as_str().unwrap().parse::<u64>().unwrap() > 0);
        market.call(&buyer, "hello").await.json(200);
        market.call(&buyer, "hello").await.problem("insufficient_credit");
    }
}

#[tokio::test]
async fn what_cannot_run_is_refused_before_anything_is_reserved() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, CALL).await;
    let body = |change: Value| {
        let mut body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let call = |change: Value| {
        let (market, buyer, body) = (&market, &buyer, body(change));
        async move { market.execute(buyer, &body, None).await }
    };
    call(json!({ "endpoint": "shout" })).await.problem("endpoint_not_found");
    call(json!({ "version": "9.9.9" })).await.problem("version_not_found");
    call(json!({ "max_cost": "999" })).await.problem("max_cost_exceeded");
    call(json!({ "max_cost": "-1" })).await.problem("invalid_body");
    call(json!({ "colour": "red" })).await.problem("invalid_body");
    assert_eq!(call(json!({ "payload": { "text": 7 } })).await.pointers("payload_invalid"), ["/payload/text"]);
    assert_eq!(call(json!({ "payload": {} })).await.pointers("payload_invalid"), ["/payload"]);
    call(json!({ "payload": { "text": "x".repeat(1 << 20) } })).await.problem("payload_too_large");
    let twice = r#"{"endpoint":"echo","payload":{"text":"a","text":"b"}}"#;
    let path = format!("/skills/{}/execute", market.skill);
    let raw = market.app.request(reqwest::Method::POST, &path).header("content-type", "application/json").body(twice);
    clawos_tests::app::send(raw.bearer_auth(buyer.agent.token())).await.problem("payload_invalid");
    market.app.post(&path, &body(json!({}))).await.problem("unauthenticated");
    market
        .app
        .post_as(buyer.agent.token(), "/skills/acme.other/execute", &body(json!({})))
        .await
        .problem("skill_not_found");
    // Nothing of that cost anything: the one unit is still there.
    call(json!({ "max_cost": "1000", "version": "1.0.0" })).await.json(200);
}

#[tokio::test]
async fn a_dry_run_says_the_price_and_takes_nothing() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, CALL).await;
    let path = format!("/skills/{}/execute?dry_run=true", market.skill);
    let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
    for _ in 0..3 {
        let answer = market.app.post_as(buyer.agent.token(), &path, &body).await.json(200);
        assert_eq!((&answer["result"], &answer["receipt"]), (&Value::Null, &Value::Null));
        assert_eq!(answer["price"]["amount"], "1000");
    }
    market.call(&buyer, "hello").await.json(200);
    market.app.post_as(buyer.agent.token(), &path, &body).await.problem("insufficient_credit");
}

#[tokio::test]
async fn of_64_parallel_calls_with_10_units_left_exactly_10_succeed() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 10 * CALL).await;
        let calls = (0..64).map(|n| {
            let (market, buyer) = (&market, &buyer);
            async move { market.call(buyer, &n.to_string()).await.status.as_u16() }
        });
        let mut statuses = futures::future::join_all(calls).await;
        // Above the number of sandboxes a call is told to come back, which is not an answer about units.
        for status in statuses.iter_mut().filter(|status| **status == 503) {
            *status = Market::until_served(|| market.call(&buyer, "again")).await.status.as_u16();
        }
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(200), count(402)), (10, 54), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_retry_replays_the_first_answer_and_is_not_charged() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        let body = json!({ "endpoint": "echo", "payload": { "text": "once" } });
        let first = market.execute(&buyer, &body, Some("key-1")).await;
        first.json(200);
        let market = market.restart(&database).await;
        let second = market.execute(&buyer, &body, Some("key-1")).await;
        assert_eq!((first.text(), second.headers["idempotent-replayed"].to_str().unwrap()), (second.text(), "true"));
        let other = json!({ "endpoint": "echo", "payload": { "text": "twice" } });
        market.execute(&buyer, &other, Some("key-1")).await.problem("idempotency_mismatch");
        // The one unit is used; a key whose call was refused may be used again.
        market.execute(&buyer, &body, Some("key-2")).await.problem("insufficient_credit");
        market.deposit(&buyer, CALL).await;
        market.execute(&buyer, &body, Some("key-2")).await.json(200);
        let listed = market.app.get_as(buyer.agent.token(), "/receipts").await.json(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_are_charged_once() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let body = json!({ "endpoint": "echo", "payload": { "text": "once" } });
    let calls = (0..8).map(|_| market.execute(&buyer, &body, Some("same")));
    let answers = futures::future::join_all(calls).await;
    for answer in &answers {
        assert!(answer.status == 200 || answer.problem("idempotency_running")["retryable"] == true);
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
    let listed = market.app.get_as(buyer.agent.token(), "/receipts").await.json(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_call_costs_nothing_and_leaves_a_free_receipt() {
    let refuse = r#"(i32.store8 (i32.const 0) (i32.const 110)) (i32.store8 (i32.const 1) (i32.const 111))
        (call $refuse (i32.const 0) (i32.const 0) (i32.const 2))"#;
    let wrong = r#"(i32.store8 (i32.const 0) (i32.const 55)) (call $ok (i32.const 0) (i32.const 1))"#;
    let cases = [
        ("unreachable", "trap", Outcome::Trap),
        ("(loop $on (br $on)) (i32.const 0)", "out_of_fuel", Outcome::OutOfFuel),
        (refuse, "guest_bad_request", Outcome::GuestError),
        (wrong, "output_invalid", Outcome::OutputInvalid),
    ];
    for (body, code, outcome) in cases {
        // So little fuel is used up in time on any machine.
        let limits = "[limits]\nfuel = 1000000\n\n[[endpoints]]\n";
        let skill = |handle: &str| failing(handle, body).edit("[[endpoints]]\n", limits);
        let market = Market::open(&TestDatabase::Sqlite, skill).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        // With one unit of credit, a second try shows that the first took none.
        for _ in 0..2 {
            let problem = market.call(&buyer, "not the example").await.problem(code);
            let signed = receipt(&problem);
            assert_eq!((signed.receipt.outcome, signed.receipt.units, signed.receipt.amount), (outcome, 0, 0));
            assert!(signed.receipt.output_sha256.is_none() && signed.receipt.fuel > 0);
            assert!(problem.get("logs").is_none() && problem.get("result").is_none());
        }
        assert_eq!(credit_left(&market, &buyer).await, CALL);
    }
}

#[tokio::test]
async fn a_one_time_licence_is_paid_once_and_calls_are_free() {
    let market =
        Market::open(&TestDatabase::Sqlite, |handle| Publication::priced(handle, "echo", "1.0.0", ONE_TIME_PRICING))
            .await;
    let buyer = market.buyer("buyer").await;
    market.call(&buyer, "hello").await.problem("licence_required");
    market.buy(&buyer, Kind::OneTime, Caps { usage_limit: 2, ..Caps::default() }).await;
    for _ in 0..2 {
        let signed = receipt(&market.call(&buyer, "hello").await.json(200));
        assert_eq!((signed.receipt.amount, signed.receipt.units, signed.receipt.unit_price), (0, 1, 0));
    }
    market.call(&buyer, "hello").await.problem("units_exhausted");
}

#[tokio::test]
async fn the_buyers_own_caps_hold() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy(&buyer, Kind::Usage, Caps { max_units_per_day: 1, ..Caps::default() }).await;
    market.deposit(&buyer, 10 * CALL).await;
    market.call(&buyer, "hello").await.json(200);
    market.call(&buyer, "hello").await.problem("units_exhausted");
}

#[tokio::test]
async fn free_calls_come_first_and_are_counted_per_wallet() {
    for database in databases().await {
        let pricing = USAGE_PRICING.replace("[pricing]", "[pricing]\nfree_calls = 2");
        let market = Market::open(&database, |handle| Publication::priced(handle, "echo", "1.0.0", &pricing)).await;
        let (one, two) = (market.buyer("one").await, market.buyer("two").await);
        for buyer in [&one, &two] {
            // Looking at the price uses none up.
            for _ in 0..3 {
                let path = format!("/skills/{}/execute?dry_run=true", market.skill);
                let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
                let seen = market.app.post_as(buyer.agent.token(), &path, &body).await.json(200);
                assert_eq!((&seen["price"]["amount"], &seen["licence"]), (&json!("0"), &Value::Null));
            }
            for _ in 0..2 {
                let signed = receipt(&market.call(buyer, "hello").await.json(200));
                assert_eq!((signed.receipt.licence, signed.receipt.amount), (None, 0));
            }
            market.call(buyer, "hello").await.problem("licence_required");
        }
    }
}

#[tokio::test]
async fn another_proxys_licence_is_not_served() {
    // This server made a meter key of its own, which the chain does not know.
    let market = Market::with(
        &TestDatabase::Sqlite,
        |config| std::fs::remove_file(config.data.data.join("meter.json")).expect("it was put there"),
        usage,
    )
    .await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, CALL).await;
    market.call(&buyer, "hello").await.problem("wrong_proxy");
    let path = format!("/marketplace/verify/{}", market.skill);
    let seen = market.app.get_as(buyer.agent.token(), &path).await.json(200);
    assert_eq!(
        (&seen["valid"], &seen["reason"], &seen["exists"]),
        (&json!(false), &json!("wrong_proxy"), &json!(true))
    );
}

#[tokio::test]
async fn a_skill_whose_seller_named_his_own_key_as_meter_is_not_sold_here_and_buyers_are_told() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    let quote = format!("/skills/{}/quote", market.skill);
    let usual = market.app.get(&quote).await.json(200);
    let own = clawos_receipts::text::to_base58(&market.listing().await.config.meter);
    assert_eq!((&usual["purchasable"], &usual["reason"], &usual["meter"]), (&json!(true), &json!(null), &json!(own)));
    market.buy_usage(&buyer, CALL).await;

    let sellers: [u8; 32] = *market.author.key.verifying_key().as_bytes();
    market.name_meter(sellers).await;
    let order = json!({ "skill": market.skill, "kind": "usage", "tier": "personal" });
    market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &order).await.problem("wrong_proxy");
    market.app.clock.advance(6_000);
    let told = market.app.get(&quote).await.json(200);
    assert_eq!((&told["registered"], &told["purchasable"]), (&json!(true), &json!(false)));
    let named = clawos_receipts::text::to_base58(&sellers);
    assert_eq!(told["meter"], named);
    assert!(told["reason"].as_str().is_some_and(|reason| reason.contains(&named)), "{told}");
    let shown = market.app.get(&format!("/skills/{}", market.skill)).await.json(200);
    assert_eq!(shown["chain"]["terms_differ"], true);

    // The client refuses by itself, to buy and to deposit, unless that key is named.
    let (listing, other) = (market.listing().await, market.buyer("other").await);
    let order = |meter| Order { kind: Kind::Usage, tier: Tier::Personal, caps: Caps::default(), meter };
    let refused = listing.purchase(&other.wallet.key(), &order(None), None, 0).expect_err("another's meter");
    assert_eq!(refused.code(), "wrong_proxy");
    let trusted = listing.purchase(&other.wallet.key(), &order(Some(sellers)), None, 0).expect("it is named");
    market.chain.buy(&other.wallet, &trusted).await.expect("the chain sells it");
    let refused = market.chain.deposit_credit(&other.wallet, &listing, CALL, None).await.expect_err("another's meter");
    assert_eq!(refused.code(), "wrong_proxy");
    market.chain.deposit_credit(&other.wallet, &listing, CALL, Some(&sellers)).await.expect("it is named");
    // A licence sold before keeps the marketplace's meter, and its buyer may go on.
    market.deposit(&buyer, CALL).await;
    market.call(&buyer, "hello").await.json(200);
}

#[tokio::test]
async fn the_offered_purchase_is_byte_for_byte_the_clients_own() {
    for pricing in [USAGE_PRICING, ONE_TIME_PRICING] {
        let market =
            Market::open(&TestDatabase::Sqlite, |handle| Publication::priced(handle, "echo", "1.0.0", pricing)).await;
        let buyer = market.buyer("buyer").await;
        let kind = if pricing == USAGE_PRICING { Kind::Usage } else { Kind::OneTime };
        let body = json!({ "skill": market.skill, "kind": kind.as_str(), "tier": "personal" });
        let answer = market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &body).await.json(200);
        let offer: PurchaseOffer = serde_json::from_value(answer).expect("an offer");
        let order = Order { kind, tier: Tier::Personal, caps: Caps::default(), meter: None };
        let own = market.listing().await.purchase(&buyer.wallet.key(), &order, None, 0).expect("it is for sale");
        own.check_offer(&buyer.wallet.key(), &offer).expect("the same bytes");

        let cheap = json!({ "skill": market.skill, "kind": kind.as_str(), "tier": "personal", "max_price": "1" });
        market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &cheap).await.problem("price_above_max");
        let other = json!({ "skill": market.skill, "kind": "subscription", "tier": "personal" });
        market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &other).await.problem("kind_not_offered");
        let unknown = json!({ "skill": market.skill, "kind": "forever", "tier": "personal" });
        market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &unknown).await.problem("validation_failed");
    }
}

#[tokio::test]
async fn a_new_price_counts_for_the_next_purchase_at_once_and_not_for_licences_already_sold() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    let order = json!({ "skill": market.skill, "kind": "usage", "tier": "personal" });
    let before = market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &order).await.json(200);
    market.reprice(3 * CALL).await;
    let after = market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &order).await.json(200);
    assert_ne!(before["terms_hash"], after["terms_hash"]);
    let answer = market.call(&buyer, "hello").await.json(200);
    assert_eq!(answer["price"]["amount"], CALL.to_string());
    let shown = market.app.get(&format!("/skills/{}", market.skill)).await.json(200);
    assert_eq!(shown["chain"]["registered"], true);
}
