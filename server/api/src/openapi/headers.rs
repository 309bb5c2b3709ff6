//! The headers of answers, described once and referred to by each response that bears them.

use clawos_api::Code;
use serde_json::{Value, json};

use super::members;

/// The headers with their descriptions, as components.
pub(super) fn components() -> Value {
    let header = |kind: &str, description: &str, example: Value| json!({ "description": description, "schema": { "type": kind }, "example": example });
    json!({
        "X-Request-Id": header(
            "string",
            "The request's id: as sent (1 to 64 letters, digits, `-`, `_`, `.`), else made here. Quote it in reports.",
            json!("req_9f2c1b7d4e6a4f0f8c3b5a7d9e1f2a3b"),
        ),
        "RateLimit-Policy": header(
            "string",
            "The limit that this request counts against: so many (`q`) in so many seconds (`w`).",
            json!("\"default\";q=600;w=60"),
        ),
        "RateLimit": header(
            "string",
            "What is left of it (`r`), and in how many seconds it is whole again (`t`).",
            json!("\"default\";r=599;t=1"),
        ),
        "Retry-After": header("integer", "Seconds to wait before the same request may succeed.", json!(2)),
        "WWW-Authenticate": header("string", "How to authenticate.", json!("Bearer realm=\"clawos\"")),
        "Idempotent-Replayed": header(
            "string",
            "`true` on an answer that an earlier request with this `Idempotency-Key` was given.",
            json!("true"),
        ),
    })
}

/// Names the headers of every response of an operation.
pub(super) fn add(operation: &mut Value) {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let keyed = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
    let retryable: Vec<String> =
        codes(operation).filter(|code| code.retryable()).map(|code| code.status().to_string()).collect();
    for (status, response) in members(&mut operation["responses"]) {
        let rules = [
            (true, "X-Request-Id"),
            (true, "RateLimit-Policy"),
            (true, "RateLimit"),
            (status == "401", "WWW-Authenticate"),
            (retryable.contains(status), "Retry-After"),
            (keyed, "Idempotent-Replayed"),
        ];
        for (_, name) in rules.into_iter().filter(|(applies, _)| *applies) {
            response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
        }
    }
}

/// The operation's codes.
fn codes(operation: &Value) -> impl Iterator<Item = Code> {
    let names = operation["x-codes"].as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(|name| Code::ALL.iter().copied().find(|code| name == code.as_str()))
}
