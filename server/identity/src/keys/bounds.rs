//! What bounds an API key that asks for another one: it must be live, and what it gets has no wider limits than itself.

use clawos_interface::Currency;
use ipnet::IpNet;
use sqlx::AnyConnection;

use super::store::{self, KeyRow};
use crate::{Caller, IdentityError, profile, sessions};

/// Locks the caller's agent, so that nothing revokes or makes its keys meanwhile, and finds the API key that asks; `None`
/// for a session. Refuses one that was revoked or has expired since the request came.
pub(super) async fn lock_caller(
    tx: &mut AnyConnection,
    caller: &Caller,
    now: i64,
) -> Result<Option<KeyRow>, IdentityError> {
    profile::lock(tx, &caller.agent_id).await?;
    if caller.is_session() {
        return if sessions::is_live(tx, &caller.key_id).await? { Ok(None) } else { Err(IdentityError::CallerEnded) };
    }
    let key = store::by_id(tx, &caller.agent_id, &caller.key_id).await?;
    key.filter(|key| key.is_live(now)).map(Some).ok_or(IdentityError::CallerEnded)
}

/// Refuses a key that may spend more, live longer or be used from elsewhere than `maker`, the API key that asks for it.
pub(super) fn check_limits(key: &KeyRow, maker: Option<&KeyRow>) -> Result<(), IdentityError> {
    let Some(maker) = maker else { return Ok(()) };
    let outlives = maker.expires_at.is_some_and(|end| key.expires_at.is_none_or(|at| at > end));
    let (wanted, allowed) = (&key.ip_allow, &maker.ip_allow);
    let inside = |network: &IpNet| allowed.iter().any(|maker| maker.contains(network));
    let elsewhere = !allowed.is_empty() && (wanted.is_empty() || !wanted.iter().all(inside));
    let spends_more =
        Currency::ALL.iter().any(|currency| key.daily_caps.of(*currency) > maker.daily_caps.of(*currency));
    let excess = match (spends_more, outlives, elsewhere, key.family != maker.family) {
        (true, _, _, _) => "may spend more a day",
        (_, true, _, _) => "lives longer",
        (_, _, true, _) => "may be used from other addresses",
        (_, _, _, true) => "spends from other daily caps",
        _ => return Ok(()),
    };
    Err(IdentityError::WiderLimits(excess))
}
