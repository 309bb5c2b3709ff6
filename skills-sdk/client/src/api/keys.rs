//! API keys: made, listed, replaced and revoked. A secret is in one answer and nowhere else.

use serde::{Deserialize, Serialize};

use super::{BASE, Page, number, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

/// A new API key, shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedKey {
    /// `key_…`
    pub id: String,
    /// The secret, `claw_sk_…`.
    pub key: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// RFC 3339; none for a key without end.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// What a new API key shall be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewKey {
    /// A name to recognise it by, 1 to 64 characters.
    pub name: String,
    /// `publish`, `invoke`, `read`, `admin`; at most the caller's own.
    pub scopes: Vec<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Addresses or networks it works from; empty for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_allow: Vec<String>,
    /// What it may spend in a day, in USDC base units.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<u64>,
}

/// A key's settings, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeySettings {
    /// `key_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its prefix and last characters, to recognise the secret by.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Addresses and networks it works from; empty for any.
    #[serde(default)]
    pub ip_allow: Vec<String>,
    /// What it may spend in a day, in USDC base units.
    #[serde(with = "number")]
    pub daily_cap: u64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; none for a key without end.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// RFC 3339, to the minute.
    #[serde(default)]
    pub last_used_at: Option<String>,
}

impl Client {
    /// `GET /agents/me/keys`: those that are not revoked.
    ///
    /// # Errors
    /// `scope_missing` without the scope `admin`, which a session has.
    pub async fn keys(&self) -> Result<Page<KeySettings>> {
        self.json(Call::get(format!("{BASE}/agents/me/keys"))).await
    }

    /// `POST /agents/me/keys`: makes an API key.
    ///
    /// # Errors
    /// `validation_failed`, `scope_missing`.
    pub async fn create_key(&self, key: &NewKey) -> Result<IssuedKey> {
        self.json(Call::post(format!("{BASE}/agents/me/keys"), json(key), Retry::Safe)).await
    }

    /// `DELETE /agents/me/keys/{id}`: revokes a key at once.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn revoke_key(&self, id: &str) -> Result<()> {
        self.bytes(Call::delete(format!("{BASE}/agents/me/keys/{}", segment(id)?))).await.map(drop)
    }

    /// `POST /agents/me/keys/{id}/rotate`: a new key with the same settings; the old one lives on for `overlap_secs`
    /// (0 to 2,592,000; a day when none).
    ///
    /// # Errors
    /// `not_found`, `key_expired`.
    pub async fn rotate_key(&self, id: &str, overlap_secs: Option<u64>) -> Result<IssuedKey> {
        let path = format!("{BASE}/agents/me/keys/{}/rotate", segment(id)?);
        let body = match overlap_secs {
            Some(secs) => json(&serde_json::json!({ "overlap_secs": secs })),
            None => json(&serde_json::json!({})),
        };
        self.json(Call::post(path, body, Retry::Safe)).await
    }
}
