//! PostgreSQL killed (`kill -9`) at a statement of a publish, and of a settlement: before it is done, and with its answer lost.
//! In `kills` it is killed during calls.

use std::collections::BTreeMap;
use std::process::Stdio;

use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{self, LOOPS};
use clawos_tests::postgres::OwnCluster;
use clawos_tests::processes::Stop;
use clawos_tests::relay::{Fault, Relay};
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::kills::{answered, one_receipt_for_each};
use crate::world::{SETTLE_AT_ONCE, World};

/// A marketplace on a PostgreSQL of its own, which the server reaches by a relay.
struct Story {
    world: World,
    licence: Key,
    postgres: OwnCluster,
    relay: Relay,
}

impl Story {
    /// `None` where no PostgreSQL is installed, or no compiler for guests.
    async fn begin() -> Option<Story> {
        if !guests::available() {
            return None;
        }
        let postgres = OwnCluster::start().await?;
        let (relay, url) = Relay::to_postgres(&postgres.url).await;
        let world = World::enrolled_on(&TestDatabase::Postgres(url), SETTLE_AT_ONCE);
        let licence = world.sell(LOOPS, &[], "5");
        Some(Story { world, licence, postgres, relay })
    }

    /// From now on the relay halts at the last of these statements, on a connection that carried the others: a new one, since
    /// a known statement goes by its number.
    fn halt(&mut self, statements: &[&str], fault: Fault) {
        self.world.server.restart(Stop::Term);
        self.relay.set(statements, fault);
    }

    /// Kills the database once the relay has halted, and runs it again.
    async fn kill(&self) {
        self.relay.halted().await;
        self.postgres.kill().await;
        self.relay.go_on();
        self.postgres.run().await;
    }
}

/// Statements that a publish alone asks here.
const FIND: &str = "SELECT * FROM versions WHERE skill_id = $1 AND version";
const INSERT: &str = "INSERT INTO versions";

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_during_publish() {
    let Some(mut story) = Story::begin().await else { return };
    let mut versions = vec!["1.0.0".to_owned()];
    for (statements, fault) in [
        (&[FIND][..], Fault::HaltAsked),
        (&[INSERT], Fault::HaltAsked),
        (&[INSERT], Fault::HaltAnswered),
        (&[INSERT, "COMMIT"], Fault::HaltAsked),
        (&[INSERT, "COMMIT"], Fault::HaltAnswered),
    ] {
        let version = format!("1.0.{}", versions.len());
        let last = versions.last().expect("one");
        story.world.edit(LOOPS, &format!("version = \"{last}\""), &format!("version = \"{version}\""));
        let project = story.world.project(LOOPS);
        let command = ["publish", &project, "--no-build", "--no-register"];
        story.halt(statements, fault);
        let child = story.world.author.command(&command).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the command can be run");
        story.relay.halted().await;
        assert!(child.try_wait().expect("it is our child").is_none(), "it waits for {statements:?}, {fault:?}");
        story.kill().await;
        let output = child.wait_with_output().expect("the command can be run");
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
        assert_eq!(listed, versions.iter().collect::<Vec<_>>(), "killed at {statements:?}, {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_during_settlement() {
    let Some(mut story) = Story::begin().await else { return };
    let mut known = BTreeMap::new();
    for (statement, fault) in [
        ("INSERT INTO batches", Fault::HaltAsked),
        ("INSERT INTO batches", Fault::HaltAnswered),
        ("UPDATE batches SET status", Fault::HaltAsked),
        ("UPDATE batches SET status", Fault::HaltAnswered),
    ] {
        story.halt(&[statement], fault);
        let name = format!("{statement}, {fault:?}");
        let receipt = answered(&story.world, "echo", &json!(name), &name.replace([' ', ','], "-")).await;
        known.insert(name, receipt);
        story.kill().await;
    }
    one_receipt_for_each(&story.world, &known).await;
    let account = Account { skill: LOOPS, licence: story.licence, deposited: 5_000_000 };
    let totals = books::audit(&story.world, &[account]).await;
    assert_eq!(totals[LOOPS].units, known.len() as u64);
}
