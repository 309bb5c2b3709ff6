//! Endpoint schemas: validation of bytes, and schemas or values made to hurt whoever validates.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::{Duration, Instant};

use clawos_manifest::json_schema::{MAX_VIOLATIONS, MAX_WORK, Schema, SchemaError};
use clawos_manifest::{EndpointSchemas, examples};
use serde_json::{Value, json};

fn compile(schema: &Value) -> Result<Schema, SchemaError> {
    Schema::compile(schema)
}

#[test]
fn payloads_and_answers_are_checked_with_pointer_and_reason() {
    let input = json!({"$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "properties": {"n": {"$ref": "#/$defs/small"}}, "additionalProperties": false,
        "$defs": {"small": {"type": "integer", "maximum": 9}}});
    let schemas = EndpointSchemas::compile(&input, &json!({"type": "string"})).unwrap();
    schemas.validate_payload(br#"{"n": 9}"#).unwrap();
    schemas.validate_output(br#""fine""#).unwrap();
    let violations = schemas.validate_payload(br#"{"n": 10, "secret": 1}"#).unwrap_err();
    assert!(violations.iter().any(|violation| violation.pointer == "/n" && violation.detail.contains('9')));
    assert!(violations.iter().any(|violation| violation.pointer.is_empty() && violation.detail.contains("secret")));
    assert!(schemas.validate_output(b"7").is_err());
    assert!(schemas.validate_payload(br#"{"n":1,"n":1}"#).unwrap_err()[0].detail.contains("twice"));
    assert!(schemas.validate_payload(b"{").is_err());
    assert!(schemas.validate_payload(b"").is_err());
}

#[test]
fn a_violation_never_quotes_the_value_and_the_list_is_bounded() {
    let schema = compile(&json!({"items": {"type": "string", "maxLength": 3}})).unwrap();
    let values: Vec<_> = (0..1000).map(|_| "private-value").collect();
    let violations = schema.validate(&json!(values)).unwrap_err();
    assert_eq!(violations.len(), MAX_VIOLATIONS);
    assert!(violations.iter().all(|violation| !violation.detail.contains("private")));
}

#[test]
fn recursive_and_foreign_references_are_refused() {
    let recursive = [
        json!({"$ref": "#"}),
        json!({"properties": {"child": {"$ref": "#"}}}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}}),
    ];
    for schema in recursive {
        assert!(matches!(compile(&schema), Err(SchemaError::Recursive(_))), "{schema}");
    }
    for reference in
        ["https://example.com/x", "file:///etc/passwd", "other.json", "#anchor", "#/$defs/none", "#/%24defs/a"]
    {
        let schema = json!({"$ref": reference, "$defs": {"a": true}});
        assert!(matches!(compile(&schema), Err(SchemaError::Reference(_))), "{reference}");
    }
    for keyword in ["$dynamicRef", "$id"] {
        assert_eq!(
            compile(&json!({"items": {keyword: "#x"}})).unwrap_err(),
            SchemaError::Keyword(match keyword {
                "$id" => "$id",
                _ => "$dynamicRef",
            })
        );
    }
    // A property may be called like a keyword.
    compile(&json!({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}})).unwrap();
}

#[test]
fn schemas_that_explode_when_written_out_are_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".into(), json!(true));
    let bomb = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    assert_eq!(compile(&bomb).unwrap_err(), SchemaError::TooLarge);

    let chain: serde_json::Map<String, Value> =
        (0..3000).map(|i| (format!("d{i}"), json!({"$ref": format!("#/$defs/d{}", i + 1)}))).collect();
    assert_eq!(compile(&json!({"$ref": "#/$defs/d0", "$defs": chain})).unwrap_err(), SchemaError::TooLarge);

    let deep = (0..140).fold(json!(true), |inner, _| json!({"items": inner}));
    assert_eq!(compile(&json!({"allOf": [{"items": deep.clone()}]})).unwrap_err(), SchemaError::TooLarge);
    let wide: Vec<_> = (0..5000).map(|i| json!({"const": i})).collect();
    assert_eq!(compile(&json!({"anyOf": wide})).unwrap_err(), SchemaError::TooLarge);
}

#[test]
fn a_schema_of_many_levels_shared_by_many_is_counted_once() {
    let entry = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}});
    let fields: serde_json::Map<String, Value> =
        (0..50).map(|i| (format!("f{i}"), json!({"$ref": "#/$defs/entry"}))).collect();
    compile(&json!({"properties": fields, "$defs": {"entry": entry}})).unwrap();
}

#[test]
fn patterns_run_in_linear_time_and_huge_ones_are_refused() {
    let evil = compile(&json!({"pattern": "^(a+)+$"})).unwrap();
    let start = Instant::now();
    assert!(evil.validate(&json!("a".repeat(100_000) + "!")).is_err());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    for large in ["((a{1000}){1000}){1000}", "a{1,2000}", &"a".repeat(1025)] {
        assert!(matches!(compile(&json!({"pattern": large})), Err(SchemaError::Pattern(_))), "{large}");
        let names = json!({"items": {"patternProperties": {large: true}}});
        assert!(matches!(compile(&names), Err(SchemaError::Pattern(_))), "{large}");
    }
    assert!(matches!(compile(&json!({"pattern": "(?=a)b"})), Err(SchemaError::Invalid(_))));
}

#[test]
fn too_much_work_is_refused_before_it_is_done() {
    let rules: Vec<_> = (0..1000).map(|i| json!({"not": {"const": i}})).collect();
    let schema = compile(&json!({"items": {"allOf": rules}})).unwrap();
    let start = Instant::now();
    let violations = schema.validate(&json!(vec![-1; 200_000])).unwrap_err();
    assert!(violations[0].detail.contains("too large"), "{violations:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
    schema.validate(&json!(vec![-1; 10])).unwrap();
}

#[test]
fn violations_that_take_much_memory_are_never_collected() {
    // The library keeps all of them, with copies, before it gives the first: up to gigabytes.
    let strings = json!({"items": {"type": "string"}});
    let branches = json!({"anyOf": [{"items": {"allOf": vec![json!({"type": "string"}); 100]}}]});
    let quoting = json!({"items": {"enum": ["x".repeat(100_000)]}});
    let long_paths = json!({"additionalProperties": strings});
    let copying = json!({"anyOf": [{"allOf": vec![json!({"type": "integer"}); 200]}]});
    for (schema, value) in [
        (strings, json!(vec![1; 300_000])),
        (branches, json!(vec![1; 19_500])),
        (quoting, json!(vec![1; 5_000])),
        (long_paths, json!({"k".repeat(200_000): vec![1; 2_500]})),
        (copying, json!("x".repeat(400_000))),
    ] {
        let schema = compile(&schema).unwrap();
        let violations = schema.validate(&value).unwrap_err();
        assert!(violations.len() == 1 && violations[0].detail.contains("too large to say where"), "{violations:?}");
    }
}

#[test]
fn patterns_whose_automaton_explodes_cannot_be_run_on_long_text() {
    // 2^60 states: the engine follows all of the pattern's at each byte. Eight of these took 25 s for one string.
    let rules: Vec<_> =
        (60..68).map(|n| json!({"not": {"pattern": format!("(?:[01][01])*1[01]{{{n}}}[^01]")}})).collect();
    let schema = compile(&json!({"allOf": rules})).unwrap();
    let start = Instant::now();
    assert!(schema.validate(&json!("01".repeat(450_000))).unwrap_err()[0].detail.contains("too large"));
    let names: serde_json::Map<String, Value> = [("01".repeat(450_000), json!(1))].into_iter().collect();
    assert!(schema.validate(&Value::Object(names)).unwrap_err()[0].detail.contains("too large"));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(schema.most_work(4) < schema.most_work(100) && schema.most_work(900_000) == MAX_WORK);
    schema.validate(&json!("0110")).unwrap();
    let many: Vec<_> = (0..40).map(|n| json!({"pattern": format!("1[01]{{60}}{n}")})).collect();
    assert_eq!(compile(&json!({"allOf": many})).unwrap_err(), SchemaError::Patterns);
}

#[test]
fn usual_patterns_check_large_payloads() {
    let schema = compile(&json!({"items": {"type": "object", "properties": {
        "id": {"pattern": "^[a-z0-9-]{1,64}$"}, "day": {"pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "text": {"type": "string", "minLength": 1, "pattern": r"\S"}}}}))
    .unwrap();
    let item = json!({"id": "a-name", "day": "2026-01-01", "text": "some words ".repeat(10)});
    schema.validate(&json!(vec![item; 3_000])).unwrap();
    schema.validate(&json!([{"id": "a", "text": "words ".repeat(150_000)}])).unwrap();
}

#[test]
fn keywords_whose_work_has_no_bound_are_refused() {
    for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
        assert_eq!(compile(&json!({"anyOf": [{keyword: false}]})).unwrap_err(), SchemaError::Costly(keyword));
        assert_eq!(compile(&json!({keyword: false})).unwrap_err(), SchemaError::Costly(keyword));
    }
}

#[test]
fn examples_are_compared_as_json_and_the_difference_is_named() {
    let expected = json!({"a": [1, {"b~/": 2}], "c": "x"});
    examples::compare(&expected, br#"{"c":"x","a":[1.0,{"b~/":2}]}"#).unwrap();
    let pointer = |answer: &[u8]| examples::compare(&expected, answer).unwrap_err().pointer;
    assert_eq!(pointer(br#"{"a":[1,{"b~/":3}],"c":"x"}"#), "/a/1/b~0~1");
    assert_eq!(pointer(br#"{"a":[1],"c":"x"}"#), "/a/1");
    assert_eq!(pointer(br#"{"a":[1,{"b~/":2}],"c":"x","d":0}"#), "/d");
    assert_eq!(pointer(b"not json"), "");
    let message = examples::compare(&json!("y".repeat(1000)), b"1").unwrap_err().to_string();
    assert!(message.len() < 300);
}
