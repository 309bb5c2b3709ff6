//! Quotes, purchases, deposits, licences, and the server's keys and chain.

#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use clawos_receipts::statement::PublishedKey;
use clawos_receipts::text::decimal;
use serde::{Deserialize, Serialize};

use crate::{Money, Timestamp};

/// Where an answer about chain state came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Source {
    /// Read from the chain for this answer.
    Chain,
    /// Read before, and young enough.
    Cache,
    /// Read before and too old, but the chain cannot be read and the grace window is open.
    Grace,
}

/// What the chain says of a listing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListingChain {
    /// Whether the author registered the skill, so that it can be bought.
    pub registered: bool,
    /// The address of its account, registered or not.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub skill_account: String,
    /// `active`, `paused` or `retired`; null when not registered.
    pub status: Option<String>,
    /// Counts changes of the terms, from 1.
    pub terms_version: Option<u32>,
    /// Hash of the terms a buyer agrees to, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Sha256>))]
    pub terms_hash: Option<String>,
    /// The prices that count.
    pub prices: Option<PricesOnChain>,
    /// Whether the manifest names other prices, or the account a meter that is not the marketplace's.
    pub terms_differ: bool,
    /// The slot this was read at.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub slot: u64,
}

/// The prices of a listing in base units; absent is not offered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PricesOnChain {
    /// Of a licence that never expires.
    pub once: Option<Money>,
    /// Of one subscription period.
    pub period: Option<Money>,
    /// Length of a period, seconds.
    pub period_secs: Option<u32>,
    /// Of one unit of usage.
    pub unit: Option<Money>,
    /// `call` or `megafuel`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::UnitWord>))]
    pub unit_kind: Option<String>,
    /// Multipliers of personal, commercial and enterprise licences in basis points.
    pub tier_bps: [u32; 3],
    /// Seconds in which an unused purchase can be taken back.
    pub refund_secs: u32,
}

/// What to price.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct QuoteQuery {
    /// `one_time`, `subscription` or `usage`; by default the first of these the skill offers.
    #[cfg_attr(feature = "openapi", param(value_type = Option<schema::KindWord>))]
    pub kind: Option<String>,
    /// `personal` (default), `commercial` or `enterprise`.
    #[cfg_attr(feature = "openapi", param(value_type = Option<schema::TierWord>))]
    pub tier: Option<String>,
    /// Units of usage to price; by default none.
    #[serde(default)]
    pub units: u64,
}

/// What it would cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// `publisher.name`
    pub skill: String,
    /// The address of its account.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub skill_account: String,
    /// `one_time`, `subscription` or `usage`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::KindWord))]
    pub kind: String,
    /// `personal`, `commercial` or `enterprise`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::TierWord))]
    pub tier: String,
    /// `SOL` or `USDC`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::CurrencyWord))]
    pub currency: String,
    /// Paid at purchase; 0 for usage.
    pub price: Money,
    /// The platform's part of the total.
    pub fee: Money,
    /// The seller's part of the total.
    pub seller_receives: Money,
    /// `call` or `megafuel`, for usage.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::UnitWord>))]
    pub unit_kind: Option<String>,
    /// Price of one unit, for usage.
    pub unit_price: Option<Money>,
    /// As asked.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub units: u64,
    /// Price and units together.
    pub total: Money,
    /// Counts changes of the terms; null when not registered.
    pub terms_version: Option<u32>,
    /// Hash of the terms, hex; null when not registered.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Sha256>))]
    pub terms_hash: Option<String>,
    /// Whether the skill is registered on chain. If not, these are the manifest's prices.
    pub registered: bool,
    /// The key that records usage of licences sold now.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub meter: String,
    /// Whether it can be bought now.
    pub purchasable: bool,
    /// Why it cannot; null when it can.
    pub reason: Option<String>,
    /// The slot the chain was read at.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub slot: u64,
}

/// What to buy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseRequest {
    /// `publisher.name`
    pub skill: String,
    /// `one_time`, `subscription` or `usage`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::KindWord))]
    pub kind: String,
    /// `personal`, `commercial` or `enterprise`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::TierWord))]
    pub tier: String,
    /// The most to pay, in base units: of the licence, the period, or one unit. A decimal string.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub max_price: Option<u64>,
    /// The buyer's own bounds on usage.
    #[serde(default)]
    pub caps: Option<CapsRequest>,
}

/// Bounds on usage in units, decimal strings; "0" is no bound.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CapsRequest {
    /// In all.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub usage_limit: u64,
    /// In one settlement.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub max_units_per_batch: u64,
    /// In a UTC day.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub max_units_per_day: u64,
}

/// An unsigned purchase.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseOffer {
    /// Base64 of the unsigned legacy transaction.
    pub transaction: String,
    /// The licence account that it makes or renews.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// The skill's account.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub skill_account: String,
    /// What is paid now.
    pub price: Money,
    /// The platform's part of it.
    pub fee: Money,
    /// Hash of the terms agreed to, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub terms_hash: String,
    /// The blockhash it was built with.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub blockhash: String,
    /// The block height above which it is refused.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub last_valid_block_height: u64,
    /// About when that is.
    pub expires_at: Timestamp,
}

/// A deposit of credit to be described.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DepositRequest {
    /// `publisher.name`: the skill whose usage licence it is for.
    pub skill: String,
    /// Base units of the skill's currency: 1 to 9223372036854775807.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub amount: u64,
}

/// An unsigned deposit of credit, and what it costs by the chain's state of a moment ago: usage that is recorded meanwhile is
/// billed from it too. Equal deposits with the same blockhash are one transaction, which the chain takes once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DepositOffer {
    /// Base64 of the unsigned legacy transaction.
    pub transaction: String,
    /// The licence account whose credit it is.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// The skill's account.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub skill_account: String,
    /// What leaves the wallet for the licence.
    pub amount: Money,
    /// What of it pays at once for recorded usage that credit had not covered.
    pub billed: Money,
    /// The platform's part of `billed`; a deposit by itself costs no fee.
    pub fee: Money,
    /// Prepaid balance afterwards.
    pub credit: Money,
    /// Recorded usage that is still unpaid afterwards; while there is any, the licence is suspended.
    pub unbilled: Money,
    /// Lamports for the token accounts that the transaction makes, those of the licence's credit first of all: the wallet pays
    /// them beside `amount`.
    pub rent: Money,
    /// Lamports for the transaction's signature.
    pub network_fee: Money,
    /// The blockhash it was built with.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub blockhash: String,
    /// The block height above which it is refused.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub last_valid_block_height: u64,
    /// About when that is.
    pub expires_at: Timestamp,
}

/// Whose licence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct VerifyQuery {
    /// The buyer's wallet, base58; by default the caller's own.
    #[cfg_attr(feature = "openapi", param(value_type = Option<schema::Address>))]
    pub buyer: Option<String>,
}

/// A licence as this proxy sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenceView {
    /// Its derived address.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub licence: String,
    /// Whether there is such an account.
    pub exists: bool,
    /// Whether a call would be allowed now.
    pub valid: bool,
    /// `ok`, or why not: `missing`, `expired`, `suspended`, `refunded`, `closing`, `limit_reached`, `wrong_proxy`, `usage_paused`.
    pub reason: String,
    /// `one_time`, `subscription` or `usage`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::KindWord>))]
    pub kind: Option<String>,
    /// `personal`, `commercial` or `enterprise`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::TierWord>))]
    pub tier: Option<String>,
    /// `active`, `suspended` or `refunded`.
    pub status: Option<String>,
    /// End of its period; null when it does not end.
    pub expires_at: Option<Timestamp>,
    /// Units left as of that slot, before what the proxy has not recorded yet; null when nothing bounds them.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub units_left: Option<u64>,
    /// Prepaid balance, base units.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub credit: Option<u64>,
    /// Recorded usage that credit did not cover, base units.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub unbilled: Option<u64>,
    /// Units recorded so far.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub usage_total: Option<u64>,
    /// Batches recorded so far.
    #[serde(default, with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub usage_seq: Option<u64>,
    /// The key that may record usage.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Address>))]
    pub meter: Option<String>,
    /// The slot it was read at.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub slot: u64,
    /// How old that is, milliseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub age_ms: u64,
    /// Where it was read.
    pub source: Source,
}

/// What the proxy says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WellKnown {
    /// `clawos-server`
    pub name: String,
    /// The server's version.
    pub version: String,
    /// Its public origin.
    pub origin: String,
    /// Genesis hash of its chain.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub genesis: String,
    /// The marketplace program.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub program: String,
    /// An RPC endpoint of that chain.
    pub rpc_url: Option<String>,
    /// The accepted USDC mint; null while the chain cannot be read.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Address>))]
    pub usdc_mint: Option<String>,
    /// Who receives the fee; null while the chain cannot be read.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Address>))]
    pub treasury: Option<String>,
    /// The program's Config account.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub config_account: String,
    /// The key that records usage, and certifies the receipt keys.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub meter: String,
    /// Engine and price list of fuel.
    pub runtime: String,
    /// The keys that sign receipts, each with its certificate and the meter that signed it, the present one first; old ones
    /// stay.
    pub receipt_keys: Vec<PublishedKey>,
}
