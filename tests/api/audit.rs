//! Every change of state but a call is in the audit log of whoever made it.

use clawos_tests::app::{TestAgent, TestApp, address, databases, new_key, send, sign};
use clawos_tests::documented;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;

use crate::keys::{id, make, secret};

/// Every operation of the API that is no `GET`, and what it leaves in the log of its agent.
const CHANGES: &[(&str, &[&str])] = &[
    ("POST /api/v1/agents/register", &[]),
    ("POST /api/v1/agents/register/{challenge}/verify", &["agent.register", "session.start", "key.create"]),
    ("POST /api/v1/auth/challenge", &[]),
    ("POST /api/v1/auth/verify", &["session.start"]),
    ("POST /api/v1/auth/refresh", &["session.refresh"]),
    ("POST /api/v1/agents/me/keys", &["key.create"]),
    ("POST /api/v1/agents/me/keys/{key}/rotate", &["key.rotate"]),
    ("DELETE /api/v1/agents/me/keys/{key}", &["key.revoke"]),
    ("PATCH /api/v1/agents/me", &["agent.update"]),
    ("POST /api/v1/skills", &["skill.publish"]),
    ("POST /api/v1/skills/{id}/versions", &["version.publish"]),
    ("POST /api/v1/skills/{id}/execute", &[]),
    ("POST /api/v1/marketplace/purchase", &[]),
    ("POST /api/v1/marketplace/deposit", &[]),
    ("POST /api/v1/auth/revoke", &["session.revoke"]),
];

/// The actions in an agent's log, oldest first.
async fn log(app: &TestApp, token: &str) -> Vec<String> {
    let log = app.get_as(token, "/agents/me/audit?limit=100").await.json(200);
    let entries = log["items"].as_array().expect("a list").iter().rev();
    entries.map(|entry| entry["action"].as_str().expect("a word").to_owned()).collect()
}

/// What the agent does, in the order of [`CHANGES`], but for the last: a session to look at the log with comes back.
async fn live(app: &TestApp, agent: &TestAgent) -> Value {
    let challenge = app.post("/auth/challenge", &json!({"wallet": address(&agent.key)})).await.json(201);
    let signed = json!({"challenge": challenge["challenge"], "signature": sign(&agent.key, &challenge)});
    let session = app.post("/auth/verify", &signed).await.json(200);
    let session = app.post("/auth/refresh", &json!({"refresh_token": session["refresh_token"]})).await.json(200);
    let token = session["access_token"].as_str().expect("a token");

    let key = make(app, token, json!({"name": "all", "scopes": ["invoke", "read"]})).await;
    let path = format!("/agents/me/keys/{}", id(&key));
    let key = app.post_as(token, &format!("{path}/rotate"), &json!({})).await.json(201);
    assert_eq!(app.delete_as(token, &path).await.status, 204);
    let update = app.request(Method::PATCH, "/agents/me").bearer_auth(token);
    send(update.json(&json!({"description": "Echoes"}))).await.json(200);
    for (path, version) in [("/skills", "1.0.0"), ("/skills/walker.echo/versions", "1.1.0")] {
        let echo = Publication::echo("walker", "echo", version).signed(&agent.key);
        send(app.request(Method::POST, path).bearer_auth(token).multipart(echo.form())).await.json(201);
    }
    let call = json!({"endpoint": "echo", "payload": {"text": "hello"}});
    app.post_as(secret(&key), "/skills/walker.echo/execute", &call).await.json(200);
    let order = json!({"skill": "acme.echo", "kind": "usage", "tier": "personal"});
    app.post_as(secret(&key), "/marketplace/purchase", &order).await.json(200);
    let deposit = json!({"skill": "acme.echo", "amount": "5"});
    app.post_as(secret(&key), "/marketplace/deposit", &deposit).await.problem("licence_required");
    session
}

#[tokio::test]
async fn every_change_but_a_call_is_in_the_log() {
    for database in databases().await {
        let market =
            Market::open(&database, |handle| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING)).await;
        let app = &market.app;
        let agent = app.enrol("walker").await;
        let session = live(app, &agent).await;
        let expected: Vec<&str> = CHANGES.iter().flat_map(|(_, actions)| actions.iter().copied()).collect();
        let logged = log(app, session["access_token"].as_str().expect("a token")).await;
        assert_eq!(logged, expected[..expected.len() - 1]);

        // The last ends the session; another one sees it.
        assert_eq!(
            app.post_as(session["access_token"].as_str().unwrap(), "/auth/revoke", &json!({})).await.status,
            204
        );
        assert_eq!(log(app, agent.token()).await, expected);
        // Whoever refreshes with a stolen token is in there too.
        let renewed = app.post("/auth/refresh", &json!({"refresh_token": agent.refresh_token()})).await.json(200);
        assert_eq!(log(app, renewed["access_token"].as_str().unwrap()).await.last().unwrap(), "session.refresh");
        app.post("/auth/refresh", &json!({"refresh_token": agent.refresh_token()})).await.problem("key_revoked");
        let challenge = app.post("/auth/challenge", &json!({"wallet": address(&agent.key)})).await.json(201);
        let signed = json!({"challenge": challenge["challenge"], "signature": sign(&agent.key, &challenge)});
        let again = app.post("/auth/verify", &signed).await.json(200);
        let logged = log(app, again["access_token"].as_str().unwrap()).await;
        assert_eq!(logged[logged.len() - 2..], ["session.reuse", "session.start"]);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_in_the_log() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (agent, thief) = (app.enrol("acme").await, app.enrol("thief").await);
        let before = log(&app, agent.token()).await;
        let path = format!("/agents/me/keys/{}", agent.session["api_key"]["id"].as_str().unwrap());
        app.delete_as(thief.token(), &path).await.problem("not_found");
        app.post_as(agent.api_key(), "/agents/me/keys", &json!({"name": "k", "scopes": ["read"]}))
            .await
            .problem("scope_missing");
        app.post("/agents/register", &json!({"name": "acme", "wallet": address(&new_key())}))
            .await
            .problem("handle_taken");
        assert_eq!(log(&app, agent.token()).await, before);
    }
}

#[tokio::test]
async fn what_the_server_decides_by_itself_is_in_the_log_once() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        app.enrol("acme").await;
        // Known already after a restart.
        let app = app.restart(&database).await;
        app.enrol("another").await;
        let log = "SELECT action, target FROM audit_log WHERE actor = 'server' ORDER BY n";
        let log = sqlx::query(log).fetch_all(&*app.state.db).await.expect("it is SQL");
        let actions: Vec<String> = log.iter().map(|row| row.try_get(0).expect("a word")).collect();
        assert_eq!(actions, ["network.join", "receipt_key.certify"]);
        let genesis: String = log[0].try_get(1).expect("a hash");
        assert_eq!(genesis, clawos_tests::chain::shared().genesis_hash().to_string());
    }
}

#[test]
fn no_operation_that_changes_something_is_forgotten() {
    let documented = documented::operations();
    let changing = documented.iter().filter(|operation| operation.method != Method::GET);
    let mut operations: Vec<_> = changing.map(|operation| format!("{} {}", operation.method, operation.path)).collect();
    operations.sort();
    let mut listed: Vec<_> = CHANGES.iter().map(|(operation, _)| (*operation).to_owned()).collect();
    listed.sort();
    assert_eq!(operations, listed);
}
