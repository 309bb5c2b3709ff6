//! Receipts, and the batches that settle them.

pub use clawos_api::execution::{
    Anchor, BatchDetail, BatchList, BatchStatus, BatchView, LeafView, ProofAnswer, ReceiptAnswer, ReceiptPage,
    ReceiptsQuery, Settlement,
};

use clawos_api::Timestamp;
use clawos_receipts::Hash;
use clawos_receipts::text::to_hex;

use super::{BASE, segment};
use crate::error::{ClientError, Result};
use crate::http::{Call, Client};

/// The most batches of one licence that are fetched: it bounds what a hostile server can make the client read.
const MAX_BATCHES: usize = 100_000;

impl Client {
    /// `GET /receipts/{id}`.
    ///
    /// # Errors
    /// `receipt_not_found`.
    pub async fn receipt(&self, id: &str) -> Result<ReceiptAnswer> {
        self.json(Call::get(format!("{BASE}/receipts/{}", segment(id)?))).await
    }

    /// `GET /receipts/{id}/proof`: where the receipt with this leaf hash stands on chain; open to anyone.
    ///
    /// # Errors
    /// `receipt_not_found`.
    pub async fn proof(&self, id: &str, leaf: &Hash) -> Result<ProofAnswer> {
        let path = format!("{BASE}/receipts/{}/proof", segment(id)?);
        self.json(Call::get(path).query("leaf", Some(to_hex(leaf)))).await
    }

    /// `GET /receipts`: the caller's own, newest first.
    ///
    /// # Errors
    /// `validation_failed` for a bad limit or cursor.
    pub async fn receipts(&self, query: &ReceiptsQuery) -> Result<ReceiptPage> {
        let call = Call::get(format!("{BASE}/receipts"))
            .query("from", query.from.map(time_text).transpose()?)
            .query("to", query.to.map(time_text).transpose()?)
            .query("skill", query.skill.as_ref())
            .query("limit", query.limit)
            .query("cursor", query.cursor.as_ref());
        self.json(call).await
    }

    /// `GET /licences/{key}/batches`: all of the account opened at `opened_slot`, in order; totals only, open to anyone.
    ///
    /// # Errors
    /// `not_found`; [`ClientError::Unreadable`] when the list does not end.
    pub async fn batches(&self, licence: &str, opened_slot: u64) -> Result<Vec<BatchView>> {
        let path = format!("{BASE}/licences/{}/batches", segment(licence)?);
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let call = Call::get(&path).query("limit", Some(100)).query("cursor", cursor);
            let page: BatchList = self.json(call.query("opened_slot", Some(opened_slot))).await?;
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

    /// `GET /licences/{key}/batches/{seq}` of the account opened at `opened_slot`: with its leaves for the licence's buyer and seller.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn batch(&self, licence: &str, opened_slot: u64, seq: u64) -> Result<BatchDetail> {
        let call = Call::get(format!("{BASE}/licences/{}/batches/{seq}", segment(licence)?));
        self.json(call.query("opened_slot", Some(opened_slot))).await
    }
}

/// A time as RFC 3339.
fn time_text(time: Timestamp) -> Result<String> {
    let text = serde_json::to_value(time).ok().and_then(|value| value.as_str().map(str::to_owned));
    text.ok_or_else(|| ClientError::Invalid("a time must be in the years 0 to 9999".to_owned()))
}
