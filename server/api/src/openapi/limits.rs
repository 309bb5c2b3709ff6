//! Lengths and ranges in the document's schemas, from the constants that the domains check.

use clawos_api::identity::{Role, Scope};
use clawos_api::limits::{
    DEFAULT_PAGE, DESCRIPTION_LEN, KEY_NAME_LEN, MAX_ADDRESSES, MAX_IDEMPOTENCY_KEY, MAX_OVERLAP_SECS, MAX_PAGE,
    MAX_SEARCH, MAX_SKILL_ID,
};
use clawos_manifest::names::{ENDPOINT_PATTERN, HANDLE_PATTERN, SKILL_ID_PATTERN, VERSION_PATTERN};
use serde_json::{Map, Value, json};

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
        ("CreateKey", "ip_allow", json!({ "maxItems": MAX_ADDRESSES })),
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
pub(super) fn add_to_parameters(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let keywords = match parameter["name"].as_str() {
            Some("limit") => json!({ "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE }),
            Some("q" | "category" | "tag") => json!({ "maxLength": MAX_SEARCH }),
            Some("Idempotency-Key") => json!({ "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY }),
            _ => json!({}),
        };
        let schema = &mut parameter["schema"];
        not_null(schema);
        extend(schema, keywords);
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
