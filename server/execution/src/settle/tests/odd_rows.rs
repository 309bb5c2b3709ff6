//! Rows that hold what no receipt has: they are set aside, and the licence's other receipts are settled.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_base::database::Kind;

use super::{MINUTE, NOW, World, licence, states};
use crate::settle::Memory;

#[tokio::test]
async fn a_value_of_another_type_keeps_no_other_receipt_waiting() {
    // SQLite takes them; PostgreSQL does not.
    let changes = [
        "UPDATE receipts SET units = 'many' WHERE id = $1",
        "UPDATE receipts SET amount = 1.5 WHERE id = $1",
        "UPDATE receipts SET issued_at = 'yesterday' WHERE id = $1",
        "UPDATE receipts SET buyer = x'00ff' WHERE id = $1",
        "UPDATE receipts SET leaf = 'leaf' WHERE id = $1",
        "UPDATE receipts SET body = x'00ff' WHERE id = $1",
        "UPDATE receipts SET body = CAST(x'ff' AS TEXT) WHERE id = $1",
        "UPDATE receipts SET units = 'many', body = CAST(x'ff' AS TEXT) WHERE id = $1",
    ];
    for world in World::on_each_database().await.into_iter().filter(|world| world.settler.db.kind() == Kind::Sqlite) {
        for (n, change) in (1..).zip(changes) {
            let account = world.account(n, 1, 3, 60, MINUTE).await;
            let signed = world.receipts(account, &[20, 30, 10]).await;
            world.tamper(change, &signed[1].receipt.id).await;
            let due = world.due().await.into_iter().find(|due| due.account == account).unwrap();
            let states = states(account, licence(account, 0));
            let batch = world.settler.form(&due, &states, NOW).await.unwrap().unwrap();
            assert_eq!((batch.contents.count, batch.contents.units), (2, 30), "{change}");
            assert_eq!(world.pending(account).await, (0, 0, 0), "{change}");
            let audited = world.audited().await.pop().unwrap();
            assert_eq!(
                (audited.0.as_str(), audited.1.contains("of another type")),
                ("receipt.set_aside", true),
                "{change}"
            );
            // Nor does such a row, in a batch, keep its server from saying so.
            world.tamper("UPDATE receipts SET seller = x'00' WHERE id = $1", &signed[0].receipt.id).await;
            assert!(!world.settler.is_as_signed(&batch).await.unwrap(), "{change}");
            assert_eq!(world.audited().await.pop().unwrap().0, "batch.withhold", "{change}");
        }
    }
}

#[tokio::test]
async fn numbers_too_large_to_be_added_up_keep_no_other_receipt_waiting() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 4, 61, MINUTE).await;
        let signed = world.receipts(account, &[20, 30, 10, 1]).await;
        let huge = "UPDATE receipts SET units = 9223372036854775807, amount = 9223372036854775807 WHERE id = $1";
        for one in &signed[..3] {
            world.tamper(huge, &one.receipt.id).await;
        }
        world.tamper("UPDATE receipts SET units = -9223372036854775807 WHERE id = $1", &signed[2].receipt.id).await;
        world.count(account).await;
        assert_eq!(world.pending(account).await, (1 << 53, 4, 1 << 53));
        let due = world.due().await.remove(0);
        let batch = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        assert_eq!((batch.contents.count, batch.contents.units), (1, 1));
        assert_eq!(world.settlements(account).await, ["set_aside", "set_aside", "set_aside", "batched"]);
        assert_eq!(world.pending(account).await, (0, 0, 0));
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_its_own_licence_and_no_other() {
    for world in World::on_each_database().await {
        let sent = [world.account(1, 1, 0, 0, MINUTE).await, world.account(2, 1, 0, 0, MINUTE).await];
        let waiting = [world.account(3, 1, 1, 5, MINUTE).await, world.account(4, 1, 1, 5, MINUTE).await];
        for account in sent {
            world.batch(account).await;
        }
        let licence = |account: crate::account::Account| clawos_base::database::columns::key_text(&account.licence);
        world.tamper("UPDATE batches SET units = -1 WHERE licence = $1", &licence(sent[0])).await;
        world.tamper("UPDATE usage_accounts SET skill_account = 'x' WHERE licence = $1", &licence(waiting[0])).await;
        assert!(world.ready().await.into_iter().eq([sent[1]]));
        assert!(!world.is_due(waiting[0]).await && world.is_due(waiting[1]).await);
        for _ in 0..2 {
            // It goes on to the chain, which is not there.
            world.settler.round(&mut Memory::default()).await.unwrap_err();
        }
        let stopped: Vec<(String, i64)> =
            sqlx::query_as("SELECT licence, stopped FROM usage_accounts WHERE stopped <> 0 ORDER BY stopped")
                .fetch_all(&*world.settler.db)
                .await
                .unwrap();
        assert_eq!(stopped, [(licence(waiting[0]), 2), (licence(sent[0]), 3)]);
        assert!(world.audited().await.iter().map(|(action, _)| action).eq(["account.stop", "account.stop"]));
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_keeps_nothing_waiting() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        let bad = "INSERT INTO receipt_keys (key, meter, from_ms, to_ms, certificate) VALUES ($1, $1, 0, 0, $1)";
        world.tamper(bad, "no key").await;
        let due = world.due().await.remove(0);
        let batch = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        assert_eq!(batch.contents.units, 10);
    }
}
