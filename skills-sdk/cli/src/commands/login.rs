//! `clawos login`: registers the wallet as an agent, or signs it in again. The signed text is built on this machine.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clawos_api::identity::{Register, Role, Session};
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
    /// Your handle: unique and permanent; the part before the dot in your skills' ids.
    #[arg(long, value_name = "HANDLE")]
    pub handle: String,
    /// Your role, may be repeated; for a new agent only.
    #[arg(long, value_name = "ROLE", value_parser = role_parser())]
    pub role: Vec<Role>,
    /// One line about you; for a new agent only.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    let names = PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()));
    names.try_map(|name| Role::from_name(&name).ok_or("unknown role"))
}

/// Signs in; a new wallet is registered first.
///
/// # Errors
/// When the handle belongs to another wallet, or the server's challenge is not the text this client would sign.
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
    context.out.note(if enrolled { "registered and signed in" } else { "signed in" });
    Ok(())
}

async fn sign_in_or_enrol(args: &LoginArgs, client: &Client, wallet: &Wallet, genesis: Key) -> Result<(Session, bool)> {
    match client.sign_in(wallet, genesis, &args.handle).await {
        Ok(session) => return Ok((session, false)),
        Err(error) if error.status() == Some(404) => {}
        Err(error) => return Err(error.into()),
    }
    let request = Register {
        name: args.handle.clone(),
        wallet: wallet.address(),
        description: args.description.clone().unwrap_or_default(),
        roles: (!args.role.is_empty()).then(|| args.role.clone()),
    };
    Ok((client.enrol(wallet, genesis, &request).await?, true))
}
