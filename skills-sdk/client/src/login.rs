//! Registration and sign-in by a signed challenge.
//!
//! The text that is signed is built here, from what this client knows: the origin it connects to, the genesis hash of
//! its own chain, its own handle and wallet. The server adds a nonce and an expiry, each checked. The server's own
//! text must be the same to the byte, or nothing is signed: a hostile server cannot have a transaction, another
//! server's challenge, or another handle's challenge signed.

use std::time::{SystemTime, UNIX_EPOCH};

use clawos_interface::Key;
use clawos_receipts::statement::Challenge as ChallengeText;

use crate::api::agents::{Challenge, Register, Session};
use crate::error::Result;
use crate::http::Client;
use crate::key::to_base58;
use crate::wallet::Wallet;

/// The longest that a challenge may be valid, in milliseconds.
pub const MAX_CHALLENGE_LIFE_MS: u64 = 15 * 60 * 1000;
/// The longest nonce, in characters.
pub const MAX_NONCE_CHARS: usize = 128;

/// Why a challenge was not signed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeRefused {
    /// The server's text differs from the one this client built.
    #[error(
        "the server's challenge is not the text this client would sign ({0} differs), so it was not signed; check that you use the server's public address (its --public-url) and an RPC of its chain"
    )]
    Differs(&'static str),
    /// The nonce could break the text's structure.
    #[error("the challenge's nonce is not 16 to {MAX_NONCE_CHARS} letters, digits, `_` and `-`, so it was not signed")]
    Nonce,
    /// The challenge has expired, or is valid for too long.
    #[error("the challenge is {0}, so it was not signed; check this machine's clock")]
    Lifetime(&'static str),
}

/// What this client knows about itself and its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The origin it connects to.
    pub origin: &'a str,
    /// The genesis hash its own RPC reports.
    pub genesis: Key,
    /// The agent's handle, such as `acme`.
    pub handle: &'a str,
    /// Now, in Unix milliseconds.
    pub now_ms: u64,
}

/// Checks a challenge and signs it; the answer is the signature in base58.
///
/// # Errors
/// [`ChallengeRefused`] unless the server's message equals, byte for byte, the one built here.
pub fn answer(wallet: &Wallet, expected: Expected<'_>, challenge: &Challenge) -> Result<String, ChallengeRefused> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !(16..=MAX_NONCE_CHARS).contains(&challenge.nonce.len()) || !challenge.nonce.bytes().all(allowed) {
        return Err(ChallengeRefused::Nonce);
    }
    let left = challenge.expires_at_ms.saturating_sub(expected.now_ms);
    if left == 0 {
        return Err(ChallengeRefused::Lifetime("expired"));
    }
    if left > MAX_CHALLENGE_LIFE_MS {
        return Err(ChallengeRefused::Lifetime("valid for more than 15 minutes"));
    }
    let built = ChallengeText {
        origin: expected.origin.to_owned(),
        genesis: expected.genesis,
        handle: expected.handle.to_owned(),
        wallet: wallet.key(),
        nonce: challenge.nonce.clone(),
        expires_at_ms: challenge.expires_at_ms,
    };
    let text = built.text().map_err(|_| ChallengeRefused::Differs("the form of a field"))?;
    if text.as_bytes() != challenge.message.as_bytes() {
        return Err(ChallengeRefused::Differs(first_difference(&built, challenge)));
    }
    Ok(to_base58(&wallet.sign(text.as_bytes())))
}

/// Names the field that explains a difference.
fn first_difference(built: &ChallengeText, challenge: &Challenge) -> &'static str {
    if built.origin != challenge.origin {
        "the origin"
    } else if to_base58(&built.genesis) != challenge.genesis {
        "the chain's genesis hash"
    } else if built.handle != challenge.handle {
        "the handle"
    } else if to_base58(&built.wallet) != challenge.wallet {
        "the wallet"
    } else {
        "the text"
    }
}

impl Client {
    /// Enrols a new agent: asks for a challenge, signs it, and returns the first session with the first API key.
    ///
    /// # Errors
    /// `handle_taken`, `wallet_taken` and the other problems of the two endpoints; [`crate::ClientError::Challenge`] when
    /// the server's text is not ours.
    pub async fn enrol(&self, wallet: &Wallet, genesis: Key, request: &Register) -> Result<Session> {
        let challenge = self.register(request).await?;
        let signature = self.sign_challenge(wallet, genesis, &request.name, &challenge)?;
        self.verify_registration(&challenge.challenge, &signature).await
    }

    /// Signs an enrolled agent in again.
    ///
    /// # Errors
    /// As [`Client::enrol`]; `not_found` when the wallet was never enrolled here.
    pub async fn sign_in(&self, wallet: &Wallet, genesis: Key, handle: &str) -> Result<Session> {
        let challenge = self.auth_challenge(&wallet.address()).await?;
        let signature = self.sign_challenge(wallet, genesis, handle, &challenge)?;
        self.auth_verify(&challenge.challenge, &signature).await
    }

    fn sign_challenge(&self, wallet: &Wallet, genesis: Key, handle: &str, challenge: &Challenge) -> Result<String> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        let origin = self.origin();
        let expected = Expected { origin: &origin, genesis, handle, now_ms };
        Ok(answer(wallet, expected, challenge)?)
    }
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
