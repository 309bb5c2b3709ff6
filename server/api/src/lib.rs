//! The HTTP door: extract, call one function of a domain, answer.
//!
//! Only here stand axum, OpenAPI and `application/problem+json`. A handler holds no rule: what may be done and what comes of
//! it is decided by the domains, so that further doors (web pages, MCP) call the same functions.
//!
//! | module | owns |
//! | --- | --- |
//! | [`state`] | what handlers reach |
//! | [`routes`] | the handlers, one file per group of endpoints |
//! | [`error`] | the one table from the domains' errors to codes, statuses and public texts |
//! | [`extract`] | bodies, paths, queries, callers |
//! | `middleware` | what every request meets |
//! | [`idempotent`] | requests that are done once per `Idempotency-Key` |
//! | [`mod@openapi`] | the document at `/openapi.json`, and the page to browse it |

#![allow(
    unused_qualifications,
    reason = "utoipa's attribute repeats the types of a handler's arguments with their paths"
)]

mod detached;
pub mod error;
pub mod extract;
pub mod idempotent;
mod middleware;
pub mod openapi;
mod rate_headers;
pub mod routes;
pub mod state;

pub use detached::Detached;
pub use error::ApiError;
pub use state::{App, AppState};

use std::sync::Arc;

/// What everybody may reach.
pub fn router(app: &AppState) -> axum::Router {
    let (limited, document) = routes::limited().split_for_parts();
    let (unlimited, unlimited_document) = routes::unlimited().split_for_parts();
    let pages = openapi::routes(&openapi::finish(document, unlimited_document));
    let limited = middleware::not_found(limited.merge(pages), "There is no such path; see /docs.");
    let limited = middleware::limit(middleware::problems(limited), app);
    middleware::observe(limited.merge(middleware::problems(unlimited))).with_state(Arc::clone(app))
}

/// What only operators and their monitors may reach: for a listener of its own. It asks for no credentials and counts no
/// requests, so that it answers while the other one is busy.
pub fn operations_router(app: &AppState) -> axum::Router {
    let private = routes::operations::private();
    let private = middleware::not_found(private, "This listener has /healthz, /readyz, /version and /metrics.");
    middleware::observe(middleware::problems(private)).with_state(Arc::clone(app))
}

/// The OpenAPI document of [`router`], as served at `/openapi.json`.
pub fn openapi() -> serde_json::Value {
    openapi::finish(routes::limited().into_openapi(), routes::unlimited().into_openapi())
}
