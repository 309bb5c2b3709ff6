//! The binary without a server: new, check, test, wallets, exit codes, and what goes to stdout and stderr.

mod lies;
mod place;

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use place::{Place, code, json};

/// A port where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn a_new_skill_passes_the_check() {
    let place = Place::new();
    let made = place.clawos(&["--json", "new", "word-count", "--publisher", "acme"]);
    assert_eq!(code(&made), 0, "{made:?}");
    assert_eq!(json(&made.stdout)["skill"], "acme.word-count");

    let checked = place.clawos(&["--json", "check", "word-count"]);
    assert_eq!(code(&checked), 0, "{checked:?}");
    let report = json(&checked.stdout);
    assert_eq!(report["skill"], "acme.word-count");
    assert_eq!(report["manifest_sha256"].as_str().map(str::len), Some(64));
    assert!(report["module"].is_null(), "it is not built yet");

    let again = place.clawos(&["new", "word-count", "--publisher", "acme"]);
    assert_eq!(code(&again), 2, "a folder with content is left alone");
    assert_eq!(code(&place.clawos(&["new", "Word", "--publisher", "acme"])), 2);
    assert_eq!(code(&place.clawos(&["new", "word"])), 2, "nobody is signed in");
}

#[test]
fn a_wrong_manifest_is_told_key_by_key() {
    let place = Place::new();
    assert_eq!(code(&place.clawos(&["new", "word-count", "--publisher", "acme"])), 0);
    let path = place.path().join("word-count/skill.toml");
    let text = std::fs::read_to_string(&path)
        .expect("there")
        .replace("version = \"0.1.0\"", "version = \"one\"\ncolour = \"red\"");
    std::fs::write(&path, text).expect("written");

    let checked = place.clawos(&["--json", "check", "word-count"]);
    assert_eq!(code(&checked), 5);
    assert!(checked.stdout.is_empty(), "no result where there is none");
    let problem = json(&checked.stderr);
    assert_eq!(problem["code"], "invalid");
    let pointers: Vec<&str> =
        problem["errors"].as_array().expect("errors").iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert!(
        pointers.contains(&"skill.version") && pointers.iter().any(|pointer| pointer.contains("colour")),
        "{pointers:?}"
    );

    let human = place.clawos(&["check", "word-count"]);
    let text = String::from_utf8(human.stderr).expect("text");
    assert!(text.contains("skill.version") && !text.contains('\x1b'), "plain text off a terminal: {text}");
}

#[test]
fn an_example_that_breaks_its_schema_and_a_link_out_are_refused() {
    let place = Place::new();
    assert_eq!(code(&place.clawos(&["new", "word-count", "--publisher", "acme"])), 0);
    let example = place.path().join("word-count/examples/count.input.json");
    std::fs::write(&example, "{\"text\": 5}").expect("written");
    assert_eq!(code(&place.clawos(&["check", "word-count"])), 5);

    std::fs::remove_file(&example).expect("removed");
    std::fs::write(place.path().join("outside.json"), "{\"text\": \"x\"}").expect("written");
    std::os::unix::fs::symlink(place.path().join("outside.json"), &example).expect("linked");
    let checked = place.clawos(&["check", "word-count"]);
    assert_eq!(code(&checked), 5);
    assert!(String::from_utf8_lossy(&checked.stderr).contains("link leads out"), "{checked:?}");
}

#[test]
fn what_is_no_component_is_refused_by_check_and_test() {
    let place = Place::new();
    assert_eq!(code(&place.clawos(&["new", "word-count", "--publisher", "acme"])), 0);
    let artifact = place.path().join("word-count/skill.wasm");
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    for bytes in [b"not wasm".to_vec(), core_module, b"\x7fELF\x02\x01\x01".to_vec(), Vec::new()] {
        std::fs::write(&artifact, &bytes).expect("written");
        for line in [&["--json", "check", "word-count"][..], &["--json", "test", "--no-build", "word-count"]] {
            let output = place.clawos(line);
            assert_eq!(code(&output), 5, "{bytes:?} {line:?} {output:?}");
            assert!(
                json(&output.stderr)["detail"].as_str().is_some_and(|detail| detail.contains("refused")),
                "{output:?}"
            );
        }
    }
}

#[test]
fn a_wallet_is_made_once_and_kept_private() {
    let place = Place::new();
    let made = place.clawos(&["--json", "wallet", "new"]);
    assert_eq!(code(&made), 0, "{made:?}");
    let address = json(&made.stdout)["address"].as_str().expect("an address").to_owned();
    assert!((32..=44).contains(&address.len()));
    let file = place.path().join("home/wallet.json");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);

    let again = place.clawos(&["--json", "wallet", "new"]);
    assert_eq!((code(&again), json(&again.stderr)["code"].as_str()), (3, Some("wallet")));

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let login = place.clawos(&["login", "--handle", "acme"]);
    assert_eq!(code(&login), 3);
    assert!(String::from_utf8_lossy(&login.stderr).contains("chmod 600"), "{login:?}");
}

#[test]
fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let place = Place::new();
    assert_eq!(code(&place.clawos(&["nonsense"])), 2);
    let usage = place.clawos(&["--json", "exec"]);
    assert_eq!((code(&usage), json(&usage.stderr)["code"].as_str()), (2, Some("usage")));
    let missing = json(&usage.stderr)["detail"].as_str().expect("a detail").to_owned();
    assert!(missing.contains("SKILL") && missing.contains("ENDPOINT"), "what is missing is named: {missing}");
    assert_eq!(code(&place.clawos(&["wallet", "show"])), 3, "no wallet");
    assert_eq!(code(&place.clawos(&["check", "nowhere"])), 4, "no folder");
    assert_eq!(code(&place.clawos(&["exec", "acme.x", "count", "not json"])), 5);
    assert_eq!(code(&place.clawos(&["exec", "acme.x", "count", "{}"])), 3, "not signed in");
    assert_eq!(code(&place.clawos(&["--server", "nonsense", "search"])), 2);
    let unreachable = place.clawos(&["--json", "--server", NOBODY, "search"]);
    assert_eq!(code(&unreachable), 8);
    let problem = json(&unreachable.stderr);
    assert_eq!((problem["code"].as_str(), problem["retryable"].as_bool()), (Some("unreachable"), Some(true)));
    let human = place.clawos(&["--server", NOBODY, "search"]);
    assert!(String::from_utf8_lossy(&human.stderr).contains("next: "), "{human:?}");
}

#[test]
fn a_lost_answer_names_the_key_that_gets_it_without_paying_twice() {
    let place = Place::new();
    std::fs::write(place.path().join("key"), "clw_x").expect("written");
    let call = |more: &[&str]| {
        let line = ["--json", "--server", NOBODY, "--api-key-file", "key", "exec", "acme.x", "count", "{}"];
        place.clawos(&[&line, more].concat())
    };
    let lost = call(&[]);
    assert_eq!(code(&lost), 8, "{lost:?}");
    let detail = json(&lost.stderr)["detail"].as_str().expect("a detail").to_owned();
    let key = detail.rsplit_once("--idempotency-key ").map(|(_, key)| key.len());
    assert_eq!(key, Some(32), "{detail}");
    let named = json(&call(&["--idempotency-key", "mine"]).stderr);
    assert!(named["detail"].as_str().is_some_and(|detail| detail.ends_with("--idempotency-key mine")), "{named}");
    // A receipt that cannot be kept is told before anything is paid for.
    let unwritable = call(&["--save-receipt", "no/such/folder/r.json"]);
    assert_eq!(code(&unwritable), 4, "{unwritable:?}");
    assert_eq!(code(&call(&["--save-receipt", "r.json"])), 8);
    assert!(!place.path().join("r.json").exists(), "a call that was not made leaves nothing");
}

#[test]
fn an_interrupted_call_names_the_key_that_gets_its_answer() {
    let place = Place::new();
    std::fs::write(place.path().join("key"), "clw_x").expect("written");
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", server.local_addr().expect("an address"));
    let line = ["--json", "--server", &origin, "--api-key-file", "key", "exec", "acme.x@1.2.0", "count", "{}"];
    let child = place.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // The call is on its way, and never answered.
    let (mut connection, _) = server.accept().expect("a connection");
    let mut request = [0; 4096];
    let length = connection.read(&mut request).expect("a request");
    let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
    assert!(request.starts_with("post /api/v1/skills/acme.x/execute"), "{request}");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(interrupted.success());

    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 130, "{output:?}");
    let problem = json(&output.stderr);
    let key = problem["detail"].as_str().and_then(|detail| detail.rsplit_once("--idempotency-key ")).expect("a key").1;
    assert!(request.contains(&format!("idempotency-key: {key}")), "the key of that very call: {problem}");
}

#[test]
fn a_receipt_with_a_member_twice_is_none() {
    let place = Place::new();
    std::fs::write(place.path().join("r.json"), r#"{"receipt": {"amount": "1", "amount": "2"}}"#).expect("written");
    let refused = place.clawos(&["--json", "--server", NOBODY, "--rpc", NOBODY, "verify", "receipt", "r.json"]);
    assert_eq!(code(&refused), 5, "{refused:?}");
    assert!(json(&refused.stderr)["detail"].as_str().is_some_and(|detail| detail.contains("twice")), "{refused:?}");
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let place = Place::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    let mut command = place.command(&["completions", "bash"]);
    let output = command.stdout(full).output().expect("it starts");
    assert_eq!(code(&output), 8, "{output:?}");
}

#[test]
fn doctor_asks_for_a_compiler_that_can_build_skills() {
    let place = Place::new();
    // A toolchain without the target: it has a version, but no library for WebAssembly.
    place.tool("rustc", "echo /no/such/libdir");
    place.tool("cargo", "echo cargo");
    let output = place.with_tools(&["--json", "--server", NOBODY, "--rpc", NOBODY, "doctor"]);
    let report = json(&output.stdout);
    let rust = report["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "rust");
    let rust = rust.expect("it is looked at");
    let debian = Path::new("/usr/lib/rustlib/src/rust/library/std").exists();
    assert!(rust["ok"] == false || debian, "{rust}");
}

#[test]
fn completions_are_data_and_help_mentions_the_exit_codes() {
    let place = Place::new();
    let script = place.clawos(&["completions", "bash"]);
    assert_eq!(code(&script), 0);
    assert!(String::from_utf8_lossy(&script.stdout).contains("clawos"));
    let help = place.clawos(&["--help"]);
    let text = String::from_utf8(help.stdout).expect("text");
    assert!(text.contains("Exit codes") && !text.contains("compile"), "{text}");
}
