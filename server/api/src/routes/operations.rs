//! Operations: is it alive, is it ready, what is it, what has it done. All of it is on the operations listener; the public one
//! says only that the process is alive, since the rest tells a stranger how the server is doing.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use clawos_api::operations::{Health, Readiness, Version};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

/// Bounds of histograms by the end of their names, which is their unit.
const BUCKETS: &[(&str, &[f64])] = &[("_seconds", SECONDS), ("_fuel", FUEL), ("_receipts", RECEIPTS)];
/// From a call that is answered from memory to one that ran into its time limit.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From a call that does nothing to the most that a manifest may ask for.
const FUEL: &[f64] = &[1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9];
/// From one receipt to a full group.
const RECEIPTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What the public listener answers, outside `/api/v1`.
pub(super) fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(healthz))
}

/// What the operations listener answers: `/healthz`, `/readyz`, `/version` and `/metrics`.
pub(crate) fn private() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/version", get(version))
        .route("/metrics", get(metrics))
}

/// The recorder of this process; the first call installs it.
pub fn recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let builder = BUCKETS.iter().fold(PrometheusBuilder::new(), |builder, (ending, bounds)| {
            let ending = Matcher::Suffix((*ending).to_owned());
            builder.set_buckets_for_metric(ending, bounds).expect("no list is empty")
        });
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

/// Whether the server can do its work: 200 or 503, and which part is missing.
async fn readyz(State(app): State<AppState>) -> Response {
    let (database, storage, chain) = tokio::join!(app.db.ping(), app.storage.check(), app.licensing.reachable());
    let (database, storage) = (database.is_ok(), storage.is_ok());
    let network = app.licensing.network().await.is_ok();
    let ready = database && storage && network;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database, storage, network, chain })).into_response()
}

/// Which version runs.
async fn version(State(app): State<AppState>) -> Json<Version> {
    Json(Version {
        name: "clawos-server".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime: app.engine(),
    })
}

/// Counters and histograms in Prometheus text form.
async fn metrics(State(app): State<AppState>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}
