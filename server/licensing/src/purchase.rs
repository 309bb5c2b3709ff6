//! The unsigned transaction that buys a licence. The buyer's key signs it, elsewhere.
//!
//! A client builds the same transaction itself from the chain and compares: a legacy message with the buyer as fee payer
//! and only signer, of the instructions that [`payment`] puts together.

use clawos_api::limits::MAX_SKILL_ID;
use clawos_api::market::{CapsRequest, PurchaseOffer, PurchaseRequest};
use clawos_api::{Money, Timestamp};
use clawos_base::{Invalid, Problems};
use clawos_identity::{Caller, Scope};
use clawos_interface::MAX_AMOUNT;
use clawos_interface::instruction::args::PurchaseArgs;
use clawos_interface::instruction::{Route, purchase as purchase_instruction};
use clawos_interface::rules::usage::Caps;
use clawos_receipts::text::{to_base58, to_hex};
use clawos_registry::Registry;
use clawos_solana::assembly::{check_buyer, payment};
use clawos_solana::transaction::{message, unsigned_base64};

use crate::quote::Asked;
use crate::{Licensing, LicensingError};

/// How long a blockhash is usually good (milliseconds): 150 blocks of 400 ms. The block height decides.
pub(crate) const BLOCKHASH_MS: i64 = 60_000;
/// Longest name of a kind or tier (characters).
const MAX_WORD: usize = 16;

fn check_values(request: &PurchaseRequest) -> Result<(), Invalid> {
    let mut problems = Problems::default();
    problems.text("/skill", &request.skill, 1..=MAX_SKILL_ID);
    problems.text("/kind", &request.kind, 1..=MAX_WORD);
    problems.text("/tier", &request.tier, 1..=MAX_WORD);
    if let Some(CapsRequest { usage_limit, max_units_per_batch, max_units_per_day }) = request.caps {
        let caps = [
            ("usage_limit", usage_limit),
            ("max_units_per_batch", max_units_per_batch),
            ("max_units_per_day", max_units_per_day),
        ];
        for (name, _) in caps.iter().filter(|(_, units)| *units > MAX_AMOUNT) {
            problems.add(format!("/caps/{name}"), "must be at most 2^63 - 1");
        }
    }
    problems.into_result()
}

impl Licensing {
    /// Describes the purchase of a licence by the caller's wallet. Nothing is stored, so an `Idempotency-Key` has nothing to
    /// do here: a repetition is described anew, with a blockhash that has not aged. It is the program that sells only once.
    ///
    /// # Errors
    /// For values out of bounds, and without the scope `invoke`; when the skill does not exist, is free, is the caller's own,
    /// is not on sale like that, or is sold with another meter than this server's; [`LicensingError::PriceAboveMax`]; when the chain cannot be
    /// read.
    pub async fn purchase(
        &self,
        registry: &Registry,
        caller: &Caller,
        request: &PurchaseRequest,
    ) -> Result<PurchaseOffer, LicensingError> {
        check_values(request)?;
        caller.require(Scope::Invoke)?;
        let buyer = &caller.wallet;
        let asked = Asked::licence(&request.kind, &request.tier)?;
        let skill = registry.resolve(&request.skill, None).await?;
        if skill.manifest.prices.is_none() {
            return Err(LicensingError::Free);
        }
        let reading = self.listing_now(&skill.publisher_wallet, &request.skill).await?;
        let state = &reading.snapshot.value;
        let account = self.sold_here(state)?;
        check_buyer(buyer, account).map_err(|_| LicensingError::SelfPurchase)?;
        let amounts = asked.amounts(&account.terms(&state.config.meter), state.config.fee_bps())?;
        let price = amounts.unit_price.unwrap_or(amounts.price);
        if let Some(max) = request.max_price.filter(|max| price > *max) {
            return Err(LicensingError::PriceAboveMax { price, max });
        }
        let terms_hash = state.terms_hash().ok_or(LicensingError::NotRegistered)?;
        let route = Route::new(&state.config, state.skill_account, account).map_err(LicensingError::NotForSale)?;
        let caps = request.caps.map_or_else(Caps::default, |caps| Caps {
            usage_limit: caps.usage_limit,
            max_units_per_batch: caps.max_units_per_batch,
            max_units_per_day: caps.max_units_per_day,
        });
        let args = PurchaseArgs { kind: asked.kind, tier: asked.tier, max_price: price, terms_hash, caps };
        let blockhash = self.chain.latest_blockhash().await?;
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
            expires_at: Timestamp(self.clock.now_ms() + BLOCKHASH_MS),
        })
    }
}
