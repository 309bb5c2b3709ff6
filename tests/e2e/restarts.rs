//! Server or chain stopped in the middle of every step of the job, and between any two: nothing is lost.

use std::process::Stdio;
use std::time::Duration;

use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{LOOPS, MARKDOWN_HTML};
use clawos_tests::processes::clawos::key;
use clawos_tests::processes::{Clawos, Stop};
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, balance, on_both_databases, until};

/// How often a step is tried; only the first time it is disturbed.
const TRIES: usize = 5;
/// How many of the steps must have been met under way, at least: about a third of them.
const MIN_MET: u64 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Chain,
}

/// A marketplace in which something is stopped all the time.
struct Troubled {
    world: World,
    victim: Victim,
    step: u64,
    /// Steps whose command was under way when the victim was stopped.
    met: u64,
}

impl Troubled {
    fn stop_and_run(&mut self, how: Stop) {
        match self.victim {
            Victim::Server => self.world.server.restart(how),
            Victim::Chain => {
                self.world.chain.stop(how);
                self.world.chain.run();
            }
        }
    }

    /// Runs a command until it has worked, or until `done` says that it has in spite of what it said. The first time the
    /// victim is stopped in the middle. Commands that failed must have said that it was not their fault.
    async fn step(&mut self, agent: &Clawos, line: &[&str], done: impl AsyncFn(&World) -> bool) {
        self.step += 1;
        let (middle, between) = match self.step % 2 {
            0 => (Stop::Kill, Stop::Term),
            _ => (Stop::Term, Stop::Kill),
        };
        let mut child =
            agent.command(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be run");
        // Commands take some hundred milliseconds; each step is met at another moment.
        tokio::time::sleep(Duration::from_millis(15 + self.step * 83 % 350)).await;
        self.met += u64::from(child.try_wait().expect("it is our child").is_none());
        self.stop_and_run(middle);
        let output = child.wait_with_output().expect("the command can be run");
        let mut worked = output.status.success();
        if !worked {
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(8), "clawos {}: {words}", line.join(" "));
        }
        for _ in 0..TRIES {
            if worked || done(&self.world).await {
                break;
            }
            worked = agent.attempt(line).is_ok();
        }
        self.stop_and_run(between);
        assert!(done(&self.world).await, "clawos {} is not done after restarts", line.join(" "));
    }
}

on_both_databases!(the_server_stops_in_the_middle_of_every_step);

async fn the_server_stops_in_the_middle_of_every_step(database: &TestDatabase) {
    whole_job(database, Victim::Server).await;
}

on_both_databases!(the_chain_stops_in_the_middle_of_every_step);

async fn the_chain_stops_in_the_middle_of_every_step(database: &TestDatabase) {
    whole_job(database, Victim::Chain).await;
}

async fn whole_job(database: &TestDatabase, victim: Victim) {
    let mut troubled = Troubled { world: World::start_on(database, SETTLE_AT_ONCE), victim, step: 0, met: 0 };
    enrol(&mut troubled).await;
    sell(&mut troubled).await;
    let licence = buy(&mut troubled).await;
    let id = call(&mut troubled).await;
    let account = Account { skill: LOOPS, licence, deposited: 5_000_000 };
    let totals = books::audit(&troubled.world, &[account]).await;
    assert_eq!((totals[LOOPS].receipts, totals[LOOPS].units), (3, 3), "every call once");
    verify(&mut troubled, &id).await;
    let Troubled { met, step, .. } = troubled;
    assert!(met >= MIN_MET, "only {met} of {step} commands were under way when the {victim:?} was stopped");
}

async fn enrol(troubled: &mut Troubled) {
    let (author, buyer) = (troubled.world.author.clone(), troubled.world.buyer.clone());
    for agent in [&author, &buyer] {
        agent.run(&["wallet", "new"]);
    }
    let asks = ["wallet", "airdrop", "--sol", "10"];
    troubled.step(&author, &asks, async |world| balance(&world.author, "sol") >= 10_000_000_000).await;
    let asks = ["wallet", "airdrop", "--sol", "10", "--usdc", "100"];
    troubled.step(&buyer, &asks, async |world| balance(&world.buyer, "usdc") >= 100_000_000).await;
    let me = async |world: &World, agent: &Clawos| {
        agent.home().join("session.json").exists() && world.get(agent, "/agents/me").await.status == 200
    };
    troubled.step(&author, &["login", "--handle", "acme"], async |world| me(world, &world.author).await).await;
    troubled.step(&buyer, &["login", "--handle", "bob"], async |world| me(world, &world.buyer).await).await;
}

async fn sell(troubled: &mut Troubled) {
    let author = troubled.world.author.clone();
    for skill in [LOOPS, MARKDOWN_HTML] {
        let folder = troubled.world.project(skill);
        let published = async |world: &World| world.outsider.attempt(&["show", skill]).is_ok();
        troubled.step(&author, &["publish", &folder, "--no-build", "--no-register"], published).await;
        let registered = async |world: &World| {
            world.outsider.attempt(&["show", skill]).is_ok_and(|shown| shown["chain"]["registered"] == true)
        };
        troubled.step(&author, &["publish", &folder, "--register-only"], registered).await;
    }
}

async fn licence_of(world: &World, skill: &str) -> Option<Value> {
    world.outsider.attempt(&["verify", "licence", skill, &world.buyer.address()]).ok()
}

async fn buy(troubled: &mut Troubled) -> Key {
    let buyer = troubled.world.buyer.clone();
    let author = key(&Value::from(troubled.world.author.address()));
    let before = troubled.world.sol(&author).await;
    let owned =
        async |world: &World| licence_of(world, MARKDOWN_HTML).await.is_some_and(|found| found["valid"] == true);
    troubled.step(&buyer, &["buy", MARKDOWN_HTML, "--kind", "one_time"], owned).await;
    assert_eq!(troubled.world.sol(&author).await - before, 48_750_000, "paid once");
    let owned = async |world: &World| licence_of(world, LOOPS).await.is_some();
    troubled.step(&buyer, &["buy", LOOPS, "--kind", "usage"], owned).await;
    let paid =
        async |world: &World| licence_of(world, LOOPS).await.is_some_and(|found| found["details"]["credit"] != "0");
    troubled.step(&buyer, &["credit", "deposit", LOOPS, "5"], paid).await;
    assert_eq!(balance(&troubled.world.buyer, "usdc") % 100_000_000, 95_000_000, "deposited once");
    let found = licence_of(&troubled.world, LOOPS).await.expect("there is one");
    assert_eq!(found["details"]["credit"], "5000000");
    key(&found["licence"])
}

async fn call(troubled: &mut Troubled) -> String {
    let buyer = troubled.world.buyer.clone();
    let mut ids = Vec::new();
    for n in 0..3 {
        let (payload, name) = (n.to_string(), format!("call-{n}"));
        let line = ["exec", LOOPS, "echo", &payload, "--idempotency-key", &name];
        troubled.step(&buyer, &line, async |world| world.buyer.attempt(&line).is_ok()).await;
        let answer = troubled.world.buyer.run(&line);
        assert_eq!(answer["result"], json!(n));
        ids.push(answer["receipt"]["id"].as_str().expect("a receipt").to_owned());
    }
    let last = ids.pop().expect("three calls");
    let line = ["receipts", "get", &last, "--wait", "30"];
    troubled.step(&buyer, &line, async |world| world.buyer.attempt(&line).is_ok()).await;
    last
}

async fn verify(troubled: &mut Troubled, id: &str) {
    let proof = troubled.world.buyer.run(&["receipts", "get", id]);
    let receipt = troubled.world.write("receipt.json", &proof.to_string());
    let payload = troubled.world.write("payload.json", "2");
    let outsider = troubled.world.outsider.clone();
    let line = ["verify", "receipt", &receipt, "--replay", "--input", &payload];
    let sound = async |world: &World| world.outsider.attempt(&line).is_ok_and(|report| report["complete"] == true);
    troubled.step(&outsider, &line, sound).await;
    until("the server is ready", async || troubled.world.outsider.attempt(&["search"]).is_ok()).await;
}
