//! Stored receipts: writing them, reading one with its proof, listing one's own.

mod get;
mod list;
mod proof;
mod store;

pub(crate) use store::{BatchRef, NewReceipt, leaves, record};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

/// Routes under `/receipts`.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get::get)).routes(routes!(list::list))
}
