//! Licences whose buyer renewed them with another proxy's meter: at the proxy before, and at the one after.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_interface::accounts::Licence;
use clawos_interface::integers::{I64, U64};
use clawos_receipts::Receipt;
use clawos_receipts::seal::seal;

use super::{MINUTE, NOW, World, licence, states};
use crate::account::Account;
use crate::settle::Batch;
use crate::settle::store::Change;

/// An account with a receipt for which nothing is paid, as of a subscription.
async fn subscription(world: &World, n: u16) -> Account {
    let account = world.account(n, 1, 0, 0, MINUTE).await;
    unpaid(world, account).await;
    account
}

async fn unpaid(world: &World, account: Account) {
    let made = Receipt { unit_price: 0, amount: 0, ..world.receipt(account, 5, super::ISSUED_AT) };
    let signed = seal(vec![made], world.settler.licensing.receipt_key()).unwrap().remove(0);
    world.store(account, &signed).await;
    world.count(account).await;
}

/// Its licence, for which another proxy recorded five batches.
fn moved_here(account: Account, unit_price: u64) -> Licence {
    let mut licence = licence(account, 0);
    (licence.previous_meter, licence.unit_price) = ([1; 32], U64::new(unit_price));
    (licence.usage_seq, licence.chain_root) = (U64::new(5), [9; 32]);
    licence
}

/// The licence after the buyer renewed it with another proxy's meter; this one's may record until then.
fn moved_away(world: &World, account: Account, until_ms: i64) -> Licence {
    let mut licence = licence(account, 0);
    (licence.meter, licence.previous_meter) = ([1; 32], world.settler.licensing.meter());
    (licence.meter_until, licence.unit_price) = (I64::new(until_ms / 1_000), U64::new(0));
    licence
}

async fn form(world: &World, account: Account, on_chain: Licence) -> Option<Batch> {
    let due = world.due().await.into_iter().find(|due| due.account == account).unwrap();
    world.settler.form(&due, &states(account, on_chain), NOW).await.unwrap()
}

#[tokio::test]
async fn where_nothing_is_paid_per_unit_the_next_proxy_carries_on_the_record() {
    for world in World::on_each_database().await {
        let account = subscription(&world, 1).await;
        let batch = form(&world, account, moved_here(account, 0)).await.unwrap();
        assert_eq!((batch.contents.seq, batch.contents.prev_root), (6, [9; 32]));
        world.settler.change(&batch, Change::Confirmed { slot: 1 }).await.unwrap();
        unpaid(&world, account).await;
        let mut after = moved_here(account, 0);
        (after.usage_seq, after.chain_root) = (U64::new(6), batch.contents.chain_root);
        assert_eq!(form(&world, account, after).await.unwrap().contents.seq, 7);
        assert!(world.audited().await.is_empty());
    }
}

#[tokio::test]
async fn where_units_are_paid_an_unknown_batch_still_stops_it() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        assert!(form(&world, account, moved_here(account, 1)).await.is_none());
        assert_eq!(world.settlements(account).await, ["pending"]);
        assert_eq!(world.audited().await[0].0, "account.stop");
    }
}

#[tokio::test]
async fn the_proxy_before_records_what_it_served_while_it_may_and_waives_the_rest() {
    for world in World::on_each_database().await {
        let in_time = subscription(&world, 1).await;
        // The proxy after was faster: it recorded a batch already.
        let mut on_chain = moved_away(&world, in_time, NOW + MINUTE);
        (on_chain.usage_seq, on_chain.chain_root) = (U64::new(1), [9; 32]);
        assert_eq!(form(&world, in_time, on_chain).await.unwrap().contents.seq, 2);
        assert!(world.audited().await.is_empty());
        let late = subscription(&world, 2).await;
        assert!(form(&world, late, moved_away(&world, late, NOW)).await.is_none());
        assert_eq!((world.settlements(late).await, world.pending(late).await), (vec!["waived".to_owned()], (0, 0, 0)));
        let audited = world.audited().await.remove(0);
        assert_eq!((&*audited.0, audited.1.contains("another meter by now")), ("receipts.waive", true), "{audited:?}");
    }
}

#[tokio::test]
async fn with_a_meter_key_that_the_licence_never_named_nothing_is_given_up() {
    for world in World::on_each_database().await {
        let account = subscription(&world, 1).await;
        let mut on_chain = moved_away(&world, account, NOW);
        // The operator started the server with another key: the licence's is to come back.
        on_chain.previous_meter = [2; 32];
        let batch = form(&world, account, on_chain).await.unwrap();
        world.settler.send(vec![batch], &states(account, on_chain)).await.unwrap();
        assert_eq!(world.settlements(account).await, ["batched"]);
        assert!(world.audited().await.is_empty());
    }
}

#[tokio::test]
async fn a_batch_that_the_proxy_before_may_not_send_any_more_is_voided() {
    for world in World::on_each_database().await {
        let account = subscription(&world, 1).await;
        let batch = form(&world, account, moved_away(&world, account, NOW + MINUTE)).await.unwrap();
        world.settler.send(vec![batch], &states(account, moved_away(&world, account, NOW))).await.unwrap();
        assert_eq!(world.settlements(account).await, ["waived"]);
        assert_eq!(world.audited().await[0].0, "batch.void");
    }
}
