//! What identity refuses, in the words that the caller reads, and what can fail inside.

use clawos_api::identity::Scope;
use clawos_base::idempotency::IdempotencyError;
use clawos_base::{Cause, Invalid};
use clawos_receipts::signature::SignatureError;

use crate::chain::GenesisError;
use crate::rate_limit::RateLimited;

/// The caller's key lacks a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This needs a key with the scope `{}`.", .0.as_str())]
pub struct ScopeMissing(
    /// The scope that is needed.
    pub Scope,
);

/// A request about agents, sessions or keys is refused, or failed. The text of a refusal is for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Values outside what is allowed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller's key lacks a scope.
    #[error(transparent)]
    ScopeMissing(#[from] ScopeMissing),
    /// Too many wrong credentials came from this address.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The request's `Idempotency-Key` cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The network is not known, so no challenge can name it.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something that cannot be, such as a stored value that does not decode.
    #[error(transparent)]
    Internal(Cause),
    /// What the request names does not exist, or is not the caller's; holds what it is, and what to do where that helps.
    #[error("There is no such {0}.")]
    Absent(&'static str),

    /// Another agent has the name.
    #[error("The name {0} is taken; choose another.")]
    HandleTaken(String),
    /// The wallet has an agent.
    #[error("This wallet has an agent; sign in with POST /api/v1/auth/challenge.")]
    WalletTaken,
    /// Somebody enrolled with the name while the challenge was open.
    #[error("It was taken while your challenge was open.")]
    HandleTakenMeanwhile(#[source] sqlx::Error),
    /// Somebody enrolled with the wallet while the challenge was open.
    #[error("It was taken while your challenge was open.")]
    WalletTakenMeanwhile(#[source] sqlx::Error),

    /// The challenge was answered before.
    #[error("A challenge can be answered once; ask for a new one.")]
    ChallengeUsed,
    /// The challenge was answered too late.
    #[error("The challenge was open for five minutes; ask for a new one.")]
    ChallengeExpired,
    /// The challenge was answered with another signature than the wallet's.
    #[error("The signature is not this wallet's over the challenge's exact text.")]
    BadSignature(#[source] SignatureError),

    /// A bearer token that this server did not issue.
    #[error("This token is not one of ours; sign in again.")]
    UnknownToken,
    /// The bearer token was revoked, or replaced by a refresh.
    #[error("This token was revoked, or exchanged for a new one; use that, sign in again, or use another key.")]
    TokenRevoked,
    /// The bearer token has expired.
    #[error("This token has expired; refresh it or use another key.")]
    TokenExpired,
    /// The key's address list does not hold the caller's address.
    #[error("This key may not be used from your address.")]
    AddressNotAllowed,
    /// The bearer token was revoked, or expired, while its request was being served.
    #[error("This token was revoked or has expired; use another one.")]
    CallerEnded,

    /// A refresh token that this server did not issue.
    #[error("This is not one of our refresh tokens; sign in again.")]
    UnknownRefreshToken,
    /// The refresh token's session was revoked.
    #[error("The session was revoked; sign in again.")]
    SessionRevoked,
    /// The refresh token has expired.
    #[error("The refresh token has expired; sign in again.")]
    RefreshTokenExpired,
    /// The refresh token was exchanged before; its whole family is revoked now.
    #[error("This refresh token was used before, so every token of this sign-in was revoked; sign in again.")]
    RefreshTokenReused,

    /// The key to rotate has expired.
    #[error("The key has expired; make a new one.")]
    KeyExpired,
    /// The agent has as many keys as it may have.
    #[error("An agent may have {0} keys; revoke one first.")]
    TooManyKeys(i64),
    /// A key asked to make, rotate or revoke a key with scopes that it lacks itself; holds the verb.
    #[error("A key cannot {0} a key that may do more than itself.")]
    MoreScopes(&'static str),
    /// A key asked for a key with wider limits than its own; holds in which way.
    #[error("A key cannot make or rotate a key that {0} than itself; use a session.")]
    WiderLimits(&'static str),
}
