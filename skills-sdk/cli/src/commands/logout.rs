//! `clawos logout`: ends the session at the server and forgets it here.

use clawos_api::Timestamp;
use clawos_client::{Client, ClientError};
use serde_json::json;

use crate::context::{Context, time_text};
use crate::error::{CliError, Result};
use crate::state::SavedSession;

/// Ends the session. It is forgotten here whatever the server says.
///
/// # Errors
/// [`CliError::NotSignedIn`]; [`CliError::SessionLeft`] when the server could not be told.
pub async fn run(context: &Context) -> Result<()> {
    let client = context.public()?;
    let lock = context.home.lock_session()?;
    let session = context.session_of(&client.origin())?;
    let ended = end(&client, &session).await;
    context.home.forget_session()?;
    drop(lock);
    let api_key = session.api_key.map(|key| key.id);
    let known = match ended {
        Ok(known) => known,
        Err(Left { source, until }) => {
            let until = until.map_or_else(|| "its refresh token ends".to_owned(), time_text);
            return Err(CliError::SessionLeft { source, until, api_key });
        }
    };
    let value = json!({ "agent": session.agent, "ended_at_server": known, "api_key_still_valid": api_key });
    context.out.result(&value, || format!("{} is signed out", session.agent.name))?;
    if let Some(id) = api_key {
        context
            .out
            .note(format!("the API key {id} of the registration stays valid, and is no longer kept on this machine"));
    }
    Ok(())
}

/// A session that the server still has.
struct Left {
    /// Why the server could not be told.
    source: ClientError,
    /// When it ends there by itself, where that is known.
    until: Option<Timestamp>,
}

/// Ends the session at the server, refresh token and all; false when it had ended there before. An access token lives for an
/// hour, and the refresh token for a month: where the first one is over, the second one gives another that can end both.
async fn end(client: &Client, session: &SavedSession) -> Result<bool, Left> {
    let left = |source| Left { source, until: session.refresh_expires_at };
    let revoked = client.clone().with_token(&session.access_token).auth_revoke().await;
    if accepted(revoked).map_err(left)?.is_some() {
        return Ok(true);
    }
    let refreshed = client.auth_refresh(&session.refresh_token).await;
    let Some(renewed) = accepted(refreshed).map_err(left)? else { return Ok(false) };
    // From here on the server has the new session, which ends later.
    let until = Some(renewed.refresh_expires_at);
    let revoked = client.clone().with_token(renewed.access_token).auth_revoke().await;
    revoked.map(|_| true).map_err(|source| Left { source, until })
}

/// None where the server takes the token no more.
fn accepted<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status() == Some(401) => Ok(None),
        Err(error) => Err(error),
    }
}
