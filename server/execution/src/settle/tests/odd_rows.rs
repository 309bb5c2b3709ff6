//! Rows that hold what no receipt has: they are set aside, and the licence's other receipts are settled.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use clawos_base::database::Kind;

use super::{MINUTE, NOW, World, licence, states};

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
