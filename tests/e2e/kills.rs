//! The server, or its PostgreSQL, killed (`kill -9`) during calls and during settlement: nothing is lost and nothing happens
//! twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{self, LOOPS};
use clawos_tests::postgres::OwnCluster;
use clawos_tests::processes::Stop;
use clawos_tests::processes::clawos::units;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, on_both_databases, until};

/// Rounds of work of a slow call: about a third of a second on an idle core.
const SLOW: u64 = 60_000_000;
/// Calls at the same time.
const PARALLEL: usize = 4;
/// What is deposited, in base units.
const DEPOSIT: u64 = 5_000_000;

/// A seller whose `sleepless` may take long.
fn slow_skill(world: &World) -> Key {
    world.edit(LOOPS, "fuel = 200_000_000", "fuel = 1_000_000_000");
    world.edit(LOOPS, "wall_ms = 2_000", "wall_ms = 20_000");
    world.sell(LOOPS, &[], "5")
}

/// Repeats a call with its key until it is answered; gives its receipt's id.
pub(crate) async fn answered(world: &World, endpoint: &str, payload: &Value, key: &str) -> String {
    for _ in 0..100 {
        let answer = world.call(LOOPS, endpoint, payload.clone(), key).await;
        if let Some(answer) = answer.filter(|answer| answer.status.as_u16() < 500 && answer.status != 409) {
            return receipt_id(&answer.json(200));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{key} is never answered");
}

fn receipt_id(answer: &Value) -> String {
    answer["receipt"]["id"].as_str().expect("a receipt").to_owned()
}

on_both_databases!(killed_during_calls);

async fn killed_during_calls(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_AT_ONCE);
    let licence = slow_skill(&world);
    let payload = json!({ "times": SLOW });
    let mut known = BTreeMap::new();
    let mut cut = 0;
    for (round, delay) in [40, 250, 600, 1_100].into_iter().enumerate() {
        let keys: Vec<String> = (0..PARALLEL).map(|n| format!("slow-{round}-{n}")).collect();
        let first_tries = {
            let calls = join_all(keys.iter().map(|key| world.call(LOOPS, "sleepless", payload.clone(), key)));
            tokio::pin!(calls);
            // In the middle of the calls the process is gone; what they have by then is what their callers know.
            tokio::select! {
                answers = &mut calls => answers,
                () = tokio::time::sleep(Duration::from_millis(delay)) => {
                    world.server.kill_now();
                    calls.await
                }
            }
        };
        world.server.restart(Stop::Kill);
        for (key, first) in keys.into_iter().zip(first_tries) {
            let id = answered(&world, "sleepless", &payload, &key).await;
            cut += usize::from(first.is_none());
            if let Some(first) = first.filter(|answer| answer.status == 200) {
                assert_eq!(receipt_id(&first.json(200)), id, "an answered call is the same call after a restart");
            }
            known.insert(key, id);
        }
    }
    assert!(cut >= PARALLEL, "only {cut} calls were cut off: they are too quick");
    one_receipt_for_each(&world, &known).await;
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: DEPOSIT }]).await;
}

/// The calls that callers know of are the calls that were billed: each once, and no other.
pub(crate) async fn one_receipt_for_each(world: &World, known: &BTreeMap<String, String>) {
    let receipts = books::receipts(world, &world.buyer, LOOPS).await;
    let listed: BTreeSet<&str> = receipts.iter().map(|receipt| receipt["id"].as_str().unwrap()).collect();
    let answered: BTreeSet<&str> = known.values().map(String::as_str).collect();
    assert_eq!(answered.len(), known.len(), "two calls share a receipt");
    assert_eq!(listed, answered, "receipts and answered calls");
}

on_both_databases!(killed_during_settlement);

async fn killed_during_settlement(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, &["--settle-max-age-ms", "40", "--anchor-max-age-ms", "40"]);
    let licence = world.sell(LOOPS, &[], "5");
    let mut known = BTreeMap::new();
    let mut on_their_way = 0;
    for round in 0..12 {
        for n in 0..3 {
            let key = format!("call-{round}-{n}");
            let id = answered(&world, "echo", &json!({ "n": n }), &key).await;
            known.insert(key, id);
        }
        // Killed at once, or when a batch has been sent, unless all are confirmed by the time they are looked at.
        if round % 3 != 0 {
            on_their_way += usize::from(is_sent(&world, &licence, known.len()).await);
        }
        world.server.stop(Stop::Kill);
        if round % 3 == 2 {
            world.chain.stop(Stop::Kill);
            world.chain.run();
        }
        world.server.run();
    }
    assert!(on_their_way > 0, "no batch was on its way when the server was killed");
    one_receipt_for_each(&world, &known).await;
    let totals = books::audit(&world, &[Account { skill: LOOPS, licence, deposited: DEPOSIT }]).await;
    assert_eq!((totals[LOOPS].units, totals[LOOPS].amount), (36, 36_000));
}

/// Waits until a batch is on its way (`true`), or the batches with `calls` of them are all confirmed.
async fn is_sent(world: &World, licence: &Key, calls: usize) -> bool {
    let mut sent = false;
    until("a batch is sent", async || {
        let batches = books::batches(world, licence).await;
        sent = batches.iter().any(|batch| batch["status"] == "submitted");
        let confirmed = batches.iter().filter(|batch| batch["status"] == "confirmed");
        sent || confirmed.map(|batch| units(&batch["count"])).sum::<u64>() == calls as u64
    })
    .await;
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_during_calls() {
    if !guests::available() {
        return;
    }
    let Some(postgres) = OwnCluster::start().await else { return };
    let world = World::enrolled_on(&TestDatabase::Postgres(postgres.url.clone()), SETTLE_AT_ONCE);
    let licence = slow_skill(&world);
    let mut known = BTreeMap::new();
    let mut failed = 0;
    for round in 0..2 {
        let keys: Vec<String> = (0..PARALLEL).map(|n| format!("killed-{round}-{n}")).collect();
        // Each takes longer than the one before, so that some are under way when the first is answered.
        let work = |n: usize| json!({ "times": SLOW / 12 * (n as u64 + 1) });
        let call = async |n: usize| (n, world.call(LOOPS, "sleepless", work(n), &keys[n]).await);
        let mut calls: FuturesUnordered<_> = (0..PARALLEL).map(call).collect();
        let mut first_tries = vec![calls.next().await.expect("there are calls")];
        postgres.kill().await;
        first_tries.extend(calls.collect::<Vec<_>>().await);
        postgres.run().await;
        for (n, first) in first_tries {
            let id = answered(&world, "sleepless", &work(n), &keys[n]).await;
            match first.expect("the server goes on") {
                first if first.status == 200 => assert_eq!(receipt_id(&first.json(200)), id, "an answered call stays"),
                first => {
                    assert!(first.status.is_server_error(), "{first:?}");
                    failed += 1;
                }
            }
            known.insert(keys[n].clone(), id);
        }
    }
    assert!(failed > 0, "no call met a dead database: they are too quick");
    one_receipt_for_each(&world, &known).await;
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: DEPOSIT }]).await;
}
