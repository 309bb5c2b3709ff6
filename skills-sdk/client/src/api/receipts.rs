//! Receipts, and the batches that settle them.

pub use clawos_api::execution::{
    Anchor, BatchDetail, BatchList, BatchStatus, BatchView, LeafView, ProofAnswer, ReceiptAnswer, ReceiptPage,
    ReceiptsQuery, Settlement,
};

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use clawos_api::Timestamp;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Hash, SignedReceipt};

use super::{BASE, Page, segment};
use crate::error::{ClientError, Result};
use crate::http::{Call, Client};
use crate::paging::{PAGE, pages};

/// The most pages of batches beyond those that the chain had recorded when its account was read.
const MAX_NEWER_BATCH_PAGES: u64 = 10;
/// The most pages of receipts beyond those that are looked for: of calls that failed, or are not settled yet.
const MAX_OTHER_RECEIPT_PAGES: u64 = 10_000;

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

    /// `GET /receipts` until each receipt in `wanted`, by id, is found: the caller's own of `skill`, newest first. What the
    /// server does not have is missing.
    ///
    /// # Errors
    /// As [`Self::receipts`]; [`ClientError::Unreadable`] when the list does not end.
    pub async fn receipts_of(&self, skill: &str, mut wanted: BTreeSet<String>) -> Result<Vec<SignedReceipt>> {
        let mut found = Vec::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let most_pages = pages(wanted.len() as u64).saturating_add(MAX_OTHER_RECEIPT_PAGES);
        let fetch = async |cursor| {
            let skill = Some(skill.to_owned());
            let query = ReceiptsQuery { skill, limit: Some(PAGE), cursor, ..ReceiptsQuery::default() };
            let ReceiptPage { items, next_cursor } = self.receipts(&query).await?;
            Ok(Page { items, next_cursor })
        };
        let keep = |signed: SignedReceipt| {
            if wanted.remove(&signed.receipt.id) {
                found.push(signed);
            }
            if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.every_page(most_pages, fetch, keep).await?;
        Ok(found)
    }

    /// `GET /licences/{key}/batches`: all of the account opened at `opened_slot`, in order; totals only, open to anyone. The
    /// chain says how many there are: `recorded`, the account's `usage_seq`, and perhaps a few since it was read.
    ///
    /// # Errors
    /// `not_found`; [`ClientError::Unreadable`] when the list goes on far beyond `recorded`.
    pub async fn batches(&self, licence: &str, opened_slot: u64, recorded: u64) -> Result<Vec<BatchView>> {
        let path = format!("{BASE}/licences/{}/batches", segment(licence)?);
        let fetch = async |cursor| {
            let call = Call::get(&path).query("limit", Some(PAGE)).query("cursor", cursor);
            let BatchList { items, next_cursor, .. } = self.json(call.query("opened_slot", Some(opened_slot))).await?;
            Ok(Page { items, next_cursor })
        };
        let mut all = Vec::new();
        let keep = |batch| {
            all.push(batch);
            ControlFlow::Continue(())
        };
        self.every_page(pages(recorded).saturating_add(MAX_NEWER_BATCH_PAGES), fetch, keep).await?;
        Ok(all)
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
