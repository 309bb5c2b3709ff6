//! Keys on the wire: what may be asked for and what is shown.

use super::store::KeyRow;
use crate::http::{Input, Problems, Timestamp};
use crate::identity::scope::{Scope, Scopes};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Entries in a key's address list.
const MAX_ADDRESSES: usize = 32;
/// The longest overlap (seconds).
const MAX_OVERLAP_SECS: u64 = 30 * 24 * 3600;

/// A key's settings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKey {
    /// `key_…`
    pub(super) id: String,
    pub(super) name: String,
    /// Its prefix and last four characters.
    pub(super) hint: String,
    pub(super) scopes: Vec<Scope>,
    /// Addresses and networks it may be used from; empty means any.
    pub(super) ip_allow: Vec<String>,
    /// What it may spend a day, counting what the keys spent that it made, that made it and that it replaced: USDC base
    /// units as a decimal string.
    pub(super) daily_cap: String,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    /// To the minute.
    pub(super) last_used_at: Option<Timestamp>,
}

/// A new key, with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewKey {
    /// `claw_sk_…`; shown only here.
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) settings: ApiKey,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateKey {
    /// 1 to 64 characters, for you to tell your keys apart.
    pub(super) name: String,
    /// At most the caller's own.
    pub(super) scopes: Vec<Scope>,
    pub(super) expires_at: Option<Timestamp>,
    /// Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`); at most 32.
    #[serde(default)]
    pub(super) ip_allow: Vec<String>,
    /// USDC base units a day, as a decimal string. A key made by a key spends of its maker's.
    pub(super) daily_cap: Option<String>,
}

impl Input for CreateKey {
    fn check(&self, problems: &mut Problems) {
        problems.text("/name", &self.name, 1..=64);
        if self.scopes.is_empty() || self.scopes.len() > 4 {
            problems.add("/scopes", "must name one to four scopes: publish, invoke, read, admin");
        }
        if self.ip_allow.len() > MAX_ADDRESSES {
            problems.add("/ip_allow", format!("may have at most {MAX_ADDRESSES} entries"));
        }
        for (index, entry) in self.ip_allow.iter().enumerate() {
            if network(entry).is_none() {
                problems.add(format!("/ip_allow/{index}"), "must be an address or a network such as 192.0.2.0/24");
            }
        }
        if self.daily_cap.as_deref().is_some_and(|cap| cap_from(cap).is_none()) {
            problems.add("/daily_cap", "must be a decimal string of USDC base units, at most 9223372036854775807");
        }
    }
}

/// How to rotate a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    /// Seconds that the old key lives on: 0 to 2592000, 86400 by default.
    pub(super) overlap_secs: Option<u64>,
}

impl Input for Rotate {
    fn check(&self, problems: &mut Problems) {
        if self.overlap_secs.is_some_and(|secs| secs > MAX_OVERLAP_SECS) {
            problems.add("/overlap_secs", format!("must be 0 to {MAX_OVERLAP_SECS}"));
        }
    }
}

pub(super) fn network(text: &str) -> Option<IpNet> {
    if text.len() > 64 {
        return None;
    }
    text.parse::<IpNet>().ok().or_else(|| text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address)))
}

pub(super) fn cap_from(text: &str) -> Option<i64> {
    clawos_receipts::text::from_decimal(text).ok().and_then(|cap| i64::try_from(cap).ok())
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        ApiKey {
            scopes: Scopes::from_text(&row.scopes).list(),
            ip_allow: row.networks().iter().map(ToString::to_string).collect(),
            id: row.id,
            name: row.name,
            hint: row.hint,
            daily_cap: row.daily_cap.to_string(),
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
        }
    }
}
