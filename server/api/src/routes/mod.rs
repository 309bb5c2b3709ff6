//! The handlers, one file per group of endpoints. Each extracts, calls one function of a domain, and answers.

mod audit;
mod execution;
mod identity;
mod market;
pub mod operations;
mod registry;

use utoipa_axum::router::OpenApiRouter;

use crate::{AppState, openapi};

/// Every public route with its documentation, but for those of [`unlimited`].
pub(crate) fn limited() -> OpenApiRouter<AppState> {
    let versioned = OpenApiRouter::new()
        .merge(identity::routes())
        .merge(audit::routes())
        .merge(registry::routes())
        .merge(market::routes())
        .merge(execution::routes());
    OpenApiRouter::with_openapi(openapi::base()).nest("/api/v1", versioned).merge(market::well_known())
}

/// Public routes for which credentials and rate limits count for nothing.
pub(crate) fn unlimited() -> OpenApiRouter<AppState> {
    operations::public()
}
