//! Making a key.

use clawos_api::identity::{AskedCaps, CreateKey, DailyCaps, NewKey, Scope};
use clawos_api::limits::{KEY_NAME_LEN, MAX_ADDRESSES};
use clawos_base::idempotency::{AnswerSlot, StoredAnswer};
use clawos_base::{Problems, audit, database};
use ipnet::IpNet;

use super::bounds::{check_limits, lock_caller};
use super::store::{self, KeyRow};
use super::{MAX_CAP, check_room, network};
use crate::{Caller, Identity, IdentityError, Scopes};

/// A request for a key whose values are allowed, from a caller that may manage keys.
pub struct KeyRequest {
    name: String,
    scopes: Scopes,
    expires_at: Option<i64>,
    ip_allow: Vec<IpNet>,
    daily_caps: AskedCaps,
}

impl KeyRequest {
    /// Checks the request.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`]; [`IdentityError::ScopeMissing`] without `admin`.
    pub fn new(caller: &Caller, request: CreateKey) -> Result<KeyRequest, IdentityError> {
        let mut problems = Problems::default();
        problems.text("/name", &request.name, KEY_NAME_LEN);
        if request.scopes.is_empty() || request.scopes.len() > Scope::ALL.len() {
            problems.add("/scopes", "must name one to four scopes: publish, invoke, read, admin");
        }
        if request.ip_allow.len() > MAX_ADDRESSES {
            problems.add("/ip_allow", format!("may have at most {MAX_ADDRESSES} entries"));
        }
        let networks: Vec<_> = request.ip_allow.iter().map(|entry| network(entry)).collect();
        for index in networks.iter().enumerate().filter_map(|(index, network)| network.is_none().then_some(index)) {
            problems.add(format!("/ip_allow/{index}"), "must be an address or a network such as 192.0.2.0/24");
        }
        let AskedCaps { sol, usdc } = request.daily_caps;
        for (pointer, _) in
            [("/daily_caps/SOL", sol), ("/daily_caps/USDC", usdc)].iter().filter(|(_, cap)| *cap > Some(MAX_CAP))
        {
            problems.add(*pointer, format!("must be at most {MAX_CAP} base units"));
        }
        problems.into_result()?;
        caller.require(Scope::Admin)?;
        Ok(KeyRequest {
            name: request.name,
            scopes: request.scopes.into_iter().collect(),
            expires_at: request.expires_at.map(|at| at.0),
            ip_allow: networks.into_iter().flatten().collect(),
            daily_caps: request.daily_caps,
        })
    }
}

impl Identity {
    /// Makes a key and stores the answer, a [`NewKey`] with its secret, in `slot`.
    ///
    /// # Errors
    /// [`IdentityError::MoreScopes`], [`IdentityError::WiderLimits`], [`IdentityError::Invalid`] for an expiry in the past,
    /// [`IdentityError::CallerEnded`], [`IdentityError::TooManyKeys`].
    pub async fn create_key(
        &self,
        caller: &Caller,
        request: KeyRequest,
        slot: &AnswerSlot,
    ) -> Result<StoredAnswer, IdentityError> {
        if !caller.scopes.includes(request.scopes) {
            return Err(IdentityError::MoreScopes("make"));
        }
        let (mut row, secret) = self.new_key(&caller.agent_id, &request.name, request.scopes);
        let now = row.created_at;
        if request.expires_at.is_some_and(|at| at <= now) {
            let mut problems = Problems::default();
            problems.add("/expires_at", "must be in the future");
            problems.into_result()?;
        }
        row.expires_at = request.expires_at;
        row.ip_allow = request.ip_allow;
        let mut tx = self.ports.db.write().await?;
        let maker = lock_caller(&mut tx, caller, now).await?;
        if let Some(maker) = &maker {
            row.inherit(maker);
        }
        let AskedCaps { sol, usdc } = request.daily_caps;
        row.daily_caps =
            DailyCaps { sol: sol.unwrap_or(row.daily_caps.sol), usdc: usdc.unwrap_or(row.daily_caps.usdc) };
        check_limits(&row, maker.as_ref())?;
        check_room(&mut tx, &caller.agent_id, now).await?;
        store::insert(&mut tx, &row).await?;
        let detail = format!("{} by {}", row.scopes.to_text(), caller.key_id);
        audit::append(&mut tx, now, &caller.agent_id, "key.create", &row.id, &detail).await?;
        let made = NewKey { key: secret.text, settings: row.into() };
        let answer = slot.store(&mut tx, &made).await?;
        database::commit(tx).await?;
        Ok(answer)
    }
}

impl KeyRow {
    /// Takes over what its maker is bound to and the request leaves open.
    fn inherit(&mut self, maker: &KeyRow) {
        self.family.clone_from(&maker.family);
        self.made_by = Some(maker.id.clone());
        self.daily_caps = DailyCaps {
            sol: self.daily_caps.sol.min(maker.daily_caps.sol),
            usdc: self.daily_caps.usdc.min(maker.daily_caps.usdc),
        };
        self.expires_at = self.expires_at.or(maker.expires_at);
        if self.ip_allow.is_empty() {
            self.ip_allow.clone_from(&maker.ip_allow);
        }
    }
}
