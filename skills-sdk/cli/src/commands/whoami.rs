//! `clawos whoami`: who calls are made as from this machine, at which server, and until when.

use clawos_api::Timestamp;
use clawos_client::api::agents::{Agent, CredentialKind, OwnProfile};
use clawos_client::{ClientError, WalletError};
use serde_json::{Value, json};

use crate::context::{Context, now_secs, time_text};
use crate::error::{CliError, Result};
use crate::table;

/// Shows the session as it is kept here, without asking the server; with an API key, what the server says of it.
///
/// # Errors
/// [`CliError::NotSignedIn`] where there is neither; those of the server for a key.
pub async fn run(context: &Context) -> Result<()> {
    let session = context.session_of(&context.public()?.origin());
    let by_key = context.uses_api_key();
    let caller = match &session {
        _ if by_key => Caller::of_key(context.signed_in().await?.me().await?),
        Ok(session) => Caller {
            agent: session.agent.clone(),
            kind: CredentialKind::Session,
            key: None,
            expires_at: Some(session.access_expires_at),
            refresh_expires_at: session.refresh_expires_at,
        },
        Err(_) => return session.map(drop),
    };
    let wallet = match context.wallet() {
        Ok(wallet) => Some(wallet.address()),
        Err(CliError::Client(ClientError::Wallet(WalletError::Missing(_)))) => None,
        Err(error) => return Err(error),
    };
    context.out.result(&caller.json(context, wallet.as_deref()), || caller.text(context))?;
    if wallet.is_some_and(|address| address != caller.agent.wallet) {
        context.out.warn("the wallet file is another one than the agent's: purchases will be for another buyer");
    }
    if let (true, Ok(session)) = (by_key, &session) {
        context.out.note(format!("the session of {} is not used while an API key is set", session.agent.name));
    }
    if caller.refresh_expires_at.is_some_and(|end| end.0.div_euclid(1_000) <= now_secs()) {
        context.out.warn("the session is over: sign in again with `clawos login`");
    }
    Ok(())
}

/// Who calls, and by which right.
struct Caller {
    agent: Agent,
    kind: CredentialKind,
    /// Id and scopes of the API key.
    key: Option<(String, Vec<&'static str>)>,
    /// When the access token or the key ends; none for a key without end.
    expires_at: Option<Timestamp>,
    /// When the session ends, unless it is used before; none for a key.
    refresh_expires_at: Option<Timestamp>,
}

impl Caller {
    fn of_key(profile: OwnProfile) -> Caller {
        let OwnProfile { agent, credential } = profile;
        let scopes = credential.scopes.iter().map(|scope| scope.as_str()).collect();
        Caller {
            agent,
            kind: credential.kind,
            key: Some((credential.id, scopes)),
            expires_at: credential.expires_at,
            refresh_expires_at: credential.refresh_expires_at,
        }
    }

    fn json(&self, context: &Context, wallet: Option<&str>) -> Value {
        json!({
            "agent": self.agent,
            "server": context.server,
            "rpc": context.rpc,
            "wallet": wallet,
            "credential": {
                "kind": self.kind,
                "id": self.key.as_ref().map(|(id, _)| id),
                "scopes": self.key.as_ref().map(|(_, scopes)| scopes),
                "expires_at": self.expires_at,
                "refresh_expires_at": self.refresh_expires_at,
            },
        })
    }

    fn text(&self, context: &Context) -> String {
        let key = self.key.as_ref().map(|(id, scopes)| format!("{id} ({})", scopes.join(", ")));
        let until = match self.refresh_expires_at.or(self.expires_at) {
            Some(end) => time_text(end),
            None => "it is revoked".to_owned(),
        };
        table::fields(&[
            ("agent", Some(format!("{} ({})", self.agent.name, self.agent.id))),
            ("wallet", Some(self.agent.wallet.clone())),
            ("server", Some(context.server.clone())),
            ("rpc", Some(context.rpc.clone())),
            ("api key", key),
            ("until", Some(until)),
        ])
    }
}
