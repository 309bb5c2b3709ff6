//! The multipart body of a publish: named parts, each with its own limit, none twice. Its sender is checked before it is
//! read; few are read at a time, and none for long.

use std::time::Duration;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use clawos_api::limits::{MAX_FILES, MAX_README};
use clawos_api::{Code, FieldError};
use clawos_manifest::manifest::MAX_MANIFEST_BYTES;
use clawos_manifest::resolve::{MAX_FILE_BYTES, MAX_TOTAL_BYTES};
use clawos_registry::{Upload, UploadParts};
use clawos_runtime::limits::MAX_ARTIFACT_BYTES;
use utoipa::ToSchema;

use crate::extract::{Authenticated, check_body};
use crate::{ApiError, AppState};

/// The whole body (bytes): every part at its limit, and the lines between them.
pub(super) const MAX_BODY: usize =
    MAX_ARTIFACT_BYTES as usize + MAX_TOTAL_BYTES + MAX_MANIFEST_BYTES + MAX_README + 1024 * 1024;
/// A base58 signature has at most 88 characters.
const MAX_SIGNATURE: usize = 128;

/// How long an upload may take to arrive: the largest at half a megabyte a second.
const MAX_BODY_TIME: Duration = Duration::from_secs(60);

/// The parts, for the API's documentation.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct UploadForm {
    /// The text of `skill.toml`.
    manifest: String,
    /// The module.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    artifact: String,
    /// Schemas and examples, each with its path in the manifest as file name.
    #[schema(value_type = Option<Vec<String>>)]
    file: Vec<String>,
    /// Markdown.
    readme: Option<String>,
    /// The publisher's signature of the version statement, base58; not needed in a dry run.
    signature: Option<String>,
}

/// What was sent, whole.
pub(super) struct ReceivedUpload(pub(super) Upload);

impl FromRequest<AppState> for ReceivedUpload {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        check_body(request.headers(), MAX_BODY)?;
        let (mut parts, body) = request.into_parts();
        let Authenticated(caller) = Authenticated::from_request_parts(&mut parts, app).await?;
        let permit = app.registry.permit_upload(&caller)?;
        let form = Multipart::from_request(Request::from_parts(parts, body), app).await.map_err(|error| {
            ApiError::new(Code::UnsupportedMediaType, "Send the parts as `multipart/form-data`.").caused_by(error)
        })?;
        let parts = tokio::time::timeout(MAX_BODY_TIME, read_form(form)).await.map_err(|_| {
            let detail = format!("The body did not arrive within {} seconds.", MAX_BODY_TIME.as_secs());
            ApiError::new(Code::InvalidBody, detail)
        })??;
        Ok(ReceivedUpload(Upload::new(parts, permit).await?))
    }
}

async fn read_form(mut form: Multipart) -> Result<UploadParts, ApiError> {
    let mut parts = UploadParts::default();
    let mut seen = Vec::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" && seen.contains(&name) {
            return Err(bad(&name, "is sent twice"));
        }
        take(&mut parts, &name, field).await?;
        seen.push(name);
    }
    for name in ["manifest", "artifact"] {
        if !seen.iter().any(|seen| seen == name) {
            return Err(bad(name, "is missing"));
        }
    }
    Ok(parts)
}

async fn take(parts: &mut UploadParts, name: &str, field: Field<'_>) -> Result<(), ApiError> {
    match name {
        "manifest" => parts.manifest = text(name, read(name, field, MAX_MANIFEST_BYTES).await?)?,
        "artifact" => parts.artifact = read(name, field, MAX_ARTIFACT_BYTES as usize).await?,
        "readme" => parts.readme = Some(text(name, read(name, field, MAX_README).await?)?),
        "signature" => parts.signature = Some(text(name, read(name, field, MAX_SIGNATURE).await?)?),
        "file" => {
            let path = field.file_name().unwrap_or_default().to_owned();
            if path.is_empty() || path.len() > 200 {
                return Err(bad(name, "needs its path in the manifest as file name, at most 200 characters"));
            }
            let bytes = read(&path, field, MAX_FILE_BYTES).await?;
            if parts.files.insert(path.clone(), bytes).is_some() {
                return Err(bad(&path, "is sent twice"));
            }
            let total: usize = parts.files.values().map(Bytes::len).sum();
            if parts.files.len() > MAX_FILES || total > MAX_TOTAL_BYTES {
                let detail = format!("At most {MAX_FILES} files with {MAX_TOTAL_BYTES} bytes together.");
                return Err(ApiError::new(Code::PayloadTooLarge, detail));
            }
        }
        unknown => return Err(bad(unknown, "is not a part of this form")),
    }
    Ok(())
}

async fn read(name: &str, mut field: Field<'_>, limit: usize) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::new(Code::PayloadTooLarge, format!("`{name}` may have at most {limit} bytes.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn text(name: &str, bytes: Bytes) -> Result<String, ApiError> {
    let text = String::from_utf8(bytes.into()).map_err(|_| bad(name, "must be UTF-8 text"))?;
    // Postgres cannot store NUL in text, and no text needs it.
    if text.contains('\0') { Err(bad(name, "must not contain NUL characters")) } else { Ok(text) }
}

fn bad(part: &str, problem: &str) -> ApiError {
    ApiError::new(Code::InvalidBody, format!("The part `{part}` {problem}."))
        .with_errors(vec![FieldError::at(part, problem)])
}

fn broken(error: MultipartError) -> ApiError {
    let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::PayloadTooLarge } else { Code::InvalidBody };
    ApiError::new(code, "The multipart body could not be read to its end.").caused_by(error)
}
