//! The table's rows of licensing.

use std::time::Duration;

use clawos_api::{Code, FieldError};
use clawos_interface::ProgramError;
use clawos_licensing::{LicensingError, Refusal};

use super::ApiError;

/// How long clients should wait when the chain cannot be read.
pub(super) const RPC_RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long clients should wait while usage, sales or deposits are paused on chain.
const PAUSE_RETRY_AFTER: Duration = Duration::from_secs(60);
/// How long clients should wait while receipts have no valid certificate: the server tries again every minute.
const CERTIFICATE_RETRY_AFTER: Duration = Duration::from_secs(60);

impl From<LicensingError> for ApiError {
    fn from(error: LicensingError) -> Self {
        if error.is_chain_unavailable() {
            return ApiError::new(Code::RpcUnavailable, "The chain cannot be read now; try again shortly.")
                .retry_after(RPC_RETRY_AFTER)
                .caused_by(error);
        }
        let text = sentence(&error.to_string());
        match error {
            LicensingError::Refused(refusal) => refusal.into(),
            LicensingError::NotRegistered => ApiError::new(Code::NotRegistered, text),
            LicensingError::NotForSale(ProgramError::KindNotOffered) => ApiError::new(Code::KindNotOffered, text),
            LicensingError::NotForSale(_) => ApiError::new(Code::NotForSale, text),
            LicensingError::Free => ApiError::new(Code::SkillFree, text),
            LicensingError::OtherMeter { .. } => ApiError::new(Code::WrongProxy, text),
            LicensingError::SelfPurchase => ApiError::new(Code::SelfPurchase, text),
            LicensingError::SalesPaused => ApiError::new(Code::SalesPaused, text).retry_after(PAUSE_RETRY_AFTER),
            LicensingError::DepositsPaused => ApiError::new(Code::DepositsPaused, text).retry_after(PAUSE_RETRY_AFTER),
            LicensingError::NotCertified(_) => {
                ApiError::new(Code::Unavailable, text).retry_after(CERTIFICATE_RETRY_AFTER).caused_by(error)
            }
            LicensingError::NotPrepaid => ApiError::new(Code::NotPrepaid, text),
            LicensingError::PriceAboveMax { .. } => ApiError::new(Code::PriceAboveMax, text),
            LicensingError::TooManyUnits { .. } => invalid("units", text),
            LicensingError::UnknownKind => invalid("kind", text),
            LicensingError::UnknownTier => invalid("tier", text),
            LicensingError::MalformedBuyer | LicensingError::NoBuyer => invalid("buyer", text),
            LicensingError::Invalid(error) => error.into(),
            LicensingError::ScopeMissing(error) => error.into(),
            LicensingError::Registry(error) => error.into(),
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
            other => return ApiError::internal(other),
        };
        let error = ApiError::new(code, sentence(&refusal.to_string()));
        if matches!(code, Code::UsagePaused) { error.retry_after(PAUSE_RETRY_AFTER) } else { error }
    }
}

/// One member or parameter is wrong.
fn invalid(name: &str, text: String) -> ApiError {
    let field = FieldError::at(name, text.clone());
    ApiError::new(Code::ValidationFailed, text).with_errors(vec![field])
}

/// Error texts start in lower case and end open; answers are sentences.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(std::iter::once('.')).collect()
}
