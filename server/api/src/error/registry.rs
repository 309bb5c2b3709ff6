//! The table's rows of the registry.

use clawos_api::Code;
use clawos_registry::RegistryError;

use super::ApiError;

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        let refusal = |code| ApiError::new(code, text);
        match error {
            RegistryError::Invalid(error) => error.into(),
            RegistryError::Page(error) => error.into(),
            RegistryError::ScopeMissing(error) => error.into(),
            RegistryError::Idempotency(error) => error.into(),
            RegistryError::Storage(error) => error.into(),
            RegistryError::Database(error) => error.into(),
            RegistryError::SkillNotFound => refusal(Code::SkillNotFound),
            RegistryError::VersionNotFound => refusal(Code::VersionNotFound),
            RegistryError::TooManyUploads { retry_after } | RegistryError::QuotaReached { retry_after } => {
                refusal(Code::RateLimited).retry_after(retry_after)
            }
            RegistryError::Manifest(errors) => refusal(Code::ManifestInvalid).with_errors(errors),
            RegistryError::Prices(errors) => refusal(Code::PriceInvalid).with_errors(errors),
            RegistryError::Schemas(errors) => refusal(Code::SchemaInvalid).with_errors(errors),
            RegistryError::ExampleFiles(errors) | RegistryError::ExamplesFailed(errors) => {
                refusal(Code::ExampleFailed).with_errors(errors)
            }
            RegistryError::ExamplesTooSlow => refusal(Code::ExampleFailed),
            RegistryError::UnsupportedKind(_) | RegistryError::ModuleRefused(_) => refusal(Code::ArtifactInvalid),
            RegistryError::ForeignId { .. } | RegistryError::NotPublisher { .. } => refusal(Code::NotPublisher),
            RegistryError::OtherSkill(_) => refusal(Code::ValidationFailed),
            RegistryError::SkillExists(_) => refusal(Code::SkillExists),
            RegistryError::VersionExists => refusal(Code::VersionExists),
            RegistryError::Unsigned(error) => refusal(Code::ValidationFailed).with_errors(vec![error]),
            RegistryError::BadSignature(_) => refusal(Code::BadSignature).caused_by(error),
            RegistryError::Permissions(errors) => refusal(Code::PermissionMismatch).with_errors(errors),
            RegistryError::SandboxBusy { retry_after } => refusal(Code::SandboxBusy).retry_after(retry_after),
            RegistryError::NoRoomForModule(_) => refusal(Code::StorageFull).caused_by(error),
            other => ApiError::internal(other),
        }
    }
}
