//! What can go wrong between a caller, his licence and the chain.

use clawos_base::{Cause, Invalid};
use clawos_identity::ScopeMissing;
use clawos_interface::{Kind, ProgramError, Tier};
use clawos_registry::RegistryError;

use crate::chain::ChainError;
use crate::check::Refusal;
use crate::keys::KeyFileError;

/// Licensing cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The RPC endpoint serves another network than this database belongs to.
    #[error(transparent)]
    OtherNetwork(ChainError),
}

/// What there is to choose from.
fn words(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// A question about licences could not be answered with yes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LicensingError {
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Values out of bounds.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller's key lacks a scope.
    #[error(transparent)]
    ScopeMissing(#[from] ScopeMissing),
    /// Something that cannot be.
    #[error(transparent)]
    Internal(Cause),
    /// The skill cannot be found.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A kind of licence that does not exist.
    #[error("`kind` must be one of {}", words(Kind::ALL.iter().map(|kind| kind.as_str())))]
    UnknownKind,
    /// A tier that does not exist.
    #[error("`tier` must be one of {}", words(Tier::ALL.iter().map(|tier| tier.as_str())))]
    UnknownTier,
    /// A buyer who is no key.
    #[error("`buyer` must be a wallet address in base58")]
    MalformedBuyer,
    /// Neither a buyer nor a caller.
    #[error("name the buyer's wallet, or sign in")]
    NoBuyer,
    /// The skill costs nothing.
    #[error("the skill is free; call it without a licence")]
    Free,
    /// The licence does not allow the call.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The skill has no account on chain.
    #[error("the skill is not registered on chain yet")]
    NotRegistered,
    /// The skill is not on sale, or not in this way.
    #[error("{0}")]
    NotForSale(ProgramError),
    /// The marketplace sells nothing now.
    #[error("sales are paused on chain; try again after they are resumed")]
    SalesPaused,
    /// The marketplace takes no credit now.
    #[error("deposits are paused on chain; try again after they are resumed")]
    DepositsPaused,
    /// The licence was paid for as a whole.
    #[error("the licence takes no credit: it was paid at its purchase, and its calls cost nothing more")]
    NotPrepaid,
    /// Usage of licences sold now would be recorded by another key.
    #[error(
        "usage of this skill is recorded by the key {found} and this server's meter is {own}, so a licence bought now could not be used here; buy it where that key serves"
    )]
    OtherMeter {
        /// The meter on chain, base58.
        found: String,
        /// This server's, base58.
        own: String,
    },
    /// No receipt could be billed now.
    #[error(
        "this server's receipt key has no valid certificate and a new one could not be stored, so what is called now could \
         not be billed; its operator finds the cause in the log"
    )]
    NotCertified(#[source] Box<LicensingError>),
    /// The buyer sells the skill, or is paid for it.
    #[error(
        "the skill is your own, and the chain sells nobody his own skill; its publisher calls it free, without a licence"
    )]
    SelfPurchase,
    /// The price is above what the buyer accepts.
    #[error("the price is {price} base units and max_price is {max}")]
    PriceAboveMax {
        /// Base units.
        price: u64,
        /// Base units.
        max: u64,
    },
    /// The amount cannot be computed in 63 bits.
    #[error("{units} units cost more than 2^63 - 1 base units; ask for fewer")]
    TooManyUnits {
        /// As asked.
        units: u64,
    },
}

impl LicensingError {
    /// Whether the chain cannot be read now, or is another one than this database belongs to.
    pub fn is_chain_unavailable(&self) -> bool {
        matches!(self, LicensingError::Chain(ChainError::Unreachable(_) | ChainError::OtherNetwork { .. }))
    }
}
