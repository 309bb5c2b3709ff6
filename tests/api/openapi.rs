//! The OpenAPI document: valid, whole, the committed one; and true, by the requests and answers it shows.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use clawos_api::Code;
use clawos_tests::app::{TestApp, TestDatabase, send};
use clawos_tests::documented::{DOCUMENT, assert_matches, operations};
use serde_json::{Value, json};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[tokio::test]
async fn the_documentation_is_generated_and_the_committed_copy_is_this_one() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let served = send(app.http.get(format!("{}/openapi.json", app.origin))).await.json(200);
    assert_eq!(served, *DOCUMENT);
    for path in ["/api/v1/agents/register", "/api/v1/skills", "/api/v1/skills/{id}/execute", "/.well-known/clawos.json"]
    {
        assert!(served["paths"][path].is_object(), "{path} is not documented");
    }
    let docs = send(app.http.get(format!("{}/docs/", app.origin))).await;
    assert!(docs.status.is_success() && docs.text().contains("swagger"));

    let file = file("../server/api/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "server/api/openapi.json is out of date: run the api tests with UPDATE_EXPECTED=1");
}

#[test]
fn the_document_is_valid_openapi_3_1() {
    let schema = std::fs::read(file("schemas/openapi-3.1.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    assert_eq!(schema["$id"], "https://spec.openapis.org/oas/3.1/schema/2022-10-07");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> =
        validator.iter_errors(&DOCUMENT).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The validator finds what is wrong: one response without its description.
    let mut broken = DOCUMENT.clone();
    let responses = &mut broken["paths"]["/healthz"]["get"]["responses"];
    assert!(responses["200"].as_object_mut().unwrap().remove("description").is_some());
    assert!(!validator.is_valid(&broken));
}

#[test]
fn every_schema_is_a_json_schema_and_every_reference_leads_somewhere() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let mut references = Vec::new();
    collect(&DOCUMENT, "$ref", &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer =
            reference.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference within the document");
        assert!(DOCUMENT.pointer(pointer).is_some(), "{pointer}");
    }
}

/// The values of every member of this name.
fn collect<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| collect(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, found)),
        _ => {}
    }
}

#[test]
fn every_operation_says_what_clients_and_readers_need() {
    let operations = operations();
    let mut ids = HashSet::new();
    let tags: Vec<_> = DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for operation in &operations {
        let (id, object) = (operation.id(), operation.object);
        assert!(ids.insert(id), "{id} is there twice");
        assert!(object["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id} has no summary");
        assert!(
            object["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag)),
            "{id} has a tag that is not listed"
        );
        assert!(object["security"].is_array(), "{id} does not say who may call it");
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{id}: {} is not described", parameter["name"]);
            assert!(parameter["schema"]["type"] != "null", "{id}: {}", parameter["name"]);
        }
        for (status, response) in object["responses"].as_object().unwrap() {
            let text = response["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{id}: {status} is not described");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{id}: {status} names no headers");
            let is_error = status.as_str() >= "400" && response["content"]["application/json"].is_null();
            let problem = &response["content"]["application/problem+json"];
            assert_eq!(is_error, problem.is_object(), "{id}: {status} must be a problem exactly when it is an error");
        }
        // Every code has its response, and every one of those names a code.
        let codes: Vec<Code> = codes(object);
        assert!(codes.contains(&Code::Internal), "{id}");
        for code in codes {
            assert!(object["responses"][code.status().to_string()].is_object(), "{id}: {}", code.as_str());
        }
    }
    assert!(operations.len() >= 30, "the document is whole: {}", operations.len());
}

fn codes(operation: &Value) -> Vec<Code> {
    let names = operation["x-codes"].as_array().expect("an operation names its codes");
    let known = |name: &Value| *Code::ALL.iter().find(|code| name == code.as_str()).expect("a code of the table");
    names.iter().map(known).collect()
}

#[test]
fn every_code_of_the_table_is_one_that_some_operation_gives() {
    let given: BTreeSet<&str> = operations().iter().flat_map(|one| codes(one.object)).map(Code::as_str).collect();
    // Only paths and methods that are not documented answer with these.
    let elsewhere = ["method_not_allowed"];
    let missing: Vec<_> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !given.contains(code) && !elsewhere.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let schema = &DOCUMENT["components"]["schemas"]["Code"]["enum"];
    assert_eq!(*schema, json!(Code::ALL));
}

#[test]
fn every_example_matches_its_schema() {
    for operation in operations() {
        let (id, object) = (operation.id(), operation.object);
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            let what = format!("{id}'s example of {}", parameter["name"]);
            if parameter["required"] == true {
                assert!(!parameter["example"].is_null(), "{what} is missing");
            }
            if !parameter["example"].is_null() {
                assert_matches(&what, &parameter["schema"], &parameter["example"]);
            }
        }
        let bodies = object["requestBody"]["content"].as_object().into_iter().flatten();
        let successes = object["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
        let answers = successes.flat_map(|(_, response)| response["content"].as_object().into_iter().flatten());
        for (kind, content) in
            bodies.chain(answers).filter(|(kind, _)| kind.ends_with("json") || kind.starts_with("multipart"))
        {
            assert!(!content["example"].is_null(), "{id} has no example of its {kind}");
            assert_matches(&format!("{id}'s example"), &content["schema"], &content["example"]);
        }
    }
    for (name, example) in DOCUMENT["components"]["examples"].as_object().unwrap() {
        assert_matches(name, &json!({ "$ref": "#/components/schemas/Problem" }), &example["value"]);
    }
}

#[test]
fn every_text_of_a_request_is_bounded() {
    let mut texts = 0;
    for operation in operations() {
        let (id, object) = (operation.id(), operation.object);
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            texts += check_texts(&format!("{id}'s {}", parameter["name"]), &parameter["schema"]);
        }
        for (kind, content) in object["requestBody"]["content"].as_object().into_iter().flatten() {
            assert_eq!(resolved(&content["schema"])["additionalProperties"], false, "{id}'s {kind}");
            texts += check_texts(&format!("{id}'s {kind}"), &content["schema"]);
        }
    }
    assert!(texts > 60, "they were found: {texts}");
}

/// The schema that a reference names; any other as it is.
fn resolved(schema: &'static Value) -> &'static Value {
    let reference = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    reference.map_or(schema, |pointer| DOCUMENT.pointer(pointer).expect("references lead somewhere"))
}

/// Checks that each text within the schema has a form or a length; how many there are.
fn check_texts(what: &str, schema: &'static Value) -> usize {
    let schema = resolved(schema);
    let is_text =
        schema["type"] == "string" || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
    if is_text {
        let bounds = ["pattern", "enum", "format", "maxLength"];
        assert!(bounds.iter().any(|bound| !schema[bound].is_null()), "{what} is any text: {schema}");
    }
    let members = schema["properties"].as_object().into_iter().flatten();
    let members: usize = members.map(|(name, member)| check_texts(&format!("{what}/{name}"), member)).sum();
    let ways = ["oneOf", "anyOf", "allOf"].iter().flat_map(|name| schema[name].as_array().into_iter().flatten());
    let ways: usize = ways.map(|way| check_texts(what, way)).sum();
    let items = if schema["items"].is_object() { check_texts(&format!("{what}[]"), &schema["items"]) } else { 0 };
    usize::from(is_text) + members + ways + items
}
