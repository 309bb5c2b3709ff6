//! The committed `schema.json` is the one derived from the code.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[test]
fn schema_json_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json");
    let current = serde_json::to_string_pretty(&clawos_manifest::source::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == current, "run `UPDATE_SCHEMA=1 cargo test -p clawos-manifest --test schema_file` and commit");
}

#[test]
fn every_key_has_a_description_for_authors() {
    fn check(name: &str, schema: &serde_json::Value) {
        let described = schema["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(described || ["currency", "input", "output"].contains(&name), "{name} has no description");
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            check(name, property);
        }
        if schema["items"]["properties"].is_object() {
            check(name, &schema["items"]);
        }
    }
    check("skill.toml", &clawos_manifest::source::json_schema());
}
