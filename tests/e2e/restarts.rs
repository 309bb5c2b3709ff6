//! Server or chain stopped in the middle of every step of the job, and between any two: nothing is lost.
//!
//! The middle is when the request that matters is on its way, or its answer: commands reach both by relays that halt there.

use std::process::Stdio;

use clawos_receipts::Key;
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::{LOOPS, MARKDOWN_HTML};
use clawos_tests::processes::clawos::key;
use clawos_tests::processes::{Clawos, Stop};
use clawos_tests::relay::{Fault, Relay};
use serde_json::{Value, json};

use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, balance, on_both_databases, until};

/// How often a step is tried; only the first time it is disturbed.
const TRIES: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Chain,
}

/// The request of a command at which the victim is stopped.
#[derive(Clone, Copy, Debug)]
enum At {
    /// One to the server that has this text.
    Server(&'static str),
    /// One to the chain that has this text.
    Chain(&'static str),
}

const AIRDROP: At = At::Chain("requestAirdrop");
const LOGIN: At = At::Server("/verify");
const PUBLISH: At = At::Server("POST /api/v1/skills");
/// A transaction.
const SEND: At = At::Chain("sendTransaction");

/// A marketplace in which something is stopped all the time.
struct Troubled {
    world: World,
    victim: Victim,
    step: u64,
    /// The ways of every command to server and chain.
    server: Relay,
    chain: Relay,
}

impl Troubled {
    async fn start(database: &TestDatabase, victim: Victim) -> Troubled {
        let mut world = World::start_on(database, SETTLE_AT_ONCE);
        let (server, chain) = (Relay::to(&world.server.origin()).await, Relay::to(&world.chain.rpc_url()).await);
        world.server.flags.extend(["--public-url".to_owned(), server.url()]);
        world.server.restart(Stop::Term);
        let agent = |name: &str| Clawos::new(world.path(name), &server.url(), &chain.url());
        (world.author, world.buyer, world.outsider) = (agent("author"), agent("buyer"), agent("outsider"));
        Troubled { world, victim, step: 0, server, chain }
    }

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
    async fn step(&mut self, agent: &Clawos, line: &[&str], at: At, done: impl AsyncFn(&World) -> bool) {
        self.step += 1;
        let (relay, text) = match at {
            At::Server(text) => (&self.server, text),
            At::Chain(text) => (&self.chain, text),
        };
        // Each of them with both ways to stop.
        relay.set(&[text], if self.step % 4 < 2 { Fault::HaltAsked } else { Fault::HaltAnswered });
        let (middle, between) = match self.step % 2 {
            0 => (Stop::Kill, Stop::Term),
            _ => (Stop::Term, Stop::Kill),
        };
        let mut child =
            agent.command(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be run");
        relay.halted().await;
        assert!(child.try_wait().expect("it is our child").is_none(), "clawos {} waits", line.join(" "));
        self.stop_and_run(middle);
        match at {
            At::Server(_) => self.server.go_on(),
            At::Chain(_) => self.chain.go_on(),
        }
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
    let mut troubled = Troubled::start(database, victim).await;
    enrol(&mut troubled).await;
    sell(&mut troubled).await;
    let licence = buy(&mut troubled).await;
    let id = call(&mut troubled).await;
    let account = Account { skill: LOOPS, licence, deposited: 5_000_000 };
    let totals = books::audit(&troubled.world, &[account]).await;
    assert_eq!((totals[LOOPS].receipts, totals[LOOPS].units), (3, 3), "every call once");
    verify(&mut troubled, &id).await;
}

async fn enrol(troubled: &mut Troubled) {
    let (author, buyer) = (troubled.world.author.clone(), troubled.world.buyer.clone());
    for agent in [&author, &buyer] {
        agent.run(&["wallet", "new"]);
    }
    let asks = ["wallet", "airdrop", "--sol", "10"];
    troubled.step(&author, &asks, AIRDROP, async |world| balance(&world.author, "sol") >= 10_000_000_000).await;
    let asks = ["wallet", "airdrop", "--sol", "10", "--usdc", "100"];
    troubled.step(&buyer, &asks, AIRDROP, async |world| balance(&world.buyer, "usdc") >= 100_000_000).await;
    let me = async |world: &World, agent: &Clawos| {
        agent.home().join("session.json").exists() && world.get(agent, "/agents/me").await.status == 200
    };
    troubled.step(&author, &["login", "--handle", "acme"], LOGIN, async |world| me(world, &world.author).await).await;
    troubled.step(&buyer, &["login", "--handle", "bob"], LOGIN, async |world| me(world, &world.buyer).await).await;
}

async fn sell(troubled: &mut Troubled) {
    let author = troubled.world.author.clone();
    for skill in [LOOPS, MARKDOWN_HTML] {
        let folder = troubled.world.project(skill);
        let published = async |world: &World| world.outsider.attempt(&["show", skill]).is_ok();
        troubled.step(&author, &["publish", &folder, "--no-build", "--no-register"], PUBLISH, published).await;
        let registered = async |world: &World| {
            world.outsider.attempt(&["show", skill]).is_ok_and(|shown| shown["chain"]["registered"] == true)
        };
        troubled.step(&author, &["publish", &folder, "--register-only"], SEND, registered).await;
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
    troubled.step(&buyer, &["buy", MARKDOWN_HTML, "--kind", "one_time"], SEND, owned).await;
    assert_eq!(troubled.world.sol(&author).await - before, 48_750_000, "paid once");
    let owned = async |world: &World| licence_of(world, LOOPS).await.is_some();
    troubled.step(&buyer, &["buy", LOOPS, "--kind", "usage"], SEND, owned).await;
    let paid =
        async |world: &World| licence_of(world, LOOPS).await.is_some_and(|found| found["details"]["credit"] != "0");
    troubled.step(&buyer, &["credit", "deposit", LOOPS, "5"], SEND, paid).await;
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
        troubled.step(&buyer, &line, At::Server("/execute"), async |world| world.buyer.attempt(&line).is_ok()).await;
        let answer = troubled.world.buyer.run(&line);
        assert_eq!(answer["result"], json!(n));
        ids.push(answer["receipt"]["id"].as_str().expect("a receipt").to_owned());
    }
    let last = ids.pop().expect("three calls");
    let line = ["receipts", "get", &last, "--wait", "30"];
    troubled
        .step(&buyer, &line, At::Server("GET /api/v1/receipts/"), async |world| world.buyer.attempt(&line).is_ok())
        .await;
    last
}

async fn verify(troubled: &mut Troubled, id: &str) {
    let proof = troubled.world.buyer.run(&["receipts", "get", id]);
    let receipt = troubled.world.write("receipt.json", &proof.to_string());
    let payload = troubled.world.write("payload.json", "2");
    let outsider = troubled.world.outsider.clone();
    let line = ["verify", "receipt", &receipt, "--replay", "--input", &payload];
    let sound = async |world: &World| world.outsider.attempt(&line).is_ok_and(|report| report["complete"] == true);
    troubled.step(&outsider, &line, At::Server("/artifact"), sound).await;
    until("the server is ready", async || troubled.world.outsider.attempt(&["search"]).is_ok()).await;
}
