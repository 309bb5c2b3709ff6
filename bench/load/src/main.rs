//! The load bench: the whole execute path of a real marketplace beside a plain axum echo, in one run.
//!
//! Everything is on loopback and bounded: rounds × targets × seconds, then all is gone again.

mod error;
mod market;
mod report;
mod service;
mod wrk;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use error::{LoadError, doing};
use market::{Market, SKILL};
use report::{HEAD, Round, row};
use service::Service;
use wrk::{CONNECTIONS, Target};

/// What the skill and the rival are sent, and answer with.
const PAYLOAD: &str = r#"{"text":"as it came","list":[1,2.5,null,{"a":true}]}"#;
/// Before anything is measured, each target is loaded so long (seconds).
const WARM_UP: u64 = 1;

/// Measures the execute path under load.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each, every target has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Seconds of one target in one round.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), LoadError> {
    let folder = tempfile::Builder::new().prefix("clawos-load-").tempdir().map_err(doing("a folder"))?;
    eprintln!("==> a marketplace in {}: chain, server, {SKILL}, a buyer with credit", folder.path().display());
    let market = Market::open(folder.path())?;
    let echo = Service::start("echo", &[], &folder.path().join("echo.log"))?;
    let call = format!(r#"{{"endpoint":"echo","payload":{PAYLOAD}}}"#);
    let execute =
        |name, keyed| Target { name, url: market.url(), body: call.clone(), token: market.token.clone(), keyed };
    let rival = Target {
        name: "axum echo",
        url: format!("{}/", echo.origin),
        body: call.clone(),
        token: String::new(),
        keyed: false,
    };
    let targets = [
        (rival, &echo),
        (execute("execute", false), &market.server),
        (execute("execute, each with an Idempotency-Key", true), &market.server),
    ];
    let mut runs = 0..;
    let mut load = |target: &Target, seconds| wrk::load(target, Duration::from_secs(seconds), runs.next().unwrap_or(0));
    for (target, _) in &targets {
        load(target, WARM_UP)?;
    }
    let mut rounds = targets.each_ref().map(|_| Vec::new());
    let chain_before = market.chain.processor_time()?;
    for round in 1..=arguments.rounds {
        for ((target, server), rounds) in targets.iter().zip(&mut rounds) {
            eprintln!("==> round {round} of {}: {}", arguments.rounds, target.name);
            let before = server.processor_time()?;
            let seen = load(target, arguments.seconds)?;
            rounds.push(Round::new(seen, server.processor_time()?.saturating_sub(before)));
        }
    }
    let chain = market.chain.processor_time()?.saturating_sub(chain_before);
    println!(
        "{CONNECTIONS} connections, {} rounds of {} s; median (least–most)\n",
        arguments.rounds, arguments.seconds
    );
    println!("{HEAD}");
    for ((target, _), rounds) in targets.iter().zip(&rounds) {
        println!("{}", row(target.name, rounds));
    }
    println!("\nThe local chain took {:.1} s of processor time meanwhile.", chain.as_secs_f64());
    Ok(())
}
