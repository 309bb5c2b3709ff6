//! The grammar: what is accepted, what is refused, and that nothing secret can be an argument.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("clawos").chain(line.split_whitespace()))
}

#[test]
fn the_grammar_is_consistent() {
    Cli::command().debug_assert();
}

/// Lines as the help, the README and the hints show them.
const DOCUMENTED: &[&str] = &[
    "new word-count --publisher acme",
    "check",
    "check dir",
    "build",
    "upgrade",
    "upgrade dir",
    "clean",
    "test --no-build",
    "publish dir --dry-run",
    "publish --no-register",
    "publish --register-only --payout X",
    "wallet new",
    "wallet show",
    "wallet show --address X",
    "wallet airdrop --sol 1 --usdc 5",
    "login --handle acme --role author --role buyer",
    "search two words --category analysis --limit 5",
    "search",
    "show acme.x",
    "quote acme.x --kind usage --units 10",
    "buy acme.x",
    "buy acme.x --kind one_time --tier enterprise --max-price 5 --dry-run -y",
    "buy acme.x --meter KEY",
    "credit deposit acme.x 5 --yes",
    "credit deposit acme.x 5 --meter KEY",
    "caps acme.x --limit 5",
    "buy acme.x --priority-fee 1000",
    "renew acme.x --max-price 5 --dry-run",
    "licences",
    "whoami",
    "logout",
    "wallet transfer X 5USDC --dry-run",
    "withdraw request acme.x",
    "withdraw request acme.x --close",
    "withdraw execute acme.x --priority-fee 5",
    "exec acme.x@1.2.0 count {}",
    "exec acme.x count {} --max-cost 1USDC",
    "exec acme.x count @in.json",
    "exec acme.x count",
    "receipts list --skill acme.x",
    "receipts get run_1 --wait 5",
    "verify licence acme.x BUYER",
    "verify licence acme.x BUYER --creator W",
    "verify licence acme.x --batches",
    "verify receipt r.json",
    "verify receipt r.json --require-anchor",
    "verify receipt r.json --replay --input in.json",
    "doctor",
    "completions bash",
    "compile",
    "--json --server http://x --rpc http://y --wallet w --home h doctor",
    "doctor --json --quiet",
];

#[test]
fn every_documented_line_parses() {
    for line in DOCUMENTED {
        if let Err(error) = parse(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn wrong_use_is_a_usage_error() {
    let lines = [
        "",
        "nothing",
        "publish --no-register --register-only",
        "wallet airdrop",
        "login",
        "login --handle a --role king",
        "buy",
        "buy acme.x --kind rent",
        "quote acme.x --units -1",
        "search --limit 0",
        "search --limit 101",
        "verify receipt r.json --replay",
        "verify receipt r.json --input x",
        "caps acme.x",
        "buy acme.x --priority-fee 100000001",
        "wallet transfer X",
        "withdraw acme.x",
        "exit request acme.x close",
        "new x --lang cobol",
        "completions tcsh",
    ];
    for line in lines {
        let error = parse(line).err().unwrap_or_else(|| panic!("{line} was accepted"));
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn help_and_version_are_not_errors() {
    for line in ["--help", "buy --help"] {
        assert_eq!(parse(line).expect_err("help").kind(), ErrorKind::DisplayHelp);
    }
    assert_eq!(parse("--version").expect_err("version").exit_code(), 0);
}

#[test]
fn no_flag_takes_a_secret() {
    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let name = argument.get_id().as_str();
            let secret = ["token", "secret", "password", "api_key", "private"].iter().any(|word| name.contains(word));
            assert!(
                !secret || name.ends_with("_file"),
                "`{name}` of {} would be seen in the process list",
                command.get_name()
            );
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}
