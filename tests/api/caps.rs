//! A buyer who leaves, or who lets little be recorded at a time, has paid for what was served.

use clawos_interface::rules::usage::Caps;
use clawos_interface::{ExitKind, Kind};
use clawos_tests::app::databases;
use clawos_tests::market::Market;
use reqwest::header;

use crate::execute::receipt;
use crate::settlement::{CALL, check_proof, usage};
use crate::tampered::{another_settles, nobody_settles};

/// The local chain's settle delay leaves 175 s for settlement, in which 5 full batches are surely recorded.
const UNRECORDED: usize = 5;

#[tokio::test]
async fn under_a_tiny_batch_cap_no_more_is_served_than_can_be_recorded_before_the_buyer_leaves() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        another_settles(&market).await;
        let buyer = market.buyer("buyer").await;
        market.buy(&buyer, Kind::Usage, Caps { max_units_per_batch: 1, ..Caps::default() }).await;
        market.deposit(&buyer, 1_000 * CALL).await;
        let mut signed = Vec::new();
        for n in 0..UNRECORDED {
            signed.push(receipt(&market.call(&buyer, &n.to_string()).await.json(200)));
        }
        let refused = market.call(&buyer, "too many").await;
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(refused.problem("units_busy")["retryable"], true);
        // Each full batch is recorded at once, long before its age would make it due, and then calls go on.
        nobody_settles(&market).await;
        for one in &signed {
            market.anchored(&buyer, &one.receipt.id).await;
        }
        market.call(&buyer, "again").await.json(200);
    }
}

#[tokio::test]
async fn an_exit_has_usage_recorded_before_its_time() {
    for database in databases().await {
        let market = Market::open(&database, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 10 * CALL).await;
        let signed = receipt(&market.call(&buyer, "hello").await.json(200));
        let asked = market.chain.request_exit(&buyer.wallet, &market.skill_account(), ExitKind::Close).await;
        asked.expect("a buyer may leave");
        // Exits are looked for much more often than usage comes of age.
        market.app.clock.advance(16_000);
        check_proof(&market, &buyer, &signed).await;
        assert_eq!(market.licence(&buyer).await.credit(), 9 * CALL);
    }
}
