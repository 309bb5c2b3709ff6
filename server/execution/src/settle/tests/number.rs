//! A batch whose number is stored already, though the chain still waits for it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::{MINUTE, NOW, World, licence, states};
use crate::settle::find_batch;
use crate::settle::store::Change;

#[tokio::test]
async fn a_dead_batch_whose_number_the_chain_waits_for_is_formed_again_with_what_came_since() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 2, 5, MINUTE).await;
        world.receipts(account, &[2, 3]).await;
        let due = world.due().await.remove(0);
        let unsent = world.settler.form(&due, &states(account, licence(account, 0)), NOW).await.unwrap().unwrap();
        let mut other = licence(account, 0);
        other.chain_root = [8; 32];
        let other = states(account, other);
        world.settler.conclude(vec![unsent], &other).await.unwrap();
        world.receipts(account, &[4]).await;
        assert!(world.settler.form(&due, &other, NOW).await.unwrap().is_none());
        assert!(find_batch(&world.settler.db, &account, 1).await.unwrap().is_none());
        assert_eq!(
            (world.settlements(account).await, world.pending(account).await),
            (vec!["pending".to_owned(); 3], (9, 3, 9))
        );
        let again = world.settler.form(&due, &other, NOW).await.unwrap().unwrap().contents;
        assert_eq!((again.seq, again.prev_root, again.count, again.units), (1, [8; 32], 3, 9));
        let actions: Vec<String> = world.audited().await.into_iter().map(|(action, _)| action).collect();
        assert_eq!(actions, ["batch.dead", "batch.reopen"]);
    }
}

#[tokio::test]
async fn a_settled_batch_that_a_node_does_not_show_is_not_formed_again() {
    for world in World::on_each_database().await {
        let account = world.account(1, 1, 1, 10, MINUTE).await;
        world.receipts(account, &[10]).await;
        let due = world.due().await.remove(0);
        let before = states(account, licence(account, 0));
        let batch = world.settler.form(&due, &before, NOW).await.unwrap().unwrap();
        world.settler.change(&batch, Change::Confirmed { slot: 1 }).await.unwrap();
        world.receipts(account, &[20]).await;
        // The node is behind; the account is left alone for a while.
        assert!(world.settler.form(&due, &before, NOW).await.unwrap().is_none());
        assert!(!world.is_due(account).await);
        assert_eq!(world.again(account).await.contents, batch.contents);
        assert_eq!(world.pending(account).await, (20, 1, 20));
        assert!(world.audited().await.is_empty());
    }
}
