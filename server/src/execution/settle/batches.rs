//! `GET /licences/{key}/batches` and `/batches/{seq}`: the settled totals for anyone, the leaves for buyer and seller.
//!
//! From these anyone can recompute the licence's hash chain from its first root to the one on chain.

use axum::Json;
use axum::extract::State;
use clawos_interface::rules::usage::first_root;
use clawos_interface::{Key, sha256};
use clawos_receipts::text::{decimal, from_base58, to_base58, to_hex};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;
use super::{Batch, BatchStatus};
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::execution::receipts::{self, BatchRef};
use crate::execution::reserve::Account;
use crate::http::{MaybeCaller, Path, Query, page_limit};
use crate::identity::Scope;

/// Routes under `/licences`.
pub(in crate::execution) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// The totals of one batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BatchView {
    /// Its number, from 1.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    seq: u64,
    /// The licence's root before it, hex.
    prev_root: String,
    /// Receipts in it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    count: u64,
    /// Their units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    units: u64,
    /// Their amount, base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    amount: u64,
    /// Merkle root over its receipts, hex.
    tree_root: String,
    /// The root told to the chain, hex.
    anchored_root: String,
    /// The licence's root after it, hex.
    chain_root: String,
    /// Where it stands.
    status: BatchStatus,
    /// The settling transaction's signature.
    transaction: Option<String>,
    /// Its slot.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    slot: Option<u64>,
}

/// The batches of a licence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BatchList {
    /// The licence's address.
    licence: String,
    /// The root its chain begins with, hex.
    first_root: String,
    /// In order of their numbers.
    items: Vec<BatchView>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// One batch with what is in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BatchDetail {
    /// The licence's address.
    licence: String,
    /// Its totals.
    #[serde(flatten)]
    batch: BatchView,
    /// Its receipts in the order of the tree; null for anyone but the licence's buyer and seller with the scope `read`.
    leaves: Option<Vec<LeafView>>,
}

/// A receipt in a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LeafView {
    /// The receipt's id.
    receipt: String,
    /// Its leaf hash, hex.
    leaf: String,
}

/// Which page.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchesQuery {
    /// How many, 1 to 100; 20 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before: the last number seen.
    #[serde(default)]
    cursor: u64,
    /// Slot in which the licence account was made: a licence that was closed and bought again has several histories. The
    /// newest one with batches by default.
    opened_slot: Option<u64>,
}

/// Which of a licence's histories.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpeningQuery {
    /// Slot in which the licence account was made; the newest one with batches by default.
    opened_slot: Option<u64>,
}

/// Lists the batches of a licence.
#[utoipa::path(get, path = "/licences/{key}/batches", tag = "receipts", params(("key" = String, Path), BatchesQuery),
    responses((status = 200, body = BatchList), (status = 404, body = crate::error::Problem)))]
pub(crate) async fn list(
    State(app): State<AppState>,
    Path(key): Path<String>,
    Query(query): Query<BatchesQuery>,
) -> Result<Json<BatchList>, ApiError> {
    let account = account(&app, &key, query.opened_slot).await?;
    let limit = page_limit(query.limit)?;
    let mut batches = store::batches_of(&app.db, &account, query.cursor, limit + 1).await?;
    let more = batches.len() > limit as usize;
    batches.truncate(limit as usize);
    Ok(Json(BatchList {
        licence: key,
        first_root: to_hex(&first_root(sha256, &account.licence, account.opened_slot)),
        next_cursor: batches.last().filter(|_| more).map(|last| last.seq.to_string()),
        items: batches.iter().map(view).collect(),
    }))
}

/// Shows one batch.
#[utoipa::path(get, path = "/licences/{key}/batches/{seq}", tag = "receipts", params(("key" = String, Path), ("seq" = u64, Path), OpeningQuery),
    responses((status = 200, body = BatchDetail), (status = 404, body = crate::error::Problem)))]
pub(crate) async fn get(
    State(app): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path((key, seq)): Path<(String, u64)>,
    Query(query): Query<OpeningQuery>,
) -> Result<Json<BatchDetail>, ApiError> {
    let account = account(&app, &key, query.opened_slot).await?;
    let batch = store::find_batch(&app.db, &account, seq).await?.ok_or_else(unknown)?;
    let entitled = caller.is_some_and(|caller| {
        caller.scopes.contains(Scope::Read) && [batch.buyer, batch.seller].contains(&caller.wallet)
    });
    let leaves = if entitled {
        let leaves = receipts::leaves(&app.db, &BatchRef { account, seq }).await?;
        Some(leaves.into_iter().map(|(receipt, leaf)| LeafView { receipt, leaf: to_hex(&leaf) }).collect())
    } else {
        None
    };
    Ok(Json(BatchDetail { licence: to_base58(&account.licence), batch: view(&batch), leaves }))
}

async fn account(app: &AppState, key: &str, opened_slot: Option<u64>) -> Result<Account, ApiError> {
    let licence: Key = from_base58(key).map_err(|_| unknown())?;
    store::find_account(&app.db, &licence, opened_slot).await?.ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "No usage of such a licence was batched here.")
}

fn view(batch: &Batch) -> BatchView {
    BatchView {
        seq: batch.seq,
        prev_root: to_hex(&batch.prev_root),
        count: batch.count,
        units: batch.units,
        amount: batch.amount,
        tree_root: to_hex(&batch.tree_root),
        anchored_root: to_hex(&batch.anchored_root),
        chain_root: to_hex(&batch.chain_root),
        status: batch.status,
        transaction: batch.transaction.clone(),
        slot: batch.slot,
    }
}
