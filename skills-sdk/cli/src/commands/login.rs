//! `clawos login`: enrols the wallet as an agent, or signs it in again. What is signed is a text built here.

use clap::Args;
use clawos_client::api::agents::{Enrolment, Session};
use clawos_client::{Client, Wallet};
use clawos_interface::Key;
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::state::{SavedSession, Settings};
use crate::table;

/// Flags of `clawos login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Your handle: unique, for ever; the part before the dot in your skills' ids.
    #[arg(long, value_name = "HANDLE")]
    pub handle: String,
    /// What you will do; for a new agent only.
    #[arg(long, value_name = "ROLE", value_parser = ["author", "buyer"])]
    pub role: Vec<String>,
    /// A line about you; for a new agent only.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

/// Signs in, enrolling first where the wallet is new.
///
/// # Errors
/// When the handle is another's, or the server's challenge is not the text this client would sign.
pub async fn run(args: &LoginArgs, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let client = context.public()?;
    let genesis = context.chain().genesis().await?;
    let (session, enrolled) = sign_in_or_enrol(args, &client, &wallet, genesis).await?;
    let origin = client.origin();
    let earlier = context.home.session()?.filter(|saved| saved.origin == origin && saved.agent.id == session.agent.id);
    let saved = SavedSession::new(origin, session, earlier.and_then(|saved| saved.api_key));
    let lock = context.home.lock_session()?;
    context.home.save_session(&saved)?;
    context.home.save_settings(&Settings { server: Some(context.server.clone()), rpc: Some(context.rpc.clone()) })?;
    drop(lock);
    let key = saved.api_key.as_ref().filter(|_| enrolled);
    let value = json!({
        "agent": saved.agent,
        "server": context.server,
        "rpc": context.rpc,
        "enrolled": enrolled,
        "access_expires_at": saved.access_expires_at,
        "api_key": key,
    });
    context.out.result(&value, || {
        table::fields(&[
            ("agent", Some(format!("{} ({})", saved.agent.name, saved.agent.id))),
            ("wallet", Some(saved.agent.wallet.clone())),
            ("server", Some(context.server.clone())),
            ("api key", key.map(|key| format!("{} (for programs, as CLAWOS_API_KEY; shown once)", key.key))),
        ])
    })?;
    context.out.note(if enrolled { "enrolled and signed in" } else { "signed in" });
    Ok(())
}

async fn sign_in_or_enrol(args: &LoginArgs, client: &Client, wallet: &Wallet, genesis: Key) -> Result<(Session, bool)> {
    match client.sign_in(wallet, genesis, &args.handle).await {
        Ok(session) => return Ok((session, false)),
        Err(error) if error.status() == Some(404) => {}
        Err(error) => return Err(error.into()),
    }
    let enrolment = Enrolment {
        name: args.handle.clone(),
        wallet: wallet.address(),
        description: args.description.clone(),
        roles: args.role.clone(),
    };
    Ok((client.enrol(wallet, genesis, &enrolment).await?, true))
}
