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

/// The whole HTTP surface.
pub fn router(app: &AppState) -> axum::Router {
    let (router, document) = routes::all().split_for_parts();
    let router = router.merge(openapi::routes(&openapi::finish(&document)));
    middleware::wrap(router, app).with_state(Arc::clone(app))
}

/// The OpenAPI document, as served at `/openapi.json`.
pub fn openapi() -> serde_json::Value {
    openapi::finish(&routes::all().into_openapi())
}
