//! The operations that the server documents, with the schemas of their bodies.

use reqwest::Method;
use serde_json::Value;

/// A documented operation with a JSON body or none.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// With its parameters filled in by names that nothing has.
    pub(super) path: String,
    pub(super) has_parameters: bool,
    /// The resolved schema of its JSON body.
    pub(super) body: Option<Value>,
    pub(super) is_multipart: bool,
}

/// Everything below `/api/v1` in a document.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        if !path.starts_with("/api/v1/") {
            continue;
        }
        for (method, operation) in methods.as_object().expect("a path has methods") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let content = &operation["requestBody"]["content"];
            let schema = &content["application/json"]["schema"];
            found.push(Operation {
                method,
                path: filled(path),
                has_parameters: path.contains('{'),
                body: (!schema.is_null()).then(|| resolved(document, schema)),
                is_multipart: content["multipart/form-data"].is_object(),
            });
        }
    }
    found
}

/// Puts a name that nothing has in the place of every parameter.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "no-such-thing" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// A schema whose reference, and those of its properties, are followed.
fn resolved(document: &Value, schema: &Value) -> Value {
    let mut schema = followed(document, schema);
    for property in
        schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
    {
        *property = followed(document, property);
    }
    schema
}

/// What a schema refers to; of one that may be null, what it is otherwise.
fn followed(document: &Value, schema: &Value) -> Value {
    let ways = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let schema = ways.iter().find(|way| way["type"] != "null").unwrap_or(schema);
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")).clone()
        }
        None => schema.clone(),
    }
}

/// The type of a property, whether it may be null or not; `any` for any JSON.
pub(super) fn kind(property: &Value) -> &str {
    match &property["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("any"),
        _ => "any",
    }
}
