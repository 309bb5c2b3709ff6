//! The edges of HTTP: headers, queries, sizes and conditions that clients, proxies and attackers send.

use std::time::Duration;

use clawos_interface::SkillStatus;
use clawos_tests::app::{Answer, TestApp, TestDatabase, databases, send};
use clawos_tests::chain;
use clawos_tests::lying_chain::LyingChain;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer to a request that is refused unread may take.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Sends these bytes, and nothing more; gives what comes back until the connection ends or nothing more is said.
async fn raw(app: &TestApp, request: &str) -> String {
    let address = app.origin.strip_prefix("http://").expect("an origin");
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = vec![0; 64 * 1024];
    let read = socket.read(&mut answer);
    let read = tokio::time::timeout(AT_ONCE, read).await.expect("it answers at once").expect("it is connected");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// The status of an answer, and the code of the problem in it.
fn refusal(answer: &str) -> (&str, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    (status, serde_json::from_str::<Value>(body).unwrap_or_default()["code"].take())
}

#[tokio::test]
async fn a_query_is_refused_with_the_name_of_what_is_wrong() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    for (query, code, pointer) in [
        ("colour=red", "query_invalid", "/colour"),
        ("limit=1&limit=2", "query_invalid", "/limit"),
        ("limit=abc", "validation_failed", "/limit"),
        ("limit=-1", "validation_failed", "/limit"),
        ("limit=4294967296", "validation_failed", "/limit"),
        ("kind=stolen", "validation_failed", "/kind"),
    ] {
        let answer = app.get(&format!("/skills?{query}")).await;
        assert_eq!(answer.pointers(code), [pointer], "{query}");
        assert!(!answer.text().contains("deserialize"), "{}", answer.text());
    }
    // A value outside the range is refused as one that is no number.
    assert_eq!(app.get("/skills?limit=0").await.pointers("validation_failed"), ["/limit"]);
    let known = app.get("/skills?colour=red").await.problem("query_invalid");
    assert!(known["detail"].as_str().is_some_and(|text| text.contains("category, tag")), "{known}");
    let author = app.enrol("acme").await;
    let time = app.get_as(author.token(), "/receipts?from=yesterday").await;
    assert_eq!(time.pointers("validation_failed"), ["/from"]);
    let flag = app.request(Method::POST, "/skills?dry_run=maybe").bearer_auth(author.token());
    let flag = send(flag.multipart(Publication::echo("acme", "echo", "1.0.0").form())).await;
    assert_eq!(flag.pointers("validation_failed"), ["/dry_run"]);
    app.get("/skills?limit=5&q=a+word%20more&kind=usage").await.json(200);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_unread() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let token = author.token();
    for (path, kind) in [
        ("/api/v1/auth/challenge", "application/json"),
        ("/api/v1/skills/acme.echo/execute", "application/json"),
        ("/api/v1/skills", "multipart/form-data; boundary=b"),
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n\
             Content-Length: 10000000000\r\n\r\n"
        );
        assert_eq!(refusal(&raw(&app, &request).await), ("413", json!("payload_too_large")), "{path}");
    }
}

#[tokio::test]
async fn compressed_bodies_are_not_read() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let post = |path| app.request(Method::POST, path).bearer_auth(author.token());
    let squeezed = post("/auth/challenge").header(header::CONTENT_ENCODING, "gzip").json(&json!({"wallet": "x"}));
    let problem = send(squeezed).await.problem("unsupported_media_type");
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("Content-Encoding")), "{problem}");
    let form = Publication::echo("acme", "echo", "1.0.0").form();
    send(post("/skills").header(header::CONTENT_ENCODING, "br").multipart(form))
        .await
        .problem("unsupported_media_type");
    let plain = post("/auth/challenge").header(header::CONTENT_ENCODING, "identity").json(&json!({"wallet": "x"}));
    send(plain).await.problem("validation_failed");
}

#[tokio::test]
async fn a_request_names_one_host_and_one_caller() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let missing = raw(&app, "GET /api/v1/skills HTTP/1.1\r\n\r\n").await;
    assert_eq!(refusal(&missing), ("400", json!("header_invalid")));
    let two = raw(&app, "GET /api/v1/skills HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n").await;
    assert_eq!(refusal(&two), ("400", json!("header_invalid")));
    assert_eq!(refusal(&raw(&app, "GET /api/v1/skills HTTP/1.0\r\n\r\n").await).0, "200");
    let author = app.enrol("acme").await;
    let twice = app.request(Method::GET, "/agents/me").bearer_auth(author.token()).bearer_auth(author.api_key());
    send(twice).await.problem("header_invalid");
}

/// What the transport cannot read it answers itself, without a body; the document says so.
#[tokio::test]
async fn what_is_not_http_is_answered_and_closed() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let long = "x".repeat(100_000);
    for (request, status) in [
        ("NOT HTTP\r\n\r\n".to_owned(), "400"),
        (format!("GET /{long} HTTP/1.1\r\nHost: here\r\n\r\n"), "414"),
        (format!("GET / HTTP/1.1\r\nHost: here\r\n{}\r\n", "a: b\r\n".repeat(200)), "431"),
    ] {
        let answer = raw(&app, &request).await;
        assert_eq!(refusal(&answer), (status, Value::Null), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    app.get("/skills").await.json(200);
}

async fn artifact(app: &TestApp, name: header::HeaderName, value: &str) -> Answer {
    send(app.request(Method::GET, "/skills/acme.echo/artifact").header(name, value)).await
}

#[tokio::test]
async fn a_download_is_whole_or_known_already() {
    let market = Market::open(&TestDatabase::Sqlite, |handle| Publication::echo(handle, "echo", "1.0.0")).await;
    let app = &market.app;
    let whole = app.get("/skills/acme.echo/artifact").await;
    let tag = whole.headers[header::ETAG].to_str().expect("text").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let answer = artifact(app, header::IF_NONE_MATCH, &known).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{known}");
        assert_eq!(answer.headers[header::ETAG].to_str().expect("text"), tag);
    }
    for unknown in ["\"other\"", "W/\"other\"", "nonsense"] {
        assert_eq!(artifact(app, header::IF_NONE_MATCH, unknown).await.bytes, whole.bytes, "{unknown}");
    }
    // A part could not be checked against the hash.
    let part = artifact(app, header::RANGE, "bytes=0-3").await;
    assert_eq!((part.status.as_u16(), &part.bytes), (200, &whole.bytes));
    assert_eq!(part.headers[header::ACCEPT_RANGES], "none");
}

#[tokio::test]
async fn pages_of_other_origins_are_given_nothing() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let asked = app.request(Method::GET, "/skills").header(header::ORIGIN, "https://elsewhere.example");
    let answer = send(asked).await;
    answer.json(200);
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let before = app.request(Method::OPTIONS, "/skills").header(header::ORIGIN, "https://elsewhere.example");
    send(before.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")).await.problem("method_not_allowed");
}

#[tokio::test]
async fn a_page_of_the_documentation_that_is_not_there_is_a_problem() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    for path in ["/docs/nope", "/docs/nope.js", "/docs/a/b"] {
        send(app.http.get(format!("{}{path}", app.origin))).await.problem("not_found");
    }
}

#[tokio::test]
async fn a_cursor_beyond_every_batch_is_refused() {
    for database in databases().await {
        let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
        let settled = |config: &mut clawos_config::Config| config.settle.settle_max_age_ms = 100;
        let market = Market::with(&database, settled, usage).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100_000).await;
        let receipt = market.call(&buyer, "hello").await.json(200)["receipt"]["id"].take();
        let anchor = market.anchored(&buyer, receipt.as_str().expect("an id")).await["anchor"].take();
        let path = format!("/licences/{}/batches", anchor["licence"].as_str().expect("an address"));
        let list = async |query: &str| market.app.get(&format!("{path}?{query}")).await;
        list("cursor=9223372036854775808").await.problem("validation_failed");
        list("cursor=18446744073709551616").await.problem("validation_failed");
        list("opened_slot=9223372036854775808").await.problem("not_found");
        assert_eq!(list("cursor=9223372036854775807").await.json(200)["items"], json!([]));
        assert_eq!(list("cursor=0").await.json(200)["items"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn what_is_not_for_sale_is_refused_for_its_own_reason() {
    for database in databases().await {
        let liar = LyingChain::start(&chain::shared().rpc_url()).await;
        let url = liar.url().to_owned();
        let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
        let market = Market::with(&database, |config| config.chain.rpc_url = url, usage).await;
        let (app, buyer) = (&market.app, market.app.enrol("buyer").await);
        let order = |skill: &str, kind: &str| json!({ "skill": skill, "kind": kind, "tier": "personal" });
        let buy = async |order: Value| app.post_as(buyer.token(), "/marketplace/purchase", &order).await;
        app.get("/skills/acme.echo/quote?kind=subscription").await.problem("kind_not_offered");
        buy(order("acme.echo", "subscription")).await.problem("kind_not_offered");

        let free = Publication::echo("acme", "free", "1.0.0").signed(&market.author.key);
        let publish = app.request(Method::POST, "/skills").bearer_auth(market.author.api_key());
        send(publish.multipart(free.form())).await.json(201);
        app.get("/skills/acme.free/quote").await.problem("skill_free");
        buy(order("acme.free", "usage")).await.problem("skill_free");

        let unregistered = Publication::priced("acme", "draft", "1.0.0", USAGE_PRICING).signed(&market.author.key);
        let publish = app.request(Method::POST, "/skills").bearer_auth(market.author.api_key());
        send(publish.multipart(unregistered.form())).await.json(201);
        buy(order("acme.draft", "usage")).await.problem("not_registered");

        // Its author has taken it off sale: an account of the chain that the server is told so of.
        liar.lie(&market.skill_account(), |told| told.skill(|skill| skill.status = SkillStatus::Paused as u8));
        app.clock.advance(60_000);
        buy(order("acme.echo", "usage")).await.problem("not_for_sale");
    }
}

#[tokio::test]
async fn a_key_cannot_revoke_a_key_that_may_do_more() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let make = async |token: &str, name: &str, scopes: Value| {
            let settings = json!({ "name": name, "scopes": scopes });
            app.post_as(token, "/agents/me/keys", &settings).await.json(201)
        };
        let path = |key: &Value| format!("/agents/me/keys/{}", key["id"].as_str().expect("an id"));
        let manager = make(agent.token(), "manager", json!(["admin"])).await;
        let worker = make(agent.token(), "worker", json!(["invoke", "read"])).await;
        let secret = manager["key"].as_str().expect("a secret");
        app.delete_as(secret, &path(&worker)).await.problem("scope_missing");
        app.get_as(worker["key"].as_str().expect("a secret"), "/agents/me").await.json(200);
        // Its like, what it made, and itself it may revoke; a session may revoke anything.
        let child = make(secret, "child", json!(["admin"])).await;
        let like = make(agent.token(), "like", json!(["admin"])).await;
        for key in [&child, &like, &manager] {
            assert_eq!(app.delete_as(secret, &path(key)).await.status, 204);
        }
        app.delete_as(secret, &path(&worker)).await.problem("key_revoked");
        assert_eq!(app.delete_as(agent.token(), &path(&worker)).await.status, 204);
    }
}
