//! `clawos doctor`: checks toolchain, sandbox, wallet, server, chain, clock and session.

use std::path::Path;

use clawos_client::ClientError;
use clawos_client::key::to_base58;
use serde::Serialize;

use crate::context::{Context, now_secs};
use crate::error::{CliError, Result};
use crate::language::{LANGUAGES, Language};
use crate::sandbox::LocalSandbox;
use crate::table;

/// How far clocks may differ, in seconds: challenges live minutes, and the chain's clock lags a little.
const MAX_CLOCK_SKEW_SECS: i64 = 30;

/// The result of one check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

/// Runs every check.
///
/// # Errors
/// [`CliError::Invalid`] when a check failed.
pub async fn run(context: &Context) -> Result<()> {
    let mut findings: Vec<Finding> = LANGUAGES.iter().map(toolchain).collect();
    findings.extend([sandbox(context), wallet(context)]);
    findings.extend(remote(context).await);
    findings.push(session(context));
    let failed = findings.iter().filter(|finding| !finding.ok).count();
    let rows = |finding: &Finding| vec![context.out.mark(finding.ok), finding.check.to_owned(), finding.detail.clone()];
    context.out.result(&serde_json::json!({ "ok": failed == 0, "checks": findings }), || {
        table::columns(&["", "check", "detail"], &findings.iter().map(rows).collect::<Vec<_>>())
    })?;
    if failed == 0 { Ok(()) } else { Err(CliError::invalid(format!("{failed} of {} checks failed", findings.len()))) }
}

fn finding(check: &'static str, result: std::result::Result<String, String>) -> Finding {
    let ok = result.is_ok();
    Finding { check, ok, detail: result.unwrap_or_else(|error| error) }
}

/// Whether a skill in this folder could be built.
fn toolchain(language: &Language) -> Finding {
    finding(language.word, (language.toolchain)(Path::new(".")).map_err(|error| error.to_string()))
}

fn sandbox(context: &Context) -> Finding {
    let started = LocalSandbox::start(&context.home);
    finding("sandbox", started.map(|local| local.engine_id()).map_err(|error| error.to_string()))
}

fn wallet(context: &Context) -> Finding {
    finding("wallet", context.wallet().map(|wallet| wallet.address()).map_err(|error| error.to_string()))
}

fn session(context: &Context) -> Finding {
    let signed_in = || -> Result<String> {
        let origin = context.public()?.origin();
        let session = context.home.session()?.filter(|session| session.origin == origin);
        let session = session.ok_or(CliError::NotSignedIn(origin))?;
        Ok(format!("{} ({})", session.agent.name, session.agent.id))
    };
    finding("session", signed_in().map_err(|error| format!("{error}; run `clawos login --handle HANDLE`")))
}

/// Server, chain, whether the two belong together, and the clock.
async fn remote(context: &Context) -> Vec<Finding> {
    let chain = context.chain();
    let genesis = chain.genesis().await;
    let node = match &genesis {
        Ok(genesis) => Ok(format!("{} genesis {}", context.rpc, to_base58(genesis))),
        Err(error) => Err(error.to_string()),
    };
    let well_known = match context.public() {
        Ok(client) => client.well_known().await,
        Err(error) => Err(ClientError::Invalid(error.to_string())),
    };
    let server = match &well_known {
        Ok(known) => Ok(format!("{} {} {}", context.server, known.name, known.version)),
        Err(error) => Err(error.to_string()),
    };
    let mut findings = vec![finding("chain", node), finding("server", server)];
    if let (Ok(genesis), Ok(known)) = (&genesis, &well_known) {
        let same = to_base58(genesis) == known.genesis && known.program == to_base58(&clawos_interface::PROGRAM_ID);
        let detail = "server and RPC use the same chain and program".to_owned();
        let differ =
            "server and RPC use different chains or programs, so sign-in and purchases will fail: correct --server or --rpc".to_owned();
        findings.push(finding("same chain", if same { Ok(detail) } else { Err(differ) }));
    }
    if let Ok(clock) = chain.clock().await {
        let skew = now_secs().saturating_sub(clock);
        let detail = format!("{skew} s from the chain's clock");
        let result = if skew.abs() <= MAX_CLOCK_SKEW_SECS {
            Ok(detail)
        } else {
            Err(format!("{detail}: correct this machine's clock"))
        };
        findings.push(finding("clock", result));
    }
    findings
}
