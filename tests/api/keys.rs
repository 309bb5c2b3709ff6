//! API keys: scopes, expiry, addresses, rotation, revocation, and that secrets are nowhere at rest.

use clawos_tests::app::{TestAgent, TestApp, TestDatabase, databases};
use serde_json::{Value, json};

pub(crate) fn id(key: &Value) -> &str {
    key["id"].as_str().unwrap()
}

pub(crate) fn secret(key: &Value) -> &str {
    key["key"].as_str().unwrap()
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "reader", "scopes": ["read"], "daily_caps": {"USDC": "250000"}});
        let reader = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        assert!(secret(&reader).starts_with("claw_sk_") && secret(&reader).len() == 44);
        assert_eq!(reader["daily_caps"], json!({"SOL": "50000000", "USDC": "250000"}));
        app.get_as(secret(&reader), "/agents/me").await.json(200);
        app.get_as(secret(&reader), "/agents/me/keys").await.problem("scope_missing");
        app.post_as(secret(&reader), "/agents/me/keys", &settings).await.problem("scope_missing");

        // No key makes one that may do more than itself.
        let manager = json!({"name": "manager", "scopes": ["admin"]});
        let manager = app.post_as(agent.token(), "/agents/me/keys", &manager).await.json(201);
        let more = json!({"name": "more", "scopes": ["admin", "invoke"]});
        app.post_as(secret(&manager), "/agents/me/keys", &more).await.problem("scope_missing");
        let reader_key = format!("/agents/me/keys/{}", id(&reader));
        app.post_as(secret(&manager), &format!("{reader_key}/rotate"), &json!({})).await.problem("scope_missing");
        // Nor does it end one; one of its own kind it may.
        app.delete_as(secret(&manager), &reader_key).await.problem("scope_missing");
        app.get_as(secret(&reader), "/agents/me").await.json(200);
        let equal = json!({"name": "equal", "scopes": ["admin"]});
        let equal = app.post_as(agent.token(), "/agents/me/keys", &equal).await.json(201);
        let equal_key = format!("/agents/me/keys/{}", id(&equal));
        assert_eq!(app.delete_as(secret(&manager), &equal_key).await.status, 204);
        app.get_as(secret(&equal), "/agents/me/keys").await.problem("key_revoked");
    }
}

#[tokio::test]
async fn keys_start_with_a_cap_and_are_listed_without_their_secret() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let list = app.get_as(agent.token(), "/agents/me/keys").await;
        let keys = list.json(200);
        let first = &keys["items"][0];
        assert_eq!(first["daily_caps"], json!({"SOL": "50000000", "USDC": "10000000"}));
        assert_eq!(first["hint"], format!("claw_sk_…{}", &agent.api_key()[40..]));
        assert!(!list.text().contains(agent.api_key()));
        assert_eq!(first["last_used_at"], Value::Null);
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
        let keys = app.get_as(agent.token(), "/agents/me/keys").await.json(200);
        assert!(keys["items"][0]["last_used_at"].is_string());
    }
}

#[tokio::test]
async fn a_key_expires_and_can_be_revoked() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let soon = clawos_api::Timestamp(clawos_base::Clock::now_ms(&*app.clock) + 60_000);
        let settings = json!({"name": "short", "scopes": ["read"], "expires_at": soon});
        let short = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        app.get_as(secret(&short), "/agents/me").await.json(200);
        app.clock.advance(60_001);
        app.get_as(secret(&short), "/agents/me").await.problem("key_expired");
        app.post_as(agent.token(), "/agents/me/keys", &settings).await.pointers("validation_failed");

        let path = format!("/agents/me/keys/{}", agent.session["api_key"]["id"].as_str().unwrap());
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
        assert_eq!(app.delete_as(agent.token(), &path).await.status, 204);
        app.get_as(agent.api_key(), "/agents/me").await.problem("key_revoked");
        app.delete_as(agent.token(), &path).await.problem("not_found");
    }
}

#[tokio::test]
async fn rotation_overlaps_as_long_as_asked() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let path = format!("/agents/me/keys/{}/rotate", agent.session["api_key"]["id"].as_str().unwrap());
        let fresh = app.post_as(agent.token(), &path, &json!({"overlap_secs": 60})).await.json(201);
        assert_eq!(fresh["scopes"], agent.session["api_key"]["scopes"]);
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
        app.get_as(secret(&fresh), "/agents/me").await.json(200);
        app.clock.advance(60_001);
        app.get_as(agent.api_key(), "/agents/me").await.problem("key_expired");
        app.get_as(secret(&fresh), "/agents/me").await.json(200);
        app.post_as(agent.token(), &path, &json!({})).await.problem("key_expired");
    }
}

#[tokio::test]
async fn a_key_can_be_bound_to_addresses() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let bound = |allow: Value| json!({"name": "bound", "scopes": ["read"], "ip_allow": allow});
        let elsewhere = app.post_as(agent.token(), "/agents/me/keys", &bound(json!(["192.0.2.0/24"]))).await.json(201);
        app.get_as(secret(&elsewhere), "/agents/me").await.problem("ip_not_allowed");
        let here = bound(json!(["192.0.2.7", "127.0.0.0/8"]));
        let here = app.post_as(agent.token(), "/agents/me/keys", &here).await.json(201);
        assert_eq!(here["ip_allow"], json!(["192.0.2.7/32", "127.0.0.0/8"]));
        app.get_as(secret(&here), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
    for trusted in [false, true] {
        let change = |config: &mut clawos_config::Config| config.listen.trust_forwarded_for = trusted;
        let app = TestApp::with(&TestDatabase::Sqlite, change).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "bound", "scopes": ["read"], "ip_allow": ["192.0.2.0/24"]});
        let bound = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        let request = app.request(reqwest::Method::GET, "/agents/me").bearer_auth(secret(&bound));
        // Only the last entry is the proxy's own; a client can send the others.
        let spoofed = request.try_clone().unwrap().header("x-forwarded-for", "192.0.2.7, 198.51.100.1");
        clawos_tests::app::send(spoofed).await.problem("ip_not_allowed");
        let told = clawos_tests::app::send(request.header("x-forwarded-for", "203.0.113.9, 192.0.2.7")).await;
        if trusted { drop(told.json(200)) } else { drop(told.problem("ip_not_allowed")) }
    }
}

#[tokio::test]
async fn another_agents_key_cannot_be_touched() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (owner, thief) = (app.enrol("owner-1").await, app.enrol("thief-1").await);
        let path = format!("/agents/me/keys/{}", owner.session["api_key"]["id"].as_str().unwrap());
        app.delete_as(thief.token(), &path).await.problem("not_found");
        app.post_as(thief.token(), &format!("{path}/rotate"), &json!({})).await.problem("not_found");
        app.get_as(owner.api_key(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn no_secret_is_in_the_data_folder() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let agent = app.enrol("acme").await;
    let settings = json!({"name": "k", "scopes": ["read"]});
    let request = app.request(reqwest::Method::POST, "/agents/me/keys").bearer_auth(agent.token()).json(&settings);
    let made = clawos_tests::app::send(request.header("idempotency-key", "once")).await.json(201);
    for secret in [agent.token(), agent.refresh_token(), agent.api_key(), secret(&made)] {
        let random = &secret.as_bytes()[8..];
        for entry in std::fs::read_dir(app.folder()).unwrap() {
            let path = entry.unwrap().path();
            let Ok(bytes) = std::fs::read(&path) else { continue };
            assert!(!bytes.windows(random.len()).any(|window| window == random), "{} holds a secret", path.display());
        }
    }
}

#[tokio::test]
async fn every_change_is_in_the_agents_audit_log() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "k", "scopes": ["read"]});
        let request = app.request(reqwest::Method::POST, "/agents/me/keys").bearer_auth(agent.token()).json(&settings);
        let made = clawos_tests::app::send(request.header("x-request-id", "req-of-mine")).await.json(201);
        app.delete_as(agent.token(), &format!("/agents/me/keys/{}", id(&made))).await;

        let log = app.get_as(agent.token(), "/agents/me/audit?limit=3").await.json(200);
        let entries = log["items"].as_array().unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["key.revoke", "key.create", "key.create"]);
        assert_eq!(entries[1]["request_id"], "req-of-mine");
        // Which of the agent's keys and sessions did it is in there too.
        assert!(entries[0]["detail"].as_str().unwrap().starts_with("by ses_"), "{log}");
        assert!(entries[1]["detail"].as_str().unwrap().starts_with("read by ses_"), "{log}");
        assert_eq!(entries[0]["prev_hash"], entries[1]["hash"]);
        let cursor = log["next_cursor"].as_str().unwrap();
        let rest = app.get_as(agent.token(), &format!("/agents/me/audit?cursor={cursor}")).await.json(200);
        assert_eq!(rest["items"][0]["action"], "session.start");
        assert_eq!(rest["items"][1]["action"], "agent.register");
        assert_eq!(rest["items"][1]["prev_hash"], "");
        assert_eq!(rest["next_cursor"], Value::Null);
        app.get_as(agent.api_key(), "/agents/me/audit").await.problem("scope_missing");
    }
}

#[tokio::test]
async fn a_key_is_never_freer_than_the_key_that_makes_it() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let now = clawos_base::Clock::now_ms(&*app.clock);
        let (soon, later) = (clawos_api::Timestamp(now + 60_000), clawos_api::Timestamp(now + 60_001));
        let settings = json!({"name": "maker", "scopes": ["admin", "read"], "daily_caps": {"USDC": "100"}, "expires_at": soon,
            "ip_allow": ["127.0.0.0/8"]});
        let maker = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        let make = async |settings: Value| app.post_as(secret(&maker), "/agents/me/keys", &settings).await;

        // What is left open is the maker's, and less may be asked for.
        let same = make(json!({"name": "same", "scopes": ["read"]})).await.json(201);
        for setting in ["daily_caps", "expires_at", "ip_allow"] {
            assert_eq!(same[setting], maker[setting], "{setting}");
        }
        let less = json!({"name": "less", "scopes": ["read"], "daily_caps": {"USDC": "99"}, "ip_allow": ["127.0.0.1"]});
        assert_eq!(make(less).await.json(201)["ip_allow"], json!(["127.0.0.1/32"]));
        for more in [
            json!({"name": "rich", "scopes": ["read"], "daily_caps": {"USDC": "101"}}),
            json!({"name": "rich in the other", "scopes": ["read"], "daily_caps": {"SOL": "50000001"}}),
            json!({"name": "old", "scopes": ["read"], "expires_at": later}),
            json!({"name": "far", "scopes": ["read"], "ip_allow": ["127.0.0.1", "192.0.2.0/24"]}),
            json!({"name": "wide", "scopes": ["read"], "ip_allow": ["0.0.0.0/0"]}),
        ] {
            make(more).await.problem("cap_too_high");
        }

        // Nor does it get the secret of a freer one by rotating it; itself it may rotate.
        let free = app.post_as(agent.token(), "/agents/me/keys", &json!({"name": "free", "scopes": ["read"]})).await;
        let rotate = |id: &str| format!("/agents/me/keys/{id}/rotate");
        app.post_as(secret(&maker), &rotate(id(&free.json(201))), &json!({})).await.problem("cap_too_high");
        app.post_as(secret(&maker), &rotate(id(&maker)), &json!({})).await.json(201);
    }
}

#[tokio::test]
async fn rotation_makes_no_more_keys_than_an_agent_may_have() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let agent = app.enrol("acme").await;
    let path = format!("/agents/me/keys/{}/rotate", agent.session["api_key"]["id"].as_str().unwrap());
    for _ in 1..100 {
        app.post_as(agent.token(), &path, &json!({})).await.json(201);
    }
    app.post_as(agent.token(), &path, &json!({})).await.problem("validation_failed");
}

pub(crate) async fn make(app: &TestApp, token: &str, settings: Value) -> Value {
    app.post_as(token, "/agents/me/keys", &settings).await.json(201)
}

async fn sql(app: &TestApp, statement: &'static str) {
    sqlx::Executor::execute(&*app.state.db, statement).await.expect("it is SQL");
}

#[tokio::test]
async fn what_a_key_made_is_revoked_with_it() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "maker", "scopes": ["admin", "read"]});
        let maker = make(&app, agent.token(), settings.clone()).await;
        let child = make(&app, secret(&maker), settings.clone()).await;
        let grandchild = make(&app, secret(&child), settings.clone()).await;
        let rotate = format!("/agents/me/keys/{}/rotate", id(&maker));
        let its_own = app.post_as(secret(&maker), &rotate, &json!({})).await.json(201);
        let its_owners = app.post_as(agent.token(), &rotate, &json!({})).await.json(201);

        let path = format!("/agents/me/keys/{}", id(&maker));
        assert_eq!(app.delete_as(agent.token(), &path).await.status, 204);
        for key in [&maker, &child, &grandchild, &its_own] {
            app.get_as(secret(key), "/agents/me").await.problem("key_revoked");
        }
        // What the agent made of it lives on, as do its other keys.
        app.get_as(secret(&its_owners), "/agents/me").await.json(200);
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn what_a_key_made_ends_with_it_when_it_is_rotated() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "maker", "scopes": ["admin", "read"]});
        let maker = make(&app, agent.token(), settings.clone()).await;
        let child = make(&app, secret(&maker), settings).await;
        let rotate = format!("/agents/me/keys/{}/rotate", id(&maker));
        let heir = app.post_as(agent.token(), &rotate, &json!({"overlap_secs": 0})).await.json(201);
        app.get_as(secret(&child), "/agents/me").await.problem("key_expired");
        app.get_as(secret(&heir), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn who_is_revoked_meanwhile_makes_no_key() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "maker", "scopes": ["admin", "read"]});
        let maker = make(&app, agent.token(), settings.clone()).await;
        app.get_as(secret(&maker), "/agents/me").await.json(200);
        app.get_as(agent.token(), "/agents/me").await.json(200);
        // As another server does it: this one believes what it saw for two seconds more.
        sql(&app, "UPDATE api_keys SET revoked_at = 1").await;
        sql(&app, "UPDATE sessions SET revoked_at = 1").await;
        let rotate = format!("/agents/me/keys/{}/rotate", id(&maker));
        for token in [secret(&maker), agent.token()] {
            app.post_as(token, "/agents/me/keys", &settings).await.problem("key_revoked");
            app.post_as(token, &rotate, &json!({})).await.problem("key_revoked");
        }
    }
}

#[tokio::test]
async fn a_repeated_request_shows_its_secret_to_its_sender_only() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let lesser = make(&app, agent.token(), json!({"name": "lesser", "scopes": ["admin"]})).await;
        let twin = make(&app, agent.token(), json!({"name": "twin", "scopes": ["admin"]})).await;
        let settings = json!({"name": "all", "scopes": ["admin", "invoke", "read", "publish"]});
        let ask = |token: String, settings: Value| {
            let request = app.request(reqwest::Method::POST, "/agents/me/keys").bearer_auth(token).json(&settings);
            clawos_tests::app::send(request.header("idempotency-key", settings["name"].as_str().unwrap()))
        };
        ask(agent.token().to_owned(), settings.clone()).await.json(201);
        ask(secret(&lesser).to_owned(), settings).await.problem("idempotency_mismatch");

        let settings = json!({"name": "small", "scopes": ["admin"]});
        let made = ask(secret(&lesser).to_owned(), settings.clone()).await.json(201);
        ask(secret(&twin).to_owned(), settings.clone()).await.problem("idempotency_mismatch");
        assert_eq!(ask(secret(&lesser).to_owned(), settings).await.json(201), made);
    }
}

#[tokio::test]
async fn a_time_that_could_not_be_shown_again_is_refused() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let agent = app.enrol("acme").await;
    for beyond in ["9999-12-31T23:59:59-23:59", "+10000-01-01T00:00:00Z"] {
        let settings = json!({"name": "eternal", "scopes": ["read"], "expires_at": beyond});
        let refused = app.post_as(agent.token(), "/agents/me/keys", &settings).await;
        assert_eq!(refused.pointers("invalid_body"), ["/expires_at"]);
    }
    let settings = json!({"name": "long", "scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"});
    assert_eq!(make(&app, agent.token(), settings).await["expires_at"], "9999-12-31T23:59:59Z");
    assert_eq!(app.get_as(agent.token(), "/agents/me/keys").await.json(200)["items"].as_array().unwrap().len(), 2);
}

async fn count(app: &TestApp, agent: &TestAgent) -> usize {
    app.get_as(agent.token(), "/agents/me/keys").await.json(200)["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_number_of_keys_holds_at_the_same_time_and_expired_ones_do_not_count() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let soon = clawos_api::Timestamp(clawos_base::Clock::now_ms(&*app.clock) + 600_000);
        let settings = json!({"name": "short", "scopes": ["read"], "expires_at": soon});
        for _ in 1..99 {
            make(&app, agent.token(), settings.clone()).await;
        }
        let asked = (0..4).map(|_| app.post_as(agent.token(), "/agents/me/keys", &settings));
        let answers = futures::future::join_all(asked).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(count(&app, &agent).await, 100);

        app.clock.advance(600_001);
        assert_eq!(count(&app, &agent).await, 1);
        make(&app, agent.token(), json!({"name": "new", "scopes": ["read"]})).await;
    }
}
