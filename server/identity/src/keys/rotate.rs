//! Rotating a key: a new one with the same settings, while the old one lives on for a while.

use clawos_api::identity::{NewKey, Rotate, Scope};
use clawos_api::limits::MAX_OVERLAP_SECS;
use clawos_base::idempotency::{AnswerSlot, StoredAnswer};
use clawos_base::{Problems, audit, database};

use super::bounds::{check_limits, lock_caller};
use super::store::{self, KeyRow};
use super::{LIVE_KEY, check_room};
use crate::{Caller, Identity, IdentityError};

/// How long the old key lives on after a rotation, unless told otherwise (seconds).
const DEFAULT_OVERLAP_SECS: u64 = 24 * 3600;

/// A request to rotate a key whose values are allowed, from a caller that may manage keys.
pub struct RotationRequest {
    overlap_ms: i64,
}

impl RotationRequest {
    /// Checks the request.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`]; [`IdentityError::ScopeMissing`] without `admin`.
    pub fn new(caller: &Caller, request: Rotate) -> Result<RotationRequest, IdentityError> {
        let overlap_secs = request.overlap_secs.unwrap_or(DEFAULT_OVERLAP_SECS);
        let mut problems = Problems::default();
        if overlap_secs > MAX_OVERLAP_SECS {
            problems.add("/overlap_secs", format!("must be 0 to {MAX_OVERLAP_SECS}"));
        }
        problems.into_result()?;
        caller.require(Scope::Admin)?;
        Ok(RotationRequest { overlap_ms: overlap_secs.cast_signed() * 1000 })
    }
}

impl Identity {
    /// Replaces a key by a new one with the same settings, and stores the answer, a [`NewKey`] with its secret, in
    /// `slot`. The old key, and what it made, lives on for the overlap.
    ///
    /// # Errors
    /// [`IdentityError::Absent`], [`IdentityError::MoreScopes`], [`IdentityError::KeyExpired`],
    /// [`IdentityError::WiderLimits`], [`IdentityError::CallerEnded`], [`IdentityError::TooManyKeys`].
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: &str,
        request: RotationRequest,
        slot: &AnswerSlot,
    ) -> Result<StoredAnswer, IdentityError> {
        let mut tx = self.ports.db.write().await?;
        let maker = lock_caller(&mut tx, caller, self.now()).await?;
        let old = store::by_id(&mut tx, &caller.agent_id, id).await?.filter(|key| key.revoked_at.is_none());
        let old = old.ok_or(IdentityError::Absent(LIVE_KEY))?;
        if !caller.scopes.includes(old.scopes) {
            return Err(IdentityError::MoreScopes("rotate"));
        }
        let (fresh, secret) = self.new_key(&caller.agent_id, &old.name, old.scopes);
        let now = fresh.created_at;
        if !old.is_live(now) {
            return Err(IdentityError::KeyExpired);
        }
        check_limits(&old, maker.as_ref())?;
        check_room(&mut tx, &caller.agent_id, now).await?;
        let row = KeyRow {
            ip_allow: old.ip_allow,
            daily_caps: old.daily_caps,
            expires_at: old.expires_at,
            replaces: Some(old.id),
            family: old.family,
            made_by: maker.map(|maker| maker.id).or(old.made_by),
            ..fresh
        };
        store::expire(&mut tx, id, now.saturating_add(request.overlap_ms)).await?;
        store::insert(&mut tx, &row).await?;
        let detail = format!("{} by {}", row.id, caller.key_id);
        audit::append(&mut tx, now, &caller.agent_id, "key.rotate", id, &detail).await?;
        let made = NewKey { key: secret.text, settings: row.into() };
        let answer = slot.store(&mut tx, &made).await?;
        database::commit(tx).await?;
        self.credentials.forget();
        Ok(answer)
    }
}
