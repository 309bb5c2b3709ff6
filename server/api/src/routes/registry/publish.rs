//! Publishing a skill, or a version of one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clawos_api::Code;
use clawos_api::registry::{PublishQuery, PublishReport};
use clawos_base::idempotency::Keyed;
use clawos_identity::Caller;
use clawos_registry::{PUBLISH_TIMEOUT, Upload};

use super::upload::{ReceivedUpload, UploadForm};
use crate::extract::{Authenticated, IdempotencyHeader, IdempotencyKey, Path, Query};
use crate::{ApiError, AppState, idempotent};

/// What can be wrong with a version, beyond what its request's shape says.
const PUBLISH_CODES: &[Code] = &[
    Code::ValidationFailed,
    Code::NotPublisher,
    Code::ManifestInvalid,
    Code::PriceInvalid,
    Code::SchemaInvalid,
    Code::ExampleFailed,
    Code::ArtifactInvalid,
    Code::PermissionMismatch,
    Code::SkillExists,
    Code::VersionExists,
    Code::BadSignature,
    Code::SandboxBusy,
];

/// Publish a new skill.
#[utoipa::path(post, path = "/skills", operation_id = "publish_skill", tag = "skills",
    security(("bearer" = ["publish"])),
    params(PublishQuery, IdempotencyHeader),
    request_body(content = inline(UploadForm), content_type = "multipart/form-data", description = "The parts of the version"),
    responses((status = 201, description = "It is published", body = PublishReport),
        (status = 200, description = "It could be published: the answer of a dry run", body = PublishReport)),
    extensions(("x-codes" = json!(PUBLISH_CODES))))]
pub(super) async fn publish(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Query(query): Query<PublishQuery>,
    key: IdempotencyKey,
    ReceivedUpload(upload): ReceivedUpload,
) -> Result<Response, ApiError> {
    accept(&app, &caller, None, query.dry_run, &key, &upload).await
}

/// Publish a new version of a skill.
#[utoipa::path(post, path = "/skills/{id}/versions", operation_id = "publish_version", tag = "skills",
    security(("bearer" = ["publish"])),
    params(("id" = String, Path, description = "`publisher.name`"), PublishQuery, IdempotencyHeader),
    request_body(content = inline(UploadForm), content_type = "multipart/form-data", description = "The parts of the version"),
    responses((status = 201, description = "It is published", body = PublishReport),
        (status = 200, description = "It could be published: the answer of a dry run", body = PublishReport)),
    extensions(("x-codes" = json!([PUBLISH_CODES, &[Code::SkillNotFound]].concat()))))]
pub(super) async fn publish_version(
    State(app): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    Query(query): Query<PublishQuery>,
    key: IdempotencyKey,
    ReceivedUpload(upload): ReceivedUpload,
) -> Result<Response, ApiError> {
    accept(&app, &caller, Some(&id), query.dry_run, &key, &upload).await
}

async fn accept(
    app: &AppState,
    caller: &Caller,
    target: Option<&str>,
    dry_run: bool,
    key: &IdempotencyKey,
    upload: &Upload,
) -> Result<Response, ApiError> {
    let request = Keyed {
        agent_id: &caller.agent_id,
        route: if target.is_some() { "POST /skills/{id}/versions" } else { "POST /skills" },
        key: key.0.as_deref(),
        fingerprint: upload.fingerprint(target, dry_run),
        within: PUBLISH_TIMEOUT,
    };
    let status = if dry_run { StatusCode::OK } else { StatusCode::CREATED };
    let work = |slot| async move { Ok(app.registry.publish(caller, target, upload, dry_run, &slot).await?) };
    idempotent::once(&app.idempotency, request, status, work).await
}
