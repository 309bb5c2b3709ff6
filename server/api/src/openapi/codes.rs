//! The error codes an operation can answer with: its own (`x-codes`) and those that follow from its shape; each as a
//! `application/problem+json` response of its status in the table of codes.

use std::collections::{BTreeMap, BTreeSet};

use clawos_api::{Code, Problem};
use serde_json::{Map, Value, json};

/// Where a handler names its own codes, and the document all of an operation.
const MEMBER: &str = "x-codes";

/// The table of all codes, for the document's description.
pub(super) fn table() -> String {
    let mut text = "| code | status | retryable | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for code in Code::ALL {
        let (name, status, retryable) = (code.as_str(), code.status(), code.retryable());
        text.push_str(&format!("| `{name}` | {status} | {retryable} | {} |\n", code.title()));
    }
    text
}

/// A problem of each code, to be referred to.
pub(super) fn examples() -> Value {
    let example = |code: &Code| {
        let detail = format!("{}.", code.title());
        let problem = Problem::new(*code, detail, "req_9f2c1b7d4e6a4f0f8c3b5a7d9e1f2a3b");
        (code.as_str().to_owned(), json!({ "summary": code.title(), "value": problem }))
    };
    Value::Object(Code::ALL.iter().map(example).collect())
}

/// Adds every response that is a problem. `limited`: whether its callers are identified and counted.
pub(super) fn add(method: &str, path: &str, operation: &mut Value, limited: bool) {
    let mut names: BTreeSet<&str> = by_shape(method, path, operation, limited).map(Code::as_str).collect();
    let own = operation[MEMBER].as_array().cloned().unwrap_or_default();
    names.extend(own.iter().filter_map(Value::as_str));
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(|code| names.contains(code.as_str())).collect();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in &codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        // A handler that answers this status with a body of its own has described it.
        let responses = &mut operation["responses"];
        if responses[status.to_string()].is_null() {
            responses[status.to_string()] = response(&codes);
        }
    }
    operation[MEMBER] = json!(codes);
}

/// What any operation of this shape can refuse.
fn by_shape(method: &str, path: &str, operation: &Value, limited: bool) -> impl Iterator<Item = Code> {
    use Code as C;
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has = |member: &str, value: &str| parameters.iter().any(|parameter| parameter[member] == value);
    let security = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    let credentials = security.iter().filter_map(|way| way["bearer"].as_array());
    let scoped = credentials.clone().any(|scopes| !scopes.is_empty());
    let rules: [(bool, &[Code]); 9] = [
        (true, &[C::HeaderInvalid, C::Internal]),
        (limited, &[C::RateLimited, C::Unavailable]),
        (credentials.count() > 0, &[C::Unauthenticated, C::KeyExpired, C::KeyRevoked, C::IpNotAllowed]),
        (scoped, &[C::ScopeMissing]),
        (has("in", "query"), &[C::QueryInvalid, C::ValidationFailed]),
        (path.contains('{'), &[C::NotFound]),
        (has("name", "Idempotency-Key"), &[C::IdempotencyMismatch, C::IdempotencyRunning]),
        (operation["requestBody"].is_object(), &[C::InvalidBody, C::PayloadTooLarge, C::UnsupportedMediaType]),
        (method != "get", &[C::StorageFull, C::OutcomeUnknown]),
    ];
    rules.into_iter().filter(|(applies, _)| *applies).flat_map(|(_, codes)| codes.iter().copied())
}

fn response(codes: &[Code]) -> Value {
    let line = |code: &Code| format!("- `{}`: {}", code.as_str(), code.title());
    let description = codes.iter().map(line).collect::<Vec<_>>().join("\n");
    let reference = |code: &Code| {
        let name = code.as_str();
        (name.to_owned(), json!({ "$ref": format!("#/components/examples/{name}") }))
    };
    let examples: Map<String, Value> = codes.iter().map(reference).collect();
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": schema, "examples": examples } },
    })
}
