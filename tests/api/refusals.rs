//! Malformed, unknown and too long fields of the identity and registry endpoints: each has its clear answer.

use clawos_tests::app::{TestApp, address, databases, new_key};
use serde_json::{Value, json};

/// Path, body, code, pointers.
type Case<'a> = (&'a str, Value, &'a str, &'a [&'a str]);

async fn refuse_all(cases: &[Case<'_>]) {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        for (path, body, code, pointers) in cases {
            let answer = app.post_as(agent.token(), path, body).await;
            assert_eq!(answer.pointers(code), *pointers, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn wrong_fields_of_an_enrolment_are_named_one_by_one() {
    let wallet = address(&new_key());
    let long = "x".repeat(501);
    refuse_all(&[
        ("/agents/register", json!({"name": "acme-2"}), "invalid_body", &[""]),
        ("/agents/register", json!({"name": 7, "wallet": wallet}), "invalid_body", &["/name"]),
        ("/agents/register", json!({"name": "x", "wallet": wallet}), "validation_failed", &["/name"]),
        ("/agents/register", json!({"name": "Ácme", "wallet": wallet}), "validation_failed", &["/name"]),
        ("/agents/register", json!({"name": "clawos", "wallet": wallet}), "validation_failed", &["/name"]),
        ("/agents/register", json!({"name": "ok-name", "wallet": "0OIl"}), "validation_failed", &["/wallet"]),
        ("/agents/register", json!({"name": "ok-name", "wallet": "1".repeat(32)}), "validation_failed", &["/wallet"]),
        (
            "/agents/register",
            json!({"name": "x", "wallet": "", "description": long}),
            "validation_failed",
            &["/name", "/wallet", "/description"],
        ),
        (
            "/agents/register",
            json!({"name": "ok-name", "wallet": wallet, "description": "a\u{0}b"}),
            "validation_failed",
            &["/description"],
        ),
        (
            "/agents/register",
            json!({"name": "ok-name", "wallet": wallet, "roles": ["king"]}),
            "invalid_body",
            &["/roles/0"],
        ),
        (
            "/agents/register",
            json!({"name": "ok-name", "wallet": wallet, "roles": []}),
            "validation_failed",
            &["/roles"],
        ),
        ("/agents/register", json!({"name": "ok-name", "wallet": wallet, "admin": true}), "invalid_body", &["/admin"]),
    ])
    .await;
}

#[tokio::test]
async fn wrong_fields_of_sessions_and_keys_are_named_one_by_one() {
    refuse_all(&[
        ("/agents/register/chl_x/verify", json!({"signature": "zz"}), "validation_failed", &["/signature"]),
        ("/auth/verify", json!({"challenge": "", "signature": ""}), "validation_failed", &["/challenge", "/signature"]),
        ("/agents/me/keys", json!({"name": "", "scopes": []}), "validation_failed", &["/name", "/scopes"]),
        ("/agents/me/keys", json!({"name": "k", "scopes": ["root"]}), "invalid_body", &["/scopes/0"]),
        (
            "/agents/me/keys",
            json!({"name": "k", "scopes": ["read"], "ip_allow": ["1.2.3"]}),
            "validation_failed",
            &["/ip_allow/0"],
        ),
        (
            "/agents/me/keys",
            json!({"name": "k", "scopes": ["read"], "daily_caps": {"USDC": "-1"}}),
            "invalid_body",
            &["/daily_caps/USDC"],
        ),
        (
            "/agents/me/keys",
            json!({"name": "k", "scopes": ["read"], "daily_caps": {"EUR": "1"}}),
            "invalid_body",
            &["/daily_caps/EUR"],
        ),
        (
            "/agents/me/keys",
            json!({"name": "k", "scopes": ["read"], "daily_caps": {"SOL": "9223372036854775808", "USDC": "18446744073709551615"}}),
            "validation_failed",
            &["/daily_caps/SOL", "/daily_caps/USDC"],
        ),
        (
            "/agents/me/keys",
            json!({"name": "k", "scopes": ["read"], "expires_at": "tomorrow"}),
            "invalid_body",
            &["/expires_at"],
        ),
        ("/agents/me/keys/key_x/rotate", json!({"overlap_secs": 99999999}), "validation_failed", &["/overlap_secs"]),
        ("/auth/revoke", json!({"all": true}), "invalid_body", &["/all"]),
    ])
    .await;
}

#[tokio::test]
async fn wrong_query_parameters_are_refused() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let long = format!("q={}", "x".repeat(201));
        for (query, pointer) in
            [("limit=0", "/limit"), ("limit=101", "/limit"), ("cursor=abc", "/cursor"), (&*long, "/q")]
        {
            assert_eq!(app.get(&format!("/skills?{query}")).await.pointers("validation_failed"), [pointer], "{query}");
        }
        for query in ["cursor=%00", "q=%00"] {
            app.get(&format!("/skills?{query}")).await.problem("validation_failed");
        }
        app.get("/skills/acme.nothing").await.problem("skill_not_found");
        app.get("/skills/%00").await.problem("not_found");
        app.get("/agents/%00").await.problem("not_found");
        app.get("/skills/%ff").await.problem("not_found");
        app.get("/skills/acme.nothing/versions").await.problem("skill_not_found");
        app.get("/skills/acme.nothing/versions/1.0.0").await.problem("skill_not_found");
        app.get("/skills/acme.nothing/artifact").await.problem("skill_not_found");
    }
}
