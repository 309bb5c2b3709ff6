//! Each state of a licence in which a call is refused, with the code that says so.

use clawos_interface::codes::PauseBits;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{ExitKind, Kind, LicenceStatus, pda};
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::chain;
use clawos_tests::lying_chain::LyingChain;
use clawos_tests::market::{Buyer, Market};
use clawos_tests::publication::Publication;
use reqwest::header;
use serde_json::json;

use crate::settlement::{CALL, usage};

/// 0.5 USDC an hour.
const HOURLY_PRICING: &str = "[pricing]\ncurrency = \"USDC\"\nperiod = { amount = \"0.5\", every = \"hourly\" }\n";

/// Twice as many calls as the server asks the chain in a second about one licence.
const MANY: usize = 16;

/// What the buyer is told about the licence, without calling.
async fn reason(market: &Market, buyer: &Buyer) -> String {
    let path = format!("/marketplace/verify/{}", market.skill);
    let answer = market.app.get_as(buyer.agent.api_key(), &path).await.json(200);
    assert_eq!(answer["valid"], false);
    answer["reason"].as_str().expect("a reason").to_owned()
}

/// A market on a chain that can be made to lie to the server, and a buyer with credit for ten calls.
async fn lied_to(database: &TestDatabase) -> (LyingChain, Market, Buyer) {
    let liar = LyingChain::start(&chain::shared().rpc_url()).await;
    let url = liar.url().to_owned();
    let market = Market::with(database, |config| config.chain.rpc_url = url, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 10 * CALL).await;
    (liar, market, buyer)
}

#[tokio::test]
async fn a_subscription_ends_with_its_period() {
    for database in databases().await {
        let hourly = |handle: &str| Publication::priced(handle, "echo", "1.0.0", HOURLY_PRICING);
        let market = Market::open(&database, hourly).await;
        let buyer = market.buyer("buyer").await;
        market.buy(&buyer, Kind::Subscription, Caps::default()).await;
        market.call(&buyer, "hello").await.json(200);
        market.app.clock.advance(3_700_000);
        let path = format!("/skills/{}/execute", market.skill);
        let body = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
        market.app.post_as(buyer.agent.api_key(), &path, &body).await.problem("licence_expired");
        assert_eq!(reason(&market, &buyer).await, "expired");
    }
}

#[tokio::test]
async fn a_licence_that_owes_is_suspended_until_the_debt_is_paid() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        // Three where one is paid for.
        market.record_units(&buyer, 3).await;
        market.call(&buyer, "hello").await.problem("licence_suspended");
        assert_eq!(reason(&market, &buyer).await, "suspended");
        market.deposit(&buyer, 3 * CALL).await;
        market.call(&buyer, "hello").await.json(200);
    }
}

#[tokio::test]
async fn who_has_paid_is_served_at_once_however_often_he_was_refused() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        let many_are_refused = async |code: &str| {
            for _ in 0..MANY {
                market.call(&buyer, "hello").await.problem(code);
            }
        };
        many_are_refused("licence_required").await;
        market.buy(&buyer, Kind::Usage, Caps::default()).await;
        market.call(&buyer, "hello").await.problem("insufficient_credit");
        market.deposit(&buyer, CALL).await;
        market.call(&buyer, "hello").await.json(200);
        many_are_refused("insufficient_credit").await;
        market.deposit(&buyer, CALL).await;
        market.call(&buyer, "hello").await.json(200);
    }
}

#[tokio::test]
async fn a_licence_that_is_being_closed_spends_nothing() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        let asked = market.chain.request_exit(&buyer.wallet, &market.skill_account(), ExitKind::Close).await;
        asked.expect("a buyer may leave");
        market.call(&buyer, "hello").await.problem("licence_closing");
        assert_eq!(reason(&market, &buyer).await, "closing");
        assert_eq!(market.licence(&buyer).await.credit(), CALL);
    }
}

/// No instruction refunds yet, so the server is told of one.
#[tokio::test]
async fn a_refunded_licence_gives_no_right() {
    for database in databases().await {
        let (liar, market, buyer) = lied_to(&database).await;
        let licence = pda::licence(&market.skill_account(), &buyer.wallet.key()).0;
        liar.lie(&licence, |told| told.licence(|licence| licence.status = LicenceStatus::Refunded as u8));
        market.call(&buyer, "hello").await.problem("licence_refunded");
        assert_eq!(reason(&market, &buyer).await, "refunded");
    }
}

/// All tests share one chain, so the server alone is told that recording is paused.
#[tokio::test]
async fn while_recording_is_paused_nothing_is_spent() {
    for database in databases().await {
        let (liar, market, buyer) = lied_to(&database).await;
        liar.lie(&pda::config().0, |told| told.config(|config| config.pause_bits.set(PauseBits::USAGE)));
        let refused = market.call(&buyer, "hello").await;
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(refused.problem("usage_paused")["retryable"], true);
        assert_eq!(reason(&market, &buyer).await, "usage_paused");
        let listed = market.app.get_as(buyer.agent.token(), "/receipts").await.json(200);
        assert_eq!(listed["items"], json!([]));
    }
}

#[tokio::test]
async fn while_sales_are_paused_nothing_is_offered() {
    for database in databases().await {
        let (liar, market, buyer) = lied_to(&database).await;
        liar.lie(&pda::config().0, |told| told.config(|config| config.pause_bits.set(PauseBits::PURCHASE)));
        let order = json!({ "skill": market.skill, "kind": "usage", "tier": "personal" });
        let refused = market.app.post_as(buyer.agent.token(), "/marketplace/purchase", &order).await;
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(refused.problem("sales_paused")["retryable"], true);
        let quote = market.app.get(&format!("/skills/{}/quote", market.skill)).await.json(200);
        assert_eq!(quote["purchasable"], false, "{quote}");
        assert!(quote["reason"].as_str().is_some_and(|reason| reason.contains("paused")), "{quote}");
        // Licences that were sold stay.
        market.call(&buyer, "hello").await.json(200);
    }
}

/// A licence that was closed and bought again at another price between two calls; a cluster would take ten minutes for it.
#[tokio::test]
async fn a_call_is_not_made_at_a_price_that_its_caller_was_not_checked_for() {
    for database in databases().await {
        let (liar, market, buyer) = lied_to(&database).await;
        let licence = pda::licence(&market.skill_account(), &buyer.wallet.key()).0;
        for _ in 0..10 {
            market.call(&buyer, "hello").await.json(200);
        }
        // The known licence has nothing left, so it is read again.
        liar.lie(&licence, |told| {
            told.licence(|licence| {
                licence.unit_price.set(2 * CALL);
                licence.credit.set(100 * CALL);
            });
        });
        market.call(&buyer, "hello").await.problem("terms_changed");
        market.call(&buyer, "at the new price").await.json(200);
    }
}
