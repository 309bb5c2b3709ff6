//! A body of each operation that takes JSON, in which nothing is wrong but that some of it speaks of what is not there.

use clawos_tests::app::{address, new_key};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::openapi::Operation;

/// A body and how it is answered.
pub(super) struct Form {
    pub(super) body: Map<String, Value>,
    /// Status and, for a problem, its code. `None` where sending it would end the test's own session.
    pub(super) answer: Option<(u16, &'static str)>,
    /// What a member that is too long is answered with, where that is not 422.
    pub(super) too_long: &'static [(&'static str, u16, &'static str)],
}

/// Members that are read as numbers and times, so that any other text has the wrong form.
const TOO_LONG: &[(&str, u16, &str)] = &[
    ("amount", 400, "invalid_body"),
    ("expires_at", 400, "invalid_body"),
    ("max_cost", 400, "invalid_body"),
    ("max_price", 400, "invalid_body"),
];

/// The form of an operation.
///
/// # Panics
/// When there is none: every operation needs one.
pub(super) fn form(operation: &Operation) -> Form {
    let signature = bs58::encode([7; 64]).into_string();
    let wallet = address(&new_key());
    let path = operation.path.strip_prefix("/api/v1").expect("all paths are below it");
    let (body, answer): (Value, _) = match (&operation.method, path) {
        (&Method::PATCH, "/agents/me") => (json!({ "description": "new", "roles": ["buyer"] }), Some((200, ""))),
        (_, "/agents/me/keys") => (
            json!({ "name": "n", "scopes": ["read"], "ip_allow": [], "daily_caps": { "USDC": "5" }, "expires_at": null }),
            Some((201, "")),
        ),
        (_, "/agents/me/keys/no-such-thing/rotate") => (json!({ "overlap_secs": 60 }), Some((404, "not_found"))),
        (_, "/agents/register") => {
            (json!({ "name": "newcomer", "wallet": wallet, "description": "d", "roles": ["author"] }), Some((201, "")))
        }
        (_, "/agents/register/no-such-thing/verify") => (json!({ "signature": signature }), Some((404, "not_found"))),
        (_, "/auth/challenge") => (json!({ "wallet": wallet }), Some((404, "not_found"))),
        (_, "/auth/refresh") => (json!({ "refresh_token": "x" }), Some((401, "unauthenticated"))),
        (_, "/auth/revoke") => (json!({}), None),
        (_, "/auth/verify") => (json!({ "challenge": "chl_x", "signature": signature }), Some((404, "not_found"))),
        (_, "/marketplace/purchase") => (
            json!({ "skill": "acme.none", "kind": "usage", "tier": "personal", "max_price": "5", "caps": null }),
            Some((404, "skill_not_found")),
        ),
        (_, "/marketplace/deposit") => (json!({ "skill": "acme.none", "amount": "5" }), Some((404, "skill_not_found"))),
        (_, "/skills/no-such-thing/execute") => (
            json!({ "endpoint": "echo", "payload": {}, "version": "1.0.0", "max_cost": "5" }),
            Some((404, "skill_not_found")),
        ),
        _ => panic!("{} {} needs a form here", operation.method, operation.path),
    };
    let Value::Object(body) = body else { panic!("a form is an object") };
    Form { body, answer, too_long: TOO_LONG }
}
