//! Every query parameter of every operation, as the OpenAPI document has them: of the wrong form, unknown, given twice. Each is
//! refused with the code for it and the pointer to it.

use clawos_tests::app::{Answer, TestDatabase, send};
use clawos_tests::documented::{DOCUMENT, Operation, operations};
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use serde_json::Value;

/// What of a wrong form is simply not found.
const NAMES: [(&str, &str, &str); 3] = [
    ("download_artifact", "version", "version_not_found"),
    ("get_skill", "version", "version_not_found"),
    ("get_proof", "leaf", "receipt_not_found"),
];

/// The schema of a parameter, where a reference leads.
fn schema(parameter: &Value) -> &Value {
    let reference = parameter["schema"]["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    reference.map_or(&parameter["schema"], |pointer| DOCUMENT.pointer(pointer).expect("references lead somewhere"))
}

/// A value of the parameter.
fn good(parameter: &Value) -> String {
    let schema = schema(parameter);
    let candidates = [&parameter["example"], &schema["examples"][0], &schema["enum"][0], &schema["minimum"]];
    let found = candidates.into_iter().find(|value| !value.is_null());
    match (found, schema["type"].as_str(), schema["format"].as_str()) {
        (Some(value), ..) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        (_, Some("boolean"), _) => "true".to_owned(),
        (_, _, Some("date-time")) => "2026-01-02T03:04:05Z".to_owned(),
        _ => "1.0.0".to_owned(),
    }
}

/// Values that the schema forbids.
fn bad(parameter: &Value) -> Vec<String> {
    let schema = schema(parameter);
    let mut values = Vec::new();
    match schema["type"].as_str() {
        Some("integer") => values.extend(["abc", "", "1.5", "-1", "18446744073709551616"].map(str::to_owned)),
        Some("boolean") => values.extend(["maybe", "", "1"].map(str::to_owned)),
        _ => {}
    }
    if schema["minimum"].as_u64().is_some_and(|minimum| minimum > 0) {
        values.push("0".to_owned());
    }
    values.extend(schema["maximum"].as_u64().map(|maximum| (maximum + 1).to_string()));
    values.extend(schema["maxLength"].as_u64().map(|most| "a".repeat(usize::try_from(most).expect("small") + 1)));
    let formed =
        ["pattern", "enum", "format"].iter().any(|keyword| schema[keyword].is_string() || schema[keyword].is_array());
    if schema["type"] == "string" && formed {
        values.push("!".to_owned());
    }
    values
}

/// Asks as the operation's example does, with this query.
async fn ask(market: &Market, operation: &Operation, query: &[(&str, String)]) -> Answer {
    let mut path = operation.path.to_owned();
    for parameter in operation.object["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("a name");
        path = path.replace(&format!("{{{name}}}"), &good(parameter));
    }
    let url = format!("{}{path}", market.app.origin);
    send(market.app.http.request(operation.method.clone(), url).bearer_auth(market.author.token()).query(query)).await
}

#[tokio::test]
async fn every_parameter_is_refused_by_its_name_when_it_is_wrong_unknown_or_there_twice() {
    let keywords = |handle: &str| Publication::priced(handle, "text-stats", "1.0.0", USAGE_PRICING);
    let market = Market::open(&TestDatabase::Sqlite, keywords).await;
    let mut wrong = 0;
    for operation in operations() {
        let id = operation.id();
        let parameters = operation.object["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_query = || parameters.iter().filter(|parameter| parameter["in"] == "query");
        if of_query().next().is_none() {
            continue;
        }
        // Those that have to be there, but for one.
        let needed = |but: &str| -> Vec<(&str, String)> {
            let needed = of_query().filter(|parameter| parameter["required"] == true && parameter["name"] != but);
            needed.map(|parameter| (parameter["name"].as_str().expect("a name"), good(parameter))).collect()
        };
        let unknown = ask(&market, &operation, &[needed(""), vec![("colour", "red".to_owned())]].concat()).await;
        assert_eq!(unknown.pointers("query_invalid"), ["/colour"], "{id}");
        for parameter in of_query() {
            let name = parameter["name"].as_str().expect("a name");
            let pointer = format!("/{name}");
            let twice = [needed(name), vec![(name, good(parameter)), (name, good(parameter))]].concat();
            assert_eq!(
                ask(&market, &operation, &twice).await.pointers("query_invalid"),
                [&*pointer],
                "{id}: {name} twice"
            );
            for value in bad(parameter) {
                let answer = ask(&market, &operation, &[needed(name), vec![(name, value.clone())]].concat()).await;
                match NAMES.iter().find(|(of, parameter, _)| (*of, *parameter) == (id, name)) {
                    Some((_, _, code)) => drop(answer.problem(code)),
                    None => assert_eq!(answer.pointers("validation_failed"), [&*pointer], "{id}: {name}={value}"),
                }
                wrong += 1;
            }
        }
    }
    assert!(wrong > 80, "they were sent: {wrong}");
}

#[tokio::test]
async fn the_largest_values_that_the_document_allows_are_taken() {
    let keywords = |handle: &str| Publication::priced(handle, "text-stats", "1.0.0", USAGE_PRICING);
    let market = Market::open(&TestDatabase::Sqlite, keywords).await;
    for operation in operations() {
        let parameters = operation.object["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let schema = schema(parameter);
            let text = || schema["maxLength"].as_u64().filter(|_| schema["pattern"].is_null());
            let longest = text().map(|most| "a".repeat(usize::try_from(most).expect("small")));
            let largest = longest.into_iter().chain(schema["maximum"].as_u64().map(|most| most.to_string()));
            for value in largest.chain(
                schema["enum"].as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()),
            ) {
                let name = parameter["name"].as_str().expect("a name");
                let answer = ask(&market, &operation, &[(name, value.clone())]).await;
                let refused = [400, 422].contains(&answer.status.as_u16());
                assert!(!refused, "{}: {name}={value}: {}", operation.id(), answer.text());
            }
        }
    }
}
