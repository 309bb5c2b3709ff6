//! Several servers that lease units of one licence from one database.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use clawos_base::{Database, ShiftedClock};

use super::*;
use crate::account::Account;
use crate::testing::databases;

const ACCOUNT: Account = Account { licence: [3; 32], opened_slot: 1 };

/// A server with a clock of its own.
struct Server {
    pools: Pools,
    clock: Arc<ShiftedClock>,
    db: Database,
    name: &'static str,
}

impl Server {
    fn new(db: &Database, name: &'static str) -> Server {
        let clock = Arc::new(ShiftedClock::default());
        let pools = Pools::new(db.clone(), clock.clone(), name.to_owned());
        Server { pools, clock, db: db.clone(), name }
    }

    async fn promise(&self, limit: u64, needed: u64) -> Result<Promise, ReserveError> {
        self.pools.promise(ACCOUNT, allowance(limit), 0, needed).await
    }

    /// Records that a call used `units`; whether the lease covers them.
    async fn capture(&self, units: u64) -> bool {
        let mut tx = self.db.write().await.unwrap();
        let covered = capture(&mut tx, &ACCOUNT, self.name, units).await.unwrap();
        tx.commit().await.unwrap();
        covered
    }
}

fn allowance(limit: u64) -> Allowance {
    Allowance { units: Some(limit), by_credit: false, per_batch: None, unrecorded: None, moved: None }
}

/// Puts batch `seq` of the account into the database, with sevens for its roots.
async fn add_batch(db: &Database, seq: i64, status: &str) {
    let insert =
        "INSERT INTO batches (licence, opened_slot, seq, prev_root, count, units, amount, tree_root, anchored_root,
             chain_root, sealed_newest, status, formed_at, retry_at)
         VALUES ($1, 1, $2, $3, 1, 1, 1, $3, $3, $3, $3, $4, 0, 0)";
    let licence = clawos_base::database::columns::key_text(&ACCOUNT.licence);
    sqlx::query(insert).bind(licence).bind(seq).bind(vec![7_u8; 32]).bind(status).execute(&**db).await.unwrap();
}

#[tokio::test]
async fn what_another_proxy_charged_for_is_not_carried_on_unless_its_last_batch_is_known() {
    for (_, db, _folder) in databases().await {
        let server = Server::new(&db, "one");
        let moved = Allowance { moved: Some([7; 32]), ..allowance(8) };
        // Nothing was recorded yet, so nothing has to be carried on.
        drop(server.pools.promise(ACCOUNT, moved, 0, 1).await.unwrap());
        server.pools.release().await.unwrap();
        let refused = server.pools.promise(ACCOUNT, moved, 5, 1).await.unwrap_err();
        assert!(matches!(refused, ReserveError::MeteredElsewhere));
        assert!(refused.to_string().contains("buy it again"), "{refused}");
        server.pools.check_units(ACCOUNT, moved, 5, 1).await.unwrap_err();
        // The same without another proxy is for the settler to judge.
        drop(server.pools.promise(ACCOUNT, allowance(8), 5, 1).await.unwrap());
        server.pools.release().await.unwrap();
        add_batch(&db, 5, "confirmed").await;
        drop(server.pools.promise(ACCOUNT, moved, 5, 1).await.unwrap());
        server.pools.release().await.unwrap();
        // Another one with its number is not it, nor is one that never landed.
        let other = Allowance { moved: Some([8; 32]), ..moved };
        assert!(matches!(server.pools.promise(ACCOUNT, other, 5, 1).await, Err(ReserveError::MeteredElsewhere)));
        sqlx::query("UPDATE batches SET status = 'dead'").execute(&*db).await.unwrap();
        assert!(matches!(server.pools.promise(ACCOUNT, moved, 5, 1).await, Err(ReserveError::MeteredElsewhere)));
    }
}

#[tokio::test]
async fn what_could_never_be_charged_is_not_served() {
    for (_, db, _folder) in databases().await {
        let server = Server::new(&db, "one");
        drop(server.promise(8, 1).await.unwrap());
        server.pools.release().await.unwrap();
        let stop = async |code: i64| {
            sqlx::query("UPDATE usage_accounts SET stopped = $1").bind(code).execute(&*db).await.unwrap();
        };
        stop(1).await;
        assert!(matches!(server.promise(8, 1).await, Err(ReserveError::UnknownBatch)));
        stop(2).await;
        assert!(matches!(server.promise(8, 1).await, Err(ReserveError::Stopped)));
        server.pools.check_units(ACCOUNT, allowance(8), 0, 1).await.unwrap_err();
        // Withheld is a batch only while it is there.
        stop(3).await;
        drop(server.promise(8, 1).await.unwrap());
        server.pools.release().await.unwrap();
        add_batch(&db, 1, "pending").await;
        assert!(matches!(server.promise(8, 1).await, Err(ReserveError::Stopped)));
    }
}

#[tokio::test]
async fn extending_a_lease_leaves_the_other_servers_their_units() {
    for (_, db, _folder) in databases().await {
        let (one, two) = (Server::new(&db, "one"), Server::new(&db, "two"));
        // A quarter of eight.
        drop(one.promise(8, 1).await.unwrap());
        for _ in 0..5 {
            one.clock.advance(LEASE_MS - LEASE_MARGIN_MS + 1);
            drop(one.promise(8, 1).await.unwrap());
        }
        two.promise(8, 6).await.unwrap();
    }
}

#[tokio::test]
async fn units_that_another_server_holds_can_be_had_later() {
    for (_, db, _folder) in databases().await {
        let (one, two) = (Server::new(&db, "one"), Server::new(&db, "two"));
        drop(one.promise(8, 8).await.unwrap());
        assert!(matches!(two.promise(8, 1).await, Err(ReserveError::SetAside)));
        assert!(matches!(two.promise(8, 9).await, Err(ReserveError::Exhausted { available: 0, .. })));
        two.clock.advance(LEASE_MS);
        two.promise(8, 1).await.unwrap();
    }
}

#[tokio::test]
async fn what_lapsed_and_was_leased_again_is_sold_once_whatever_the_clocks_say() {
    for (_, db, _folder) in databases().await {
        let (slow, fast) = (Server::new(&db, "slow"), Server::new(&db, "fast"));
        fast.clock.advance(LEASE_MS);
        let promised = slow.promise(8, 8).await.unwrap();
        fast.promise(8, 8).await.unwrap().capture(8);
        assert!(fast.capture(8).await);
        // To the slow server its lease is still good.
        assert!(!slow.capture(8).await);
        drop(promised);
        // A lapse that nobody made use of costs nothing.
        slow.clock.advance(LEASE_MS - LEASE_MARGIN_MS + 1);
        let promised = slow.promise(16, 8).await.unwrap();
        slow.clock.advance(2 * LEASE_MS);
        assert!(slow.capture(8).await);
        promised.capture(8);
    }
}

#[tokio::test]
async fn a_look_at_what_could_be_promised_changes_nothing() {
    for (_, db, _folder) in databases().await {
        let (one, two) = (Server::new(&db, "one"), Server::new(&db, "two"));
        one.pools.check_units(ACCOUNT, allowance(8), 0, 8).await.unwrap();
        assert!(matches!(
            one.pools.check_units(ACCOUNT, allowance(8), 0, 9).await,
            Err(ReserveError::Exhausted { available: 8, .. })
        ));
        let rows: (i64,) = sqlx::query_as("SELECT COUNT(*) FROM usage_accounts").fetch_one(&*db).await.unwrap();
        assert_eq!(rows.0, 0);
        two.promise(8, 8).await.unwrap();
    }
}
