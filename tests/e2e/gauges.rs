//! What an operator's monitor reads: the gauges say what the chain and the books say.

use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::Stop;

use crate::world::{SETTLE_LATE, World, on_both_databases, until};

on_both_databases!(gauges_say_what_the_meter_has_and_what_is_owed);

async fn gauges_say_what_the_meter_has_and_what_is_owed(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    world.sell(LOOPS, &[], "1");
    for payload in ["1", "2", "3"] {
        world.buyer.run(&["exec", LOOPS, "echo", payload]);
    }
    // They are measured when the server starts, and then every minute.
    world.server.restart(Stop::Term);
    until("the gauges are measured", async || read(&world, "clawos_unknown_batch_licences").await.is_some()).await;
    let meter = world.sol(&world.chain.address("meter")).await;
    assert!(meter > 0);
    assert_eq!(read(&world, "clawos_meter_lamports").await, Some(meter as f64));
    assert_eq!(read(&world, "clawos_unsettled_receipts").await, Some(3.0));
    assert_eq!(read(&world, "clawos_unsettled_units").await, Some(3.0));
    assert_eq!(read(&world, "clawos_unknown_batch_licences").await, Some(0.0));
    let oldest = read(&world, "clawos_unsettled_oldest_seconds").await.expect("it is measured");
    assert!(oldest > 0.0 && oldest < 110.0, "settlement begins after that: {oldest}");
}

/// A gauge's value; `None` before it is measured.
async fn read(world: &World, gauge: &str) -> Option<f64> {
    let answer = reqwest::get(format!("{}/metrics", world.server.operations())).await.expect("it answers");
    let metrics = answer.text().await.expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix(gauge)?.strip_prefix(' ').map(str::to_owned))?;
    Some(line.parse().expect("a number"))
}
