//! Clients that others generate from the committed OpenAPI document: they compile at their strictest and make a paid call.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use clawos_test_skips::skip;
use clawos_tests::app::TestDatabase;
use clawos_tests::market::Market;
use clawos_tests::publication::{Publication, USAGE_PRICING};
use serde_json::Value;

/// What makes a client of one language, and the program that uses it.
struct Language {
    /// Its folder in `tests/clients`.
    name: &'static str,
    /// The file that pins its tools.
    lock: &'static str,
    /// Commands that install them, run in the client's folder; `{document}` is the OpenAPI document.
    install: &'static [&'static [&'static str]],
    /// Commands that generate the client and check all of it with its strictest checks.
    build: &'static [&'static [&'static str]],
    /// The command that runs the program.
    run: &'static [&'static str],
}

const TYPESCRIPT: Language = Language {
    name: "ts",
    lock: "package-lock.json",
    install: &[&["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]],
    build: &[
        &["node", "node_modules/openapi-typescript/bin/cli.js", "{document}", "--output", "api.ts"],
        &["node", "node_modules/typescript/bin/tsc", "--project", "."],
    ],
    run: &["node", "out/call.js"],
};

const PYTHON: Language = Language {
    name: "py",
    lock: "requirements.txt",
    install: &[
        &["python3", "-m", "venv", "--clear", "venv"],
        &[
            "venv/bin/pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            "requirements.txt",
        ],
    ],
    build: &[
        &[
            "venv/bin/openapi-python-client",
            "generate",
            "--config",
            "config.yaml",
            "--path",
            "{document}",
            "--output-path",
            "clawos_client",
            "--meta",
            "none",
            "--overwrite",
            "--fail-on-warning",
        ],
        &["venv/bin/mypy", "--strict", "clawos_client", "call.py"],
    ],
    run: &["venv/bin/python", "call.py"],
};

/// The client's folder below `target/`, with its tools installed; `None`, said aloud, where they cannot be.
fn installed(language: &Language) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(language.name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(language.name);
    fs::create_dir_all(&folder).expect("target can be written");
    let mark = folder.join("installed");
    let wanted = fs::read(source.join(language.lock)).expect("the lock file is committed");
    let is_there = fs::read(&mark).is_ok_and(|there| there == wanted);
    for file in fs::read_dir(&source).expect("the client is committed") {
        let file = file.expect("the folder can be read");
        fs::copy(file.path(), folder.join(file.file_name())).expect("target can be written");
    }
    if !is_there {
        for command in language.install {
            if let Err(error) = run(&folder, command, &[]) {
                skip(
                    &format!("the generated client in tests/clients/{}: {error}", language.name),
                    "scripts/setup test",
                );
                return None;
            }
        }
        fs::write(mark, wanted).expect("target can be written");
    }
    Some(folder)
}

/// Runs a command in a folder; gives what it prints.
fn run(folder: &Path, command: &[&str], arguments: &[&str]) -> io::Result<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/api/openapi.json").display().to_string();
    let words = command.iter().map(|word| if *word == "{document}" { document.as_str() } else { word });
    let words: Vec<&str> = words.chain(arguments.iter().copied()).collect();
    // A program of the folder itself is not searched for.
    let program = if words[0].contains('/') { folder.join(words[0]) } else { PathBuf::from(words[0]) };
    let output = Command::new(program).args(&words[1..]).current_dir(folder).output();
    let output = output.map_err(|error| io::Error::other(format!("{}: {error}", words[0])))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!("{}: {}", words.join(" "), String::from_utf8_lossy(&said))))
}

async fn makes_a_paid_call(language: Language) {
    let prepare = tokio::task::spawn_blocking(move || {
        let folder = installed(&language)?;
        for command in language.build {
            run(&folder, command, &[]).unwrap_or_else(|error| panic!("the client does not compile: {error}"));
        }
        Some((folder, language))
    });
    let Some((folder, language)) = prepare.await.expect("it does not panic") else { return };
    let usage = |handle: &str| Publication::priced(handle, "echo", "1.0.0", USAGE_PRICING);
    let market = Market::open(&TestDatabase::Sqlite, usage).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, 100_000).await;
    let arguments = [&market.app.origin, buyer.agent.api_key(), &market.skill].map(str::to_owned);
    let called =
        tokio::task::spawn_blocking(move || run(&folder, language.run, &arguments.each_ref().map(String::as_str)));
    let printed = called.await.expect("it does not panic").unwrap_or_else(|error| panic!("{error}"));
    let receipt: Value = serde_json::from_str(&printed).expect("it prints the receipt");
    assert_eq!((&receipt["amount"], &receipt["outcome"]), (&Value::from("1000"), &Value::from("ok")));
    // The server has the same one, byte for byte, and no other.
    let listed = market.app.get_as(buyer.agent.api_key(), "/receipts").await.json(200);
    assert_eq!(listed["items"], Value::from(vec![receipt]));
}

#[tokio::test]
async fn a_client_generated_by_openapi_typescript_makes_a_paid_call() {
    makes_a_paid_call(TYPESCRIPT).await;
}

#[tokio::test]
async fn a_client_generated_by_openapi_python_client_makes_a_paid_call() {
    makes_a_paid_call(PYTHON).await;
}
