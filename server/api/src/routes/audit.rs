//! `GET /agents/me/audit`.

use axum::Json;
use axum::extract::State;
use clawos_api::Page;
use clawos_api::audit::{Entry, ListQuery};
use clawos_identity::Scope;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Query};
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What the caller's agent did, newest first.
#[utoipa::path(get, path = "/agents/me/audit", operation_id = "list_audit_entries", tag = "identity",
    security(("bearer" = ["admin"])),
    params(ListQuery),
    responses((status = 200, description = "A page of entries", body = Page<Entry>)))]
async fn list(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Entry>>, ApiError> {
    caller.require(Scope::Admin)?;
    Ok(Json(clawos_base::audit::list(&app.db, &caller.agent_id, &query).await?))
}
