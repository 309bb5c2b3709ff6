//! What must hold for every input: no panic, bounded errors, names that agree with their patterns.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod samples;

use clawos_manifest::json_schema::Schema;
use clawos_manifest::{Manifest, names};
use proptest::prelude::*;
use serde_json::Value;

use samples::GOOD;

/// A good manifest with a stretch replaced by something else.
fn damaged() -> impl Strategy<Value = String> {
    let junk = prop_oneof![any::<String>(), "[-0-9.eE\"\\[\\]{}=,\n a-z]{0,12}"];
    (any::<prop::sample::Index>(), 0_usize..40, junk).prop_map(|(at, length, junk)| {
        let characters: Vec<char> = GOOD.chars().collect();
        let at = at.index(characters.len());
        let end = (at + length).min(characters.len());
        characters[..at].iter().collect::<String>() + &junk + &characters[end..].iter().collect::<String>()
    })
}

fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("$ref".to_owned()),
        Just("$defs".to_owned()),
        Just("allOf".to_owned()),
        Just("properties".to_owned()),
        Just("items".to_owned()),
        Just("pattern".to_owned()),
        Just("type".to_owned()),
        Just("not".to_owned()),
        "[a-z]{1,3}",
    ];
    let leaf = prop_oneof![
        Just(Value::from("#")),
        Just(Value::from("#/$defs/a")),
        Just(Value::from("#/allOf/0")),
        Just(Value::from("string")),
        any::<bool>().prop_map(Value::from),
        (-3_i64..9).prop_map(Value::from),
        "[(a+*)\\\\]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(word.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_upsets_the_parser(text in prop_oneof![any::<String>(), damaged()]) {
        match Manifest::parse(&text) {
            Ok(manifest) => prop_assert!(names::is_skill_id(&manifest.skill.id)),
            Err(errors) => {
                prop_assert!(!errors.is_empty() && errors.len() <= clawos_manifest::manifest::MAX_ERRORS);
                prop_assert!(errors.iter().all(|error| !error.hint.is_empty() && error.problem.len() < 2_000));
            }
        }
    }

    #[test]
    fn no_file_upsets_resolving(schema in json(), example in json(), raw in prop::collection::vec(any::<u8>(), 0..40)) {
        let manifest = Manifest::parse(GOOD).unwrap();
        let resolved = manifest.resolve(&mut |path| Ok(match path {
            "schemas/in.json" => schema.to_string().into_bytes(),
            "examples/out.json" => raw.clone(),
            "examples/in.json" => example.to_string().into_bytes(),
            _ => b"true".to_vec(),
        }));
        if let Ok(resolved) = resolved { resolved.sha256().unwrap(); }
    }

    #[test]
    fn an_accepted_schema_always_answers(schema in json(), value in json()) {
        if let Ok(schema) = Schema::compile(&schema) {
            let _ = schema.validate(&value);
        }
    }

    #[test]
    fn names_agree_with_their_patterns(text in "[a-b0.A_-]{0,8}|[a-z][a-z0-9-]{1,40}(\\.[a-z][a-z0-9-]{0,70})?") {
        let pattern = |pattern: &str| Schema::compile(&serde_json::json!({"pattern": pattern})).unwrap()
            .validate(&Value::from(text.as_str())).is_ok();
        prop_assert_eq!(names::is_handle(&text), pattern(names::HANDLE_PATTERN));
        prop_assert_eq!(names::is_skill_id(&text), pattern(names::SKILL_ID_PATTERN));
        prop_assert_eq!(names::is_endpoint_name(&text), pattern(names::ENDPOINT_PATTERN));
        prop_assert_eq!(names::publisher_of(&text).is_some(), names::is_skill_id(&text));
    }
}
