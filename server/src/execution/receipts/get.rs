//! `GET /receipts/{id}`: one receipt, with its proof once it is anchored. For its buyer and its seller only.

use axum::Json;
use axum::extract::State;
use clawos_receipts::SignedReceipt;
use serde::Serialize;
use utoipa::ToSchema;

use super::proof::{self, Anchor};
use super::store;
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::http::{Caller, Path};
use crate::identity::Scope;

/// A receipt and where it stands on chain.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptAnswer {
    /// The signed receipt.
    #[schema(value_type = Object)]
    receipt: SignedReceipt,
    /// Its place on chain; null until it is in a batch, and for free and failed calls.
    anchor: Option<Anchor>,
}

/// Shows a receipt of the caller, as buyer or seller.
#[utoipa::path(get, path = "/receipts/{id}", tag = "receipts", params(("id" = String, Path)),
    responses((status = 200, body = ReceiptAnswer), (status = 401, body = crate::error::Problem), (status = 404, body = crate::error::Problem)))]
pub(crate) async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ReceiptAnswer>, ApiError> {
    caller.require(Scope::Read)?;
    let stored = store::find(&app.db, &id).await?;
    // Somebody else's receipt is answered like one that does not exist, so that ids tell nothing.
    let mine = |stored: &store::Stored| {
        let receipt = &stored.signed.receipt;
        receipt.buyer == caller.wallet || receipt.seller == caller.wallet
    };
    let stored = stored.filter(mine).ok_or_else(|| {
        ApiError::new(Code::ReceiptNotFound, "There is no such receipt of yours; ids begin with run_.")
    })?;
    let anchor = match &stored.batch {
        Some(batch) => Some(proof::anchor(&app.db, &id, batch).await?),
        None => None,
    };
    Ok(Json(ReceiptAnswer { receipt: stored.signed, anchor }))
}
