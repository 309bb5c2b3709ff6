//! The table's rows of identity.

use clawos_api::Code;
use clawos_identity::{GenesisError, IdentityError, ScopeMissing};

use super::ApiError;
use super::licensing::RPC_RETRY_AFTER;

impl From<ScopeMissing> for ApiError {
    fn from(error: ScopeMissing) -> Self {
        Self::new(Code::ScopeMissing, error.to_string())
    }
}

impl From<GenesisError> for ApiError {
    fn from(error: GenesisError) -> Self {
        match error {
            GenesisError::Unavailable(_) => {
                Self::new(Code::RpcUnavailable, error.to_string()).retry_after(RPC_RETRY_AFTER).caused_by(error)
            }
            GenesisError::Database(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        use IdentityError as E;
        let code = match error {
            E::Invalid(error) => return error.into(),
            E::ScopeMissing(error) => return error.into(),
            E::RateLimited(error) => return error.into(),
            E::Idempotency(error) => return error.into(),
            E::Genesis(error) => return error.into(),
            E::Database(error) => return error.into(),
            E::HandleTaken(_) | E::HandleTakenMeanwhile(_) => Code::HandleTaken,
            E::WalletTaken | E::WalletTakenMeanwhile(_) => Code::WalletTaken,
            E::Absent(_) => Code::NotFound,
            E::ChallengeUsed => Code::ChallengeUsed,
            E::ChallengeExpired => Code::ChallengeExpired,
            E::BadSignature(_) => Code::BadSignature,
            E::UnknownToken | E::UnknownRefreshToken => Code::Unauthenticated,
            E::TokenRevoked | E::CallerEnded | E::SessionRevoked | E::RefreshTokenReused => Code::KeyRevoked,
            E::TokenExpired | E::RefreshTokenExpired | E::KeyExpired => Code::KeyExpired,
            E::AddressNotAllowed => Code::IpNotAllowed,
            E::TooManyKeys(_) => Code::ValidationFailed,
            E::MoreScopes(_) => Code::ScopeMissing,
            E::WiderLimits(_) => Code::CapTooHigh,
            other => return Self::internal(other),
        };
        Self::new(code, error.to_string()).caused_by(error)
    }
}
