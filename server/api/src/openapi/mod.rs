//! The OpenAPI document and a page to browse it.
//!
//! A handler documents itself: its doc comment is the summary, and its `#[utoipa::path]` names `operation_id`, `tag`,
//! parameters, bodies, what a success means, and in `x-codes` the error codes that are its own. `security` names the scope that
//! is needed; without it the endpoint is public. All else follows from that and is added here:
//!
//! | module | adds |
//! | --- | --- |
//! | `codes` | the codes that follow from an operation's shape; every code as a response of its status |
//! | `headers` | what every request may carry and every answer carries |
//! | `limits` | lengths, ranges and forms, from the constants that are checked |
//! | `examples` | the requests and answers of `examples.json` |

mod codes;
mod examples;
mod headers;
mod limits;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clawos_api::Code;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::ApiError;

/// What is said before the operations: conventions, the receipt's format, the table of codes.
const DESCRIPTION: &str = include_str!("description.md");

#[derive(OpenApi)]
#[openapi(
    info(title = "ClawOS"),
    modifiers(&Bearer),
    servers((url = "/", description = "The server that this document came from")),
    components(schemas(clawos_api::Problem, clawos_api::FieldError)),
    tags(
        (name = "identity", description = "Enrolment, sessions, API keys, profiles and the audit log."),
        (name = "skills", description = "Publishing skills, finding them, reading and downloading them."),
        (name = "marketplace", description = "Quotes, purchases and licences. The buyer's wallet signs; the server only describes."),
        (name = "execution", description = "Calling skills."),
        (name = "receipts", description = "Signed receipts, and the batches in which they are settled on chain."),
        (name = "operations", description = "Whether the server is well, and what it runs.")
    )
)]
struct Document;

/// Access tokens and API keys are sent the same way.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let text = "An access token (`claw_at_…`) or an API key (`claw_sk_…`). The names at an operation are the scopes that \
                    the key needs; an access token has all of them.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// What the handlers' paths are added to.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The whole document, from what the handlers say of themselves: those whose callers are counted, and the others.
pub(crate) fn finish(mut limited: utoipa::openapi::OpenApi, unlimited: utoipa::openapi::OpenApi) -> Value {
    let uncounted: Vec<String> = unlimited.paths.paths.keys().cloned().collect();
    limited.merge(unlimited);
    let mut document = serde_json::to_value(limited).expect("a document is JSON");
    document["info"]["description"] = json!(format!("{DESCRIPTION}\n{}", codes::table()));
    document["components"]["headers"] = headers::components();
    document["components"]["examples"] = codes::examples();
    limits::add(&mut document["components"]["schemas"]);
    for (path, methods) in members(&mut document["paths"]) {
        for (method, operation) in members(methods) {
            if operation["security"].is_null() {
                operation["security"] = json!([]);
            }
            limits::add_to_parameters(path, operation);
            if operation["requestBody"]["content"]["multipart/form-data"].is_object() {
                limits::add_to_form(operation);
            }
            codes::add(method, path, operation, !uncounted.contains(path));
            headers::add(operation);
            examples::add(operation);
        }
    }
    document
}

/// The members of an object; none of anything else.
fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flat_map(Map::iter_mut)
}

/// `/openapi.json` and `/docs`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(document: &Value) -> Router<S> {
    let text: Arc<str> = document.to_string().into();
    let answer = move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], text.to_string()));
    let pages: Router<S> = SwaggerUi::new("/docs").config(Config::from("/openapi.json")).into();
    Router::new().route("/openapi.json", get(answer)).merge(pages.layer(map_response(as_problem)))
}

/// What the pages do not have is a problem as everywhere else; they say it without a body.
async fn as_problem(response: Response) -> Response {
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    ApiError::new(Code::NotFound, "There is no such page; see /docs.").into_response()
}
