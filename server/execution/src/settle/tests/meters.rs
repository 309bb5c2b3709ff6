//! Receipts that were made under another meter than this server's: they hold up none of its own.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_interface::Key;
use clawos_receipts::{SigningKey, signature};

use super::forming::phantom;
use super::{MINUTE, NOW, World, licence, states};
use crate::account::Account;

/// Another server's meter, and the receipt key that it certified.
fn other() -> (SigningKey, SigningKey) {
    (SigningKey::from_bytes(&[5; 32]), SigningKey::from_bytes(&[6; 32]))
}

/// An account with a receipt of 10 units of this server, and one of the other.
async fn both(world: &World) -> Account {
    let (meter, key) = other();
    world.certify(&meter, &key).await;
    let account = world.account(1, 1, 1, 10, MINUTE).await;
    world.receipts(account, &[10]).await;
    phantom(world, account, &key, |receipt| receipt.key = signature::public_key(&key)).await;
    account
}

/// The units of the account's next batch, if one is formed of a licence with these meters.
async fn formed(world: &World, account: Account, meter: Key, previous_meter: Key) -> Option<u64> {
    let mut on_chain = licence(account, 0);
    (on_chain.meter, on_chain.previous_meter) = (meter, previous_meter);
    let due = world.due().await.remove(0);
    let batch = world.settler.form(&due, &states(account, on_chain), NOW).await.unwrap();
    batch.map(|batch| batch.contents.units)
}

#[tokio::test]
async fn receipts_of_a_meter_that_the_licence_names_wait_for_it_and_the_others_are_billed() {
    for world in World::on_each_database().await {
        let account = both(&world).await;
        let theirs = signature::public_key(&other().0);
        assert_eq!(formed(&world, account, theirs, [0; 32]).await, Some(10));
        assert_eq!(world.settlements(account).await, ["batched", "pending"]);
        // They make nothing due until it is looked at again.
        assert!(!world.is_due(account).await);
        assert!(world.audited().await.is_empty());
    }
}

#[tokio::test]
async fn receipts_that_no_meter_of_the_licence_can_record_are_waived_and_the_others_are_billed() {
    for world in World::on_each_database().await {
        // Of the proxy before, or of a "meter" that somebody with the database's password made up.
        let account = both(&world).await;
        let ours = world.settler.licensing.meter();
        assert_eq!(formed(&world, account, ours, signature::public_key(&other().0)).await, Some(10));
        assert_eq!(world.settlements(account).await, ["batched", "waived"]);
        let audited = world.audited().await;
        assert_eq!((audited.len(), &*audited[0].0), (1, "receipts.waive"), "{audited:?}");
        assert!(audited[0].1.starts_with("1 receipts, 500 units: "), "{audited:?}");
    }
}

#[tokio::test]
async fn the_proxy_before_waives_nothing_that_the_one_after_can_bill() {
    for world in World::on_each_database().await {
        let (meter, _) = other();
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        // The operator changed the meter and kept the receipt key; then he went back to the meter before.
        world.certify(&meter, world.settler.licensing.receipt_key()).await;
        let ours = world.settler.licensing.meter();
        assert_eq!(formed(&world, account, signature::public_key(&meter), ours).await, None);
        assert_eq!(world.settlements(account).await, ["pending"]);
        assert!(world.audited().await.is_empty());
    }
}
