//! API keys: `/agents/me/keys`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clawos_api::identity::{ApiKey, CreateKey, NewKey, Rotate};
use clawos_api::{Code, Page};
use clawos_base::idempotency::{CLAIM, Keyed, fingerprint};
use clawos_identity::{KeyRequest, RotationRequest};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{Authenticated, Body, IdempotencyHeader, IdempotencyKey, Path, StrictJson};
use crate::idempotent::once;
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(rotate))
}

impl Body for CreateKey {}
impl Body for Rotate {}

/// The caller's keys that are neither revoked nor expired.
#[utoipa::path(get, path = "/agents/me/keys", operation_id = "list_keys", tag = "identity",
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "All of them on one page", body = Page<ApiKey>)))]
async fn list(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Page<ApiKey>>, ApiError> {
    Ok(Json(app.identity.keys(&caller).await?))
}

/// Make a key. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/agents/me/keys", operation_id = "create_key", tag = "identity",
    security(("bearer" = ["admin"])),
    params(IdempotencyHeader),
    request_body = CreateKey,
    responses((status = 201, description = "The key with its secret", body = NewKey)),
    extensions(("x-codes" = json!([Code::ValidationFailed, Code::CapTooHigh]))))]
async fn create(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    IdempotencyKey(key): IdempotencyKey,
    body: StrictJson<CreateKey>,
) -> Result<Response, ApiError> {
    let request = KeyRequest::new(&caller, body.value)?;
    let keyed = Keyed {
        agent_id: &caller.agent_id,
        route: "POST /agents/me/keys",
        key: key.as_deref(),
        fingerprint: fingerprint(&[caller.secret_owner(), &body.raw]),
        within: CLAIM,
    };
    let (identity, caller) = (&app.identity, &caller);
    once(&app.idempotency, keyed, StatusCode::CREATED, async move |slot| {
        Ok(identity.create_key(caller, request, &slot).await?)
    })
    .await
}

/// Revoke a key at once, and every key that it made. A key cannot revoke one with more scopes than itself.
#[utoipa::path(delete, path = "/agents/me/keys/{key}", operation_id = "revoke_key", tag = "identity",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "`key_…`")),
    responses((status = 204, description = "It works no more")))]
async fn revoke(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.identity.revoke_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace a key by a new one with the same settings; the old one, and what it made, lives on for the overlap.
#[utoipa::path(post, path = "/agents/me/keys/{key}/rotate", operation_id = "rotate_key", tag = "identity",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "`key_…`"), IdempotencyHeader),
    request_body = Rotate,
    responses((status = 201, description = "The new key with its secret", body = NewKey)),
    extensions(("x-codes" = json!([Code::ValidationFailed, Code::CapTooHigh]))))]
async fn rotate(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    body: StrictJson<Rotate>,
) -> Result<Response, ApiError> {
    let request = RotationRequest::new(&caller, body.value)?;
    let keyed = Keyed {
        agent_id: &caller.agent_id,
        route: "POST /agents/me/keys/{key}/rotate",
        key: key.as_deref(),
        fingerprint: fingerprint(&[caller.secret_owner(), id.as_bytes(), &body.raw]),
        within: CLAIM,
    };
    let (identity, caller, id) = (&app.identity, &caller, &id);
    once(&app.idempotency, keyed, StatusCode::CREATED, async move |slot| {
        Ok(identity.rotate_key(caller, id, request, &slot).await?)
    })
    .await
}
