//! What is missing around the server: the chain, room on the disk, a database to itself.

use std::path::Path;

use clawos_tests::app::{TestDatabase, send};
use clawos_tests::guests::LOOPS;
use clawos_tests::processes::Stop;
use clawos_tests::publication::Publication;
use clawos_tests::scratch::SmallDisk;
use clawos_tests::wat_skill::WatSkill;
use reqwest::Method;
use serde_json::{Value, json};

use super::Table;
use crate::books::{self, Account};
use crate::world::{SETTLE_AT_ONCE, World, on_both_databases, until};

on_both_databases!(the_chain_is_down_with_grace);

async fn the_chain_is_down_with_grace(database: &TestDatabase) {
    let flags = [SETTLE_AT_ONCE, &["--licence-ttl-secs", "0", "--grace-secs", "100"]].concat();
    let mut world = World::enrolled_on(database, &flags);
    let licence = world.sell(LOOPS, &[], "1");
    assert_eq!(call(&world, 1).await.json(200)["licence"]["source"], "chain");
    world.chain.stop(Stop::Kill);
    let mut table = Table::default();
    let graced = call(&world, 2).await.json(200);
    assert_eq!(graced["licence"]["source"], "grace", "{graced}");
    table.note("chain down, with grace: a call on a known licence", "200, licence.source = grace", &Value::Null);
    for (what, path) in [("search", "/skills".to_owned()), ("show", format!("/skills/{LOOPS}"))] {
        world.get(&world.buyer, &path).await.json(200);
        table.note(&format!("chain down: {what}"), "200", &Value::Null);
    }
    let body = json!({ "skill": LOOPS, "kind": "usage", "tier": "personal" });
    let answer = world.post(&world.buyer, "/marketplace/purchase", &body).await;
    table.http("chain down: purchase", &answer, 503, "rpc_unavailable");
    let body = json!({ "skill": LOOPS, "amount": "1000" });
    let answer = world.post(&world.buyer, "/marketplace/deposit", &body).await;
    table.http("chain down: deposit", &answer, 503, "rpc_unavailable");
    let path = format!("/skills/{LOOPS}/execute");
    let answer = world.post(&world.stranger, &path, &json!({ "endpoint": "echo", "payload": 1 })).await;
    table.http("chain down: a call on an unknown licence", &answer, 503, "rpc_unavailable");
    table.command("chain down: clawos buy", world.buyer.attempt(&["buy", LOOPS]), 8, "rpc_unavailable");
    world.chain.run();
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 1_000_000 }]).await;
}

on_both_databases!(the_chain_is_down_without_grace);

async fn the_chain_is_down_without_grace(database: &TestDatabase) {
    let flags = [SETTLE_AT_ONCE, &["--licence-ttl-secs", "0", "--grace-secs", "0"]].concat();
    let mut world = World::enrolled_on(database, &flags);
    let licence = world.sell(LOOPS, &[], "1");
    call(&world, 1).await.json(200);
    world.chain.stop(Stop::Kill);
    let mut table = Table::default();
    let problem = table.http("chain down, without grace: a call", &call(&world, 2).await, 503, "rpc_unavailable");
    assert_eq!(problem["retryable"], true);
    // The server can be restarted meanwhile, and finds back by itself.
    world.server.restart(Stop::Kill);
    table.http("chain down since the server's start: a call", &call(&world, 3).await, 503, "rpc_unavailable");
    world.chain.run();
    until("calls work again", async || call(&world, 4).await.status == 200).await;
    books::audit(&world, &[Account { skill: LOOPS, licence, deposited: 1_000_000 }]).await;
}

async fn call(world: &World, n: u64) -> clawos_tests::app::Answer {
    world.call(LOOPS, "echo", json!(n), &format!("call-{n}")).await.expect("the server answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_sqlite_file() {
    let world = World::start(&[]);
    let mut table = Table::default();
    let refused = |folder: &Path, flags: &[&str]| {
        let words = world.server.second(folder, flags).expect_err("two servers would corrupt each other's state");
        let line = words.lines().rev().find(|line| line.contains("clawos-server:")).unwrap_or(&words).to_owned();
        assert!(line.contains("another clawos-server is using"), "{words}");
        line
    };
    let line = refused(world.server.folder(), &[]);
    table.note("a second server on the same folder", &format!("does not start: {line}"), &Value::Null);
    let url = format!("sqlite:{}", world.server.folder().join("clawos.db").display());
    let line = refused(&world.path("other"), &["--database-url", &url]);
    table.note("a second server on the same SQLite file", &format!("does not start: {line}"), &Value::Null);
    let answer = send(world.request(Method::GET, "/skills")).await;
    answer.json(200);
}

on_both_databases!(the_disk_is_full_on_publish, without guests);

async fn the_disk_is_full_on_publish(database: &TestDatabase) {
    let mut world = World::start_on(database, &[]);
    world.server.stop(Stop::Kill);
    let folder = world.server.folder().to_owned();
    let (key, kept) = (folder.join("server.key"), world.path("server.key"));
    std::fs::copy(&key, &kept).expect("the server has made its key");
    let Some(_disk) = SmallDisk::mount_on(folder.clone(), 6 * 1024) else { return };
    // The disk covers the folder, and a PostgreSQL database belongs to the key that it was first used with.
    std::fs::copy(&kept, &key).expect("the disk is empty");
    world.server.run();
    world.author.run(&["wallet", "new"]);
    world.author.run(&["login", "--handle", "acme"]);
    let mut skill = WatSkill::echo();
    skill.main.push_str(&format!("(@custom \"pad\" \"{}\")", "b".repeat(200_000)));
    let large = Publication { artifact: skill.build(), ..Publication::echo("acme", "large", "1.0.0") };
    let large = large.signed(world.author.wallet().signing_key());
    let publish =
        || send(world.request(Method::POST, "/skills").bearer_auth(world.author.token()).multipart(large.form()));
    let filler = folder.join("filler");
    let _ = std::fs::write(&filler, vec![0; 6 * 1024 * 1024]);
    let mut table = Table::default();
    let problem = table.http("disk full: publish", &publish().await, 507, "storage_full");
    assert_eq!(problem["retryable"], true);
    send(world.request(Method::GET, "/skills/acme.large")).await.problem("skill_not_found");
    std::fs::remove_file(&filler).expect("it is ours");
    publish().await.json(201);
    world.server.stop(Stop::Term);
}
