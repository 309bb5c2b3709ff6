//! Skills and their versions: publish, list, show, download.
//!
//! A version is immutable and signed by its publisher. What a module may do is read off its imports, never off a text; what
//! the manifest's examples promise is run before anyone can buy it.

mod artifact;
mod candidate;
mod examples;
mod list;
mod places;
mod publish;
mod quota;
mod resolve;
mod show;
mod store;
mod types;
mod upload;
mod versions;

pub use resolve::{Registry, SkillVersion};

use crate::app::AppState;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes under `/skills`.
pub fn routes() -> OpenApiRouter<AppState> {
    // Uploads count their own bytes, part by part; this bounds what is between the parts too.
    let uploads = OpenApiRouter::new()
        .routes(routes!(publish::publish))
        .routes(routes!(publish::publish_version))
        .layer(DefaultBodyLimit::max(upload::MAX_BODY));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(list::list))
        .routes(routes!(show::show))
        .routes(routes!(versions::versions))
        .routes(routes!(versions::version))
        .routes(routes!(artifact::artifact))
}
