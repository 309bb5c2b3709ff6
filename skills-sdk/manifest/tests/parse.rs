//! Reading `skill.toml`: what a good one becomes, and what each kind of mistake is told.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod samples;

use clawos_interface::{Currency, Unit};
use clawos_manifest::{Manifest, ManifestError};

use samples::GOOD;

fn errors(text: &str) -> Vec<ManifestError> {
    Manifest::parse(text).unwrap_err()
}

/// The one error that `GOOD` with `from` replaced by `to` gives.
fn mistake(from: &str, to: &str) -> ManifestError {
    assert!(GOOD.contains(from), "{from}");
    let errors = errors(&GOOD.replacen(from, to, 1));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().unwrap()
}

#[track_caller]
fn told(from: &str, to: &str, key: &str, words: &str) {
    let error = mistake(from, to);
    assert_eq!(error.key, key, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.hint.is_empty());
}

#[test]
fn a_good_manifest_is_read_with_defaults_filled_in() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(manifest.skill.id, "acme.word-count");
    assert_eq!((manifest.limits.fuel, manifest.limits.memory_mib), (10_000_000, 16));
    assert_eq!((manifest.limits.wall_ms, manifest.limits.output_kib), (5_000, 256));
    assert!(manifest.permissions.kv);
    let prices = manifest.prices.as_ref().unwrap();
    assert_eq!(prices.currency, Currency::Usdc);
    assert_eq!(prices.once, Some(5_000_000));
    let period = prices.period.as_ref().unwrap();
    assert_eq!((period.amount, period.secs), (2_500_000, 2_592_000));
    let unit = prices.unit.as_ref().unwrap();
    assert_eq!((unit.amount, unit.kind, unit.shown.amount.as_str()), (1_000, Unit::Call, "1"));
    assert_eq!(prices.tier_bps, [10_000, 20_000, 105_000]);
    let files: Vec<_> = manifest.files().into_iter().collect();
    assert_eq!(files, ["examples/in.json", "examples/out.json", "schemas/in.json", "schemas/out.json"]);
}

#[test]
fn without_pricing_a_skill_is_free_and_asks_for_nothing() {
    let start = GOOD.find("[permissions]").unwrap();
    let end = GOOD.find("[[endpoints]]").unwrap();
    let manifest = Manifest::parse(&(GOOD[..start].to_owned() + &GOOD[end..])).unwrap();
    assert_eq!(manifest.prices, None);
    assert!(!manifest.permissions.kv && manifest.permissions.http.is_empty() && manifest.permissions.skills.is_empty());
}

#[test]
fn each_mistake_names_its_key_and_what_would_be_right() {
    told("category = ", "categroy = \"x\"\ncategory = ", "skill.categroy", "did you mean `category`?");
    told("fuel = 10_000_000", "fule = 10", "limits.fule", "did you mean `fuel`?");
    told("kv = true", "kv = true\nnetwork = true", "permissions.network", "known here: http, kv, skills");
    told("[limits]", "[limit]", "limit", "did you mean `limits`?");
    told("free_calls = 3", "free_call = 3", "pricing.free_call", "did you mean `free_calls`?");
    told("name = \"count\"", "name = \"count\"\ndoc = \"x\"", "endpoints[0].doc", "is not a known key");
    told("kv = true", "kv = \"yes\"", "permissions.kv", "expected a boolean, found a string");
    told("fuel = 10_000_000", "fuel = \"10\"", "limits.fuel", "expected an integer, found a string");
    told("fuel = 10_000_000", "fuel = 1.5", "limits.fuel", "expected an integer");
    told("fuel = 10_000_000", "fuel = inf", "limits.fuel", "found nothing");
    told("fuel = 10_000_000", "fuel = 1_000_000_001", "limits.fuel", "1,000 to 1,000,000,000");
    told("memory_mib = 16", "memory_mib = 0", "limits.memory_mib", "1 to 256");
    told("tags = [\"text\", \"count\"]", "tags = \"text\"", "skill.tags", "expected an array, found a string");
    told("acme.word-count", "Acme.Word", "skill.id", "such as \"acme.word-count\"");
    told("acme.word-count", "word-count", "skill.id", "does not have the right form");
    told("\"1.2.0\"", "\"1.2\"", "skill.version", "semantic version");
    told("\"1.2.0\"", "\"1.2.0-01\"", "skill.version", "leading zero");
    told("\"1.2.0\"", "\"1.2.0+build\"", "skill.version", "without build metadata");
    told("\"1.2.0\"", "2020-01-01", "skill.version", "right form");
    told("\"analysis\"", "\"analytics\"", "skill.category", "did you mean \"analysis\"?");
    told(
        "\"analysis\"",
        "\"x\"",
        "skill.category",
        "communication, automation, analysis, creative, utility, integration",
    );
    told("MIT OR Apache-2.0", "MIT License", "skill.license", "SPDX");
    told("Counts words\"", &format!("{}\"", "x".repeat(161)), "skill.summary", "has 161 characters, 160 are allowed");
    told("summary = \"Counts words\"", "summary = \"\"", "skill.summary", "1 to 160");
    told("summary = \"Counts words\"", "summary = \"a\\nb\"", "skill.summary", "One line");
    told("lines and characters.\"", "\\u0000\"", "skill.description", "without control characters");
    told("https://git", "ftp://git", "skill.repository", "http or https");
    told("\"count\"]", "\"text\"]", "skill.tags", "non-unique");
    told("\"count\"]", "\"Count\"]", "skill.tags[1]", "right form");
    told("api.example.com", "https://api.example.com", "permissions.http[0]", "without scheme");
    told("\"wasm\"", "\"wasi\"", "runtime.kind", "write one of wasm, docker");
    told("version = \"1.2.0\"\n", "", "skill.version", "is missing");
    told("name = \"count\"", "name = \"Count\"", "endpoints[0].name", "right form");
}

#[test]
fn paths_stay_inside_the_project() {
    for path in ["/etc/passwd", "../secret", "a/../../b", "./a", "a//b", "a/", "C:/a", "a\\\\b", "é"] {
        told("schemas/in.json", path, "endpoints[0].input", "inside the project");
        told("examples/out.json", path, "endpoints[0].examples[0].output", "inside the project");
        told("target/word-count.wasm", path, "runtime.artifact", "inside the project");
    }
}

#[test]
fn prices_must_come_out_whole_and_the_nearest_are_named() {
    let usage = "amount = \"1\", per = \"1000-calls\"";
    told(usage, "amount = \"0.0015\", per = \"1000-calls\"", "pricing.usage.amount", "\"0.001\" or \"0.002\"");
    told(usage, "amount = \"0.0001\", per = \"1000-calls\"", "pricing.usage.amount", "write \"0.001\"");
    told(usage, "amount = \"0.0000001\", per = \"megafuel\"", "pricing.usage.amount", "write \"0.000001\"");
    told(usage, "amount = \"0.00250001\", per = \"gigafuel\"", "pricing.usage.amount", "\"0.002\" or \"0.003\"");
    told(usage, "amount = \"0\", per = \"1000-calls\"", "pricing.usage.amount", "at least \"0.001\"");
    told(
        usage,
        "amount = \"1\", per = \"calls\"",
        "pricing.usage.per",
        "write one of call, 1000-calls, megafuel, gigafuel",
    );
    told("once = \"5\"", "once = \"5.0000001\"", "pricing.once", "\"5\" or \"5.000001\"");
    told("once = \"5\"", "once = \"0.000039\"", "pricing.once", "at least \"0.00004\"");
    told("once = \"5\"", "once = \"999999999999\"", "pricing.once", "2^63 - 1");
    for text in
        ["5,0", "-5", "+5", "1e3", "", ".5", "5.", "05", "0x5", " 5", "5 ", "٥", "1.0000000000001", "1000000000000"]
    {
        told("once = \"5\"", &format!("once = \"{text}\""), "pricing.once", "decimal text such as");
    }
    told("once = \"5\"", "once = 5", "pricing.once", "expected a string, found a number");
    told("\"monthly\"", "\"fortnightly\"", "pricing.period.every", "hourly, daily, weekly, monthly, yearly");
    told("commercial = 2", "commercial = 0.5", "pricing.tiers.commercial", "At least 1.0");
    told("commercial = 2", "commercial = 1.00001", "pricing.tiers.commercial", "four decimals");
    told("\"USDC\"", "\"EUR\"", "pricing.currency", "write one of SOL, USDC");
    told("free_calls = 3", "refund_hours = 24", "pricing.refund_hours", "at most 0 hours for now");
    let nothing = GOOD.replace("once = \"5\"\n", "").replace("period = {", "#").replace("usage = {", "#");
    assert!(errors(&nothing)[0].to_string().contains("names no price"));
}

#[test]
fn sol_has_nine_decimals_and_docker_no_fuel() {
    let sol = GOOD.replace("USDC", "SOL").replace("per = \"1000-calls\"", "per = \"gigafuel\"");
    let prices = Manifest::parse(&sol).unwrap().prices.unwrap();
    assert_eq!(prices.once, Some(5_000_000_000));
    let unit = prices.unit.unwrap();
    assert_eq!((unit.amount, unit.kind), (1_000_000, Unit::Megafuel));
    let docker = errors(&sol.replace("kind = \"wasm\"", "kind = \"docker\""));
    assert_eq!(docker[0].key, "pricing.usage.per");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = GOOD
        .replace("1.2.0", "one")
        .replace("MIT OR", "MIT")
        .replace("kv = true", "kv = 1")
        .replace("once = \"5\"", "once = \"0.0000001\"")
        .replace("schemas/out.json", "../out.json")
        .replace("[limits]", "[limits]\nwal_ms = 3");
    let mut keys: Vec<_> = errors(&text).into_iter().map(|error| error.key).collect();
    keys.sort();
    let expected =
        ["endpoints[0].output", "limits.wal_ms", "permissions.kv", "pricing.once", "skill.license", "skill.version"];
    assert_eq!(keys, expected);
}

#[test]
fn what_is_not_toml_or_too_large_is_told_where() {
    let error = &errors("[skill]\nid = \n")[0];
    assert!(error.problem.starts_with("line 2"), "{error}");
    assert!(errors("").iter().any(|error| error.key == "skill" && error.problem == "is missing"));
    assert!(errors(&"#".repeat(200_000))[0].problem.contains("200000 bytes"));
    let many = GOOD.to_owned() + &"[[endpoints]]\nname = \"count\"\n".repeat(50);
    assert!(errors(&many).len() <= clawos_manifest::manifest::MAX_ERRORS);
    let twice = GOOD.to_owned() + "[[endpoints]]\nname = \"count\"\nsummary = \"x\"\ninput = \"a\"\noutput = \"b\"\n";
    assert!(errors(&twice)[0].problem.contains("two endpoints are called \"count\""));
    assert!(errors(&format!("a = {}1{}", "[".repeat(5_000), "]".repeat(5_000)))[0].problem.contains("line 1"));
}

#[test]
fn terms_say_what_the_manifest_says() {
    let prices = Manifest::parse(GOOD).unwrap().prices.unwrap();
    let terms = prices.terms([1; 32], [2; 32]);
    assert_eq!((terms.payout, terms.meter, terms.kinds), ([1; 32], [2; 32], 7));
    assert_eq!((terms.price_once, terms.price_period, terms.price_unit), (5_000_000, 2_500_000, 1_000));
    assert_eq!((terms.currency, terms.unit_kind, terms.period_secs), (1, 0, 2_592_000));
    let bounds = clawos_interface::rules::terms::Bounds {
        min_price: [clawos_manifest::pricing::MIN_PURCHASE; 2],
        max_price: [clawos_interface::MAX_AMOUNT; 2],
        max_refund_window: 0,
    };
    terms.check(&bounds).unwrap();
}
