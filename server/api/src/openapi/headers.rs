//! The headers of answers, described once and referred to by each response that bears them.

use clawos_api::Code;
use serde_json::{Value, json};

use super::members;

/// `Retry-After` of a status with which other refusals come too.
const SOMETIMES_RETRY_AFTER: &str = "Retry-After-Of-Some";

/// The headers with their descriptions, as components.
pub(super) fn components() -> Value {
    let header = |kind: &str, always: bool, description: &str, example: Value| json!({ "description": description, "required": always, "schema": { "type": kind }, "example": example });
    json!({
        "X-Request-Id": header(
            "string",
            true,
            "The request's id: as sent (1 to 64 letters, digits, `-`, `_`, `.`), else made here. Quote it in reports.",
            json!("req_9f2c1b7d4e6a4f0f8c3b5a7d9e1f2a3b"),
        ),
        "RateLimit-Policy": header(
            "string",
            false,
            "The limit that this request counts against: so many (`q`) in so many seconds (`w`). Absent where the operator \
             set no limit, and of `header_invalid`.",
            json!("\"default\";q=600;w=60"),
        ),
        "RateLimit": header(
            "string",
            false,
            "What is left of it (`r`), and in how many seconds it is whole again (`t`). Absent as `RateLimit-Policy` is.",
            json!("\"default\";r=599;t=1"),
        ),
        "Retry-After": header("integer", true, "Seconds to wait before the same request may succeed.", json!(2)),
        SOMETIMES_RETRY_AFTER: header("integer", false, "The same, of a code that is retryable.", json!(1)),
        "WWW-Authenticate": header("string", true, "How to authenticate.", json!("Bearer realm=\"clawos\"")),
        "Idempotent-Replayed": header(
            "string",
            false,
            "`true` on an answer that an earlier request with this `Idempotency-Key` was given.",
            json!("true"),
        ),
    })
}

/// Names the headers of every response of an operation. Those that its handler describes are always there.
pub(super) fn add(operation: &mut Value) {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let keyed = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
    let codes: Vec<Code> = codes(operation).collect();
    let limited = codes.contains(&Code::RateLimited);
    for (status, response) in members(&mut operation["responses"]) {
        for (_, header) in response.get_mut("headers").into_iter().flat_map(members) {
            header["required"] = json!(true);
        }
        let mut of_status = codes.iter().filter(|code| code.status().to_string() == *status);
        let retry_after = match (of_status.clone().any(|code| code.retryable()), of_status.all(|code| code.retryable()))
        {
            (true, true) => Some("Retry-After"),
            (true, false) => Some(SOMETIMES_RETRY_AFTER),
            (false, _) => None,
        };
        let rules = [
            ("X-Request-Id", Some("X-Request-Id")),
            ("RateLimit-Policy", limited.then_some("RateLimit-Policy")),
            ("RateLimit", limited.then_some("RateLimit")),
            ("WWW-Authenticate", (status == "401").then_some("WWW-Authenticate")),
            ("Retry-After", retry_after),
            ("Idempotent-Replayed", keyed.then_some("Idempotent-Replayed")),
        ];
        for (name, component) in rules {
            if let Some(component) = component {
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{component}") });
            }
        }
    }
}

/// The operation's codes.
fn codes(operation: &Value) -> impl Iterator<Item = Code> {
    let names = operation["x-codes"].as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(|name| Code::ALL.iter().copied().find(|code| name == code.as_str()))
}
