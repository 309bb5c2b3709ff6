//! An example of each operation: its parameters, its body and its answers, from `examples.json`. A test checks them against
//! their schemas, and sends them.

use std::sync::LazyLock;

use serde_json::Value;

use super::members;

/// By operation id: `parameters` by name, `body`, `answers` by status.
static EXAMPLES: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("examples.json")).expect("a test reads the examples of every operation")
});

/// Adds the operation's example.
pub(super) fn add(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let example = &EXAMPLES[id];
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let value = &example["parameters"][parameter["name"].as_str().unwrap_or_default()];
        if !value.is_null() {
            parameter["example"] = value.clone();
        }
    }
    if !example["body"].is_null() {
        for (_, content) in members(&mut operation["requestBody"]["content"]) {
            content["example"] = example["body"].clone();
        }
    }
    for (status, response) in members(&mut operation["responses"]) {
        let answer = &example["answers"][status];
        if !answer.is_null() {
            for (_, content) in response.get_mut("content").into_iter().flat_map(members) {
                content["example"] = answer.clone();
            }
        }
    }
}
