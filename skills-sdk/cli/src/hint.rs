//! What to do next, by error code.

/// The next step after an error with this code, if there is a good one.
pub fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "unauthenticated" | "key_expired" | "key_revoked" => "sign in with `clawos login --handle HANDLE`",
        "scope_missing" => "use a key with that scope, or sign in with `clawos login`",
        "not_publisher" => {
            "the part of the id before the dot must be your own handle; `clawos login --handle HANDLE` shows who you are"
        }
        "handle_taken" => {
            "choose another handle with `--handle`; if it is yours, sign in with the wallet it was enrolled with"
        }
        "wallet_taken" => "this wallet is enrolled already: sign in with its own handle",
        "skill_not_found" => "look for it with `clawos search`",
        "version_not_found" => "`clawos show SKILL` lists the versions",
        "endpoint_not_found" => "`clawos show SKILL` lists the endpoints",
        "version_exists" => {
            "raise `version` in skill.toml: a version never changes; if it is this upload that was published already, `clawos publish --register-only` does the rest"
        }
        "licence_required" => "buy one with `clawos buy SKILL`; `clawos quote SKILL` tells the price",
        "licence_expired" => "renew it with `clawos buy SKILL`",
        "licence_suspended" => "pay what is open with `clawos credit deposit SKILL AMOUNT`",
        "insufficient_credit" | "units_exhausted" => {
            "add credit with `clawos credit deposit SKILL AMOUNT`, or raise your own bounds with `clawos caps`"
        }
        "units_busy" => {
            "call again when what was used has been settled, or raise your own bound per batch with `clawos caps`"
        }
        "licence_closing" => "finish the exit with `clawos exit execute SKILL`, then buy anew",
        "wrong_proxy" => {
            "its licences belong to another proxy: only if you trust whoever holds that meter key, use that proxy as --server, and name the key with `--meter` to buy or deposit"
        }
        "not_registered" => "its author has not put it on chain yet (`clawos publish` does)",
        "terms_changed" | "TermsChanged" | "price_above_max" | "PriceAboveMax" => {
            "look at the new terms with `clawos quote SKILL`"
        }
        "max_cost_exceeded" => "raise `--max-cost`; `clawos quote SKILL` tells what a call costs",
        "spending_cap" => "raise the key's daily cap, or wait until tomorrow",
        "payload_invalid" => "`clawos show SKILL` prints the endpoint's schema",
        "rate_limited" => "wait as long as `Retry-After` says",
        "challenge_refused" => {
            "sign in with your own handle, with the server's public address as --server and an RPC of its chain as --rpc; `clawos doctor` compares them"
        }
        "unproven" => {
            "ask an RPC that you trust on the licence's chain (`--rpc`) and the server that made the receipt (`--server`)"
        }
        "unreachable" | "rpc_unavailable" => "`clawos doctor` tells what can be reached",
        "wallet" => "`clawos wallet new` makes a wallet; --wallet FILE names another one",
        "insufficient_funds" => "`clawos wallet show` tells what it has; on localnet `clawos wallet airdrop` funds it",
        "ExitNotReady" => "wait until the time that `clawos exit request` printed",
        _ => return None,
    })
}
