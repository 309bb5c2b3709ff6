//! The SDK as an author meets it: dispatch, errors, host fallbacks, and the check of the committed files.

#![allow(unreachable_pub, reason = "endpoints are public functions")]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use clawos_skill::{Context, ErrorCode, Skill, SkillError, clock, progress, random, skill, testing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

struct Shop;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    lines: Vec<Line>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Line {
    count: u32,
    price: u32,
}

#[derive(Serialize, JsonSchema)]
struct Bill {
    total: u32,
}

#[skill]
impl Shop {
    pub fn add_up(order: Order) -> Result<Bill, SkillError> {
        let total = order.lines.iter().try_fold(0u32, Self::add);
        total
            .map(|total| Bill { total })
            .ok_or_else(|| SkillError::bad_request("lines: the total is above 4,294,967,295"))
    }

    pub fn refuse(code: String) -> Result<(), SkillError> {
        Err(match code.as_str() {
            "not-found" => SkillError::not_found(code),
            "unavailable" => SkillError::unavailable(code),
            _ => SkillError::internal(code),
        })
    }

    fn add(total: u32, line: &Line) -> Option<u32> {
        line.count.checked_mul(line.price)?.checked_add(total)
    }
}

struct Informed;

#[skill]
impl Informed {
    pub fn caller(greeting: String, context: &Context) -> Result<String, SkillError> {
        progress::report(1, 0, "greeting");
        Ok(format!("{greeting}, {} of {}", context.tier.as_deref().unwrap_or("nobody"), context.call_id))
    }

    pub fn plain(input: String) -> Result<String, SkillError> {
        Ok(input)
    }
}

fn refusal(endpoint: &str, payload: &str) -> SkillError {
    Shop::run(endpoint, payload, &Context::default()).expect_err("this call is refused")
}

#[test]
fn a_call_goes_from_json_to_json() {
    let payload = r#" {"lines": [{"count": 2, "price": 30}, {"count": 1, "price": 5}]} "#;
    assert_eq!(Shop::run("add_up", payload, &Context::default()).unwrap(), r#"{"total":65}"#);
}

#[test]
fn a_bad_payload_is_a_bad_request_that_names_the_place() {
    let error = refusal("add_up", r#"{"lines": [{"count": 2, "price": "much"}]}"#);
    assert_eq!(error.code, ErrorCode::BadRequest);
    assert!(error.message.starts_with("payload at `lines[0].price`: invalid type: string"), "{error}");

    let unknown = refusal("add_up", r#"{"lines": [], "tip": 1}"#);
    assert!(unknown.message.contains("unknown field `tip`"), "{unknown}");
    for text in ["", "{", "{} {}", r#"{"lines": []} x"#, "\u{0}", "null"] {
        assert_eq!(refusal("add_up", text).code, ErrorCode::BadRequest, "{text:?}");
    }
}

#[test]
fn an_endpoint_that_asks_for_the_context_gets_it() {
    let mut context = Context::default();
    context.tier = Some("commercial".to_owned());
    context.call_id = "run_1".to_owned();
    assert_eq!(Informed::run("caller", r#""hello""#, &context).unwrap(), r#""hello, commercial of run_1""#);
    assert_eq!(Informed::run("plain", r#""hello""#, &context).unwrap(), r#""hello""#);
    let schemas = Informed::schemas();
    assert_eq!(schemas[0].input, schemas[1].input, "the context is no part of the input");
}

#[test]
fn deep_nesting_is_refused_and_not_a_stack_overflow() {
    let payload = "[".repeat(100_000);
    assert_eq!(refusal("add_up", &payload).code, ErrorCode::BadRequest);
}

#[test]
fn the_authors_refusals_keep_their_code_and_text() {
    let overflow = r#"{"lines": [{"count": 4294967295, "price": 2}]}"#;
    assert_eq!(refusal("add_up", overflow).to_string(), "bad-request: lines: the total is above 4,294,967,295");
    for (text, code) in
        [("not-found", ErrorCode::NotFound), ("unavailable", ErrorCode::Unavailable), ("internal", ErrorCode::Internal)]
    {
        let error = refusal("refuse", &json!(text).to_string());
        assert_eq!((error.code, error.message.as_str()), (code, text));
        assert_eq!(code.to_string(), text);
    }
}

#[test]
fn only_public_functions_are_endpoints() {
    for name in ["add", "add-up", "Add_Up", ""] {
        let error = refusal(name, "{}");
        assert_eq!(error.code, ErrorCode::NotFound);
        assert!(error.message.ends_with("there is add_up, refuse"), "{error}");
    }
}

#[test]
fn schemas_describe_the_types() {
    let schemas = Shop::schemas();
    assert_eq!(schemas.iter().map(|schemas| schemas.name).collect::<Vec<_>>(), ["add_up", "refuse"]);
    let input = &schemas[0].input;
    assert_eq!(input["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(input["additionalProperties"], false);
    assert_eq!(input["$defs"]["Line"]["required"], json!(["count", "price"]));
    assert_eq!(schemas[0].output["properties"]["total"]["minimum"], 0);
}

#[test]
fn clock_and_random_work_on_the_host() {
    assert!(clock::now_ms() > 1_700_000_000_000);
    assert_eq!(random::bytes(0), Vec::<u8>::new());
    assert_eq!(random::bytes(70_001).len(), 70_001);
    assert_ne!(random::u64(), random::u64());
    let mine = std::thread::spawn(|| random::bytes(32)).join().unwrap();
    assert_eq!(mine, std::thread::spawn(|| random::bytes(32)).join().unwrap());
}

/// A project folder of its own, removed at the end.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, manifest: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("clawos-skill-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("examples")).unwrap();
        fs::write(folder.join("skill.toml"), manifest).unwrap();
        fs::write(folder.join("examples/one.json"), r#"{"lines": [{"count": 2, "price": 30}]}"#).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn problems(&self) -> String {
        let panic =
            catch_unwind(AssertUnwindSafe(|| testing::check::<Shop>(self.path()))).expect_err("it must complain");
        *panic.downcast::<String>().unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MANIFEST: &str = r#"
[skill]
id = "acme.shop"

[[endpoints]]
name = "add_up"
input = "schemas/in.json"
output = "schemas/out.json"
[[endpoints.examples]]
input = "examples/one.json"
output = "examples/one.out.json"

[[endpoints]]
name = "refuse"
input = "schemas/code.json"
output = "schemas/nothing.json"
"#;

fn write(project: &Project, path: &str, value: &Value) {
    let path = project.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

fn right(project: &Project) {
    let schemas = Shop::schemas();
    write(project, "schemas/in.json", &schemas[0].input);
    write(project, "schemas/out.json", &schemas[0].output);
    write(project, "schemas/code.json", &schemas[1].input);
    write(project, "schemas/nothing.json", &schemas[1].output);
    write(project, "examples/one.out.json", &json!({"total": 60}));
}

#[test]
fn files_that_match_the_code_pass() {
    let project = Project::new("right", MANIFEST);
    right(&project);
    testing::check::<Shop>(project.path());
}

#[test]
fn every_difference_is_listed() {
    let manifest = MANIFEST.replace("\"refuse\"", "\"accept\"");
    let project = Project::new("wrong", &manifest);
    right(&project);
    write(&project, "schemas/in.json", &json!({"type": "object"}));
    write(&project, "examples/one.out.json", &json!({"total": 61}));
    fs::remove_file(project.path().join("schemas/out.json")).unwrap();
    let problems = project.problems();
    for line in [
        "skill.toml: the endpoint `refuse` of the code is not listed",
        "skill.toml: the code has no endpoint `accept`",
        "schemas/in.json: not what the code says",
        "schemas/out.json: No such file",
        "examples/one.out.json: not what the code says",
        "CLAWOS_BLESS=1 cargo test",
    ] {
        assert!(problems.contains(line), "{line:?} is not in:\n{problems}");
    }
}
