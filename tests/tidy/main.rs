//! The house rules that a program can check, on the real syntax tree of every Rust file.
//!
//! Each rule is a line in a table with its reason; an exception is a line beside it, with its reason.
//! `cargo test -p clawos-tests --test tidy -- --nocapture graph` prints who uses whom.

mod codes;
mod crates;
mod parser;
mod parser_tests;
mod repository;
mod rooms;
mod rules;
mod scope;
mod text;
mod words;

/// Fails with one line per finding; passes when there is none.
fn fail_with(findings: Vec<String>) {
    assert!(findings.is_empty(), "{} to fix:\n{}", findings.len(), findings.join("\n"));
}
