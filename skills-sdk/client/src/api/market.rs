//! Purchases (the server's description of one) and the proxy's view of a licence.

use serde::{Deserialize, Serialize};

use super::{BASE, Money, number, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

/// What to buy.
#[derive(Debug, Clone, Serialize)]
pub struct PurchaseRequest {
    /// `publisher.name`
    pub skill: String,
    /// `one_time`, `subscription`, `usage`.
    pub kind: String,
    /// `personal`, `commercial`, `enterprise`.
    pub tier: String,
    /// The most to pay, in base units.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub max_price: Option<u64>,
    /// The buyer's own bounds on usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caps: Option<Caps>,
}

/// The buyer's own bounds on usage, in units; 0 is no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// In all.
    #[serde(with = "number")]
    pub usage_limit: u64,
    /// In one settlement.
    #[serde(with = "number")]
    pub max_units_per_batch: u64,
    /// In a day.
    #[serde(with = "number")]
    pub max_units_per_day: u64,
}

/// The server's unsigned transaction. The client builds its own and compares.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurchaseOffer {
    /// Base64 of an unsigned legacy transaction.
    pub transaction: String,
    /// The licence account that will be made.
    pub licence: String,
    /// The skill's account.
    pub skill_account: String,
    /// What is paid now.
    pub price: Money,
    /// The platform's part.
    pub fee: Money,
    /// SHA-256 over the terms, hex.
    pub terms_hash: String,
    /// The blockhash it was built with.
    pub blockhash: String,
    /// The block height after which it lapses.
    #[serde(with = "number")]
    pub last_valid_block_height: u64,
    /// RFC 3339.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// What the execution proxy thinks of a licence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicenceState {
    /// Its address.
    pub licence: String,
    /// Whether there is one.
    pub exists: bool,
    /// Whether a call would be allowed.
    pub valid: bool,
    /// Why not.
    #[serde(default)]
    pub reason: Option<String>,
    /// `one_time`, `subscription`, `usage`.
    #[serde(default)]
    pub kind: Option<String>,
    /// `personal`, `commercial`, `enterprise`.
    #[serde(default)]
    pub tier: Option<String>,
    /// `active`, `suspended`, …
    #[serde(default)]
    pub status: Option<String>,
    /// RFC 3339; none for one that does not end.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Units that can still be used; none without a bound.
    #[serde(with = "number::option", default)]
    pub units_left: Option<u64>,
    /// Prepaid balance in base units.
    #[serde(with = "number::option", default)]
    pub credit: Option<u64>,
    /// Usage that credit did not cover, in base units.
    #[serde(with = "number::option", default)]
    pub unbilled: Option<u64>,
    /// Units settled so far.
    #[serde(with = "number::option", default)]
    pub usage_total: Option<u64>,
    /// Batches settled so far.
    #[serde(with = "number::option", default)]
    pub usage_seq: Option<u64>,
    /// The key that may settle.
    #[serde(default)]
    pub meter: Option<String>,
    /// The slot this was read at.
    #[serde(with = "number::option", default)]
    pub slot: Option<u64>,
    /// How old that is, in milliseconds.
    #[serde(with = "number::option", default)]
    pub age_ms: Option<u64>,
    /// `chain`, `cache` or `grace`.
    #[serde(default)]
    pub source: Option<String>,
}

impl Client {
    /// `POST /marketplace/purchase`: the server's unsigned transaction.
    ///
    /// # Errors
    /// `not_registered`, `price_above_max`, `rpc_unavailable`, …
    pub async fn purchase_offer(&self, request: &PurchaseRequest) -> Result<PurchaseOffer> {
        self.json(Call::post(format!("{BASE}/marketplace/purchase"), json(request), Retry::Safe)).await
    }

    /// `GET /marketplace/verify/{skill}`: the proxy's view of a buyer's licence (the caller's own without `buyer`).
    ///
    /// # Errors
    /// `skill_not_found`, `rpc_unavailable`.
    pub async fn licence_state(&self, skill: &str, buyer: Option<&str>) -> Result<LicenceState> {
        self.json(Call::get(format!("{BASE}/marketplace/verify/{}", segment(skill)?)).query("buyer", buyer)).await
    }
}
