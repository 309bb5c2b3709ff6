//! Receipts, settled batches, and what the proxy says about itself.

use clawos_receipts::SignedReceipt;
use clawos_receipts::merkle::Step;
use clawos_receipts::statement::CertifiedKey;
use serde::{Deserialize, Serialize};

use super::{BASE, Page, number, segment};
use crate::error::{ClientError, Result};
use crate::http::{Call, Client};

/// A receipt with the place it was anchored at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReceiptAnswer {
    /// The signed bill.
    pub receipt: SignedReceipt,
    /// Where it stands on chain; null until it is settled.
    #[serde(default)]
    pub anchor: Option<Anchor>,
}

/// Where a receipt stands on chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Anchor {
    /// The licence's address.
    pub licence: String,
    /// The batch's number, from 1.
    #[serde(with = "number")]
    pub seq: u64,
    /// Receipts in the batch.
    #[serde(with = "number")]
    pub count: u64,
    /// Their units.
    #[serde(with = "number")]
    pub units: u64,
    /// Their amount, in base units.
    #[serde(with = "number")]
    pub amount: u64,
    /// The Merkle root over the receipts, hex.
    pub tree_root: String,
    /// The root that was sent to the chain, hex.
    pub anchored_root: String,
    /// From the receipt to `tree_root`.
    #[serde(default)]
    pub path: Vec<Step>,
    /// `pending`, `submitted`, `confirmed`.
    pub status: String,
    /// The settling transaction's signature.
    #[serde(default)]
    pub transaction: Option<String>,
    /// Its slot.
    #[serde(with = "number::option", default)]
    pub slot: Option<u64>,
}

/// Which receipts to list.
#[derive(Debug, Clone, Default)]
pub struct ReceiptFilter {
    /// RFC 3339, inclusive.
    pub from: Option<String>,
    /// RFC 3339, exclusive.
    pub to: Option<String>,
    /// `publisher.name`
    pub skill: Option<String>,
    /// How many, 1 to 100.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// The most batches of one licence that are fetched: a server that never ends its list is not believed.
const MAX_BATCHES: usize = 100_000;

/// One batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// Its number, from 1.
    #[serde(with = "number")]
    pub seq: u64,
    /// The chain root before it, hex.
    pub prev_root: String,
    /// Receipts in it.
    #[serde(with = "number")]
    pub count: u64,
    /// Their units.
    #[serde(with = "number")]
    pub units: u64,
    /// Their amount, in base units.
    #[serde(with = "number")]
    pub amount: u64,
    /// The Merkle root over its receipts, hex.
    pub tree_root: String,
    /// The root that was sent to the chain, hex.
    pub anchored_root: String,
    /// The chain root after it, hex.
    pub chain_root: String,
    /// `pending`, `submitted`, `confirmed`.
    pub status: String,
    /// The settling transaction's signature.
    #[serde(default)]
    pub transaction: Option<String>,
    /// Its slot.
    #[serde(with = "number::option", default)]
    pub slot: Option<u64>,
}

/// What the proxy says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WellKnown {
    /// The server's name.
    #[serde(default)]
    pub name: String,
    /// The server's version.
    #[serde(default)]
    pub version: String,
    /// Its public origin.
    pub origin: String,
    /// The chain's genesis hash, base58.
    pub genesis: String,
    /// The program's address.
    pub program: String,
    /// An RPC endpoint of that chain.
    #[serde(default)]
    pub rpc_url: Option<String>,
    /// The USDC mint's address.
    #[serde(default)]
    pub usdc_mint: Option<String>,
    /// The treasury's address.
    #[serde(default)]
    pub treasury: Option<String>,
    /// The program's Config account.
    #[serde(default)]
    pub config_account: Option<String>,
    /// The key that settles.
    pub meter: String,
    /// The sandbox's name and version.
    #[serde(default)]
    pub runtime: Option<String>,
    /// The keys that sign receipts, old ones too.
    #[serde(default)]
    pub receipt_keys: Vec<CertifiedKey>,
}

/// One batch with what is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BatchDetail {
    /// The licence's address.
    pub licence: String,
    /// Its totals.
    #[serde(flatten)]
    pub batch: Batch,
    /// Its receipts in the order of the tree; null for anyone but the licence's buyer and seller.
    #[serde(default)]
    pub leaves: Option<Vec<Leaf>>,
}

/// A receipt in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// The receipt's id.
    pub receipt: String,
    /// Its leaf hash, hex.
    pub leaf: String,
}

impl Client {
    /// `GET /receipts/{id}`.
    ///
    /// # Errors
    /// `receipt_not_found`.
    pub async fn receipt(&self, id: &str) -> Result<ReceiptAnswer> {
        self.json(Call::get(format!("{BASE}/receipts/{}", segment(id)?))).await
    }

    /// `GET /receipts`: the caller's own, newest first.
    ///
    /// # Errors
    /// `validation_failed` for a bad time or cursor.
    pub async fn receipts(&self, filter: &ReceiptFilter) -> Result<Page<SignedReceipt>> {
        let call = Call::get(format!("{BASE}/receipts"))
            .query("from", filter.from.as_ref())
            .query("to", filter.to.as_ref())
            .query("skill", filter.skill.as_ref())
            .query("limit", filter.limit)
            .query("cursor", filter.cursor.as_ref());
        self.json(call).await
    }

    /// `GET /licences/{key}/batches`: all of them, in order; totals only, open to anyone.
    ///
    /// # Errors
    /// `not_found`; [`ClientError::Unreadable`] when the list does not end.
    pub async fn batches(&self, licence: &str) -> Result<Vec<Batch>> {
        let path = format!("{BASE}/licences/{}/batches", segment(licence)?);
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page: Page<Batch> =
                self.json(Call::get(&path).query("limit", Some(100)).query("cursor", cursor)).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
            if all.len() > MAX_BATCHES {
                let reason = format!("more than {MAX_BATCHES} batches of one licence");
                return Err(ClientError::Unreadable { url: self.origin(), reason });
            }
        }
    }

    /// `GET /licences/{key}/batches/{seq}`: with its leaves for the licence's buyer and seller.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn batch(&self, licence: &str, seq: u64) -> Result<BatchDetail> {
        self.json(Call::get(format!("{BASE}/licences/{}/batches/{seq}", segment(licence)?))).await
    }

    /// `GET /.well-known/clawos.json`.
    ///
    /// # Errors
    /// [`crate::ClientError::Unreadable`] when the address is not a ClawOS server's.
    pub async fn well_known(&self) -> Result<WellKnown> {
        self.json(Call::get("/.well-known/clawos.json")).await
    }

    /// `GET /readyz`: whether the server can do its work.
    ///
    /// # Errors
    /// The server's reason when it cannot.
    pub async fn ready(&self) -> Result<()> {
        self.bytes(Call::get("/readyz")).await.map(drop)
    }
}
