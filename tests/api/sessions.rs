//! Sessions: expiry, rotation, and what happens to a stolen refresh token.

use clawos_config::Config;
use clawos_tests::app::{TestApp, TestDatabase, address, databases, new_key, send, sign};
use serde_json::json;

#[tokio::test]
async fn tokens_expire_and_refresh_gives_new_ones() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        app.clock.advance(3600 * 1000 + 1);
        app.get_as(agent.token(), "/agents/me").await.problem("key_expired");

        let body = json!({"refresh_token": agent.refresh_token()});
        let renewed = app.post("/auth/refresh", &body).await.json(200);
        assert_ne!(renewed["refresh_token"], agent.refresh_token());
        app.get_as(renewed["access_token"].as_str().unwrap(), "/agents/me").await.json(200);

        app.clock.advance(30 * 24 * 3600 * 1000 + 1);
        let late = json!({"refresh_token": renewed["refresh_token"]});
        app.post("/auth/refresh", &late).await.problem("key_expired");
    }
}

#[tokio::test]
async fn an_agent_learns_what_it_signed_in_with_and_until_when() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let me = app.get_as(agent.token(), "/agents/me").await.json(200);
        assert_eq!((&me["name"], &me["credential"]["kind"]), (&json!("acme"), &json!("session")));
        assert_eq!(me["credential"]["expires_at"], agent.session["access_expires_at"]);
        assert_eq!(me["credential"]["refresh_expires_at"], agent.session["refresh_expires_at"]);

        let me = app.get_as(agent.api_key(), "/agents/me").await.json(200);
        let endless = json!({
            "kind": "api_key",
            "id": agent.session["api_key"]["id"],
            "scopes": agent.session["api_key"]["scopes"],
            "expires_at": null,
            "refresh_expires_at": null,
        });
        assert_eq!(me["credential"], endless);

        let soon = clawos_api::Timestamp(clawos_base::Clock::now_ms(&*app.clock) + 60_000);
        let settings = json!({"name": "short", "scopes": ["read"], "expires_at": soon});
        let short = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        let me = app.get_as(short["key"].as_str().unwrap(), "/agents/me").await.json(200);
        assert_eq!(me["credential"]["expires_at"], short["expires_at"]);

        // Who may not read hears neither.
        let settings = json!({"name": "caller", "scopes": ["invoke"]});
        let caller = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        app.get_as(caller["key"].as_str().unwrap(), "/agents/me").await.problem("scope_missing");
    }
}

#[tokio::test]
async fn a_refresh_ends_the_access_token_it_replaces() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        app.get_as(agent.token(), "/agents/me").await.json(200);
        let renewed = app.post("/auth/refresh", &json!({"refresh_token": agent.refresh_token()})).await.json(200);
        app.get_as(agent.token(), "/agents/me").await.problem("key_revoked");
        let settings = json!({"name": "late", "scopes": ["read"]});
        app.post_as(agent.token(), "/agents/me/keys", &settings).await.problem("key_revoked");
        app.get_as(renewed["access_token"].as_str().unwrap(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn a_dead_token_does_not_keep_its_holder_from_coming_back() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        app.clock.advance(3600 * 1000 + 1);
        app.get_as(agent.token(), "/agents/me").await.problem("key_expired");
        for dead in [agent.token(), "claw_at_nothing"] {
            // Each way back, and what everybody may read.
            let challenge = json!({"wallet": address(&agent.key)});
            let challenge = app.post_as(dead, "/auth/challenge", &challenge).await.json(201);
            let signed = json!({"challenge": challenge["challenge"], "signature": sign(&agent.key, &challenge)});
            app.post_as(dead, "/auth/verify", &signed).await.json(200);
            let new = json!({"name": "another", "wallet": address(&new_key())});
            app.post_as(dead, "/agents/register", &new).await.json(201);
            app.get_as(dead, "/skills").await.json(200);
            app.get_as(dead, "/agents/acme").await.json(200);
            for path in ["/healthz", "/openapi.json", "/docs/", "/.well-known/clawos.json"] {
                let read = send(app.http.get(format!("{}{path}", app.origin)).bearer_auth(dead)).await;
                assert_eq!(read.status, 200, "{path}: {}", read.text());
            }
        }
        let body = json!({"refresh_token": agent.refresh_token()});
        let renewed = app.post_as(agent.token(), "/auth/refresh", &body).await.json(200);
        app.get_as(renewed["access_token"].as_str().unwrap(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_whole_family() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let first = json!({"refresh_token": agent.refresh_token()});
        let renewed = app.post("/auth/refresh", &first).await.json(200);
        let access = renewed["access_token"].as_str().unwrap();
        app.get_as(access, "/agents/me").await.json(200);

        app.post("/auth/refresh", &first).await.problem("key_revoked");
        app.get_as(access, "/agents/me").await.problem("key_revoked");
        app.get_as(agent.token(), "/agents/me").await.problem("key_revoked");
        app.post("/auth/refresh", &json!({"refresh_token": renewed["refresh_token"]})).await.problem("key_revoked");
        // API keys are not sessions: they live on.
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn refreshing_twice_at_the_same_time_gives_one_session_at_most() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let body = json!({"refresh_token": agent.refresh_token()});
        let answers = futures::future::join_all((0..6).map(|_| app.post("/auth/refresh", &body))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    }
}

#[tokio::test]
async fn revoking_ends_the_session_at_once() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        app.get_as(agent.token(), "/agents/me").await.json(200);
        assert_eq!(app.post_as(agent.token(), "/auth/revoke", &json!({})).await.status, 204);
        app.get_as(agent.token(), "/agents/me").await.problem("key_revoked");
        app.post("/auth/refresh", &json!({"refresh_token": agent.refresh_token()})).await.problem("key_revoked");
        app.post_as(agent.api_key(), "/auth/revoke", &json!({})).await.problem("scope_missing");
    }
}

#[tokio::test]
async fn a_revocation_ends_what_is_refreshed_at_the_same_time() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        for round in 0..10 {
            let agent = app.enrol(&format!("agent-{round}")).await;
            // The session's own token would end with the refresh.
            let settings = json!({"name": "manager", "scopes": ["admin"]});
            let manager = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
            let body = json!({"refresh_token": agent.refresh_token()});
            let nothing = json!({});
            let refresh = app.post("/auth/refresh", &body);
            let revoke = app.post_as(manager["key"].as_str().unwrap(), "/auth/revoke", &nothing);
            let (refreshed, revoked) = futures::future::join(refresh, revoke).await;
            assert_eq!(revoked.status, 204);
            if refreshed.status != 200 {
                refreshed.problem("key_revoked");
                continue;
            }
            let token = refreshed.json(200);
            app.get_as(token["access_token"].as_str().unwrap(), "/agents/me").await.problem("key_revoked");
        }
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_where_it_matters_who_calls() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let mistyped = agent.token().replace("claw_at_", "claw_at_X");
        let mut other = agent.token().to_owned();
        other.pop();
        other.push('!');
        for token in ["x", "claw_at_", &mistyped, &other, agent.refresh_token(), &"y".repeat(5000)] {
            app.get_as(token, "/agents/me").await.problem("unauthenticated");
            // Public, but the answer depends on who asks.
            app.get_as(token, "/marketplace/verify/acme.echo").await.problem("unauthenticated");
        }
        app.get("/agents/me").await.problem("unauthenticated");
        let odd = app.request(reqwest::Method::GET, "/agents/me").header("authorization", "Basic abc");
        send(odd).await.problem("unauthenticated");
        app.post("/auth/refresh", &json!({"refresh_token": agent.token()})).await.problem("unauthenticated");
    }
}

#[tokio::test]
async fn sessions_and_agents_survive_a_restart() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let app = app.restart(&database).await;
        assert_eq!(app.get_as(agent.token(), "/agents/me").await.json(200)["name"], "acme");
        app.get_as(agent.api_key(), "/agents/me").await.json(200);
    }
}

#[tokio::test]
async fn servers_of_one_postgres_share_agents_keys_and_idempotency() {
    for database in databases().await {
        if matches!(database, TestDatabase::Sqlite) {
            continue;
        }
        let shared = |config: &mut Config| config.data.server_key = Some("5a".repeat(32));
        let (one, two) = (TestApp::with(&database, shared).await, TestApp::with(&database, shared).await);
        let agent = one.enrol("acme").await;
        two.get_as(agent.api_key(), "/agents/me").await.json(200);
        let make = |app: &TestApp| {
            let request = app.request(reqwest::Method::POST, "/agents/me/keys").bearer_auth(agent.token());
            let request = request.header("idempotency-key", "k").json(&json!({"name": "k", "scopes": ["read"]}));
            send(request)
        };
        let first = make(&one).await.json(201);
        assert_eq!(make(&two).await.json(201), first);
        let path = format!("/agents/me/keys/{}", first["id"].as_str().unwrap());
        two.get_as(first["key"].as_str().unwrap(), "/agents/me").await.json(200);
        assert_eq!(one.delete_as(agent.token(), &path).await.status, 204);
        one.get_as(first["key"].as_str().unwrap(), "/agents/me").await.problem("key_revoked");
        // The other server believes what it saw for two seconds at most.
        tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
        two.get_as(first["key"].as_str().unwrap(), "/agents/me").await.problem("key_revoked");
    }
}
