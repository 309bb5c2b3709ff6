//! `/agents/…` and `/auth/…`.

mod enrolment;
mod keys;
mod profile;
mod sessions;

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(enrolment::routes())
        .merge(sessions::routes())
        .merge(keys::routes())
        .merge(profile::routes())
}
