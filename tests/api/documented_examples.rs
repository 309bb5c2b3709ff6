//! The OpenAPI document's examples, sent to the real server: each operation answers as it is said to, well and badly.

use std::collections::BTreeSet;

use clawos_interface::Kind;
use clawos_interface::rules::usage::Caps;
use clawos_receipts::text::to_hex;
use clawos_receipts::{SignedReceipt, sha256};
use clawos_tests::app::{Answer, TestAgent, TestApp, TestDatabase, send, sign};
use clawos_tests::documented::{DOCUMENT, Operation, operations};
use clawos_tests::market::{Buyer, Market};
use clawos_tests::publication::{Publication, USAGE_PRICING};
use ed25519_dalek::SigningKey;
use reqwest::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

/// Whose wallet the examples name: its key is the hash of this name.
const EXAMPLE_AGENT: &str = "bob";

/// Sends examples and remembers which.
struct Sender<'a> {
    app: &'a TestApp,
    sent: BTreeSet<String>,
}

impl Sender<'_> {
    /// Sends the example of an operation with some parameters (by name) and members of its body changed.
    async fn send(&mut self, id: &str, token: Option<&str>, parameters: Value, body: Value) -> Answer {
        let operation = find(id);
        self.sent.insert(id.to_owned());
        let mut request = request(self.app, &operation, &parameters);
        if let Some(mut example) = body_of(&operation) {
            let changes: Map<String, Value> = serde_json::from_value(body).expect("an object");
            example.as_object_mut().expect("bodies are objects").extend(changes);
            request = request.json(&example);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        send(request).await
    }

    /// The same as a form.
    async fn publish(&mut self, id: &str, author: &TestAgent, parameters: Value, publication: &Publication) -> Answer {
        self.sent.insert(id.to_owned());
        let request = request(self.app, &find(id), &parameters);
        send(request.bearer_auth(author.api_key()).multipart(publication.form())).await
    }
}

fn find(id: &str) -> Operation {
    operations().into_iter().find(|operation| operation.id() == id).unwrap_or_else(|| panic!("there is no {id}"))
}

/// The example of a JSON body.
fn body_of(operation: &Operation) -> Option<Value> {
    let content = &operation.object["requestBody"]["content"]["application/json"];
    content.is_object().then(|| content["example"].clone())
}

/// A request with the operation's example parameters, changed by these; null leaves one out.
fn request(app: &TestApp, operation: &Operation, changes: &Value) -> reqwest::RequestBuilder {
    let mut path = operation.path.to_owned();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for parameter in operation.object["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("a parameter has a name");
        let value = changes.get(name).unwrap_or(&parameter["example"]);
        if value.is_null() {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &text),
            Some("query") => query.push((name, text)),
            _ => headers.push((name, text)),
        }
    }
    let request = app.http.request(operation.method.clone(), format!("{}{path}", app.origin)).query(&query);
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

#[tokio::test]
async fn every_operation_answers_its_example_as_documented() {
    let market = Market::with(
        &TestDatabase::Sqlite,
        |config| config.settle.settle_max_age_ms = 100,
        |handle| keywords(handle, "1.0.0"),
    )
    .await;
    let mut sender = Sender { app: &market.app, sent: BTreeSet::new() };
    let bob = enrol(&mut sender).await;
    manage_keys(&mut sender, &bob).await;
    publish_and_read(&mut sender, &market).await;
    let buyer = market.funded(bob).await;
    buy_and_call(&mut sender, &market, &buyer).await;
    for id in ["get_well_known", "healthz"] {
        sender.send(id, None, json!({}), json!({})).await.json(200);
    }
    assert_eq!(sender.send("revoke_sessions", Some(buyer.agent.token()), json!({}), json!({})).await.status, 204);
    let all: BTreeSet<String> = operations().iter().map(|operation| operation.id().to_owned()).collect();
    assert_eq!(sender.sent, all, "each operation is sent its example here");
}

/// The skill of the examples, as simple as can be: it answers with the text it is sent.
fn keywords(handle: &str, version: &str) -> Publication {
    Publication::priced(handle, "text-stats", version, USAGE_PRICING).edit("name = \"echo\"", "name = \"keywords\"")
}

async fn enrol(sender: &mut Sender<'_>) -> TestAgent {
    let key = SigningKey::from_bytes(&sha256(EXAMPLE_AGENT.as_bytes()));
    let none = || json!({});
    let challenge = sender.send("register_agent", None, none(), none()).await.json(201);
    let (parameters, body) =
        (json!({ "challenge": challenge["challenge"] }), json!({ "signature": sign(&key, &challenge) }));
    let session = sender.send("verify_registration", None, parameters, body).await.json(201);
    let challenge = sender.send("request_sign_in", None, none(), none()).await.json(201);
    let body = json!({ "challenge": challenge["challenge"], "signature": sign(&key, &challenge) });
    let second = sender.send("verify_sign_in", None, none(), body).await.json(200);
    let body = json!({ "refresh_token": second["refresh_token"] });
    sender.send("refresh_session", None, none(), body).await.json(200);
    TestAgent { name: EXAMPLE_AGENT.to_owned(), key, session }
}

async fn manage_keys(sender: &mut Sender<'_>, agent: &TestAgent) {
    let (token, none) = (Some(agent.token()), || json!({}));
    sender.send("get_own_profile", token, none(), none()).await.json(200);
    sender.send("update_own_profile", token, none(), none()).await.json(200);
    sender.send("get_agent", None, none(), none()).await.json(200);
    let made = sender.send("create_key", token, none(), none()).await.json(201);
    assert_eq!(sender.send("create_key", token, none(), none()).await.headers["idempotent-replayed"], "true");
    let listed = sender.send("list_keys", token, none(), none()).await.json(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    let next = sender.send("rotate_key", token, json!({ "key": made["id"] }), none()).await.json(201);
    assert_eq!(sender.send("revoke_key", token, json!({ "key": next["id"] }), none()).await.status, 204);
    sender.send("list_audit_entries", token, none(), none()).await.json(200);
}

async fn publish_and_read(sender: &mut Sender<'_>, market: &Market) {
    let (author, none) = (&market.author, || json!({}));
    let another = Publication::echo("acme", "another", "1.0.0").signed(&author.key);
    sender.publish("publish_skill", author, json!({ "dry_run": true }), &another).await.json(200);
    sender.publish("publish_skill", author, json!({ "Idempotency-Key": "another" }), &another).await.json(201);
    let next = keywords("acme", "1.1.0").signed(&author.key);
    sender.publish("publish_version", author, none(), &next).await.json(201);
    let found = sender.send("list_skills", None, json!({ "q": "answers" }), none()).await.json(200);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "one has a price for usage: {found}");
    for id in ["get_skill", "list_versions", "get_version", "get_quote"] {
        sender.send(id, None, none(), none()).await.json(200);
    }
    let whole = sender.send("download_artifact", None, none(), none()).await;
    let tag = json!({ "If-None-Match": whole.headers["etag"].to_str().expect("text") });
    assert_eq!(whole.status, 200);
    assert_eq!(sender.send("download_artifact", None, tag, none()).await.status, 304);
}

async fn buy_and_call(sender: &mut Sender<'_>, market: &Market, buyer: &Buyer) {
    let (token, none) = (Some(buyer.agent.token()), || json!({}));
    let offer = sender.send("describe_purchase", token, none(), none()).await.json(200);
    market.buy(buyer, Kind::Usage, Caps::default()).await;
    let deposit = sender.send("describe_deposit", token, none(), none()).await.json(200);
    assert_eq!(deposit["licence"], offer["licence"]);
    market.deposit(buyer, 100_000).await;
    sender.send("verify_licence", None, none(), none()).await.json(200);
    let dry = sender.send("execute_skill", token, json!({ "dry_run": true }), none()).await.json(200);
    assert!(dry["receipt"].is_null() && dry["result"].is_null());
    let done = sender.send("execute_skill", token, none(), none()).await.json(200);
    let receipt = done["receipt"]["id"].as_str().expect("a receipt");
    market.anchored(buyer, receipt).await;
    sender.send("get_receipt", token, json!({ "id": receipt }), none()).await.json(200);
    let signed = SignedReceipt::parse(done["receipt"].to_string().as_bytes()).expect("a signed receipt");
    let leaf = json!({ "id": receipt, "leaf": to_hex(&signed.receipt.leaf_hash()) });
    sender.send("get_proof", None, leaf, none()).await.json(200);
    let listed = sender.send("list_receipts", token, none(), none()).await.json(200);
    assert_eq!(listed["items"][0]["id"], receipt);
    let licence = json!({ "key": offer["licence"] });
    let batches = sender.send("list_batches", None, licence.clone(), none()).await.json(200);
    assert_eq!(batches["items"].as_array().map(Vec::len), Some(1));
    let entries = sender.send("list_licence_entries", token, licence.clone(), none()).await.json(200);
    assert_eq!(entries["items"], json!([]));
    let batch = sender.send("get_batch", token, licence, none()).await.json(200);
    assert_eq!(batch["leaves"][0]["receipt"], receipt);
}

#[tokio::test]
async fn every_operation_refuses_as_documented() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    for operation in operations() {
        let example = || {
            let request = request(&app, &operation, &json!({}));
            body_of(&operation).map_or(request.try_clone().expect("no stream"), |body| request.json(&body))
        };
        // Nobody can say which of two tokens counts.
        let twice = example().header(AUTHORIZATION, "Bearer one").header(AUTHORIZATION, "Bearer two");
        send(twice).await.problem("header_invalid");
        let security = operation.object["security"].as_array().expect("an operation says who may call it");
        let needed = !security.is_empty() && security.iter().all(|way| way["bearer"].is_array());
        if needed {
            send(example()).await.problem("unauthenticated");
            send(example().bearer_auth("claw_at_nonsense")).await.problem("unauthenticated");
        }
        if operation.object["parameters"].as_array().into_iter().flatten().any(|one| one["in"] == "query") && !needed {
            send(example().query(&[("colour", "red")])).await.problem("query_invalid");
        }
        if body_of(&operation).is_some() && !needed {
            send(example().body("{").header("content-type", "application/json")).await;
        }
    }
    assert!(DOCUMENT["components"]["schemas"]["Problem"].is_object());
}
