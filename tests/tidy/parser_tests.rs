//! What the parser makes of small sources.

use crate::parser::{Facts, parse};

/// Parses `source` as the module `clawos_x::shop::till`.
fn facts(source: &str) -> Facts {
    let module = ["clawos_x", "shop", "till"].map(str::to_owned);
    parse(source, &module).expect("it parses")
}

/// The paths in `source` that are longer than one name, or macros; test code marked.
fn names(source: &str) -> Vec<String> {
    let facts = facts(source);
    let long = facts.names.into_iter().filter(|name| name.path.contains("::") || name.path.ends_with('!'));
    long.map(|name| if name.test { format!("test {}", name.path) } else { name.path }).collect()
}

#[test]
fn imports_are_flattened_and_made_absolute() {
    let source = "use crate::{a::B, c::{self, D as E}};\nuse super::books::*;\nuse self::drawer::Coin;\nuse sqlx::{Row, query as q};";
    let expected = [
        "clawos_x::a::B",
        "clawos_x::c",
        "clawos_x::c::D",
        "clawos_x::shop::books::*",
        "clawos_x::shop::till::drawer::Coin",
        "sqlx::Row",
        "sqlx::query",
    ];
    assert_eq!(names(source), expected);
}

#[test]
fn a_name_is_followed_to_what_it_was_imported_from() {
    let source = "use sqlx as db; use db::query; mod drawer; use super::super::stock;\n\
                  fn f() { use std::env; env::var(); db::Row::get(); query::x(); drawer::open(); stock::count(); }";
    let found = names(source);
    for name in [
        "std::env::var",
        "sqlx::Row::get",
        "sqlx::query::x",
        "clawos_x::shop::till::drawer::open",
        "clawos_x::stock::count",
    ] {
        assert!(found.iter().any(|path| path == name), "{name} is not in {found:?}");
    }
}

#[test]
fn paths_in_types_macros_and_attributes_are_seen() {
    let source = "#[derive(utoipa::ToSchema)] #[serde(with = \"crate::text::hex\")] struct S { at: Vec<time::Date> }\n\
                  fn f() { run! { crate::a::go(super::b::X), if x != y { todo!() } } }";
    let expected = [
        "utoipa::ToSchema",
        "clawos_x::text::hex",
        "time::Date",
        "run!",
        "clawos_x::a::go",
        "clawos_x::shop::b::X",
        "todo!",
    ];
    assert_eq!(names(source), expected);
}

#[test]
fn test_code_is_told_from_shipped_code_wherever_it_stands() {
    let source = "#[cfg(test)] use a::A; #[cfg(test)] mod tests { fn f() { b::b(); } }\n\
                  #[cfg(all(test, unix))] fn g() { c::c(); } #[tokio::test] fn h() { d::d(); }\n\
                  #[cfg(any(test, unix))] fn i() { e::e(); } #[cfg(not(test))] fn j() { f::f(); } use g::G;";
    let expected = ["test a::A", "test b::b", "test c::c", "test tokio::test", "test d::d", "e::e", "f::f", "g::G"];
    assert_eq!(names(source), expected);
}

#[test]
fn an_inline_module_has_names_of_its_own() {
    let source = "use a::X; mod inner { use super::Y; use b::X; fn f() { X::x(); } } fn g() { X::x(); }";
    assert_eq!(names(source), ["a::X", "clawos_x::shop::till::Y", "b::X", "b::X::x", "a::X::x"]);
}

#[test]
fn names_have_their_lines() {
    let found = facts("//! Doc.\n\nuse a::{\n    b,\n    c,\n};\n").names;
    assert_eq!(found.iter().map(|name| name.line).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn functions_are_measured_from_fn_to_the_closing_brace() {
    let source = "/// Doc.\n#[inline]\npub fn one() {\n}\nimpl S { fn two(&self) {} }\ntrait T { fn none(); fn three() {\n\n} }\n\
                  m! { fn four() -> X\n{\n} }";
    let found: Vec<_> = facts(source).functions.into_iter().map(|f| (f.name, f.lines)).collect();
    assert_eq!(
        found,
        [("one", 2), ("two", 1), ("three", 3), ("four", 3)].map(|(name, lines)| (name.to_owned(), lines))
    );
}

#[test]
fn docs_are_no_literals_and_macros_have_them() {
    let found = facts("/// SELECT 1\nfn f() { run(\"a\"); run!(x, \"b\"); }").literals;
    assert_eq!(found.into_iter().map(|text| text.value).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn files_of_test_code_are_named_where_they_are_declared() {
    let source = "#[cfg(test)] mod tests; #[cfg(test)] #[path = \"x_tests.rs\"] mod others; mod shipped; mod a { #[cfg(test)] mod b; }";
    assert_eq!(facts(source).test_files, ["tests", "x_tests.rs", "a/b"]);
}
