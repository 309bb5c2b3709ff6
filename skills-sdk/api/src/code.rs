//! The table of all error codes: name on the wire, HTTP status, whether a retry can help, and what it means.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $retryable:literal $title:literal;)*) => {
        /// A stable error code. The title of each is its documentation on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// Its name on the wire.
            pub const fn as_str(self) -> &'static str { match self { $(Code::$variant => $name,)* } }

            /// Its HTTP status.
            pub const fn status(self) -> u16 { match self { $(Code::$variant => $status,)* } }

            /// Whether the same request may succeed later.
            pub const fn retryable(self) -> bool { match self { $(Code::$variant => $retryable,)* } }

            /// What it means.
            pub const fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }
        }
    };
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Code {
    /// The names of the table; newer servers may have more.
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A stable error code."))
            .enum_values(Some(Code::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Code {}

codes! {
    InvalidBody "invalid_body" 400 false "The body is not what this endpoint reads";
    QueryInvalid "query_invalid" 400 false "The query string is not what this endpoint reads";
    HeaderInvalid "header_invalid" 400 false "A header is missing, repeated or malformed";
    ValidationFailed "validation_failed" 422 false "A value is outside what is allowed";
    PayloadTooLarge "payload_too_large" 413 false "The body is larger than this endpoint takes";
    UnsupportedMediaType "unsupported_media_type" 415 false "The content type or encoding is not the one this endpoint reads";
    NotFound "not_found" 404 false "There is nothing here";
    MethodNotAllowed "method_not_allowed" 405 false "This path does not answer that method";
    Unauthenticated "unauthenticated" 401 false "A valid access token or API key is needed";
    KeyExpired "key_expired" 401 false "The token or key has expired";
    KeyRevoked "key_revoked" 401 false "The token or key was revoked";
    BadSignature "bad_signature" 401 false "The signature does not verify";
    ChallengeExpired "challenge_expired" 410 false "The challenge has expired; ask for a new one";
    ChallengeUsed "challenge_used" 409 false "The challenge was already used; ask for a new one";
    HandleTaken "handle_taken" 409 false "Another agent has this name";
    WalletTaken "wallet_taken" 409 false "Another agent has this wallet";
    ScopeMissing "scope_missing" 403 false "The key lacks the scope this needs";
    CapTooHigh "cap_too_high" 403 false "A key cannot make a key with wider limits than its own";
    IpNotAllowed "ip_not_allowed" 403 false "The key may not be used from this address";
    NotPublisher "not_publisher" 403 false "Only the skill's publisher may do this";
    SpendingCap "spending_cap" 402 false "The key's daily spending cap is reached";
    SkillNotFound "skill_not_found" 404 false "There is no such skill";
    VersionNotFound "version_not_found" 404 false "The skill has no such version";
    EndpointNotFound "endpoint_not_found" 404 false "The skill has no such endpoint";
    ReceiptNotFound "receipt_not_found" 404 false "There is no such receipt, or it is not yours";
    SkillExists "skill_exists" 409 false "The skill exists; publish a new version of it";
    VersionExists "version_exists" 409 false "Versions never change; choose a new version number";
    ManifestInvalid "manifest_invalid" 422 false "The manifest has errors";
    ArtifactInvalid "artifact_invalid" 422 false "The artifact is not a module that can run here";
    PermissionMismatch "permission_mismatch" 422 false "The manifest's permissions are not those the module imports";
    SchemaInvalid "schema_invalid" 422 false "A schema of the manifest cannot be used";
    ExampleFailed "example_failed" 422 false "An example of the manifest does not give its output";
    PriceInvalid "price_invalid" 422 false "A price cannot be charged exactly";
    StorageFull "storage_full" 507 true "The server has no room left";
    NotRegistered "not_registered" 409 false "The skill is not registered on chain";
    SkillFree "skill_free" 409 false "The skill is free; nothing is sold";
    NotForSale "not_for_sale" 409 false "The skill is not on sale now";
    KindNotOffered "kind_not_offered" 409 false "The skill is not sold this way";
    SalesPaused "sales_paused" 503 true "Sales are paused on chain";
    DepositsPaused "deposits_paused" 503 true "Deposits are paused on chain";
    NotPrepaid "not_prepaid" 409 false "The licence takes no credit: only usage is prepaid";
    TermsChanged "terms_changed" 409 false "The seller's terms have changed; ask for a new quote";
    PriceAboveMax "price_above_max" 402 false "The price is above the limit you gave";
    SelfPurchase "self_purchase" 409 false "The skill is the buyer's own";
    LicenceRequired "licence_required" 402 false "You have no licence for this skill";
    LicenceExpired "licence_expired" 402 false "The licence has expired";
    LicenceSuspended "licence_suspended" 402 false "The licence is suspended";
    LicenceRefunded "licence_refunded" 402 false "The licence was refunded";
    LicenceClosing "licence_closing" 402 false "The licence is being closed";
    UnitsExhausted "units_exhausted" 402 false "The licence has no units left";
    UnitsBusy "units_busy" 503 true "The licence's units are in use or wait to be recorded";
    InsufficientCredit "insufficient_credit" 402 false "The licence's credit does not cover the call";
    MaxCostExceeded "max_cost_exceeded" 402 false "The call could cost more than max_cost";
    WrongProxy "wrong_proxy" 403 false "The licence names another proxy as its meter";
    UsagePaused "usage_paused" 503 true "Usage is paused on chain";
    PayloadInvalid "payload_invalid" 422 false "The payload does not match the endpoint's input schema";
    OutputInvalid "output_invalid" 502 false "The skill's output does not match its schema";
    OutOfFuel "out_of_fuel" 422 false "The call used all its fuel";
    Deadline "deadline" 504 false "The call ran past its time limit";
    MemoryExceeded "memory_exceeded" 422 false "The call ran past its memory limit";
    StackOverflow "stack_overflow" 422 false "The module overflowed its stack";
    OutputTooLarge "output_too_large" 422 false "The output is larger than its limit";
    Trap "trap" 502 false "The module trapped";
    GuestBadRequest "guest_bad_request" 422 false "The skill refused the request";
    GuestNotFound "guest_not_found" 404 false "The skill did not find what was asked for";
    GuestUnavailable "guest_unavailable" 503 true "The skill says it is unavailable";
    GuestInternal "guest_internal" 502 false "The skill reported an internal error";
    SandboxBusy "sandbox_busy" 503 true "All sandboxes are in use";
    ModuleInvalid "module_invalid" 502 false "The stored module cannot be run";
    RpcUnavailable "rpc_unavailable" 503 true "The chain cannot be reached";
    RateLimited "rate_limited" 429 true "Too many requests";
    IdempotencyMismatch "idempotency_mismatch" 422 false "The idempotency key was used for another request";
    IdempotencyRunning "idempotency_running" 409 true "The first request with this idempotency key is still running";
    OutcomeUnknown "outcome_unknown" 500 false "The request may have taken place: look, or repeat it with the same Idempotency-Key";
    Unavailable "unavailable" 503 true "The server cannot do this now";
    Internal "internal" 500 true "The server failed";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_have_error_statuses() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{}", code.as_str());
            assert!(!code.title().is_empty());
        }
    }
}
