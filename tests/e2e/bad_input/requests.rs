//! Malformed, unknown, too long and too large fields of every documented endpoint: always a clear problem, never a crash
//! and never an answer as if nothing were wrong. Each request has one thing wrong with it, and the problem names it.

use clawos_tests::app::{Answer, TestDatabase, send};
use clawos_tests::publication::Publication;
use reqwest::{Method, header};
use serde_json::{Map, Value, json};

use super::Table;
use super::forms::{Form, form};
use super::openapi::{Operation, kind, operations};
use crate::world::{World, on_both_databases};

/// Longer than any member of any JSON body, shorter than any body limit (characters).
const LONG: usize = 3_000;
/// Deeper than any JSON body.
const DEEP: usize = 20_000;
/// Larger than any JSON body that any endpoint takes (bytes).
const HUGE: usize = clawos_manifest::limits::MAX_INPUT_BYTES as usize + 64 * 1024;

/// The code with which reading what is not there is answered, also by a name of 3,000 characters: path, code.
const MISSING: &[(&str, &str)] = &[
    ("/agents/no-such-thing", "not_found"),
    ("/licences/no-such-thing/audit", "not_found"),
    ("/licences/no-such-thing/batches", "not_found"),
    ("/licences/no-such-thing/batches/no-such-thing", "not_found"),
    ("/marketplace/verify/no-such-thing", "skill_not_found"),
    ("/receipts/no-such-thing", "receipt_not_found"),
    ("/receipts/no-such-thing/proof", "receipt_not_found"),
    ("/skills/no-such-thing", "skill_not_found"),
    ("/skills/no-such-thing/artifact", "skill_not_found"),
    ("/skills/no-such-thing/quote", "skill_not_found"),
    ("/skills/no-such-thing/versions", "skill_not_found"),
    ("/skills/no-such-thing/versions/no-such-thing", "skill_not_found"),
];

/// Queries without which a path is not answered at all.
const QUERIES: &[(&str, &str)] =
    &[("/receipts/no-such-thing/proof", "leaf=0000000000000000000000000000000000000000000000000000000000000000")];

/// Operations that need to know who asks.
const ASKED_WHO: &[(&str, &str)] = &[
    ("GET", "/agents/me"),
    ("PATCH", "/agents/me"),
    ("GET", "/agents/me/audit"),
    ("GET", "/agents/me/keys"),
    ("POST", "/agents/me/keys"),
    ("DELETE", "/agents/me/keys/no-such-thing"),
    ("POST", "/agents/me/keys/no-such-thing/rotate"),
    ("POST", "/auth/revoke"),
    ("GET", "/licences/no-such-thing/audit"),
    ("POST", "/marketplace/deposit"),
    ("POST", "/marketplace/purchase"),
    ("GET", "/receipts"),
    ("GET", "/receipts/no-such-thing"),
    ("POST", "/skills"),
    ("POST", "/skills/no-such-thing/execute"),
    ("POST", "/skills/no-such-thing/versions"),
];

/// Operations that tell a caller more than they tell everybody.
const TELLS_CALLERS_MORE: &[&str] =
    &["/licences/no-such-thing/batches/no-such-thing", "/marketplace/verify/no-such-thing"];

struct Prober<'a> {
    world: &'a World,
    token: String,
    table: Table,
    /// What was answered otherwise than it must be.
    findings: Vec<String>,
}

fn path(operation: &Operation) -> &str {
    operation.path.strip_prefix("/api/v1").expect("all paths are below it")
}

impl Prober<'_> {
    fn request(&self, operation: &Operation) -> reqwest::RequestBuilder {
        self.world.request(operation.method.clone(), path(operation)).bearer_auth(&self.token)
    }

    /// Sends a body that is wrong in one way, `about` which the problem must speak.
    async fn refused(&mut self, operation: &Operation, what: &str, body: Vec<u8>, expected: (u16, &str), about: &str) {
        let request = self.request(operation).header(header::CONTENT_TYPE, "application/json").body(body);
        let answer = send(request).await;
        self.judge(operation, what, &answer, expected, about);
    }

    fn judge(&mut self, operation: &Operation, what: &str, answer: &Answer, expected: (u16, &str), about: &str) {
        let problem: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let found = (answer.status.as_u16(), problem["code"].as_str().unwrap_or_default());
        let name = format!("{} {}: {what}", operation.method, path(operation));
        let text = answer.text();
        if found != expected || !text.contains(about) {
            self.findings.push(format!("{name}: {expected:?} about {about:?} expected: {text}"));
        } else if found.0 >= 400 {
            self.table.http(&name, answer, found.0, found.1);
        }
    }
}

on_both_databases!(every_endpoint_refuses_what_is_wrong, without guests);

async fn every_endpoint_refuses_what_is_wrong(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let document = send(reqwest::Client::new().get(format!("{}/openapi.json", world.server.origin()))).await.json(200);
    let operations = operations(&document);
    assert!(operations.len() >= 25, "the document is whole: {}", operations.len());
    let token = world.stranger.token();
    let mut prober = Prober { world: &world, token, table: Table::default(), findings: Vec::new() };
    for operation in &operations {
        if let Some(schema) = &operation.body {
            let form = form(operation);
            whole_bodies(&mut prober, operation, &form).await;
            single_fields(&mut prober, operation, schema, &form).await;
        }
        if operation.is_multipart {
            multipart(&mut prober, operation).await;
        }
        if operation.method == Method::GET && operation.has_parameters {
            names(&mut prober, operation).await;
        }
        credentials(&mut prober, operation).await;
    }
    assert!(prober.findings.is_empty(), "{}", prober.findings.join("\n"));
    // After all this it still works.
    world.get(&world.stranger, "/agents/me").await.json(200);
}

fn bytes(body: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(body).expect("a map is JSON")
}

/// The form with one member changed or added.
fn with(form: &Form, name: &str, value: Value) -> Vec<u8> {
    let mut body = form.body.clone();
    body.insert(name.to_owned(), value);
    bytes(&body)
}

async fn whole_bodies(prober: &mut Prober<'_>, operation: &Operation, form: &Form) {
    // Nothing is wrong with the form itself, so what is changed below is all that is.
    if let Some(expected) = form.answer {
        prober.refused(operation, "the form as it is", bytes(&form.body), expected, "").await;
    }
    let surprised = with(form, "surprise", json!(true));
    prober.refused(operation, "an unknown field", surprised, (400, "invalid_body"), "surprise").await;
    let whole = bytes(&form.body);
    for (what, body) in [
        ("no body", vec![]),
        ("not whole", whole[..whole.len() - 1].to_vec()),
        ("not UTF-8", b"{\"\xff\xfe\": true}".to_vec()),
        ("a list", [b"[", &*whole, b"]"].concat()),
        ("two values", [&*whole, b" {}"].concat()),
    ] {
        prober.refused(operation, what, body, (400, "invalid_body"), "").await;
    }
    let huge = with(form, "name", json!("x".repeat(HUGE)));
    prober.refused(operation, "too large", huge, (413, "payload_too_large"), "").await;
    let deep = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    prober.refused(operation, "nested too deep", deep.into_bytes(), (400, "invalid_body"), "").await;
    let plain = prober.request(operation).header(header::CONTENT_TYPE, "text/plain").body(bytes(&form.body));
    prober.judge(operation, "another content type", &send(plain).await, (415, "unsupported_media_type"), "");
}

/// Each field in turn, of the wrong type and too long, in a form that is right otherwise.
async fn single_fields(prober: &mut Prober<'_>, operation: &Operation, schema: &Value, form: &Form) {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for (name, property) in &properties {
        let of = kind(property);
        if of == "object" || of == "any" {
            continue;
        }
        let wrong = with(form, name, if of == "boolean" { json!("yes") } else { json!(true) });
        prober.refused(operation, &format!("{name} of another type"), wrong, (400, "invalid_body"), name).await;
        if of == "string" {
            let long = with(form, name, json!("x".repeat(LONG)));
            let other = form.too_long.iter().find(|(field, _, _)| field == name);
            let expected = other.map_or((422, "validation_failed"), |(_, status, code)| (*status, *code));
            prober.refused(operation, &format!("{name} too long"), long, expected, name).await;
        }
        if of == "integer" {
            let negative = with(form, name, json!(-1));
            prober.refused(operation, &format!("{name} negative"), negative, (400, "invalid_body"), name).await;
        }
    }
}

async fn multipart(prober: &mut Prober<'_>, operation: &Operation) {
    let json = (415, "unsupported_media_type");
    prober.refused(operation, "JSON instead of a form", b"{}".to_vec(), json, "").await;
    // All that a publication needs, and something else.
    let key = prober.world.stranger.wallet();
    let form = Publication::echo("mallory", "echo", "1.0.0").signed(key.signing_key()).form();
    let request = prober.request(operation).multipart(form.text("surprise", "x"));
    prober.judge(operation, "an unknown part", &send(request).await, (400, "invalid_body"), "surprise");
    let cut = "--b\r\ncontent-disposition: form-data; name=\"manifest\"\r\n\r\n[skill]";
    let request = prober.request(operation).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b").body(cut);
    prober.judge(operation, "a form that is cut off", &send(request).await, (400, "invalid_body"), "");
}

/// What nothing has as a name, in the place of every parameter of the path.
async fn names(prober: &mut Prober<'_>, operation: &Operation) {
    let row = MISSING.iter().find(|(known, _)| *known == path(operation));
    let (_, code) = row.unwrap_or_else(|| panic!("{} needs a row in `MISSING`", operation.path));
    let query = QUERIES.iter().find(|(known, _)| *known == path(operation)).map_or("", |(_, query)| query);
    let long = path(operation).replace("no-such-thing", &"x".repeat(LONG));
    for (what, path) in [("a name that nothing has", path(operation)), ("a name of 3,000 characters", &*long)] {
        let request = prober.world.request(Method::GET, &format!("{path}?{query}")).bearer_auth(&prober.token);
        prober.judge(operation, what, &send(request).await, (404, code), "");
    }
}

/// A token that is none is refused where it matters who asks; elsewhere it changes nothing.
async fn credentials(prober: &mut Prober<'_>, operation: &Operation) {
    let request = || prober.world.request(operation.method.clone(), path(operation));
    let (nobody, stale) = (send(request()).await, send(request().bearer_auth("clawos_nonsense")).await);
    let asked = ASKED_WHO.contains(&(operation.method.as_str(), path(operation)));
    let problem: Value = serde_json::from_slice(&nobody.bytes).unwrap_or_default();
    let as_nobody = (nobody.status.as_u16(), problem["code"].as_str().unwrap_or_default());
    let matters = asked || TELLS_CALLERS_MORE.contains(&path(operation));
    let unknown = (401, "unauthenticated");
    prober.judge(operation, "no token", &nobody, if asked { unknown } else { as_nobody }, "");
    prober.judge(operation, "a token that is none", &stale, if matters { unknown } else { as_nobody }, "");
}
