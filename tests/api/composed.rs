//! A skill composed of two components is published, bought and called like any other; one that lacks a part is refused.

use clawos_tests::app::databases;
use clawos_tests::composed_skill::{composed, shouter, voices};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use serde_json::json;

use crate::execute::receipt;
use crate::publish::publish;
use crate::settlement::CALL;

/// Answers with its payload in capitals, names included.
fn shouting(handle: &str, artifact: Vec<u8>) -> Publication {
    let schema = r#"{"type":"object","properties":{"TEXT":{"type":"string"}},"required":["TEXT"]}"#;
    let echo = Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    let echo = echo.file("schemas/out.json", schema).file("examples/out.json", r#"{"TEXT":"HELLO"}"#);
    Publication { artifact, ..echo }
}

#[tokio::test]
async fn a_composed_skill_is_sold_and_called() {
    for database in databases().await {
        let whole = composed(shouter(), voices(false));
        let market = Market::open(&database, |handle| shouting(handle, whole)).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, CALL).await;
        let answer = market.call(&buyer, "louder").await.json(200);
        assert_eq!(answer["result"], json!({ "TEXT": "LOUDER" }));
        assert_eq!(receipt(&answer).receipt.units, 1);

        let author = market.app.enrol("half").await;
        let half = publish(&market.app, &author, &shouting("half", shouter()).signed(&author.key)).await;
        let problem = half.problem("artifact_invalid");
        assert!(problem.to_string().contains("acme:voices/shout@1.0.0"), "{problem}");
    }
}
