//! Every error code of the HTTP API is asked for by a test that goes through HTTP.

use std::collections::BTreeSet;

use clawos_api::Code;

use crate::fail_with;
use crate::repository::{SOURCES, is_in};

/// Where those tests are.
const HTTP_TESTS: &[&str] = &["tests/api", "tests/e2e"];

/// Codes that no request can get: code, reason.
const UNREACHABLE: &[(&str, &str)] =
    &[("denied", "the server offers skills no permission yet, so publishing refuses every module that asks for one")];

#[test]
fn every_error_code_has_a_test() {
    let tests = SOURCES.iter().filter(|source| HTTP_TESTS.iter().any(|folder| is_in(&source.path, folder)));
    let literals = tests.flat_map(|source| &source.facts.literals).map(|literal| literal.value.as_str());
    let named: BTreeSet<&str> = literals.collect();
    let (mut bad, mut without) = (Vec::new(), Vec::new());
    for code in Code::ALL.iter().map(|code| code.as_str()) {
        let excused = UNREACHABLE.iter().any(|(unreachable, _)| *unreachable == code);
        match (named.contains(code), excused) {
            (true, true) => bad.push(format!("{code}: a test names it, so it is not unreachable")),
            (false, false) => without.push(code),
            _ => {}
        }
    }
    println!("error codes without a test: {}", if without.is_empty() { "none".to_owned() } else { without.join(", ") });
    bad.extend(without.iter().map(|code| format!("{code}: no test in {HTTP_TESTS:?} names it")));
    let known = |code: &&str| Code::ALL.iter().any(|known| known.as_str() == *code);
    bad.extend(
        UNREACHABLE.iter().map(|(code, _)| code).filter(|code| !known(code)).map(|code| format!("{code}: no code")),
    );
    fail_with(bad);
}
