//! The module itself, for anyone who wants to check or replay it.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use clawos_api::Code;
use clawos_api::registry::VersionQuery;
use clawos_receipts::text::to_hex;
use clawos_storage::Artifact;
use tokio::io::AsyncReadExt;
use utoipa::ToSchema;

use crate::extract::{Path, Query};
use crate::{ApiError, AppState};

/// How much of an artifact a download holds in memory (bytes).
const PIECE: usize = 64 * 1024;

/// A module's bytes, for the API's documentation.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "only its schema is used")]
struct Module(Vec<u8>);

/// A version's artifact. `ETag` and `X-ClawOS-Skill-Digest` are its SHA-256.
#[utoipa::path(get, path = "/skills/{id}/artifact", operation_id = "download_artifact", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`"), VersionQuery,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, description = "The module", content_type = "application/wasm", body = inline(Module), headers(
            ("ETag" = String, description = "The artifact's SHA-256 in hex, quoted"),
            ("X-ClawOS-Skill-Digest" = String, description = "`sha256:` and the same in hex"),
            ("X-ClawOS-Skill-Version" = String, description = "The version, as SemVer"),
            ("Cache-Control" = String, description = "A pinned version never changes"),
            ("Accept-Ranges" = String, description = "`none`"))),
        (status = 304, description = "You have it already", headers(
            ("ETag" = String, description = "The artifact's SHA-256 in hex, quoted"),
            ("X-ClawOS-Skill-Digest" = String, description = "`sha256:` and the same in hex"),
            ("X-ClawOS-Skill-Version" = String, description = "The version, as SemVer"),
            ("Cache-Control" = String, description = "A pinned version never changes"),
            ("Accept-Ranges" = String, description = "`none`")))),
    extensions(("x-codes" = json!([Code::SkillNotFound, Code::VersionNotFound]))))]
pub(super) async fn artifact(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<VersionQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let version = app.registry.resolve(&id, query.version.as_deref()).await?;
    let digest = to_hex(&version.module_sha256);
    let tag = format!("\"{digest}\"");
    // A pinned version never changes; the newest one may at any time.
    let caching = if query.version.is_some() { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let common = [
        ("etag", tag.clone()),
        ("x-clawos-skill-digest", format!("sha256:{digest}")),
        ("x-clawos-skill-version", version.version.clone()),
        ("cache-control", caching.to_owned()),
        ("accept-ranges", "none".to_owned()),
    ];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let artifact = app.registry.open_artifact(&version).await?;
    let kind =
        [(header::CONTENT_TYPE, "application/wasm".to_owned()), (header::CONTENT_LENGTH, artifact.len.to_string())];
    Ok((common, kind, in_pieces(artifact)).into_response())
}

/// Whether `If-None-Match` names the tag. Tags are compared weakly (RFC 9110, 13.1.2): a proxy that compressed the bytes on
/// their way writes `W/` before it.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// A body that holds one piece of the artifact in memory, however slowly it is read.
fn in_pieces(artifact: Artifact) -> Body {
    Body::from_stream(futures::stream::try_unfold(artifact.content, async |mut content| {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = content.read_buf(&mut piece).await?;
        Ok::<_, io::Error>((read > 0).then(|| (piece.freeze(), content)))
    }))
}
