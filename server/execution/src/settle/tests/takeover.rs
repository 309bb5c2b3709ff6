//! Two servers on one database: one settles at a time, and when the other takes over nothing is settled twice.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::atomic::Ordering;

use super::{MINUTE, NOW, World, licence, states};
use crate::settle::hold::HOLD_MS;
use crate::settle::store::Change;
use crate::settle::{Memory, SettleError, Settler};

/// Lets time pass (milliseconds).
fn pass(world: &World, ms: i64) {
    world.clock.0.fetch_add(ms, Ordering::Relaxed);
}

#[tokio::test]
async fn one_server_settles_for_as_long_as_it_says_so_in_time() {
    for world in World::on_each_database().await {
        let (first, second) = (&world.settler, world.second());
        first.hold.keep().await.unwrap();
        // However long a round lasts, it is renewed between two licences.
        for _ in 0..5 {
            pass(&world, HOLD_MS - 1);
            first.hold.keep().await.unwrap();
            assert!(!second.hold.take().await.unwrap());
            assert!(!second.round(&mut Memory::default()).await.unwrap());
        }
        // It stood still for longer.
        pass(&world, HOLD_MS);
        assert!(second.hold.take().await.unwrap());
        assert!(matches!(first.hold.keep().await, Err(SettleError::TakenOver)));
        second.hold.release().await;
        first.hold.keep().await.unwrap();
    }
}

#[tokio::test]
async fn a_round_stops_where_another_server_took_over() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        let due = world.due().await.remove(0);
        let states = states(account, licence(account, 0));
        let batch = world.settler.form(&due, &states, NOW).await.unwrap().unwrap();
        assert!(world.second().hold.take().await.unwrap());
        let concluded = world.settler.conclude(vec![batch.clone()], &states).await;
        assert!(matches!(concluded, Err(SettleError::TakenOver)));
        assert!(matches!(world.settler.send(vec![batch], &states).await, Err(SettleError::TakenOver)));
    }
}

#[tokio::test]
async fn two_servers_that_settle_at_once_form_one_batch() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 2, 30, MINUTE).await;
        world.receipts(account, &[10, 20]).await;
        let due = world.due().await.remove(0);
        let states = states(account, licence(account, 0));
        let second = world.second();
        let form = async |settler: &Settler| settler.form(&due, &states, NOW).await.ok().flatten();
        let (one, other) = tokio::join!(form(&world.settler), form(&second));
        assert_eq!(usize::from(one.is_some()) + usize::from(other.is_some()), 1);
        assert!(form(&second).await.is_none());
        assert_eq!(world.settlements(account).await, ["batched", "batched"]);
        assert_eq!(world.pending(account).await, (0, 0, 0));
    }
}

#[tokio::test]
async fn who_was_overtaken_changes_nothing_that_the_other_did() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        let due = world.due().await.remove(0);
        let states = states(account, licence(account, 0));
        let seen = world.settler.form(&due, &states, NOW).await.unwrap().unwrap();
        // The other server sends it.
        let sent = Change::Submitted { tx: "theirs", last_valid_height: 1 };
        world.second().change(&seen, sent).await.unwrap();
        let ours = Change::Submitted { tx: "ours", last_valid_height: 1 };
        let broken = Change::Pending { problem: Some("broken"), retry_at: 0 };
        for late in [ours, broken, Change::Dead { problem: "lost" }] {
            assert!(matches!(world.settler.change(&seen, late).await, Err(SettleError::Overtaken)));
        }
        let mut dearer = licence(account, 0);
        dearer.unit_price.set(2);
        let states = super::states(account, dearer);
        world.settler.conclude(vec![seen], &states).await.unwrap_err();
        let stored = world.again(account).await;
        assert_eq!((stored.transaction.as_deref(), stored.problem), (Some("theirs"), None));
        assert_eq!(world.settlements(account).await, ["batched"]);
        assert!(world.audited().await.is_empty());
    }
}
