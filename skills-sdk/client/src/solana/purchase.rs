//! Buying: the transaction is assembled here from the accounts on chain. What the server offers is only compared with
//! it, byte for byte; the wallet signs this crate's own.
//!
//! The server assembles by the same [`payment`]: the purchase has the present price as its highest and the present
//! terms' hash.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::instruction::args::PurchaseArgs;
use clawos_interface::instruction::{Instruction, Route, purchase, renew};
use clawos_interface::rules::fee::fee_of;
use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::is_expired;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, ProgramError, Tier, sha256};
use clawos_solana::assembly::{check_buyer, payment};

use super::offer::{check_same, check_transaction};
use super::send::Confirmed;
use super::{Chain, ChainError};
use crate::api::market::PurchaseOffer;
use crate::key::to_base58;
use crate::wallet::Wallet;

/// A skill's listing as the chain has it.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// The skill account's address.
    pub address: Key,
    /// The decoded skill account.
    pub skill: Skill,
    /// The decoded Config account of the marketplace.
    pub config: Config,
    /// The slot this was read at.
    pub slot: u64,
}

/// A request to buy a licence.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// One-time, subscription or usage.
    pub kind: Kind,
    /// Personal, commercial or enterprise: selects the price multiplier.
    pub tier: Tier,
    /// The buyer's own caps on usage, in units; 0 for none.
    pub caps: Caps,
    /// The meter that the buyer trusts with the credit; none is Config's.
    pub meter: Option<Key>,
}

/// A purchase, ready to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The licence account it makes or renews.
    pub licence: Key,
    /// What is paid now, in base units: 0 for usage.
    pub price: u64,
    /// The platform's part of `price`.
    pub fee: u64,
    /// What one unit costs, for usage; else 0.
    pub unit_price: u64,
    /// SHA-256 over the terms agreed to.
    pub terms_hash: Key,
    /// The key that records usage and so spends the credit.
    pub meter: Key,
    /// Whether it renews a licence that is valid.
    pub renewal: bool,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
}

impl Listing {
    /// What the prices are in.
    ///
    /// # Errors
    /// [`ChainError::Refused`] for a currency this client does not know.
    pub fn currency(&self) -> Result<Currency, ChainError> {
        Ok(Currency::try_from(self.skill.currency)?)
    }

    /// The accounts that its payments involve.
    ///
    /// # Errors
    /// As [`Listing::currency`].
    pub fn route(&self) -> Result<Route, ChainError> {
        Ok(Route::new(&self.config, self.address, &self.skill)?)
    }

    /// SHA-256 over the present terms.
    pub fn terms_hash(&self) -> Key {
        self.skill.terms(&self.config.meter).hash(sha256, self.skill.created_slot())
    }

    /// The price of one licence, period or unit.
    ///
    /// # Errors
    /// [`ChainError::Refused`] (`KindNotOffered`) when it is not sold like that.
    pub fn price(&self, kind: Kind, tier: Tier) -> Result<u64, ChainError> {
        Ok(self.skill.terms(&self.config.meter).price(kind, tier)?)
    }

    /// The key that records usage for licences sold now: the skill's own, or Config's.
    pub fn meter(&self) -> Key {
        self.skill.effective_meter(&self.config.meter)
    }

    /// Checks a meter: whoever holds its key can spend the credit of the licence that names it.
    ///
    /// # Errors
    /// [`ChainError::OtherMeter`] unless it is the one the buyer named, or, when he named none, Config's.
    pub fn check_meter(&self, meter: &Key, named: Option<&Key>) -> Result<(), ChainError> {
        let expected = named.unwrap_or(&self.config.meter);
        if meter == expected {
            return Ok(());
        }
        Err(ChainError::OtherMeter { found: to_base58(meter), expected: to_base58(expected) })
    }

    /// Assembles the purchase of `order` by `buyer`, who may hold `licence` already, at `now_secs` (Unix seconds) of the
    /// chain's clock.
    ///
    /// # Errors
    /// [`ChainError::Refused`] where the program would refuse for a reason that is visible now;
    /// [`ChainError::OtherMeter`] when the order does not name the skill's own meter.
    pub fn purchase(
        &self,
        buyer: &Key,
        order: &Order,
        licence: Option<&Licence>,
        now_secs: i64,
    ) -> Result<Purchase, ChainError> {
        let route = self.route()?;
        check_buyer(buyer, &self.skill)?;
        let meter = self.meter();
        self.check_meter(&meter, order.meter.as_ref())?;
        let price = self.price(order.kind, order.tier)?;
        let terms_hash = self.terms_hash();
        let renewal = renews(order, licence, now_secs)?;
        let instruction = if renewal {
            renew(buyer, &route, price, &terms_hash)
        } else {
            let args =
                PurchaseArgs { kind: order.kind, tier: order.tier, max_price: price, terms_hash, caps: order.caps };
            purchase(buyer, &route, &args)
        };
        let usage = order.kind == Kind::Usage;
        let paid = if usage { 0 } else { price };
        Ok(Purchase {
            licence: route.licence(buyer),
            price: paid,
            fee: fee_of(paid, self.config.fee_bps()),
            unit_price: if usage { price } else { 0 },
            terms_hash,
            meter,
            renewal,
            instructions: payment(buyer, &route, buyer, instruction),
        })
    }
}

/// Whether the order renews what the buyer has; an error when it can do neither.
fn renews(order: &Order, licence: Option<&Licence>, now_secs: i64) -> Result<bool, ChainError> {
    let Some(licence) = licence else { return Ok(false) };
    if licence.exit_kind != ExitKind::None as u8 {
        return Err(ProgramError::LicenceClosing.into());
    }
    if licence.status == LicenceStatus::Refunded as u8 || is_expired(licence, now_secs) {
        return Ok(false);
    }
    let same = licence.kind == order.kind as u8 && licence.tier == order.tier as u8;
    if order.kind == Kind::Subscription && same { Ok(true) } else { Err(ProgramError::LicenceActive.into()) }
}

impl Purchase {
    /// Compares the server's unsigned transaction with this purchase, byte for byte.
    ///
    /// # Errors
    /// [`ChainError::Differs`] naming what differs.
    pub fn check_offer(&self, buyer: &Key, offer: &PurchaseOffer) -> Result<(), ChainError> {
        check_same(&[
            ("the licence", offer.licence == to_base58(&self.licence)),
            ("the price", offer.price.amount == self.price),
            ("the fee", offer.fee.amount == self.fee),
            ("the terms", offer.terms_hash == hex::encode(self.terms_hash)),
        ])?;
        check_transaction(buyer, &self.instructions, &offer.blockhash, &offer.transaction)
    }
}

impl Chain {
    /// The listing at `address`.
    ///
    /// # Errors
    /// [`ChainError::Absent`] when no skill is registered there.
    pub async fn listing(&self, address: &Key) -> Result<Listing, ChainError> {
        let found = self.skill(address).await?;
        let skill = found.value.ok_or_else(|| ChainError::Absent(format!("skill account {}", to_base58(address))))?;
        Ok(Listing { address: *address, skill, config: self.config().await?, slot: found.slot })
    }

    /// Signs and sends a purchase, with a blockhash of this chain's own.
    ///
    /// # Errors
    /// See [`ChainError`]; when the terms changed in between, the program refuses and nothing is taken.
    pub async fn buy(&self, wallet: &Wallet, purchase: &Purchase) -> Result<Confirmed, ChainError> {
        self.send(wallet, &purchase.instructions).await
    }
}

#[cfg(test)]
#[path = "purchase_tests.rs"]
mod tests;
