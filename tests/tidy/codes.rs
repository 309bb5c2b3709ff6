//! Every error code of the HTTP API is asserted by a test that goes through HTTP.

use std::collections::BTreeSet;

use clawos_api::Code;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, ExprMethodCall, FieldValue, Lit, Macro, Member, Token};

use crate::fail_with;
use crate::repository::{SOURCES, is_in};

/// Where those tests are.
const HTTP_TESTS: &[&str] = &["tests/api", "tests/e2e"];
/// The helpers that assert a problem's code, their last argument.
const HELPERS: &[&str] = &["problem", "pointers", "refused"];
/// The field of a table of cases that a test hands to a helper.
const FIELD: &str = "code";

/// The string literals that are asserted codes.
#[derive(Default)]
struct Asserted(BTreeSet<String>);

impl Asserted {
    fn take(&mut self, value: &Expr) {
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
            self.0.insert(text.value());
        }
    }

    /// Reads an expression that a macro was given, which does not live as long as the file.
    fn parsed(&mut self, value: &Expr) {
        let mut inner = Asserted::default();
        inner.visit_expr(value);
        self.0.extend(inner.0);
    }

    fn in_file(source: &str) -> BTreeSet<String> {
        let file = syn::parse_file(source).expect("it compiles");
        let mut asserted = Asserted::default();
        asserted.visit_file(&file);
        asserted.0
    }
}

impl<'ast> Visit<'ast> for Asserted {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if HELPERS.iter().any(|helper| call.method == helper)
            && let Some(last) = call.args.last()
        {
            self.take(last);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_field_value(&mut self, field: &'ast FieldValue) {
        if matches!(&field.member, Member::Named(name) if name == FIELD) {
            self.take(&field.expr);
        }
        visit::visit_field_value(self, field);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        // What `assert!` and its like are given; other macros have a syntax of their own.
        if let Ok(values) = invoked.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            values.iter().for_each(|value| self.parsed(value));
        }
    }
}

#[test]
fn every_error_code_has_a_test() {
    let tests = SOURCES.iter().filter(|source| HTTP_TESTS.iter().any(|folder| is_in(&source.path, folder)));
    let asserted: BTreeSet<String> = tests.flat_map(|source| Asserted::in_file(&source.text)).collect();
    let without: Vec<&str> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|code| !asserted.contains(*code)).collect();
    println!("error codes without a test: {}", if without.is_empty() { "none".to_owned() } else { without.join(", ") });
    fail_with(
        without.iter().map(|code| format!("{code}: no test in {HTTP_TESTS:?} asserts it by {HELPERS:?}")).collect(),
    );
}

#[test]
fn a_word_that_no_helper_is_given_is_no_assertion() {
    let source = r#"
        fn test() {
            call("trap");
            answer.problem("not_found");
            assert!(ready || buyer.refused(&["exec", "internal"], "key_expired")["retryable"] == true, "deadline");
            let case = Case { code: "out_of_fuel", body: "denied" };
        }
    "#;
    let expected = ["key_expired", "not_found", "out_of_fuel"].map(str::to_owned);
    assert_eq!(Asserted::in_file(source), BTreeSet::from(expected));
}
