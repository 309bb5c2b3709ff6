//! API keys: made, listed, replaced and revoked. A secret is in one answer and nowhere else.

pub use clawos_api::identity::{ApiKey, CreateKey, NewKey, Rotate, Scope};

use super::{BASE, Page, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

impl Client {
    /// `GET /agents/me/keys`: those that are not revoked.
    ///
    /// # Errors
    /// `scope_missing` without the scope `admin`, which a session has.
    pub async fn keys(&self) -> Result<Page<ApiKey>> {
        self.json(Call::get(format!("{BASE}/agents/me/keys"))).await
    }

    /// `POST /agents/me/keys`: makes an API key.
    ///
    /// # Errors
    /// `validation_failed`, `scope_missing`.
    pub async fn create_key(&self, key: &CreateKey) -> Result<NewKey> {
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
    pub async fn rotate_key(&self, id: &str, overlap_secs: Option<u64>) -> Result<NewKey> {
        let path = format!("{BASE}/agents/me/keys/{}/rotate", segment(id)?);
        self.json(Call::post(path, json(&Rotate { overlap_secs }), Retry::Safe)).await
    }
}
