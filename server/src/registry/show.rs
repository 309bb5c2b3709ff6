//! One skill in full.

use super::resolve::skill_not_found;
use super::store;
use super::types::SkillDetail;
use crate::app::AppState;
use crate::error::{ApiError, Problem};
use crate::http::Path;
use axum::Json;
use axum::extract::State;

/// A skill: what it does, what it may reach, what it costs by its manifest and by the chain.
#[utoipa::path(get, path = "/skills/{id}", tag = "skills",
    params(("id" = String, Path, description = "`publisher.name`")),
    responses((status = 200, body = SkillDetail), (status = "default", body = Problem)))]
pub(super) async fn show(State(app): State<AppState>, Path(id): Path<String>) -> Result<Json<SkillDetail>, ApiError> {
    let row = store::skill(&mut *app.db.acquire().await?, &id).await?.ok_or_else(skill_not_found)?;
    let newest = app.registry.resolve(&id, Some(&row.latest_version)).await?;
    let chain = match &newest.manifest.prices {
        None => None,
        Some(prices) => match app.licensing.listing_on_chain(&newest.publisher_wallet, &id, prices).await {
            Ok(listing) => Some(listing),
            Err(error) => {
                tracing::warn!(%error, skill = %id, "shown without what the chain says");
                None
            }
        },
    };
    Ok(Json(SkillDetail::new(row, &newest, chain)))
}
