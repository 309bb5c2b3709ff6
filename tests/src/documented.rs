//! Every answer of the server beside what its OpenAPI document promises: status, headers, content type, error code, body.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::app::Answer;

/// The document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(clawos_server_api::openapi);

/// Headers that any HTTP answer may have; every other one has to be documented.
const TRANSPORT: [header::HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::DATE,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::VARY,
];

/// Headers of every counted answer of a server that limits rates, as those under test do; an operator may set no limit.
const RATE: [&str; 2] = ["RateLimit", "RateLimit-Policy"];

/// What the document says of one operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path with the names of its parameters, as `/api/v1/skills/{id}`.
    pub path: &'static str,
    /// The operation object.
    pub object: &'static Value,
}

impl Operation {
    /// Its `operationId`.
    pub fn id(&self) -> &'static str {
        self.object["operationId"].as_str().expect("an operation has an id")
    }
}

/// All operations.
pub fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().expect("a document has paths");
    let methods = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path has methods");
        methods.iter().map(move |(method, object)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path,
            object,
        })
    });
    methods.collect()
}

/// The operation that answers a request; `None` for what is not documented.
fn operation(method: &Method, path: &str) -> Option<Operation> {
    let fits = |template: &str| {
        let (wanted, found) = (template.split('/'), path.split('/'));
        wanted.clone().count() == found.clone().count()
            && wanted.zip(found).all(|(wanted, found)| wanted == found || wanted.starts_with('{'))
    };
    // A path without parameters comes before one with some, as in the router.
    let found = operations().into_iter().filter(|operation| operation.method == *method && fits(operation.path));
    found.min_by_key(|operation| operation.path.matches('{').count())
}

/// Checks that the answer to a request is one that the document promises.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    // A HEAD request is answered as GET, without the body.
    let Some(operation) = operation(method, path) else { return };
    let (id, status) = (operation.id(), answer.status.as_u16().to_string());
    let response = &operation.object["responses"][&status];
    assert!(response.is_object(), "{id} is not said to answer {status}: {}", answer.text());
    check_headers(&format!("{id}'s {status}"), response, answer);
    let Some(content) = response["content"].as_object() else {
        assert!(answer.bytes.is_empty(), "{id} is said to answer {status} without a body");
        return;
    };
    let kind = answer.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    assert!(content.contains_key(kind), "{id} is not said to answer {status} as {kind}");
    if kind.ends_with("json") {
        let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_matches(&format!("{id}'s {status}"), &content[kind]["schema"], &body);
        if kind == "application/problem+json" {
            let codes = operation.object["x-codes"].as_array().expect("every operation names its codes");
            assert!(codes.contains(&body["code"]), "{id} is not said to answer with this code: {body}");
        }
    }
}

/// Checks that the headers which a response promises are there, and that those which are there are promised.
#[track_caller]
fn check_headers(what: &str, response: &Value, answer: &Answer) {
    let documented = response["headers"].as_object().unwrap_or_else(|| panic!("{what} names no headers"));
    // A request that is malformed in its headers is refused before it is counted.
    let counted = code(answer).is_none_or(|code| code != "header_invalid");
    for (name, header) in documented {
        let reference = header["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        let header = reference.and_then(|pointer| DOCUMENT.pointer(pointer)).unwrap_or(header);
        let promised = header["required"] == true || (counted && RATE.contains(&name.as_str()));
        let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
        assert!(value.is_some() || !promised, "{what} promises {name}: {:?} {}", answer.headers, answer.text());
        if let Some(value) = value {
            let is_number = value.parse::<u64>().is_ok();
            assert!(is_number || header["schema"]["type"] != "integer", "{what}: {name} is no number: {value}");
        }
    }
    for name in answer.headers.keys().filter(|name| !TRANSPORT.contains(name)) {
        let known = documented.keys().any(|known| known.eq_ignore_ascii_case(name.as_str()));
        assert!(known, "{what} is not said to have {name}");
    }
}

/// The code of a problem; `None` for any other answer.
fn code(answer: &Answer) -> Option<String> {
    let kind = answer.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let is_problem = kind.split(';').next() == Some("application/problem+json");
    let problem: Value = serde_json::from_slice(&answer.bytes).ok().filter(|_| is_problem)?;
    problem["code"].as_str().map(str::to_owned)
}

/// Checks a value against a schema of the document.
///
/// # Panics
/// When it does not match.
#[track_caller]
pub fn assert_matches(what: &str, schema: &Value, value: &Value) {
    static COMPILED: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = compiled.entry(schema.to_string()).or_insert_with(|| {
        let whole = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
        jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            .unwrap_or_else(|error| panic!("{what}: the schema is none: {error}"))
    });
    let wrong: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what} does not match its schema: {wrong:#?}\n{value:#}");
}
