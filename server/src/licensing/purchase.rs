//! `POST /marketplace/purchase`: the unsigned transaction that buys a licence. The buyer's key signs it, elsewhere.
//!
//! A client builds the same transaction itself from the chain and compares: a legacy message with the buyer as fee payer
//! and only signer, of the instructions that [`payment`] puts together.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clawos_interface::Key;
use clawos_interface::instruction::args::PurchaseArgs;
use clawos_interface::instruction::{Route, purchase as purchase_instruction};
use clawos_interface::rules::usage::Caps;
use clawos_receipts::text::{decimal, to_base58, to_hex};
use clawos_solana::assembly::payment;
use clawos_solana::transaction::{message, unsigned_base64};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LicensingError;
use super::quote::{Amounts, parse_kind, parse_tier};
use crate::app::AppState;
use crate::error::{ApiError, Code};
use crate::http::idempotency::{self, Begin};
use crate::http::{Caller, IdempotencyKey, Input, Money, Problems, StrictJson, Timestamp};
use crate::identity::Scope;

/// How long a blockhash is usually good (milliseconds): 150 blocks of 400 ms. The block height decides.
const BLOCKHASH_MS: i64 = 60_000;
/// How long the work may take before its idempotency claim is free.
const CLAIM: Duration = Duration::from_secs(30);
/// Longest skill id (characters).
const MAX_SKILL_ID: usize = 128;

/// What to buy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurchaseRequest {
    /// `publisher.name`
    skill: String,
    /// `one_time`, `subscription` or `usage`.
    kind: String,
    /// `personal`, `commercial` or `enterprise`.
    tier: String,
    /// The most to pay, in base units: of the licence, the period, or one unit. A decimal string.
    #[serde(default, with = "decimal::option")]
    #[schema(value_type = Option<String>)]
    max_price: Option<u64>,
    /// The buyer's own bounds on usage.
    #[serde(default)]
    caps: Option<CapsRequest>,
}

/// Bounds on usage in units, decimal strings; "0" is no bound.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapsRequest {
    /// In all.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    usage_limit: u64,
    /// In one settlement.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    max_units_per_batch: u64,
    /// In a UTC day.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    max_units_per_day: u64,
}

/// An unsigned purchase.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PurchaseOffer {
    /// Base64 of the unsigned legacy transaction.
    transaction: String,
    /// The licence account that it makes or renews.
    licence: String,
    /// The skill's account.
    skill_account: String,
    /// What is paid now.
    price: Money,
    /// The platform's part of it.
    fee: Money,
    /// Hash of the terms agreed to, hex.
    terms_hash: String,
    /// The blockhash it was built with.
    blockhash: String,
    /// The block height above which it is refused.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    last_valid_block_height: u64,
    /// About when that is.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl Input for PurchaseRequest {
    fn check(&self, problems: &mut Problems) {
        problems.text("/skill", &self.skill, 1..=MAX_SKILL_ID);
        problems.text("/kind", &self.kind, 1..=16);
        problems.text("/tier", &self.tier, 1..=16);
        let limits =
            self.caps.map_or([0; 3], |caps| [caps.usage_limit, caps.max_units_per_batch, caps.max_units_per_day]);
        for (name, units) in ["usage_limit", "max_units_per_batch", "max_units_per_day"].iter().zip(limits) {
            if units > clawos_interface::MAX_AMOUNT {
                problems.add(format!("/caps/{name}"), "must be at most 2^63 - 1");
            }
        }
    }
}

/// Describes the purchase of a licence by the caller's wallet.
#[utoipa::path(post, path = "/marketplace/purchase", tag = "marketplace", request_body = PurchaseRequest,
    responses((status = 200, body = PurchaseOffer), (status = 402, body = crate::error::Problem), (status = 403, body = crate::error::Problem), (status = 404, body = crate::error::Problem), (status = 409, body = crate::error::Problem), (status = 503, body = crate::error::Problem)))]
pub(crate) async fn purchase(
    State(app): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    StrictJson { value: request, raw }: StrictJson<PurchaseRequest>,
) -> Result<Json<PurchaseOffer>, ApiError> {
    caller.require(Scope::Invoke)?;
    let fingerprint = idempotency::fingerprint(&[&raw]);
    let claim = match app.idempotency.begin(&caller, "purchase", &key, fingerprint, CLAIM).await? {
        Begin::Claimed(claim) => Some(claim),
        // Nothing happened the first time that could happen twice, and the blockhash has aged: describe it anew.
        Begin::Replay(_) | Begin::Unkeyed => None,
    };
    let offer = offer(&app, &caller.wallet, &request).await;
    if let Some(claim) = claim {
        match &offer {
            Ok(offer) => {
                let body = serde_json::to_vec(offer).map_err(ApiError::internal)?;
                let mut connection = app.db.acquire().await?;
                app.idempotency.complete_in(&claim, &mut connection, StatusCode::OK, &body).await?;
            }
            Err(_) => app.idempotency.abandon(&claim).await?,
        }
    }
    Ok(Json(offer?))
}

async fn offer(app: &AppState, buyer: &Key, request: &PurchaseRequest) -> Result<PurchaseOffer, ApiError> {
    let (kind, tier) = (parse_kind(&request.kind)?, parse_tier(&request.tier)?);
    let skill = app.registry.resolve(&request.skill, None).await?;
    if skill.manifest.prices.is_none() {
        return Err(ApiError::new(Code::NotRegistered, "The skill is free; call it without a licence."));
    }
    let reading = app.licensing.listing_now(&skill.publisher_wallet, &request.skill).await?;
    let state = &reading.snapshot.value;
    let account = app.licensing.sold_here(state)?;
    let amounts = Amounts::of(&account.terms(&state.config.meter), kind, tier, 0, state.config.fee_bps())?;
    let asked = amounts.unit_price.unwrap_or(amounts.price);
    if let Some(max) = request.max_price.filter(|max| asked > *max) {
        return Err(LicensingError::PriceAboveMax { price: asked, max }.into());
    }
    let terms_hash = state.terms_hash().ok_or(LicensingError::NotRegistered)?;
    let route = Route::new(&state.config, state.skill_account, account).map_err(LicensingError::NotForSale)?;
    let caps = request.caps.map_or_else(Caps::default, |caps| Caps {
        usage_limit: caps.usage_limit,
        max_units_per_batch: caps.max_units_per_batch,
        max_units_per_day: caps.max_units_per_day,
    });
    let args = PurchaseArgs { kind, tier, max_price: asked, terms_hash, caps };
    let blockhash = app.licensing.chain.latest_blockhash().await.map_err(LicensingError::from)?;
    let instructions = payment(buyer, &route, buyer, purchase_instruction(buyer, &route, &args));
    Ok(PurchaseOffer {
        transaction: unsigned_base64(&message(buyer, &instructions, &blockhash.hash)),
        licence: to_base58(&route.licence(buyer)),
        skill_account: to_base58(&route.skill),
        price: Money::new(amounts.price, amounts.currency),
        fee: Money::new(amounts.fee, amounts.currency),
        terms_hash: to_hex(&terms_hash),
        blockhash: to_base58(&blockhash.hash),
        last_valid_block_height: blockhash.last_valid_block_height,
        expires_at: Timestamp(app.clock.now_ms() + BLOCKHASH_MS),
    })
}
