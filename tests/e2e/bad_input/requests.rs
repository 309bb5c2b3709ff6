//! Malformed, unknown, too long and too large fields of every documented endpoint: always a clear problem, never a crash
//! and never an answer as if nothing were wrong.

use clawos_tests::app::{Answer, send};
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::Table;
use super::openapi::{Operation, kind, meaningless, operations};
use crate::world::World;

/// Longer than any text that any endpoint takes, shorter than any body limit (characters).
const LONG: usize = 20_000;
/// Larger than any JSON body that any endpoint takes (bytes).
const HUGE: usize = clawos_manifest::limits::MAX_INPUT_BYTES as usize + 64 * 1024;

struct Prober<'a> {
    world: &'a World,
    token: String,
    table: Table,
}

impl Prober<'_> {
    fn request(&self, operation: &Operation) -> reqwest::RequestBuilder {
        let path = operation.path.strip_prefix("/api/v1").expect("all paths are below it");
        self.world.request(operation.method.clone(), path).bearer_auth(&self.token)
    }

    /// Sends a body that is wrong in some way; the answer must be one of these.
    async fn refused(&mut self, operation: &Operation, what: &str, body: Vec<u8>, expected: &[(u16, &str)]) {
        let request = self.request(operation).header(header::CONTENT_TYPE, "application/json").body(body);
        let answer = send(request).await;
        self.judge(operation, what, &answer, expected);
    }

    fn judge(&mut self, operation: &Operation, what: &str, answer: &Answer, expected: &[(u16, &str)]) {
        let problem: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let found = (answer.status.as_u16(), problem["code"].as_str().unwrap_or_default());
        let name = format!("{} {}: {what}", operation.method, operation.path);
        assert!(expected.contains(&found), "{name} is answered with {found:?}: {}", answer.text());
        self.table.http(&name, answer, found.0, found.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_what_is_wrong() {
    let world = World::enrolled(&[]);
    let document = send(reqwest::Client::new().get(format!("{}/openapi.json", world.server.origin()))).await.json(200);
    let operations = operations(&document);
    assert!(operations.len() >= 25, "the document is whole: {}", operations.len());
    let token = world.stranger.token();
    let mut prober = Prober { world: &world, token, table: Table::default() };
    for operation in &operations {
        if let Some(schema) = &operation.body {
            whole_bodies(&mut prober, operation).await;
            single_fields(&mut prober, operation, schema).await;
        }
        if operation.is_multipart {
            multipart(&mut prober, operation).await;
        }
        if operation.method == Method::GET {
            queries(&mut prober, operation).await;
        }
        credentials(&mut prober, operation).await;
    }
    // After all this it still works.
    world.get(&world.stranger, "/agents/me").await.json(200);
}

async fn whole_bodies(prober: &mut Prober<'_>, operation: &Operation) {
    let malformed = [(400, "invalid_body")];
    for (what, body) in [
        ("no body", &b""[..]),
        ("not JSON", b"{\"name\": "),
        ("not UTF-8", b"{\"name\": \"\xff\xfe\"}"),
        ("a list", b"[]"),
        ("two values", b"{} {}"),
        ("an unknown field", b"{\"surprise\": true}"),
    ] {
        prober.refused(operation, what, body.to_vec(), &malformed).await;
    }
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(HUGE));
    prober.refused(operation, "too large", huge.into_bytes(), &[(413, "payload_too_large")]).await;
    let deep = format!("{}{}", "[".repeat(LONG), "]".repeat(LONG));
    let too_much = [(400, "invalid_body"), (413, "payload_too_large")];
    prober.refused(operation, "nested too deep", deep.into_bytes(), &too_much).await;
    let answer = send(prober.request(operation).header(header::CONTENT_TYPE, "text/plain").body("{}")).await;
    prober.judge(operation, "another content type", &answer, &[(415, "unsupported_media_type")]);
}

/// Each field in turn, of the wrong type and too long.
async fn single_fields(prober: &mut Prober<'_>, operation: &Operation, schema: &Value) {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for (name, property) in &properties {
        let of = kind(property);
        if of == "object" || of == "any" {
            continue;
        }
        let with = |value: Value| {
            let mut body = meaningless(schema);
            body.insert(name.clone(), value);
            Value::Object(body).to_string().into_bytes()
        };
        let wrong = if of == "boolean" { json!("yes") } else { json!(true) };
        prober.refused(operation, &format!("{name} of another type"), with(wrong), &[(400, "invalid_body")]).await;
        if of == "string" {
            let long = with(json!("x".repeat(LONG)));
            let wrong = [(400, "invalid_body"), (422, "validation_failed"), (413, "payload_too_large")];
            prober.refused(operation, &format!("{name} too long"), long, &wrong).await;
        }
        if of == "integer" {
            let wrong = [(400, "invalid_body"), (422, "validation_failed")];
            prober.refused(operation, &format!("{name} negative"), with(json!(-1)), &wrong).await;
        }
    }
}

async fn multipart(prober: &mut Prober<'_>, operation: &Operation) {
    let wrong = [(400, "invalid_body"), (415, "unsupported_media_type")];
    prober.refused(operation, "JSON instead of a form", b"{}".to_vec(), &wrong).await;
    let form = reqwest::multipart::Form::new().text("surprise", "x");
    let answer = send(prober.request(operation).multipart(form)).await;
    let wrong = [(400, "invalid_body"), (422, "validation_failed"), (404, "skill_not_found")];
    prober.judge(operation, "an unknown part", &answer, &wrong);
    let cut = "--b\r\ncontent-disposition: form-data; name=\"manifest\"\r\n\r\n[skill]";
    let request = prober.request(operation).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b").body(cut);
    let answer = send(request).await;
    prober.judge(operation, "a form that is cut off", &answer, &wrong);
}

async fn queries(prober: &mut Prober<'_>, operation: &Operation) {
    if !operation.has_parameters {
        return;
    }
    let answer = send(prober.request(operation)).await;
    let missing = [
        (404, "not_found"),
        (404, "skill_not_found"),
        (404, "version_not_found"),
        (404, "receipt_not_found"),
        (400, "invalid_body"),
        (422, "validation_failed"),
    ];
    prober.judge(operation, "a name that nothing has", &answer, &missing);
    let path = operation.path.replace("no-such-thing", &"x".repeat(3_000));
    let path = path.strip_prefix("/api/v1").expect("all paths are below it");
    let answer = send(prober.world.request(Method::GET, path).bearer_auth(&prober.token)).await;
    prober.judge(operation, "a name of 3,000 characters", &answer, &missing);
}

/// Endpoints that need to know who asks say so to whoever has a wrong token.
async fn credentials(prober: &mut Prober<'_>, operation: &Operation) {
    let path = operation.path.strip_prefix("/api/v1").expect("all paths are below it");
    let answer = send(prober.world.request(operation.method.clone(), path).bearer_auth("clawos_nonsense")).await;
    prober.judge(operation, "a token that is none", &answer, &[(401, "unauthenticated")]);
}
