//! `GET /marketplace/verify/{skill}`: what this proxy thinks of a licence, with the slot and age of what it rests on.

use axum::Json;
use axum::extract::State;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::{Validity, validity};
use clawos_interface::{Kind, LicenceStatus, Tier};
use clawos_receipts::text::{decimal, from_base58, to_base58};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{LicenceState, Licensing, REFUSAL_MAX_AGE_MS, Reading, Source, skill_account};
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::http::{MaybeCaller, Path, Query, Timestamp};

/// Whose licence.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyQuery {
    /// The buyer's wallet, base58; by default the caller's own.
    buyer: Option<String>,
}

/// A licence as this proxy sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LicenceView {
    /// Its derived address.
    licence: String,
    /// Whether there is such an account.
    exists: bool,
    /// Whether a call would be allowed now.
    valid: bool,
    /// `ok`, or why not: `missing`, `expired`, `suspended`, `refunded`, `closing`, `limit_reached`, `wrong_proxy`, `usage_paused`.
    reason: String,
    /// `one_time`, `subscription` or `usage`.
    kind: Option<String>,
    /// `personal`, `commercial` or `enterprise`.
    tier: Option<String>,
    /// `active`, `suspended` or `refunded`.
    status: Option<String>,
    /// End of its period; null when it does not end.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Units left as of that slot, before what the proxy has not recorded yet; null when nothing bounds them.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    units_left: Option<u64>,
    /// Prepaid balance, base units.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    credit: Option<u64>,
    /// Recorded usage that credit did not cover, base units.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    unbilled: Option<u64>,
    /// Units recorded so far.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    usage_total: Option<u64>,
    /// Batches recorded so far.
    #[serde(with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    usage_seq: Option<u64>,
    /// The key that may record usage.
    meter: Option<String>,
    /// The slot it was read at.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    slot: u64,
    /// How old that is, milliseconds.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    age_ms: u64,
    /// Where it was read.
    source: Source,
}

/// Says whether a buyer may call a skill here.
#[utoipa::path(get, path = "/marketplace/verify/{skill}", tag = "marketplace", params(("skill" = String, Path), VerifyQuery),
    responses((status = 200, body = LicenceView), (status = 404, body = crate::error::Problem), (status = 503, body = crate::error::Problem)))]
pub(crate) async fn verify(
    State(app): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path(skill): Path<String>,
    Query(query): Query<VerifyQuery>,
) -> Result<Json<LicenceView>, ApiError> {
    let buyer = match (&query.buyer, &caller) {
        (Some(text), _) => from_base58::<32>(text)
            .map_err(|_| ApiError::new(Code::ValidationFailed, "buyer must be a wallet address in base58."))?,
        (None, Some(caller)) => caller.wallet,
        (None, None) => return Err(ApiError::new(Code::ValidationFailed, "Name the buyer's wallet, or sign in.")),
    };
    let version = app.registry.resolve(&skill, None).await?;
    let account = skill_account(&version.publisher_wallet, &skill);
    let reading = app.licensing.licence(account, &buyer, REFUSAL_MAX_AGE_MS).await?;
    let now_secs = app.licensing.now_secs(&reading.snapshot);
    Ok(Json(view(&reading, now_secs, &app.licensing)))
}

fn view(reading: &Reading<LicenceState>, now_secs: i64, licensing: &Licensing) -> LicenceView {
    let state = &reading.snapshot.value;
    let licence = state.licence.as_ref();
    let rule = licence.map_or(Validity::MISSING, |licence| validity(licence, now_secs));
    let refusal = licensing.check_state(state, now_secs).err();
    LicenceView {
        licence: to_base58(&state.licence_account),
        exists: licence.is_some(),
        valid: refusal.is_none(),
        reason: refusal.map_or("ok", |refusal| refusal.name()).to_owned(),
        kind: rule.kind().map(|kind: Kind| kind.to_string()),
        tier: rule.tier().map(|tier: Tier| tier.to_string()),
        status: licence
            .and_then(|licence| LicenceStatus::try_from(licence.status).ok())
            .map(|status| status.to_string()),
        expires_at: Some(rule.expires_at).filter(|end| *end != 0).map(|end| Timestamp(end.saturating_mul(1_000))),
        units_left: licence.and(Some(rule.units_left)).filter(|units| *units != u64::MAX),
        credit: licence.map(Licence::credit),
        unbilled: licence.map(Licence::unbilled),
        usage_total: licence.map(Licence::usage_total),
        usage_seq: licence.map(Licence::usage_seq),
        meter: licence.map(|licence| to_base58(&licence.meter)),
        slot: reading.snapshot.slot,
        age_ms: reading.age_ms,
        source: reading.source,
    }
}
