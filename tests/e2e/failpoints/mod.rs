//! The server ended at each of its failpoints, one after the other, on one marketplace: what was answered stays, what was not
//! is done once when it is asked for again, and the books close. Batches that the chain will not take are in `refused`.

mod refused;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use clawos_base::Failpoint;
use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::Stop;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::books::{self, Account};
use crate::kills::{answered, one_receipt_for_each};
use crate::world::{SETTLE_AT_ONCE, World, on_both_databases};

/// What is deposited, in base units.
const DEPOSIT: u64 = 5_000_000;
/// Price of a call, in base units.
const PRICE: u64 = 1_000;

on_both_databases!(a_server_ends_at_every_failpoint);

async fn a_server_ends_at_every_failpoint(database: &TestDatabase) {
    let mut story = Story::begin(database);
    for point in Failpoint::ALL {
        match work_of(point) {
            Work::Publish => story.publish(point).await,
            Work::Call => story.call(point).await,
            Work::Settle => story.settle(point).await,
            Work::Expire => story.expire(point).await,
            Work::Reopen | Work::GiveUp => continue,
        }
        println!("ended at {point:?} on {database:?} and went on");
    }
    story.audit().await;
}

/// What has to be done to reach a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Publish,
    Call,
    Settle,
    /// A transaction is signed and never sent.
    Expire,
    /// A batch is larger than the buyer's caps allow by now.
    Reopen,
    /// The licence is gone before its batch is on chain.
    GiveUp,
}

fn work_of(point: Failpoint) -> Work {
    match point {
        Failpoint::PublishTried | Failpoint::PublishWritten | Failpoint::PublishNamed | Failpoint::PublishStored => {
            Work::Publish
        }
        Failpoint::CallClaimed
        | Failpoint::CallLeased
        | Failpoint::CallReserved
        | Failpoint::CallRan
        | Failpoint::GroupWritten
        | Failpoint::GroupStored => Work::Call,
        Failpoint::BatchWritten
        | Failpoint::BatchStored
        | Failpoint::BatchSigned
        | Failpoint::BatchSent
        | Failpoint::BatchSeen
        | Failpoint::BatchConfirmed => Work::Settle,
        Failpoint::BatchExpired | Failpoint::BatchReturned => Work::Expire,
        Failpoint::RemovalWritten | Failpoint::RemovalStored => Work::Reopen,
        Failpoint::DeadWritten | Failpoint::DeadStored => Work::GiveUp,
    }
}

/// A marketplace whose server ends again and again.
struct Story {
    world: World,
    licence: Key,
    /// Published so far.
    versions: Vec<String>,
    /// Receipts of the calls that were answered, by their idempotency key.
    known: BTreeMap<String, String>,
}

impl Story {
    fn begin(database: &TestDatabase) -> Story {
        Story::begin_with(database, SETTLE_AT_ONCE)
    }

    fn begin_with(database: &TestDatabase, flags: &[&str]) -> Story {
        let world = World::enrolled_on(database, flags);
        let licence = world.sell(LOOPS, &[], "5");
        Story { world, licence, versions: vec!["1.0.0".to_owned()], known: BTreeMap::new() }
    }

    /// Starts the server again, to end at `point`.
    fn end_at(&mut self, point: Failpoint) {
        let server = &mut self.world.server;
        server.stop(Stop::Term);
        server.flags.extend(["--end-at".to_owned(), point.name()]);
        server.run();
    }

    /// Waits until the server has ended where it was told to, and starts it as usual.
    fn ended(&mut self, point: Failpoint) {
        self.down(point);
        self.world.server.run();
    }

    /// Waits until the server has ended where it was told to.
    fn down(&mut self, point: Failpoint) {
        let server = &mut self.world.server;
        let status = server.wait();
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "at {point:?} the server ended with {status}");
        server.flags.truncate(server.flags.len() - 2);
    }

    /// Publishes a version, once more where the command gave up meanwhile: it is there once, with its artifact.
    async fn publish(&mut self, point: Failpoint) {
        self.end_at(point);
        let (before, version) = (self.versions.last().expect("one"), format!("1.0.{}", self.versions.len()));
        self.world.edit(LOOPS, &format!("version = \"{before}\""), &format!("version = \"{version}\""));
        let project = self.world.project(LOOPS);
        let command = ["publish", &project, "--no-build"];
        let child = self.world.author.command(&command).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        self.ended(point);
        let output = child.and_then(|child| child.wait_with_output()).expect("the command can be run");
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(8), "it is not the author's fault: {words}");
            if let Err(again) = self.world.author.attempt(&command) {
                assert_eq!(again.code(), "version_exists", "{again:?}");
            }
        }
        self.versions.push(version.clone());
        let path = format!("/skills/{LOOPS}/versions");
        let listed = self.world.get(&self.world.author, &path).await.json(200);
        let listed = listed["items"].as_array().expect("a page has items");
        let mut listed: Vec<&str> = listed.iter().map(|one| one["version"].as_str().expect("a version")).collect();
        listed.sort_unstable();
        assert_eq!(listed, self.versions, "after {point:?}");
        let artifact = self.world.request(Method::GET, &format!("/skills/{LOOPS}/artifact?version={version}"));
        let artifact = artifact.send().await.expect("the server answers");
        assert!(artifact.status().is_success(), "{version} has its artifact after {point:?}: {}", artifact.status());
    }

    /// Makes a call, repeated with its key until it is answered.
    async fn call(&mut self, point: Failpoint) {
        self.end_at(point);
        let (key, payload) = (format!("call-{point:?}"), json!({ "point": point.name() }));
        let cut_off = self.world.call(LOOPS, "echo", payload.clone(), &key).await;
        assert!(cut_off.is_none(), "the server ended at {point:?}, and yet answered: {cut_off:?}");
        self.ended(point);
        self.known.insert(key.clone(), answered(&self.world, "echo", &payload, &key).await);
    }

    /// Makes a call whose settlement ends the server.
    async fn settle(&mut self, point: Failpoint) {
        self.end_at(point);
        let (key, payload) = (format!("settle-{point:?}"), json!({ "point": point.name() }));
        // Its answer may be on its way when the server ends.
        let _ = self.world.call(LOOPS, "echo", payload.clone(), &key).await;
        self.ended(point);
        self.known.insert(key.clone(), answered(&self.world, "echo", &payload, &key).await);
    }

    /// Makes a call whose batch is signed and never sent; the server ends when it gives up that transaction.
    async fn expire(&mut self, point: Failpoint) {
        self.end_at(Failpoint::BatchSigned);
        let (key, payload) = (format!("expire-{point:?}"), json!({ "point": point.name() }));
        // Its answer may be on its way when the server ends.
        let _ = self.world.call(LOOPS, "echo", payload.clone(), &key).await;
        self.down(Failpoint::BatchSigned);
        self.end_at(point);
        self.ended(point);
        self.known.insert(key.clone(), answered(&self.world, "echo", &payload, &key).await);
    }

    /// Every call was billed once, and all of it is on chain.
    async fn audit(self) {
        one_receipt_for_each(&self.world, &self.known).await;
        let account = Account { skill: LOOPS, licence: self.licence, deposited: DEPOSIT };
        let totals = books::audit(&self.world, &[account]).await;
        let calls = self.known.len() as u64;
        assert_eq!((totals[LOOPS].units, totals[LOOPS].amount), (calls, calls * PRICE));
    }
}

#[test]
fn an_unknown_failpoint_is_refused() {
    let world = World::start(&[]);
    let refused = world.server.second(&world.path("second"), &["--end-at", "Lunch"]);
    assert!(refused.expect_err("it does not start").contains("there is no failpoint"));
}
