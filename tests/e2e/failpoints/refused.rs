//! Batches that the chain will not take, with the server ended while it gives them up: those that the buyer's caps forbid are
//! formed again and paid once, and those of a closed licence are dead for good.

use clawos_base::Failpoint;
use clawos_client::solana::actions::skill_address;
use clawos_interface::ExitKind;
use clawos_interface::rules::usage::Caps;
use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::clawos::key;
use serde_json::{Value, json};

use super::{Story, Work, work_of};
use crate::books;
use crate::kills::{answered, one_receipt_for_each};
use crate::world::{SETTLE_LATE, on_both_databases, until};

/// Calls in the batch.
const CALLS: usize = 3;
/// Seconds until the program lets credit go, or holds usage to lower caps.
const SETTLE_DELAY: i64 = 300;

on_both_databases!(what_the_caps_forbid_by_now_is_formed_again);

async fn what_the_caps_forbid_by_now_is_formed_again(database: &TestDatabase) {
    let mut story = story_with_a_stored_batch(database).await;
    // While no server runs, the buyer allows less than is in the batch.
    let caps = Caps { usage_limit: 0, max_units_per_batch: 2, max_units_per_day: 0 };
    let (chain, buyer) = (story.world.ledger(), story.world.buyer.wallet());
    chain.set_licence_caps(&buyer, &skill(&story), &caps).await.expect("the buyer may");
    story.world.advance(SETTLE_DELAY).await;
    ends_at_each_point(&mut story, Work::Reopen);
    story.world.server.run();
    until("smaller batches are formed", async || books::batches(&story.world, &story.licence).await.len() == 2).await;
    story.audit().await;
}

on_both_databases!(what_a_closed_licence_owes_is_given_up);

async fn what_a_closed_licence_owes_is_given_up(database: &TestDatabase) {
    let mut story = story_with_a_stored_batch(database).await;
    // While no server runs, the buyer takes all credit back.
    let (chain, buyer) = (story.world.ledger(), story.world.buyer.wallet());
    let listing = chain.listing(&skill(&story)).await.expect("it is registered");
    chain.request_exit(&buyer, &skill(&story), ExitKind::Close).await.expect("the buyer may");
    story.world.advance(SETTLE_DELAY).await;
    let licence = chain.licence_at(&story.licence).await.expect("the chain answers").value.expect("there is one");
    chain.execute_exit(&buyer, &listing, &licence).await.expect("the delay is over");
    ends_at_each_point(&mut story, Work::GiveUp);
    story.world.server.run();
    let author = key(&Value::from(story.world.author.address()));
    let batches = books::batches(&story.world, &story.licence).await;
    let stood: Vec<&Value> = batches.iter().map(|batch| &batch["status"]).collect();
    assert_eq!(stood, [&json!("dead")]);
    assert_eq!(story.world.usdc(&author).await, 0, "nobody pays");
    one_receipt_for_each(&story.world, &story.known).await;
}

/// Calls whose batch is stored and not sent; no server runs.
async fn story_with_a_stored_batch(database: &TestDatabase) -> Story {
    let mut story = Story::begin_with(database, SETTLE_LATE);
    for n in 0..CALLS {
        let name = format!("call-{n}");
        let receipt = answered(&story.world, "echo", &json!({ "n": n }), &name).await;
        story.known.insert(name, receipt);
    }
    // All of them are due when it starts again, and go into one batch.
    story.world.settle_at_once();
    story.end_at(Failpoint::BatchStored);
    story.down(Failpoint::BatchStored);
    story
}

/// The server gives the batch up by itself, and ends at each point of that.
fn ends_at_each_point(story: &mut Story, work: Work) {
    for point in Failpoint::ALL.into_iter().filter(|point| work_of(*point) == work) {
        story.end_at(point);
        story.down(point);
    }
}

fn skill(story: &Story) -> Key {
    skill_address(&key(&Value::from(story.world.author.address())), LOOPS)
}
