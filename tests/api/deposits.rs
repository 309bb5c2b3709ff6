//! Describing a deposit of credit: a client that knows nothing but HTTP signs the bytes, and the credit arrives.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clawos_client::api::market::{DepositOffer, DepositRequest};
use clawos_client::solana::ChainError;
use clawos_interface::codes::PauseBits;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, ExitKind, Kind, MAX_AMOUNT, pda};
use clawos_tests::app::{Answer, TestAgent, TestApp, TestDatabase, databases, send};
use clawos_tests::chain;
use clawos_tests::lying_chain::LyingChain;
use clawos_tests::market::{Buyer, Market, stranger};
use clawos_tests::publication::{ONE_TIME_PRICING, Publication, SOL_USAGE_PRICING, USAGE_PRICING};
use ed25519_dalek::{Signer, SigningKey};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::settlement::{CALL, usage};

/// Rent of a token account, and the fee of a signature (lamports).
const VAULT_RENT: u64 = 2_039_280;
const SIGNATURE_FEE: u64 = 5_000;
/// The length of a transaction's head: the number of its signatures, and one signature.
const HEAD: usize = 65;
/// How often a test asks whether a transaction has landed, every 100 ms.
const ATTEMPTS: u32 = 150;

/// Asks for the description of a deposit.
async fn describe(app: &TestApp, agent: &TestAgent, skill: &str, amount: u64) -> Answer {
    app.post_as(agent.token(), "/marketplace/deposit", &json!({ "skill": skill, "amount": amount.to_string() })).await
}

async fn offered(market: &Market, buyer: &Buyer, amount: u64) -> DepositOffer {
    let answer = describe(&market.app, &buyer.agent, &market.skill, amount).await.json(200);
    serde_json::from_value(answer).expect("an offer")
}

/// Signs the bytes as they were offered and sends them, as any client could; what the RPC endpoint answers.
async fn sign_and_send(key: &SigningKey, offer: &DepositOffer) -> Value {
    let mut wire = BASE64_STANDARD.decode(&offer.transaction).expect("base64");
    assert_eq!(wire[0], 1, "one signature");
    let signature = key.sign(&wire[HEAD..]).to_bytes();
    wire[1..HEAD].copy_from_slice(&signature);
    let parameters = json!([BASE64_STANDARD.encode(&wire), { "encoding": "base64" }]);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": parameters });
    let sent = reqwest::Client::new().post(chain::shared().rpc_url()).json(&call).send().await;
    sent.expect("the chain answers").json().await.expect("JSON")
}

/// Waits until the licence has this credit.
async fn arrives(market: &Market, buyer: &Buyer, credit: u64) {
    for _ in 0..ATTEMPTS {
        if market.licence(buyer).await.credit() == credit {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the credit does not become {credit}: {}", market.licence(buyer).await.credit());
}

#[tokio::test]
async fn a_deposit_that_is_described_signed_and_sent_arrives_for_what_was_said() {
    for (pricing, currency) in [(USAGE_PRICING, Currency::Usdc), (SOL_USAGE_PRICING, Currency::Sol)] {
        for database in databases().await {
            let market = Market::open(&database, |handle| Publication::priced(handle, "echo", "1.0.0", pricing)).await;
            let buyer = market.buyer("buyer").await;
            market.buy(&buyer, Kind::Usage, Caps::default()).await;
            let in_sol = currency == Currency::Sol;
            // The first deposit of USDC makes the account that holds it.
            for (rent, amount, credit) in [(if in_sol { 0 } else { VAULT_RENT }, 70_000, 70_000), (0, 5_000, 75_000)] {
                let offer = offered(&market, &buyer, amount).await;
                assert_eq!(offer.amount.currency, currency.to_string());
                assert_eq!((offer.billed.amount, offer.fee.amount, offer.unbilled.amount), (0, 0, 0));
                assert_eq!((offer.rent.amount, offer.network_fee.amount), (rent, SIGNATURE_FEE));
                assert_eq!((offer.amount.amount, offer.credit.amount), (amount, credit));

                let before = market.chain.sol(&buyer.wallet.key()).await.expect("the chain answers");
                let sent = sign_and_send(&buyer.agent.key, &offer).await;
                assert!(sent["result"].is_string(), "{sent}");
                arrives(&market, &buyer, credit).await;
                let after = market.chain.sol(&buyer.wallet.key()).await.expect("the chain answers");
                let paid = if in_sol { amount } else { 0 };
                assert_eq!(before - after, rent + SIGNATURE_FEE + paid, "{currency}");
            }
            let path = format!("/marketplace/verify/{}", market.skill);
            let view = market.app.get_as(buyer.agent.token(), &path).await.json(200);
            assert_eq!((&view["valid"], &view["credit"]), (&json!(true), &json!("75000")));
        }
    }
}

#[tokio::test]
async fn the_offered_deposit_is_byte_for_byte_the_clients_own() {
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy(&buyer, Kind::Usage, Caps::default()).await;
    let client = clawos_client::Client::new(&market.app.origin).expect("an origin").with_token(buyer.agent.api_key());
    let request = DepositRequest { skill: market.skill.clone(), amount: CALL };
    let offer = client.deposit_offer(&request).await.expect("it is described");
    let (key, licence) = (buyer.wallet.key(), market.licence(&buyer).await);
    let listing = market.listing().await;
    let own = listing.deposit(&key, &licence, CALL, None).expect("it takes credit");
    own.check_offer(&key, &offer).expect("the same bytes");

    // A server that lies is caught by each of its lies.
    let more = listing.deposit(&key, &licence, CALL + 1, None).expect("it takes credit");
    assert_eq!(more.check_offer(&key, &offer), Err(ChainError::Differs("the amount".to_owned())));
    let elsewhere = DepositOffer { licence: pda::config().0.map(|_| 'x').iter().collect(), ..offer.clone() };
    assert_eq!(own.check_offer(&key, &elsewhere), Err(ChainError::Differs("the licence".to_owned())));
    let hidden = DepositOffer { transaction: offered(&market, &buyer, 2 * CALL).await.transaction, ..offer };
    assert_eq!(own.check_offer(&key, &hidden), Err(ChainError::Differs("the bytes of the transaction".to_owned())));
}

#[tokio::test]
async fn what_is_unpaid_is_paid_first_as_the_description_says() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        // Three where one is paid for.
        market.record_units(&buyer, 3).await;

        let short = offered(&market, &buyer, CALL / 2).await;
        assert_eq!((short.billed.amount, short.credit.amount), (CALL / 2, 0));
        assert_eq!(short.unbilled.amount, CALL + CALL / 2);
        let offer = offered(&market, &buyer, 5 * CALL).await;
        assert_eq!((offer.billed.amount, offer.fee.amount), (2 * CALL, 50));
        assert_eq!((offer.credit.amount, offer.unbilled.amount), (3 * CALL, 0));
        let treasury = market.listing().await.config.treasury;
        let mint = market.listing().await.config.usdc_mint;
        assert!(sign_and_send(&buyer.agent.key, &offer).await["result"].is_string());
        arrives(&market, &buyer, 3 * CALL).await;
        assert_eq!(market.licence(&buyer).await.unbilled(), 0);
        assert!(market.chain.tokens(&treasury, &mint).await.expect("the chain answers") >= 75);
        market.call(&buyer, "hello").await.json(200);
    }
}

#[tokio::test]
async fn what_takes_no_credit_is_refused_for_its_own_reason() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let (app, skill) = (&market.app, &*market.skill);
        let buyer = market.buyer("buyer").await;
        for amount in [0, MAX_AMOUNT + 1, u64::MAX] {
            assert_eq!(describe(app, &buyer.agent, skill, amount).await.pointers("validation_failed"), ["/amount"]);
        }
        describe(app, &buyer.agent, "acme.nothing", CALL).await.problem("skill_not_found");
        let missing = describe(app, &buyer.agent, skill, CALL).await.problem("licence_required");
        assert!(missing["detail"].as_str().expect("a sentence").contains("buy one first"), "{missing}");
        let own = describe(app, &market.author, skill, CALL).await.problem("self_purchase");
        assert!(own["detail"].as_str().expect("a sentence").contains("without a licence"), "{own}");
        for (name, pricing, code) in [("free", "", "skill_free"), ("draft", USAGE_PRICING, "not_registered")] {
            let skill = match pricing {
                "" => Publication::echo("acme", name, "1.0.0"),
                pricing => Publication::priced("acme", name, "1.0.0", pricing),
            };
            let publish = app.request(Method::POST, "/skills").bearer_auth(market.author.api_key());
            send(publish.multipart(skill.signed(&market.author.key).form())).await.json(201);
            describe(app, &buyer.agent, &format!("acme.{name}"), CALL).await.problem(code);
        }
        market.buy_usage(&buyer, CALL).await;
        // Together with what it holds it would be too much.
        let full = describe(app, &buyer.agent, skill, MAX_AMOUNT).await;
        assert_eq!(full.pointers("validation_failed"), ["/amount"]);
        let asked = market.chain.request_exit(&buyer.wallet, &market.skill_account(), ExitKind::Close).await;
        asked.expect("a buyer may leave");
        describe(app, &buyer.agent, skill, CALL).await.problem("licence_closing");
        assert_eq!(market.licence(&buyer).await.credit(), CALL);
    }
}

#[tokio::test]
async fn a_licence_that_was_paid_once_takes_no_credit() {
    let once = |handle: &str| Publication::priced(handle, "echo", "1.0.0", ONE_TIME_PRICING);
    let market = Market::open(&TestDatabase::Sqlite, once).await;
    let buyer = market.buyer("buyer").await;
    market.buy(&buyer, Kind::OneTime, Caps::default()).await;
    describe(&market.app, &buyer.agent, &market.skill, CALL).await.problem("not_prepaid");
}

/// All tests share one chain, so the server alone is told that deposits are paused, and of another meter.
#[tokio::test]
async fn nothing_is_described_that_could_not_be_used_here() {
    for database in databases().await {
        let liar = LyingChain::start(&chain::shared().rpc_url()).await;
        let url = liar.url().to_owned();
        let market = Market::with(&database, |config| config.chain.rpc_url = url, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy(&buyer, Kind::Usage, Caps::default()).await;
        let config = pda::config().0;
        liar.lie(&config, |told| told.config(|config| config.pause_bits.set(PauseBits::PURCHASE | PauseBits::USAGE)));
        describe(&market.app, &buyer.agent, &market.skill, CALL).await.json(200);
        liar.lie(&config, |told| told.config(|config| config.pause_bits.set(PauseBits::DEPOSIT)));
        let refused = describe(&market.app, &buyer.agent, &market.skill, CALL).await;
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(refused.problem("deposits_paused")["retryable"], true);
        let licence = pda::licence(&market.skill_account(), &buyer.wallet.key()).0;
        liar.lie(&licence, |told| told.licence(|licence| licence.meter = stranger()));
        describe(&market.app, &buyer.agent, &market.skill, CALL).await.problem("wrong_proxy");
    }
}

#[tokio::test]
async fn nobody_describes_or_signs_a_deposit_for_another() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let (buyer, mallory) = (market.buyer("buyer").await, market.buyer("mallory").await);
        market.buy_usage(&buyer, CALL).await;
        // The wallet is the caller's, whatever he says.
        let victim = bs58::encode(buyer.wallet.key()).into_string();
        let body = json!({ "skill": market.skill, "amount": "1000", "buyer": victim });
        let named = market.app.post_as(mallory.agent.token(), "/marketplace/deposit", &body).await;
        assert_eq!(named.pointers("invalid_body"), ["/buyer"]);
        describe(&market.app, &mallory.agent, &market.skill, CALL).await.problem("licence_required");
        let settings = json!({ "name": "reader", "scopes": ["read"] });
        let reader = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &settings).await.json(201);
        let body = json!({ "skill": market.skill, "amount": "1000" });
        let secret = reader["key"].as_str().expect("a new key is shown");
        market.app.post_as(secret, "/marketplace/deposit", &body).await.problem("scope_missing");
        // What is described for one wallet is worth nothing under another's signature.
        let offer = offered(&market, &buyer, CALL).await;
        let sent = sign_and_send(&mallory.agent.key, &offer).await;
        assert!(sent["error"].is_object(), "{sent}");
        assert_eq!(market.licence(&buyer).await.credit(), CALL);
    }
}
