//! `/skills`: publishing, searching, reading and downloading.

mod artifact;
mod publish;
mod read;
mod upload;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    // Uploads count their own bytes, part by part; this bounds what is between the parts too.
    let uploads = OpenApiRouter::new()
        .routes(routes!(publish::publish))
        .routes(routes!(publish::publish_version))
        .layer(DefaultBodyLimit::max(upload::MAX_BODY));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(read::list))
        .routes(routes!(read::show))
        .routes(routes!(read::versions))
        .routes(routes!(read::version))
        .routes(routes!(artifact::artifact))
}
