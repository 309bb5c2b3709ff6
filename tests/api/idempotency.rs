//! `Idempotency-Key`: done once, answered the same, never mixed up.

use std::time::Duration;

use clawos_base::idempotency::{Begin, IdempotencyError, Keyed};
use clawos_tests::app::{Answer, TestApp, TestDatabase, databases, send};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use reqwest::Method;
use serde_json::{Value, json};

async fn make_key(app: &TestApp, token: &str, idempotency_key: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, "/agents/me/keys").bearer_auth(token).json(body);
    send(request.header("idempotency-key", idempotency_key)).await
}

async fn count_keys(app: &TestApp, token: &str) -> usize {
    app.get_as(token, "/agents/me/keys").await.json(200)["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_the_same() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let body = json!({"name": "k", "scopes": ["read"]});
        let first = make_key(&app, agent.token(), "\"8e03978e\"", &body).await;
        let second = make_key(&app, agent.token(), "8e03978e", &body).await;
        assert_eq!(first.json(201), second.json(201));
        assert_eq!(second.headers["idempotent-replayed"], "true");
        assert_eq!(count_keys(&app, agent.token()).await, 2);

        let app = app.restart(&database).await;
        assert_eq!(make_key(&app, agent.token(), "8e03978e", &body).await.json(201), first.json(201));
        app.clock.advance(24 * 3600 * 1000 + 1);
        let challenge = json!({"wallet": agent.session["agent"]["wallet"]});
        let challenge = app.post("/auth/challenge", &challenge).await.json(201);
        let answer =
            json!({"challenge": challenge["challenge"], "signature": clawos_tests::app::sign(&agent.key, &challenge)});
        let session = app.post("/auth/verify", &answer).await.json(200);
        let later = make_key(&app, session["access_token"].as_str().unwrap(), "8e03978e", &body).await;
        assert_ne!(later.json(201)["id"], first.json(201)["id"]);
    }
}

#[tokio::test]
async fn another_body_or_a_bad_key_is_refused() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (agent, other) = (app.enrol("acme").await, app.enrol("other").await);
        let body = json!({"name": "k", "scopes": ["read"]});
        make_key(&app, agent.token(), "one", &body).await.json(201);
        make_key(&app, agent.token(), "one", &json!({"name": "z", "scopes": ["read"]}))
            .await
            .problem("idempotency_mismatch");
        make_key(&app, agent.token(), &"x".repeat(256), &body).await.problem("header_invalid");
        make_key(&app, agent.token(), "two words", &body).await.problem("header_invalid");
        // Keys belong to agents: another agent's same key is another key.
        make_key(&app, other.token(), "one", &json!({"name": "z", "scopes": ["read"]})).await.json(201);
    }
}

#[tokio::test]
async fn a_refusal_is_replayed_too() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let settings = json!({"name": "manager", "scopes": ["admin"]});
        let manager = app.post_as(agent.token(), "/agents/me/keys", &settings).await.json(201);
        let manager = manager["key"].as_str().unwrap();
        let body = json!({"name": "k", "scopes": ["invoke"]});
        let first = make_key(&app, manager, "r", &body).await;
        let second = make_key(&app, manager, "r", &body).await;
        assert_eq!(first.problem("scope_missing"), second.problem("scope_missing"));
        assert_eq!(second.headers["idempotent-replayed"], "true");
    }
}

#[tokio::test]
async fn at_the_same_time_one_runs_and_the_others_wait_or_get_its_answer() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let body = json!({"name": "k", "scopes": ["read"]});
        let answers = futures::future::join_all((0..12).map(|_| make_key(&app, agent.token(), "same", &body))).await;
        let mut made = Vec::new();
        for answer in &answers {
            match answer.status.as_u16() {
                201 => made.push(answer.json(201)),
                _ => assert_eq!(answer.problem("idempotency_running")["retryable"], true),
            }
        }
        assert!(!made.is_empty() && made.iter().all(|key| key == &made[0]));
        assert_eq!(count_keys(&app, agent.token()).await, 2);
    }
}

#[tokio::test]
async fn a_claim_of_a_dead_process_ends() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let body = json!({"name": "k", "scopes": ["read"]});
        make_key(&app, agent.token(), "k", &body).await.json(201);
        // As a kill in the middle of the work leaves it.
        let forget = "UPDATE idempotency SET answer = NULL";
        sqlx::Executor::execute(&*app.state.db, forget).await.unwrap();
        make_key(&app, agent.token(), "k", &body).await.problem("idempotency_running");
        let app = match database {
            // Nobody else can be working on a SQLite file.
            TestDatabase::Sqlite => app.restart(&database).await,
            TestDatabase::Postgres(_) => {
                app.clock.advance(60_001);
                app
            }
        };
        make_key(&app, agent.token(), "k", &body).await.json(201);
    }
}

#[tokio::test]
async fn what_cannot_be_answered_again_is_not_done() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let agent = app.enrol("acme").await;
    let body = json!({"name": "k", "scopes": ["read"]});
    let sql = async |statement: &'static str| sqlx::Executor::execute(&*app.state.db, statement).await.unwrap();
    // As a kill right before the answer is stored.
    sql("CREATE TRIGGER broken BEFORE UPDATE ON idempotency BEGIN SELECT RAISE(ABORT, 'gone'); END").await;
    make_key(&app, agent.token(), "k", &body).await.problem("internal");
    assert_eq!(count_keys(&app, agent.token()).await, 1);
    sql("DROP TRIGGER broken").await;
    let made = make_key(&app, agent.token(), "k", &body).await.json(201);
    assert_eq!(make_key(&app, agent.token(), "k", &body).await.json(201), made);
    assert_eq!(count_keys(&app, agent.token()).await, 2);
}

#[tokio::test]
async fn keys_that_could_not_be_given_back_hold_no_other_request_up() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let agent = app.enrol("acme").await;
    let (idempotency, db) = (&app.state.idempotency, &app.state.db);
    let sql = async |statement: &'static str| sqlx::Executor::execute(&**db, statement).await.unwrap();
    let begin = async |key: &str| {
        let within = Duration::from_secs(3_600);
        let keyed =
            Keyed { agent_id: agent.id(), route: "POST /agents/me/keys", key: Some(key), fingerprint: [0; 32], within };
        idempotency.begin(keyed).await
    };
    // Requests that failed while nothing could be deleted.
    sql("CREATE TRIGGER broken BEFORE DELETE ON idempotency BEGIN SELECT RAISE(ABORT, 'gone'); END").await;
    for n in 0..40 {
        let Ok(Begin::Claimed(claim)) = begin(&format!("lost-{n}")).await else { panic!("a new key is free") };
        idempotency.abandon(&claim).await.expect_err("nothing can be deleted");
    }
    // While that lasts, other requests are served, and a repetition is told to wait.
    let body = json!({"name": "k", "scopes": ["read"]});
    make_key(&app, agent.token(), "another", &body).await.json(201);
    assert!(matches!(begin("lost-0").await, Err(IdempotencyError::Running)));

    // Afterwards a repetition frees its own key, and nobody else's: that is done beside the requests.
    sql("DROP TRIGGER broken").await;
    let open = async || {
        let claims = "SELECT key_hash FROM idempotency WHERE answer IS NULL";
        sqlx::query(claims).fetch_all(&**db).await.unwrap().len()
    };
    assert!(matches!(begin("lost-0").await, Ok(Begin::Claimed(_))));
    assert_eq!(open().await, 40, "39 that were lost, and the one that runs");
    idempotency.return_claims().await.unwrap();
    assert_eq!(open().await, 1);
    assert!(matches!(begin("lost-39").await, Ok(Begin::Claimed(_))));
}

#[tokio::test]
async fn describing_a_purchase_stores_nothing() {
    for database in databases().await {
        let priced = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
        let market = Market::open(&database, priced).await;
        let buyer = market.app.enrol("buyer").await;
        for kind in ["usage", "usage", "subscription"] {
            let order = json!({"skill": market.skill, "kind": kind, "tier": "personal"});
            let request = market.app.request(Method::POST, "/marketplace/purchase").bearer_auth(buyer.token());
            let answer = send(request.header("idempotency-key", "one-for-all").json(&order)).await;
            if kind == "usage" {
                answer.json(200)
            } else {
                answer.problem("kind_not_offered")
            };
        }
        let claims = "SELECT key_hash FROM idempotency WHERE agent_id = $1";
        let claims = sqlx::query(claims).bind(buyer.id()).fetch_all(&*market.app.state.db).await.unwrap();
        assert!(claims.is_empty());
    }
}
