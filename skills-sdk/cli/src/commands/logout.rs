//! `clawos logout`: ends the session at the server and forgets it here.

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
    let known =
        ended.map_err(|source| CliError::SessionLeft { source, until: time_text(session.refresh_expires_at) })?;
    let value = json!({ "agent": session.agent, "ended_at_server": known });
    context.out.result(&value, || format!("{} is signed out", session.agent.name))?;
    if session.api_key.is_some() {
        context.out.note("the API key of the registration stays valid, and is no longer kept on this machine");
    }
    Ok(())
}

/// Ends the session at the server, refresh token and all; false when it had ended there before. An access token lives for an
/// hour, and the refresh token for a month: where the first one is over, the second one gives another that can end both.
async fn end(client: &Client, session: &SavedSession) -> Result<bool, ClientError> {
    if accepted(client.clone().with_token(&session.access_token).auth_revoke().await)?.is_some() {
        return Ok(true);
    }
    let Some(renewed) = accepted(client.auth_refresh(&session.refresh_token).await)? else { return Ok(false) };
    client.clone().with_token(renewed.access_token).auth_revoke().await?;
    Ok(true)
}

/// None where the server takes the token no more.
fn accepted<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status() == Some(401) => Ok(None),
        Err(error) => Err(error),
    }
}
