//! Lengths, ranges and forms in the document's schemas, from the constants that the domains check.

use clawos_api::identity::{Role, Scope};
use clawos_api::limits::{
    DEFAULT_PAGE, DESCRIPTION_LEN, KEY_NAME_LEN, MAX_ADDRESSES, MAX_CURSOR, MAX_FILES, MAX_IDEMPOTENCY_KEY,
    MAX_OVERLAP_SECS, MAX_PAGE, MAX_README, MAX_SEARCH, MAX_SKILL_ID,
};
use clawos_manifest::manifest::MAX_MANIFEST_BYTES;
use clawos_manifest::names::{ENDPOINT_PATTERN, HANDLE_PATTERN, SKILL_ID_PATTERN, VERSION_PATTERN};
use clawos_manifest::resolve::MAX_FILE_BYTES;
use clawos_receipts::schema::{ADDRESS_PATTERN, SIGNATURE_PATTERN};
use serde_json::{Map, Value, json};

/// What `next_cursor` consists of.
const CURSOR_PATTERN: &str = "^[A-Za-z0-9_-]+$";
/// The `ETag`s that a client has, or `*`.
const TAGS_PATTERN: &str = "^(\\*|(W/)?\"[^\"]*\"( *, *(W/)?\"[^\"]*\")*)$";
/// An address, or a network by its address and the length of its prefix.
const NETWORK_PATTERN: &str = "^[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?$";

/// Writes them into the schemas of bodies.
pub(super) fn add(schemas: &mut Value) {
    let description = json!({ "maxLength": DESCRIPTION_LEN.end() });
    let roles = json!({ "minItems": 1, "maxItems": Role::ALL.len() });
    let fields = [
        ("Register", "name", json!({ "pattern": HANDLE_PATTERN })),
        ("Register", "description", description.clone()),
        ("Register", "roles", roles.clone()),
        ("Update", "description", description),
        ("Update", "roles", roles),
        ("CreateKey", "name", json!({ "minLength": KEY_NAME_LEN.start(), "maxLength": KEY_NAME_LEN.end() })),
        ("CreateKey", "scopes", json!({ "minItems": 1, "maxItems": Scope::ALL.len() })),
        (
            "CreateKey",
            "ip_allow",
            json!({ "maxItems": MAX_ADDRESSES, "items": { "type": "string", "pattern": NETWORK_PATTERN } }),
        ),
        ("Refresh", "refresh_token", json!({ "pattern": "^claw_rt_[0-9A-Za-z]{1,64}$" })),
        ("SignedIn", "challenge", json!({ "pattern": "^chl_[0-9a-f]{32}$" })),
        ("Rotate", "overlap_secs", json!({ "maximum": MAX_OVERLAP_SECS })),
        ("PurchaseRequest", "skill", json!({ "minLength": 1, "maxLength": MAX_SKILL_ID })),
        ("DepositRequest", "skill", json!({ "minLength": 1, "maxLength": MAX_SKILL_ID })),
        ("ExecuteRequest", "endpoint", json!({ "pattern": ENDPOINT_PATTERN })),
        ("ExecuteRequest", "version", json!({ "pattern": VERSION_PATTERN })),
        ("SkillSummary", "id", json!({ "pattern": SKILL_ID_PATTERN })),
        ("SkillDetail", "id", json!({ "pattern": SKILL_ID_PATTERN })),
    ];
    for (schema, field, keywords) in fields {
        extend(&mut schemas[schema]["properties"][field], keywords);
    }
}

/// Writes them into an operation's parameters, which are left out rather than null.
pub(super) fn add_to_parameters(path: &str, operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let text = parameter["schema"]["type"].to_string().contains("string");
        let keywords = match (parameter["in"].as_str(), name) {
            (Some("path"), _) => of_path(path, name),
            (_, "limit") => json!({ "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE }),
            (_, "cursor") if text => json!({ "pattern": CURSOR_PATTERN, "maxLength": MAX_CURSOR }),
            (_, "q" | "category" | "tag") => json!({ "maxLength": MAX_SEARCH }),
            (_, "skill") => json!({ "minLength": 1, "maxLength": MAX_SKILL_ID }),
            (_, "version") => json!({ "pattern": VERSION_PATTERN }),
            (_, "Idempotency-Key") => json!({ "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY }),
            (_, "If-None-Match") => json!({ "pattern": TAGS_PATTERN }),
            _ => json!({}),
        };
        let schema = &mut parameter["schema"];
        not_null(schema);
        extend(schema, keywords);
    }
}

/// What a parameter of this path looks like.
fn of_path(path: &str, name: &str) -> Value {
    let id = |prefix: &str| json!({ "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") });
    match name {
        "id" if path.contains("/receipts/") => id("run"),
        "id" | "skill" => json!({ "pattern": SKILL_ID_PATTERN }),
        "version" => json!({ "pattern": VERSION_PATTERN }),
        "key" if path.contains("/licences/") => json!({ "pattern": ADDRESS_PATTERN }),
        "key" => id("key"),
        "challenge" => id("chl"),
        "agent" => json!({ "pattern": format!("^agt_[0-9a-f]{{32}}$|{HANDLE_PATTERN}") }),
        _ => json!({}),
    }
}

/// Writes them into the form of an upload, whose parts are left out rather than null.
pub(super) fn add_to_form(operation: &mut Value) {
    let form = &mut operation["requestBody"]["content"]["multipart/form-data"]["schema"];
    form["additionalProperties"] = json!(false);
    let parts = [
        ("manifest", json!({ "maxLength": MAX_MANIFEST_BYTES })),
        ("file", json!({ "maxItems": MAX_FILES, "items": { "type": "string", "maxLength": MAX_FILE_BYTES } })),
        ("readme", json!({ "maxLength": MAX_README })),
        ("signature", json!({ "pattern": SIGNATURE_PATTERN })),
    ];
    for (name, keywords) in parts {
        let part = &mut form["properties"][name];
        not_null(part);
        extend(part, keywords);
    }
}

fn extend(schema: &mut Value, keywords: Value) {
    let keywords: Map<String, Value> = serde_json::from_value(keywords).expect("keywords are an object");
    let schema = schema.as_object_mut().expect("a test reads every field that is named here");
    schema.extend(keywords);
}

/// Takes `null` out of what a schema allows.
fn not_null(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        schema["type"] = kind.unwrap_or_default();
    }
    let one = schema["oneOf"].as_array().and_then(|ways| ways.iter().find(|way| way["type"] != "null").cloned());
    if let Some(one) = one {
        *schema = one;
    }
}
