//! Every error code of the HTTP API is asked for by a test that goes through HTTP.

use std::collections::BTreeSet;

use clawos_api::Code;

use crate::fail_with;
use crate::repository::{SOURCES, is_in};

/// Where those tests are.
const HTTP_TESTS: &[&str] = &["tests/api", "tests/e2e"];

#[test]
fn every_error_code_has_a_test() {
    let tests = SOURCES.iter().filter(|source| HTTP_TESTS.iter().any(|folder| is_in(&source.path, folder)));
    let literals = tests.flat_map(|source| &source.facts.literals).map(|literal| literal.value.as_str());
    let named: BTreeSet<&str> = literals.collect();
    let without: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| !named.contains(code)).collect();
    println!("error codes without a test: {}", if without.is_empty() { "none".to_owned() } else { without.join(", ") });
    fail_with(without.iter().map(|code| format!("{code}: no test in {HTTP_TESTS:?} names it")).collect());
}
