//! What every endpoint has in common: problems, request ids, rate limits, bounds, documentation.

use clawos_tests::app::{Answer, TestApp, TestDatabase, send};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use reqwest::Method;
use serde_json::{Value, json};

async fn raw(app: &TestApp, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    send(app.request(Method::POST, path).header("content-type", kind).body(body)).await
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    app.get("/nothing/here").await.problem("not_found");
    send(app.http.get(format!("{}/nothing", app.origin))).await.problem("not_found");
    send(app.request(Method::PUT, "/skills")).await.problem("method_not_allowed");
    send(app.request(Method::DELETE, "/auth/refresh")).await.problem("method_not_allowed");
    // Where callers are not counted too.
    for method in [Method::POST, Method::OPTIONS] {
        let refused = send(app.http.request(method, format!("{}/healthz", app.origin))).await;
        refused.problem("method_not_allowed");
        assert_eq!(refused.headers["allow"], "GET,HEAD");
    }
}

#[tokio::test]
async fn bodies_are_strict_and_bounded() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let json = "application/json";
    let path = "/auth/challenge";
    raw(&app, path, "text/plain", "{}").await.problem("unsupported_media_type");
    send(app.request(Method::POST, path)).await.problem("unsupported_media_type");
    assert_eq!(raw(&app, path, json, "").await.pointers("invalid_body"), [""]);
    assert_eq!(raw(&app, path, json, "{").await.pointers("invalid_body"), [""]);
    assert_eq!(raw(&app, path, json, "[]").await.pointers("invalid_body"), [""]);
    assert_eq!(raw(&app, path, json, "{\"wallet\":1}").await.pointers("invalid_body"), ["/wallet"]);
    assert_eq!(raw(&app, path, json, "{\"wallet\":\"a\"} x").await.pointers("invalid_body"), [""]);
    assert_eq!(raw(&app, path, json, vec![0xff, 0xfe]).await.pointers("invalid_body"), [""]);
    let unknown = raw(&app, path, json, "{\"wallet\":\"a\",\"more\":1}").await;
    assert_eq!(unknown.pointers("invalid_body"), ["/more"]);
    let twice = raw(&app, path, json, "{\"wallet\":\"a\",\"wallet\":\"b\"}").await;
    twice.problem("invalid_body");
    raw(&app, path, json, "[".repeat(60_000)).await.problem("invalid_body");
    let large = format!("{{\"wallet\":\"{}\"}}", "a".repeat(70_000));
    raw(&app, path, json, large.clone()).await.problem("payload_too_large");
    // Without a Content-Length too.
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    raw(&app, path, json, reqwest::Body::wrap_stream(chunks)).await.problem("payload_too_large");
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let mine = send(app.request(Method::GET, "/nothing").header("x-request-id", "mine-1")).await;
    assert_eq!(mine.headers["x-request-id"], "mine-1");
    assert_eq!(mine.problem("not_found")["request_id"], "mine-1");
    for odd in ["", "with space", &"x".repeat(65), "<script>"] {
        let made = send(app.request(Method::GET, "/skills").header("x-request-id", odd)).await;
        assert!(made.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    }
}

#[tokio::test]
async fn rate_limits_count_per_key_and_say_so() {
    let app = TestApp::with(&TestDatabase::Sqlite, |config| {
        config.limits.rate_per_minute = 5;
        config.limits.anonymous_rate_per_minute = 20;
    })
    .await;
    let (one, two) = (app.enrol("one-agent").await, app.enrol("two-agent").await);
    for left in (0..5).rev() {
        let answer = app.get_as(one.api_key(), "/agents/me").await;
        assert_eq!(answer.headers["ratelimit-policy"], "\"default\";q=5;w=60");
        let standing = answer.headers["ratelimit"].to_str().unwrap();
        assert!(standing.starts_with(&format!("\"default\";r={left};t=")), "{standing}");
        answer.json(200);
    }
    let limited = app.get_as(one.api_key(), "/agents/me").await;
    assert_eq!(limited.problem("rate_limited")["retryable"], true);
    assert_eq!(limited.headers["ratelimit-policy"], "\"default\";q=5;w=60");
    assert_eq!(limited.headers["ratelimit"], "\"default\";r=0;t=60");
    let wait: u64 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    // Another key of the same agent, and another agent, are not affected.
    app.get_as(one.token(), "/agents/me").await.json(200);
    app.get_as(two.api_key(), "/agents/me").await.json(200);

    // Guessing tokens counts against the address, and says so.
    let mut codes = Vec::new();
    for _ in 0..25 {
        let answer = app.get_as("claw_sk_guess", "/agents/me").await;
        assert_eq!(answer.headers["ratelimit-policy"], "\"default\";q=20;w=60");
        codes.push(serde_json::from_slice::<Value>(&answer.bytes).unwrap()["code"].clone());
    }
    assert_eq!(codes.first(), Some(&json!("unauthenticated")));
    assert_eq!(codes.last(), Some(&json!("rate_limited")));
    // Not even a right one is looked up for a moment, when it is not known from just before.
    let limited = app.get_as(two.token(), "/agents/me").await;
    limited.problem("rate_limited");
    assert_eq!(limited.headers["ratelimit-policy"], "\"default\";q=20;w=60");
    // Who asks again and again does not make it longer.
    for _ in 0..40 {
        if app.get_as(two.token(), "/agents/me").await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a right token was shut out for longer than a moment");
}

#[tokio::test]
async fn a_licences_limit_is_told_and_not_the_keys() {
    let slow = |config: &mut clawos_config::Config| config.limits.rate_per_minute = 30;
    let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    let market = Market::with(&TestDatabase::Sqlite, slow, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 100_000).await;
    let path = format!("/skills/{}/execute", market.skill);
    let body = json!({"endpoint": "echo", "payload": {"text": "hello"}});
    let mut limited = Vec::new();
    for name in ["one", "two"] {
        let settings = json!({"name": name, "scopes": ["invoke"]});
        let key = market.app.post_as(buyer.agent.token(), "/agents/me/keys", &settings).await.json(201);
        for _ in 0..20 {
            let answer = market.app.post_as(key["key"].as_str().unwrap(), &path, &body).await;
            limited.extend((answer.status == 429).then_some(answer));
        }
    }
    let limited = limited.first().expect("forty calls of one licence are too many");
    limited.problem("rate_limited");
    // Its key has made twenty of thirty.
    assert!(limited.headers["ratelimit"].to_str().unwrap().starts_with("\"default\";r=0;"), "{:?}", limited.headers);
}

#[tokio::test]
async fn a_connection_that_does_not_say_what_it_wants_is_closed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let address = app.origin.strip_prefix("http://").unwrap();
    for said in ["", "GET /healthz HTTP/1.1\r\nHost: half"] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = socket.read_to_end(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(20), closed).await.expect("it is closed").unwrap();
    }
}
