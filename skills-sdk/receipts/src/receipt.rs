//! The receipt: its fields, its one encoding, and the rules that hold between its fields.
//!
//! The structs below list their fields alphabetically on purpose: serde then writes RFC 8785 canonical JSON directly, on
//! the path of every call. A test compares it with [`crate::canonical_json`].

use clawos_interface::rules::bill;
use clawos_interface::{Currency, Kind, Tier, Unit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::merkle::Leaf;
#[cfg(feature = "openapi")]
use crate::schema::{Address, CurrencyWord, Decimal, KindWord, ReceiptId, Sha256, TierWord, UnitWord};
use crate::text::{base58, decimal, hex32, present};
use crate::{Hash, Key, id, sha256, sha256_parts};

/// The format's version.
pub const VERSION: u32 = 1;
/// Length limit, in bytes, of skill, version, runtime and endpoint.
pub const MAX_TEXT: usize = 128;
/// Fee and tier shares are counted in 1/10,000.
pub const MAX_BPS: u16 = 10_000;

/// How a call ended. Only `ok` is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// It answered, and the answer fits its schema.
    Ok,
    /// It used all its fuel.
    OutOfFuel,
    /// It ran too long.
    Deadline,
    /// It wanted more memory than its limit.
    Memory,
    /// It recursed too deep.
    StackOverflow,
    /// Its answer was larger than its limit.
    OutputTooLarge,
    /// It trapped, or ended in a way that has no name here.
    Trap,
    /// It answered with an error.
    GuestError,
    /// It answered, but not as its schema says.
    OutputInvalid,
}

impl Outcome {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OutOfFuel => "out_of_fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::StackOverflow => "stack_overflow",
            Self::OutputTooLarge => "output_too_large",
            Self::Trap => "trap",
            Self::GuestError => "guest_error",
            Self::OutputInvalid => "output_invalid",
        }
    }
}

/// The limits a call ran under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ReceiptLimits))]
pub struct Limits {
    /// Fuel.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub fuel: u64,
    /// Linear memory and tables together, in bytes.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub memory: u64,
    /// Answer, in bytes.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub output: u64,
}

/// One call: who, what, under which terms, with what result, for how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The price, in base units of `currency`: units × unit price.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub amount: u64,
    /// The wallet that called.
    #[serde(with = "base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub buyer: Key,
    /// What `amount` is counted in; absent for a free skill.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<CurrencyWord>))]
    pub currency: Option<Currency>,
    /// The skill's endpoint.
    pub endpoint: String,
    /// Hash of what the call learned from outside ([`crate::exchange`]); absent when that was nothing.
    #[serde(with = "hex32::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Sha256>))]
    pub exchanges_sha256: Option<Hash>,
    /// The platform's share of settled totals at this time, in 1/10,000; it is not part of `amount`.
    pub fee_bps: u16,
    /// Fuel used, by the price list that `runtime` names.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub fuel: u64,
    /// Genesis hash of the chain (base58, as Solana shows it).
    #[serde(with = "base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub genesis: Key,
    /// `run_` and 128 random bits in hex.
    #[cfg_attr(feature = "openapi", schema(value_type = ReceiptId))]
    pub id: String,
    /// Hash of the exact payload bytes.
    #[serde(with = "hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = Sha256))]
    pub input_sha256: Hash,
    /// When the receipt was made, in Unix milliseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub issued_at: u64,
    /// The receipt key that signs it.
    #[serde(with = "base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub key: Key,
    /// How the licence was bought; absent without a licence.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<KindWord>))]
    pub kind: Option<Kind>,
    /// The Licence account; absent for a free call.
    #[serde(with = "base58::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Address>))]
    pub licence: Option<Key>,
    /// How old the licence's state was, in milliseconds; absent without a licence.
    #[serde(with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Decimal>))]
    pub licence_age_ms: Option<u64>,
    /// The slot at which the licence's state was read; absent without a licence.
    #[serde(with = "decimal::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Decimal>))]
    pub licence_slot: Option<u64>,
    /// What the call ran under.
    pub limits: Limits,
    /// Hash of the canonical JSON of the version's resolved manifest, which its publisher signed.
    #[serde(with = "hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = Sha256))]
    pub manifest_sha256: Hash,
    /// Hash of the module that ran.
    #[serde(with = "hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = Sha256))]
    pub module_sha256: Hash,
    /// How the call ended; only `ok` is billed.
    pub outcome: Outcome,
    /// Hash of the exact answer bytes; absent unless the outcome is `ok`.
    #[serde(with = "hex32::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Sha256>))]
    pub output_sha256: Option<Hash>,
    /// The receipt of the call that made this one; absent at the top.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<ReceiptId>))]
    pub parent: Option<String>,
    /// Highest memory use, in bytes.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub peak_memory: u64,
    /// Address of the marketplace program.
    #[serde(with = "base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub program: Key,
    /// Whether running the module again must give the same output hash and fuel.
    pub replayable: bool,
    /// What ran it: for WebAssembly engine, its version and the list of fuel prices (`wasmtime-…+costs-…`), which a replay
    /// needs the same.
    pub runtime: String,
    /// What the guest's randomness came from: [`seed_of`] the id.
    #[serde(with = "hex32")]
    #[cfg_attr(feature = "openapi", schema(value_type = Sha256))]
    pub seed: Hash,
    /// The wallet that sells the skill.
    #[serde(with = "base58")]
    #[cfg_attr(feature = "openapi", schema(value_type = Address))]
    pub seller: Key,
    /// The listing's id, `publisher.name`.
    pub skill: String,
    /// The terms the licence was bought under; absent without a licence.
    #[serde(deserialize_with = "present")]
    pub terms_version: Option<u32>,
    /// The licence's tier; absent without a licence.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<TierWord>))]
    pub tier: Option<Tier>,
    /// The wall clock the guest saw, in Unix milliseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub time: u64,
    /// What usage is counted in.
    #[cfg_attr(feature = "openapi", schema(value_type = UnitWord))]
    pub unit: Unit,
    /// Base units of `currency` per unit.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub unit_price: u64,
    /// How many units are billed.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub units: u64,
    /// The format's version: [`VERSION`].
    pub v: u32,
    /// The skill's semantic version.
    pub version: String,
    /// How long the call took, in microseconds.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = Decimal))]
    pub wall_us: u64,
}

/// A receipt that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// A field that cannot have this value, given the others.
    #[error("the receipt's `{field}` is wrong: {rule}")]
    Field {
        /// Its name in JSON.
        field: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Units that do not follow from outcome, unit and fuel.
    #[error("the receipt bills {billed} units where outcome, unit and fuel give {due}")]
    Units {
        /// What the receipt says.
        billed: u64,
        /// What follows from the other fields.
        due: u64,
    },
    /// An amount that is not units × unit price.
    #[error("the receipt bills {billed} base units where units and price give {due}")]
    Amount {
        /// What the receipt says.
        billed: u64,
        /// What follows from the other fields.
        due: u64,
    },
    /// Units × unit price is more than [`clawos_interface::MAX_AMOUNT`].
    #[error("the receipt bills {units} units at {unit_price} base units each, which is more than 2^63 - 1")]
    Overflow {
        /// How many units.
        units: u64,
        /// Base units of the currency per unit.
        unit_price: u64,
    },
}

/// The seed of a call's randomness: `SHA-256("clawos/seed" ‖ id)`.
pub fn seed_of(id: &str) -> Hash {
    sha256_parts(&[b"clawos/seed", id.as_bytes()])
}

impl Receipt {
    /// The RFC 8785 canonical JSON that is hashed.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a receipt holds nothing that JSON cannot")
    }

    /// The receipt's leaf in any Merkle tree.
    pub fn leaf(&self) -> Leaf {
        Leaf { units: self.units, amount: self.amount, receipt_sha256: sha256(&self.canonical_bytes()) }
    }

    /// The hash of [`Self::leaf`].
    pub fn leaf_hash(&self) -> Hash {
        self.leaf().hash()
    }

    /// Checks that units and amount follow from outcome, unit, fuel and unit price.
    pub fn check_arithmetic(&self) -> Result<(), ReceiptError> {
        let due = bill::units(self.unit, self.outcome == Outcome::Ok, self.fuel);
        if self.units != due {
            return Err(ReceiptError::Units { billed: self.units, due });
        }
        let Self { units, unit_price, .. } = *self;
        let due = bill::cost(units, unit_price).map_err(|_| ReceiptError::Overflow { units, unit_price })?;
        if self.amount != due {
            return Err(ReceiptError::Amount { billed: self.amount, due });
        }
        Ok(())
    }

    /// Checks everything that must hold within one receipt, arithmetic included.
    pub fn check(&self) -> Result<(), ReceiptError> {
        let ok = self.outcome == Outcome::Ok;
        let texts = [&self.skill, &self.version, &self.runtime, &self.endpoint];
        let licensed = self.licence.is_some();
        let follows_licence = [
            self.kind.is_some(),
            self.tier.is_some(),
            self.terms_version.is_some(),
            self.licence_slot.is_some(),
            self.licence_age_ms.is_some(),
        ];
        let rules = [
            ("v", self.v == VERSION, "only version 1 is known"),
            ("id", id::is_id(id::RUN, &self.id), "an id is `run_` and 32 lower-case hex digits"),
            ("seed", self.seed == seed_of(&self.id), "the seed is derived from the id"),
            (
                "parent",
                self.parent.as_ref().is_none_or(|parent| id::is_id(id::RUN, parent)),
                "a parent is a receipt id",
            ),
            ("skill", texts.iter().all(|text| (1..=MAX_TEXT).contains(&text.len())), "texts have 1 to 128 bytes"),
            ("fee_bps", self.fee_bps <= MAX_BPS, "a share is at most 10,000"),
            ("output_sha256", self.output_sha256.is_some() == ok, "an output exists exactly when the outcome is ok"),
            (
                "licence",
                follows_licence.iter().all(|present| *present == licensed),
                "kind, tier, terms, slot and age are present exactly with a licence",
            ),
            ("currency", self.currency.is_some() || !licensed, "a licence has a currency"),
            (
                "unit_price",
                self.unit_price == 0 || self.kind == Some(Kind::Usage),
                "only a usage licence has a price per unit",
            ),
            (
                "exchanges_sha256",
                self.exchanges_sha256.is_none() || !self.replayable,
                "a call that learned something from outside does not follow from its receipt alone",
            ),
            ("unit", self.runtime != "docker" || self.unit == Unit::Call, "docker counts calls only"),
        ];
        if let Some((field, _, rule)) = rules.into_iter().find(|(_, holds, _)| !holds) {
            return Err(ReceiptError::Field { field, rule });
        }
        self.check_arithmetic()
    }
}
