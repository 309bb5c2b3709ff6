//! `clawos whoami`: who is signed in on this machine, at which server, and until when.

use clawos_client::{ClientError, WalletError};
use serde_json::json;

use crate::context::Context;
use crate::error::{CliError, Result};
use crate::table;

/// Shows the session as it is kept here; the server is not asked.
///
/// # Errors
/// [`CliError::NotSignedIn`] where there is none for this server.
pub fn run(context: &Context) -> Result<()> {
    let session = context.session_of(&context.public()?.origin())?;
    let wallet = match context.wallet() {
        Ok(wallet) => Some(wallet.address()),
        Err(CliError::Client(ClientError::Wallet(WalletError::Missing(_)))) => None,
        Err(error) => return Err(error),
    };
    let other_wallet = wallet.as_ref().is_some_and(|address| *address != session.agent.wallet);
    let value = json!({
        "agent": session.agent,
        "server": context.server,
        "rpc": context.rpc,
        "wallet": wallet,
        "access_expires_at": session.access_expires_at,
        "api_key": context.uses_api_key(),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("agent", Some(format!("{} ({})", session.agent.name, session.agent.id))),
            ("wallet", Some(session.agent.wallet.clone())),
            ("server", Some(context.server.clone())),
            ("rpc", Some(context.rpc.clone())),
        ])
    })?;
    if other_wallet {
        context.out.warn("the wallet file is another one than the agent's: purchases will be for another buyer");
    }
    if context.uses_api_key() {
        context.out.note("calls are made with the API key that is set, not with this session");
    }
    Ok(())
}
