//! Operations: is it alive, is it ready, what is it, what has it done.

use std::sync::OnceLock;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clawos_api::operations::{Health, Readiness, Version};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

/// Bounds of the request duration histogram (seconds).
const DURATION_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The routes, outside `/api/v1`.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(version))
        .routes(routes!(metrics))
}

/// The recorder of this process; the first call installs it.
pub fn recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let builder = PrometheusBuilder::new().set_buckets(DURATION_BUCKETS).expect("the list is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics will be empty");
        }
        handle
    };
    HANDLE.get_or_init(install).clone()
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "It is", body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok".to_owned() })
}

/// Whether the server can do its work.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot; the members say what is missing", body = Readiness)))]
async fn readyz(State(app): State<AppState>) -> Response {
    let (database, storage, chain) = tokio::join!(app.db.ping(), app.storage.check(), app.licensing.reachable());
    let (database, storage) = (database.is_ok(), storage.is_ok());
    let ready = database && storage;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database, storage, chain })).into_response()
}

/// Which version runs.
#[utoipa::path(get, path = "/version", tag = "operations", responses((status = 200, description = "The server's name and version, and its engine's", body = Version)))]
async fn version(State(app): State<AppState>) -> Json<Version> {
    Json(Version {
        name: "clawos-server".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime: app.engine(),
    })
}

/// Counters and histograms in Prometheus text form.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)))]
async fn metrics(State(app): State<AppState>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}
