//! Who agents are: enrolment by signed challenge, sessions, API keys, profiles.
//!
//! An identity is an Ed25519 key, which is also a Solana address. Nothing but a signature of that key makes an agent or a
//! session. Tokens and keys are opaque, shown once and stored as SHA-256.

mod authenticate;
mod enrolment;
mod handle;
mod keys;
mod profile;
mod scope;
mod sessions;
mod token;

pub use authenticate::Credentials;
pub(crate) use authenticate::authenticate;
pub use profile::Agent;
pub(crate) use profile::lock as lock_agent;
pub use scope::{Scope, Scopes};

use crate::app::{App, AppState};
use utoipa_axum::router::OpenApiRouter;

/// Routes under `/agents` and `/auth`.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(enrolment::routes())
        .merge(sessions::routes())
        .merge(keys::routes())
        .merge(profile::routes())
}

/// Removes challenges and sessions that expired.
pub(crate) async fn forget_expired(app: &App) -> Result<(), sqlx::Error> {
    let now = app.clock.now_ms();
    enrolment::forget_expired(&app.db, now).await?;
    sessions::forget_expired(&app.db, now).await
}
