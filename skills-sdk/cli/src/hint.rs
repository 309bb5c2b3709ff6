//! The hint for each error code: the next step for the user.

use std::borrow::Cow;

use clawos_client::{ClientError, Problem, WalletError};

use crate::error::CliError;

impl CliError {
    /// What to do next, where that is known.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let known = match self {
            Self::Client(ClientError::Problem(problem)) => return of_problem(problem),
            Self::Client(ClientError::Wallet(WalletError::Exists(_))) => {
                Some("`clawos wallet show` shows the existing wallet; --wallet FILE names another file")
            }
            Self::Unaffordable(_) => Some(
                "fund the wallet (`clawos wallet show`), or publish with --no-register now and register the price later with --register-only",
            ),
            Self::ApiKeyRefused(_) => Some(
                "check the key in --api-key-file or CLAWOS_API_KEY; without one, the session of `clawos login` is used",
            ),
            // Each says itself what to do.
            Self::Unregistered(_) | Self::Interrupted { .. } | Self::VersionNotFound(_) => None,
            _ => of_code(self.code()),
        };
        known.map(Cow::Borrowed)
    }
}

/// The next step after what a server refused, if one is known.
fn of_problem(problem: &Problem) -> Option<Cow<'static, str>> {
    match (problem.code.as_str(), problem.retry_after_secs) {
        ("rate_limited", Some(secs)) => Some(format!("try again in {secs} s").into()),
        (code, _) => of_code(code).map(Cow::Borrowed),
    }
}

/// The next step after an error with this code, if one is known.
fn of_code(code: &str) -> Option<&'static str> {
    of_request(code).or_else(|| of_place(code))
}

/// What the server, or the command itself, refused.
fn of_request(code: &str) -> Option<&'static str> {
    Some(match code {
        "unauthenticated" | "key_expired" | "key_revoked" => "sign in with `clawos login --handle HANDLE`",
        "scope_missing" => "use a key with that scope, or sign in with `clawos login`",
        "not_publisher" => "the part of the id before the dot must be your own handle, which `clawos whoami` shows",
        "handle_taken" => {
            "choose another handle with `--handle`; if it is yours, sign in with the wallet it was enrolled with"
        }
        "wallet_taken" => "this wallet is enrolled already: sign in with its own handle",
        "skill_not_found" => "look for it with `clawos search`",
        "version_not_found" => "`clawos show SKILL` lists the versions; without one, the latest is called",
        "endpoint_not_found" => "`clawos show SKILL` lists the endpoints",
        "version_exists" => {
            "published versions never change: raise `version` in skill.toml, or, if this very version only lacks its registration on chain, run `clawos publish --register-only`"
        }
        "licence_required" => "buy one with `clawos buy SKILL`; `clawos quote SKILL` shows the price",
        "licence_expired" => "`clawos renew SKILL` pays the next period",
        "licence_suspended" => "pay the unpaid usage with `clawos credit deposit SKILL AMOUNT`",
        "insufficient_credit" | "units_exhausted" => {
            "add credit with `clawos credit deposit SKILL AMOUNT`, or raise your own caps with `clawos caps SKILL`"
        }
        "units_busy" => {
            "try again once earlier usage is settled, or raise your cap per batch with `clawos caps SKILL --per-batch UNITS`"
        }
        "licence_closing" | "LicenceClosing" => {
            "finish closing it with `clawos withdraw execute SKILL`, then buy again"
        }
        "wrong_proxy" => {
            "its licences belong to another proxy: only if you trust whoever holds that meter key, use that proxy as --server, and name the key with `--meter` to buy or deposit"
        }
        "not_registered" => "its author registers the price with `clawos publish`",
        "skill_free" => "call it with `clawos exec`: no licence is needed",
        "terms_changed" | "TermsChanged" | "price_above_max" | "PriceAboveMax" => {
            "`clawos quote SKILL` shows the present terms"
        }
        "max_cost_exceeded" => "raise `--max-cost`; `clawos quote SKILL` shows what a call costs",
        "spending_cap" => "raise the key's daily cap, or wait until tomorrow",
        "payload_invalid" => "`clawos show SKILL` prints the endpoint's schema",
        "rate_limited" => "wait a minute, then try again",
        "challenge_refused" => {
            "sign in with your own handle, with the server's public address as --server and an RPC of its chain as --rpc; `clawos doctor` compares them"
        }
        "unproven" => {
            "ask an RPC that you trust on the licence's chain (`--rpc`) and the server that made the receipt (`--server`)"
        }
        "not_anchored" => {
            "usage reaches the chain within minutes: try again, or let its buyer wait with `clawos receipts get ID --wait SECS`"
        }
        _ => return None,
    })
}

/// What wallet, chain or network refused.
fn of_place(code: &str) -> Option<&'static str> {
    Some(match code {
        "unreachable" | "silent" | "rpc_unavailable" => "`clawos doctor` checks what can be reached",
        "no_faucet" => "`clawos wallet show` shows the address to send to",
        "wallet" => "`clawos wallet new` creates a wallet; --wallet FILE names another one",
        "insufficient_funds" => "`clawos wallet show` shows the balances; on localnet `clawos wallet airdrop` funds it",
        "recipient_not_wallet" => {
            "ask the receiver for a wallet's address; if the program can spend what it gets, as a multisig's can, pass --allow-non-system-account-recipient"
        }
        "LicenceActive" => {
            "you have a licence of this skill already: `clawos licences` shows it, `clawos exec` uses it, and `clawos renew SKILL` pays a subscription's next period"
        }
        "kind_not_offered" | "KindNotOffered" => "`clawos show SKILL` lists the prices it is sold at",
        "SelfPurchase" | "self_purchase" => {
            "its publisher calls it with `clawos exec SKILL`, free and without a licence"
        }
        "ExitNotReady" => "wait until the time that `clawos withdraw request` printed",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawos_api::Code;

    #[test]
    fn the_seconds_that_a_server_asks_to_wait_are_told() {
        let limited = |retry_after_secs| Problem { retry_after_secs, ..Problem::new(Code::RateLimited, "", "") };
        assert_eq!(of_problem(&limited(Some(17))).expect("a hint"), "try again in 17 s");
        assert_eq!(of_problem(&limited(None)).expect("a hint"), "wait a minute, then try again");
    }
}
