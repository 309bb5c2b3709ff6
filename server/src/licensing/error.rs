//! What can go wrong between a caller, his licence and the chain, and how the client is told.

use std::time::Duration;

use clawos_interface::ProgramError;

use super::chain::ChainError;
use super::check::Refusal;
use super::keys::KeyFileError;
use crate::error::{ApiError, Code};

/// How long clients should wait when the chain cannot be read.
const RPC_RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long clients should wait while usage is paused on chain.
const PAUSE_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A question about licences could not be answered with yes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LicensingError {
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The licence does not allow the call.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The skill has no account on chain.
    #[error("the skill is not registered on chain yet")]
    NotRegistered,
    /// The skill is not on sale, or not in this way.
    #[error("{0}")]
    NotForSale(ProgramError),
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

impl From<LicensingError> for ApiError {
    fn from(error: LicensingError) -> Self {
        let text = sentence(&error.to_string());
        match error {
            LicensingError::Chain(ChainError::Unreachable(_) | ChainError::OtherNetwork { .. }) => {
                ApiError::new(Code::RpcUnavailable, "The chain cannot be read now; try again shortly.")
                    .retry_after(RPC_RETRY_AFTER)
                    .caused_by(error)
            }
            LicensingError::Refused(refusal) => refusal.into(),
            LicensingError::NotRegistered => ApiError::new(Code::NotRegistered, text),
            LicensingError::NotForSale(_) => ApiError::new(Code::NotRegistered, text),
            LicensingError::OtherMeter { .. } => ApiError::new(Code::WrongProxy, text),
            LicensingError::PriceAboveMax { .. } => ApiError::new(Code::PriceAboveMax, text),
            LicensingError::TooManyUnits { .. } => ApiError::new(Code::ValidationFailed, text),
            LicensingError::Database(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Missing => Code::LicenceRequired,
            Refusal::Expired => Code::LicenceExpired,
            Refusal::Suspended => Code::LicenceSuspended,
            Refusal::Refunded => Code::LicenceRefunded,
            Refusal::Closing => Code::LicenceClosing,
            Refusal::LimitReached => Code::UnitsExhausted,
            Refusal::WrongProxy => Code::WrongProxy,
            Refusal::UsagePaused | Refusal::SettleDelayTooShort => Code::UsagePaused,
        };
        let error = ApiError::new(code, sentence(&refusal.to_string()));
        if matches!(code, Code::UsagePaused) { error.retry_after(PAUSE_RETRY_AFTER) } else { error }
    }
}

/// Error texts start in lower case and end open; answers are sentences.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(std::iter::once('.')).collect()
}
