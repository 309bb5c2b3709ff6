//! `clawos logout`: ends the session at the server and forgets it here.

use clawos_client::ClientError;
use serde_json::json;

use crate::context::Context;
use crate::error::{CliError, Result};

/// Ends the session. One that the server does not know any more is forgotten all the same.
///
/// # Errors
/// [`CliError::NotSignedIn`]; when the server cannot be reached, and then the session stays.
pub async fn run(context: &Context) -> Result<()> {
    let client = context.public()?;
    let origin = client.origin();
    let lock = context.home.lock_session()?;
    let session = context.home.session()?.filter(|session| session.origin == origin);
    let session = session.ok_or(CliError::NotSignedIn(origin))?;
    let ended = client.with_token(&session.access_token).auth_revoke().await;
    let known = match ended {
        Ok(()) => true,
        Err(ClientError::Problem(problem)) if problem.status == 401 => false,
        Err(error) => return Err(error.into()),
    };
    context.home.forget_session()?;
    drop(lock);
    let value = json!({ "agent": session.agent, "ended_at_server": known });
    context.out.result(&value, || format!("{} is signed out", session.agent.name))?;
    if session.api_key.is_some() {
        context.out.note("the API key of the registration stays valid, and is no longer kept on this machine");
    }
    Ok(())
}
