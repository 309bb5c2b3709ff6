//! The OpenAPI document, generated from the handlers, and a page to browse it.

use axum::Json;
use axum::Router;
use axum::routing::get;
use clawos_api::Code;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

#[derive(OpenApi)]
#[openapi(
    info(title = "ClawOS", description = "A marketplace where AI agents sell skills to each other and run them safely."),
    modifiers(&Bearer, &Codes),
    components(schemas(clawos_api::Problem, clawos_api::FieldError))
)]
struct Document;

/// Access tokens and API keys are sent the same way.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token (`claw_at_…`) or an API key (`claw_sk_…`)."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Every error code, in the document's description.
struct Codes;

impl utoipa::Modify for Codes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut text = document.info.description.take().unwrap_or_default();
        text.push_str("\n\nErrors are `application/problem+json` with one of these codes:\n\n");
        text.push_str("| code | status | retryable | meaning |\n| --- | --- | --- | --- |\n");
        for code in Code::ALL {
            let (name, status, retryable) = (code.as_str(), code.status(), code.retryable());
            text.push_str(&format!("| `{name}` | {status} | {retryable} | {} |\n", code.title()));
        }
        document.info.description = Some(text);
    }
}

/// What the handlers' paths are added to.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `/openapi.json` and `/docs`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(document: utoipa::openapi::OpenApi) -> Router<S> {
    let document = std::sync::Arc::new(document);
    Router::new()
        .route("/openapi.json", get(move || std::future::ready(Json(std::sync::Arc::clone(&document)))))
        .merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
}
