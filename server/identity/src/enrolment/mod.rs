//! Proving a wallet: a challenge is handed out, its signature makes an agent or a session.
//!
//! The challenge is a fixed text (`clawos_receipts::statement::Challenge`) that the client rebuilds and signs; it names
//! this server and this chain, it can be used once, and it cannot be a transaction.

mod register;
mod sign_in;
mod store;

pub(crate) use store::forget_expired;

use clawos_api::identity::{Challenge, Role};
use clawos_base::Problems;
use clawos_receipts::statement;
use clawos_receipts::text::{from_base58, to_base58};
use sqlx::AnyConnection;

use crate::profile::roles_text;
use crate::{Identity, IdentityError};
use store::Purpose;

/// How long a challenge may be answered (milliseconds): long enough for a person with a hardware wallet.
const CHALLENGE_MS: i64 = 5 * 60 * 1000;

fn check_wallet(wallet: &str, problems: &mut Problems) {
    let key = from_base58::<32>(wallet).ok().and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok());
    // A weak key (small order) has signatures that fit any message.
    if key.is_none_or(|key| key.is_weak()) {
        problems.add("/wallet", "must be a Solana wallet address: an Ed25519 public key in base58");
    }
}

fn check_signature(signature: &str, problems: &mut Problems) {
    if from_base58::<64>(signature).is_err() {
        problems.add("/signature", "must be an Ed25519 signature: 64 bytes in base58");
    }
}

/// What a new challenge is for.
struct Subject<'a> {
    purpose: Purpose,
    handle: &'a str,
    wallet: &'a str,
    /// Of the agent to be made; empty otherwise.
    description: &'a str,
    /// Of the agent to be made; empty otherwise.
    roles: &'a [Role],
}

impl Identity {
    async fn issue_challenge(&self, subject: Subject<'_>) -> Result<Challenge, IdentityError> {
        let genesis = self.ports.chain.genesis().await?;
        let row = store::Challenge {
            id: clawos_receipts::new_id("chl"),
            purpose: subject.purpose,
            origin: self.ports.origin.clone(),
            genesis: to_base58(&genesis),
            handle: subject.handle.to_owned(),
            wallet: subject.wallet.to_owned(),
            nonce: clawos_receipts::new_id("nonce"),
            description: subject.description.to_owned(),
            roles: roles_text(subject.roles),
            expires_at: self.now() + CHALLENGE_MS,
            used: false,
        };
        let statement = statement_of(&row)?;
        let message = statement.text().map_err(internal)?;
        store::insert(&self.ports.db, &row).await?;
        Ok(Challenge {
            challenge: row.id,
            message,
            origin: row.origin,
            genesis: row.genesis,
            handle: row.handle,
            wallet: row.wallet,
            nonce: row.nonce,
            expires_at_ms: statement.expires_at_ms,
        })
    }

    /// The challenge, if it is open and `signature` is its wallet's.
    async fn answered(&self, id: &str, purpose: Purpose, signature: &str) -> Result<store::Challenge, IdentityError> {
        let found = store::find(&self.ports.db, id).await?.filter(|challenge| challenge.purpose == purpose);
        let challenge = found.ok_or(IdentityError::Absent("challenge; ask for a new one"))?;
        if challenge.used {
            return Err(IdentityError::ChallengeUsed);
        }
        if challenge.expires_at <= self.now() {
            return Err(IdentityError::ChallengeExpired);
        }
        let signature = from_base58::<64>(signature).map_err(internal)?;
        statement_of(&challenge)?.verify(&signature).map_err(IdentityError::BadSignature)?;
        Ok(challenge)
    }
}

fn statement_of(challenge: &store::Challenge) -> Result<statement::Challenge, IdentityError> {
    Ok(statement::Challenge {
        origin: challenge.origin.clone(),
        genesis: from_base58(&challenge.genesis).map_err(internal)?,
        handle: challenge.handle.clone(),
        wallet: from_base58(&challenge.wallet).map_err(internal)?,
        nonce: challenge.nonce.clone(),
        expires_at_ms: u64::try_from(challenge.expires_at).map_err(internal)?,
    })
}

/// Marks the challenge used; of two answers at the same time only one gets through.
async fn use_up(tx: &mut AnyConnection, id: &str, now: i64) -> Result<(), IdentityError> {
    if store::use_up(tx, id, now).await? { Ok(()) } else { Err(IdentityError::ChallengeUsed) }
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> IdentityError {
    IdentityError::Internal(error.into())
}
