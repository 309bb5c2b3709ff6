//! `GET /receipts`: the caller's own, as buyer or seller, newest first.

use axum::Json;
use axum::extract::State;
use clawos_receipts::SignedReceipt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::store::{self, Filter};
use crate::app::AppState;
use crate::error::ApiError;
use crate::execution::columns::int;
use crate::http::{Caller, Cursor, Query, Timestamp, page, page_limit};
use crate::identity::Scope;

/// Which receipts.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptsQuery {
    /// Issued at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Issued before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Only of this skill.
    skill: Option<String>,
    /// How many, 1 to 100; 20 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of receipts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptPage {
    /// Signed receipts.
    #[schema(value_type = Vec<Object>)]
    items: Vec<SignedReceipt>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// Lists the caller's receipts.
#[utoipa::path(get, path = "/receipts", tag = "receipts", params(ReceiptsQuery),
    responses((status = 200, body = ReceiptPage), (status = 401, body = crate::error::Problem), (status = 422, body = crate::error::Problem)))]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ReceiptsQuery>,
) -> Result<Json<ReceiptPage>, ApiError> {
    caller.require(Scope::Read)?;
    let limit = page_limit(query.limit)?;
    let filter = Filter {
        wallet: caller.wallet,
        from: query.from.map_or(0, |time| time.0),
        to: query.to.map_or(i64::MAX, |time| time.0),
        skill: query.skill.unwrap_or_default(),
        after: query.cursor.as_deref().map(Cursor::decode).transpose()?,
        limit: limit + 1,
    };
    let rows = store::list(&app.db, &filter).await?;
    let cursor =
        |signed: &SignedReceipt| Cursor { number: int(signed.receipt.issued_at), id: signed.receipt.id.clone() };
    let page = page(rows, limit, cursor, |signed| signed);
    Ok(Json(ReceiptPage { items: page.items, next_cursor: page.next_cursor }))
}
