//! Wrong, replayed and other agents' signatures; expired and revoked keys; what belongs to somebody else.

use std::time::Duration;

use clawos_tests::app::{Answer, TestDatabase, address, new_key, send, sign};
use clawos_tests::guests::LOOPS;
use clawos_tests::publication::Publication;
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Table;
use crate::world::{SETTLE_LATE, World, on_both_databases, until};

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    send(world.request(Method::POST, path).json(body)).await
}

on_both_databases!(signatures, without guests);

async fn signatures(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let mut table = Table::default();
    let (mine, others) = (new_key(), new_key());
    let registration = json!({ "name": "newcomer", "wallet": address(&mine) });
    let challenge = post(&world, "/agents/register", &registration).await.json(201);
    let verify = format!("/agents/register/{}/verify", challenge["challenge"].as_str().expect("an id"));
    let signed = |key| json!({ "signature": sign(key, &challenge) });
    let answer = post(&world, &verify, &json!({ "signature": "1".repeat(64) })).await;
    table.http("enrol: a signature of zeros", &answer, 401, "bad_signature");
    let answer = post(&world, &verify, &json!({ "signature": "not base58" })).await;
    table.http("enrol: a signature that is none", &answer, 422, "validation_failed");
    let answer = post(&world, &verify, &signed(&others)).await;
    table.http("enrol: another wallet's signature", &answer, 401, "bad_signature");
    let other =
        post(&world, "/agents/register", &json!({ "name": "newcomer-2", "wallet": address(&mine) })).await.json(201);
    let answer = post(&world, &verify, &json!({ "signature": sign(&mine, &other) })).await;
    table.http("enrol: the signature of another challenge", &answer, 401, "bad_signature");
    post(&world, &verify, &signed(&mine)).await.json(201);
    let answer = post(&world, &verify, &signed(&mine)).await;
    table.http("enrol: a replayed signature", &answer, 409, "challenge_used");
    let body = json!({ "challenge": "chl_unknown", "signature": sign(&mine, &challenge) });
    table.http("sign in: an unknown challenge", &post(&world, "/auth/verify", &body).await, 404, "not_found");
    let challenge = post(&world, "/auth/challenge", &json!({ "wallet": address(&mine) })).await.json(201);
    let body = json!({ "challenge": challenge["challenge"], "signature": sign(&others, &challenge) });
    table.http("sign in: another wallet's signature", &post(&world, "/auth/verify", &body).await, 401, "bad_signature");
    let body = json!({ "challenge": challenge["challenge"], "signature": sign(&mine, &challenge) });
    post(&world, "/auth/verify", &body).await.json(200);
    table.http("sign in: a replayed signature", &post(&world, "/auth/verify", &body).await, 409, "challenge_used");
    let taken = json!({ "name": "acme", "wallet": address(&others) });
    table.http("enrol: another agent's name", &post(&world, "/agents/register", &taken).await, 409, "handle_taken");

    let echo = Publication::echo("acme", "echo", "1.0.0").signed(&others);
    let request = world.request(Method::POST, "/skills").bearer_auth(world.author.token()).multipart(echo.form());
    table.http("publish: another wallet's signature", &send(request).await, 401, "bad_signature");
    let foreign = Publication::echo("bob", "echo", "1.0.0").signed(world.author.wallet().signing_key());
    let request = world.request(Method::POST, "/skills").bearer_auth(world.author.token()).multipart(foreign.form());
    table.http("publish: under another agent's handle", &send(request).await, 403, "not_publisher");
    let old = Publication::echo("acme", "echo", "1.0.1").signed(world.author.wallet().signing_key());
    let replayed = Publication { signature: old.signature, ..Publication::echo("acme", "echo", "1.0.0") };
    let request = world.request(Method::POST, "/skills").bearer_auth(world.author.token()).multipart(replayed.form());
    table.http("publish: the signature of another version", &send(request).await, 401, "bad_signature");
}

on_both_databases!(keys, without guests);

async fn keys(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let mut table = Table::default();
    let soon = (OffsetDateTime::now_utc() + Duration::from_secs(2)).format(&Rfc3339).expect("a time");
    let make = async |body: Value| world.post(&world.buyer, "/agents/me/keys", &body).await.json(201);
    let short = make(json!({ "name": "short", "scopes": ["read"], "expires_at": soon })).await;
    let gone = make(json!({ "name": "gone", "scopes": ["read"] })).await;
    let narrow = make(json!({ "name": "narrow", "scopes": ["read"] })).await;
    let with = async |key: &Value, method: Method, path: &str| {
        let request = world.request(method, path).bearer_auth(key["key"].as_str().expect("a new key is shown"));
        send(request.json(&json!({ "skill": "acme.echo", "kind": "one_time", "tier": "personal" }))).await
    };
    with(&gone, Method::GET, "/agents/me").await.json(200);
    let path = format!("/agents/me/keys/{}", gone["id"].as_str().expect("an id"));
    let removed = send(world.request(Method::DELETE, &path).bearer_auth(world.buyer.token())).await;
    assert!(removed.status.is_success(), "{}", removed.text());
    table.http("a revoked key", &with(&gone, Method::GET, "/agents/me").await, 401, "key_revoked");
    let answer = with(&narrow, Method::POST, "/marketplace/purchase").await;
    table.http("a key without the scope", &answer, 403, "scope_missing");
    let path = format!("/agents/me/keys/{}", narrow["id"].as_str().expect("an id"));
    let answer = send(world.request(Method::DELETE, &path).bearer_auth(world.stranger.token())).await;
    table.http("revoking another agent's key", &answer, 404, "not_found");
    until("the short key expires", async || with(&short, Method::GET, "/agents/me").await.status == 401).await;
    table.http("an expired key", &with(&short, Method::GET, "/agents/me").await, 401, "key_expired");
    let mut cut = narrow["key"].as_str().expect("a new key is shown").to_owned();
    cut.pop();
    let answer = send(world.request(Method::GET, "/agents/me").bearer_auth(&cut)).await;
    table.http("a key that was cut off", &answer, 401, "unauthenticated");
    send(world.request(Method::POST, "/auth/revoke").bearer_auth(world.stranger.token()).json(&json!({}))).await;
    let answer = world.get(&world.stranger, "/agents/me").await;
    table.http("a revoked session", &answer, 401, "key_revoked");
}

on_both_databases!(what_belongs_to_others);

async fn what_belongs_to_others(database: &TestDatabase) {
    let world = World::enrolled_on(database, SETTLE_LATE);
    world.sell(LOOPS, &[], "5");
    let mut table = Table::default();
    let called = world.buyer.run(&["exec", LOOPS, "echo", "1"]);
    let id = called["receipt"]["id"].as_str().expect("a receipt");
    let answer = world.get(&world.stranger, &format!("/receipts/{id}")).await;
    table.http("another agent's receipt", &answer, 404, "receipt_not_found");
    let key = "one-key-two-requests";
    world.call(LOOPS, "echo", json!(1), key).await.expect("an answer").json(200);
    let answer = world.call(LOOPS, "echo", json!(2), key).await.expect("an answer");
    table.http("an idempotency key for another request", &answer, 422, "idempotency_mismatch");
    let other = Publication::echo("acme", "loops", "2.0.0").signed(world.stranger.wallet().signing_key());
    let path = format!("/skills/{LOOPS}/versions");
    let request = world.request(Method::POST, &path).bearer_auth(world.stranger.token()).multipart(other.form());
    table.http("a version of another agent's skill", &send(request).await, 403, "not_publisher");
}
