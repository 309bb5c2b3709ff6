//! What bounds a key that asks for another: it must be live, and what it gets is never freer than itself.

use super::store::{self, KeyRow};
use crate::error::{ApiError, Code};
use crate::http::Caller;
use crate::identity::{profile, sessions};
use ipnet::IpNet;
use sqlx::AnyConnection;

/// Locks the caller's agent, so that nothing revokes or makes its keys meanwhile, and finds the API key that asks; `None`
/// for a session. Refuses one that was revoked or has expired since the request came.
pub(super) async fn locked(tx: &mut AnyConnection, caller: &Caller, now: i64) -> Result<Option<KeyRow>, ApiError> {
    profile::lock(tx, &caller.agent_id).await?;
    let ended = || ApiError::new(Code::KeyRevoked, "This token was revoked or has expired; use another one.");
    if caller.is_session() {
        return if sessions::is_live(tx, &caller.key_id).await? { Ok(None) } else { Err(ended()) };
    }
    let key = store::by_id(tx, &caller.agent_id, &caller.key_id).await?;
    key.filter(|key| key.is_live(now)).map(Some).ok_or_else(ended)
}

/// Whose repetition of a request may have its answer, which holds a secret: a session's, or the same key's. Another key
/// could be a lesser one.
pub(super) fn print_of(caller: &Caller) -> &[u8] {
    if caller.is_session() { b"session" } else { caller.key_id.as_bytes() }
}

/// Refuses a key that may spend more, live longer or be used from elsewhere than `maker`, the API key that asks for it.
pub(super) fn check_not_freer(key: &KeyRow, maker: Option<&KeyRow>) -> Result<(), ApiError> {
    let Some(maker) = maker else { return Ok(()) };
    let outlives = maker.expires_at.is_some_and(|end| key.expires_at.is_none_or(|at| at > end));
    let (wanted, allowed) = (key.networks(), maker.networks());
    let inside = |net: &IpNet| allowed.iter().any(|maker| maker.contains(net));
    let elsewhere = !allowed.is_empty() && (wanted.is_empty() || !wanted.iter().all(inside));
    let problem = match (key.daily_cap > maker.daily_cap, outlives, elsewhere, key.family != maker.family) {
        (true, _, _, _) => "may spend more a day",
        (_, true, _, _) => "lives longer",
        (_, _, true, _) => "may be used from other addresses",
        (_, _, _, true) => "spends from another day's money",
        _ => return Ok(()),
    };
    let detail = format!("A key cannot make or rotate a key that {problem} than itself; use a session.");
    Err(ApiError::new(Code::ScopeMissing, detail))
}
