//! PostgreSQL killed (`kill -9`) at a statement of a publish, and of a settlement: before it is done, and with its answer lost.
//! In `kills` it is killed during calls.

use std::collections::BTreeMap;
use std::process::Stdio;

use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{self, LOOPS};
use clawos_tests::halting_relay::{HaltingRelay, Moment};
use clawos_tests::postgres::OwnCluster;
use clawos_tests::processes::Stop;
use reqwest::Url;
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::kills::{answered, one_receipt_for_each};
use crate::world::{SETTLE_AT_ONCE, World};

/// A marketplace on a PostgreSQL of its own, which the server reaches by a relay.
struct Story {
    world: World,
    licence: Key,
    postgres: OwnCluster,
    relay: HaltingRelay,
}

impl Story {
    /// `None` where no PostgreSQL is installed, or no compiler for guests.
    async fn begin() -> Option<Story> {
        if !guests::available() {
            return None;
        }
        let postgres = OwnCluster::start().await?;
        let mut url = Url::parse(&postgres.url).expect("it has a URL");
        let port = url.port().expect("it has a port of its own");
        let relay = HaltingRelay::to(&format!("127.0.0.1:{port}")).await;
        url.set_port(Some(relay.port())).expect("it has a host");
        let world = World::enrolled_on(&TestDatabase::Postgres(url.into()), SETTLE_AT_ONCE);
        let licence = world.sell(LOOPS, &[], "5");
        Some(Story { world, licence, postgres, relay })
    }

    /// From now on the relay halts at this statement: on new connections, since a known statement goes by its number.
    fn halt(&mut self, statement: &str, moment: Moment) {
        self.world.server.restart(Stop::Term);
        self.relay.halt(statement, moment);
    }

    /// Kills the database once the relay has halted, and runs it again.
    async fn kill(&self) {
        self.relay.halted().await;
        self.postgres.kill().await;
        self.relay.go_on();
        self.postgres.run().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_during_publish() {
    let Some(mut story) = Story::begin().await else { return };
    let mut versions = vec!["1.0.0".to_owned()];
    for (statement, moment) in [
        ("SELECT", Moment::Asked),
        ("INSERT INTO versions", Moment::Asked),
        ("INSERT INTO versions", Moment::Answered),
        ("COMMIT", Moment::Asked),
        ("COMMIT", Moment::Answered),
    ] {
        let version = format!("1.0.{}", versions.len());
        let last = versions.last().expect("one");
        story.world.edit(LOOPS, &format!("version = \"{last}\""), &format!("version = \"{version}\""));
        let project = story.world.project(LOOPS);
        let command = ["publish", &project, "--no-build", "--no-register"];
        story.halt(statement, moment);
        let child = story.world.author.command(&command).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        story.kill().await;
        let output = child.and_then(|child| child.wait_with_output()).expect("the command can be run");
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(8), "it is not the author's fault: {words}");
            if let Err(again) = story.world.author.attempt(&command) {
                assert_eq!(again.code(), "version_exists", "{again:?}");
            }
        }
        versions.push(version);
        let listed = story.world.get(&story.world.author, &format!("/skills/{LOOPS}/versions")).await.json(200);
        let mut listed: Vec<&Value> =
            listed["items"].as_array().expect("a page has items").iter().map(|item| &item["version"]).collect();
        listed.reverse();
        assert_eq!(listed, versions.iter().collect::<Vec<_>>(), "killed at {statement}, {moment:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_during_settlement() {
    let Some(mut story) = Story::begin().await else { return };
    let mut known = BTreeMap::new();
    for (statement, moment) in [
        ("INSERT INTO batches", Moment::Asked),
        ("INSERT INTO batches", Moment::Answered),
        ("UPDATE batches SET status", Moment::Asked),
        ("UPDATE batches SET status", Moment::Answered),
    ] {
        story.halt(statement, moment);
        let name = format!("{statement}, {moment:?}");
        let receipt = answered(&story.world, "echo", &json!(name), &name.replace([' ', ','], "-")).await;
        known.insert(name, receipt);
        story.kill().await;
    }
    one_receipt_for_each(&story.world, &known).await;
    let account = Account { skill: LOOPS, licence: story.licence, deposited: 5_000_000 };
    let totals = books::audit(&story.world, &[account]).await;
    assert_eq!(totals[LOOPS].units, known.len() as u64);
}
