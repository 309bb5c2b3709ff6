//! The sign-in challenge: a fixed text that the client rebuilds from its fields before it signs, so that a wallet never
//! signs what it did not make. It cannot be a Solana transaction: it is printable text.

use std::collections::HashMap;

use ed25519_dalek::SigningKey;

use super::{StatementError, plain};
use crate::signature::{self, SignatureError};
use crate::text::{from_base58, from_decimal, to_base58};
use crate::{Key, Signature};

const DOMAIN: &str = "clawos/challenge/v1";

/// What an agent proves by signing: that it holds this wallet, to this server, for this handle, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The server's public origin, such as `https://clawos.example`.
    pub origin: String,
    /// Genesis hash of the chain in use.
    pub genesis: Key,
    /// The agent's handle.
    pub handle: String,
    /// The agent's wallet, which must sign.
    pub wallet: Key,
    /// Chosen by the server, used once.
    pub nonce: String,
    /// When the challenge stops being accepted, in Unix milliseconds.
    pub expires_at_ms: u64,
}

impl Challenge {
    /// The text to sign. Errors when a field could be mistaken for another.
    pub fn text(&self) -> Result<String, StatementError> {
        Ok(format!(
            "{DOMAIN}\norigin: {}\ngenesis: {}\nhandle: {}\nwallet: {}\nnonce: {}\nexpires: {}\n",
            plain("origin", &self.origin)?,
            to_base58(&self.genesis),
            plain("handle", &self.handle)?,
            to_base58(&self.wallet),
            plain("nonce", &self.nonce)?,
            self.expires_at_ms,
        ))
    }

    /// Reads a challenge text; refuses anything that [`Challenge::text`] would not write byte for byte.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let form = StatementError::Form("challenge");
        let body = text.strip_prefix(DOMAIN).and_then(|rest| rest.strip_prefix('\n')).ok_or(form.clone())?;
        let fields: HashMap<&str, &str> = body.lines().filter_map(|line| line.split_once(": ")).collect();
        let field = |name: &str| fields.get(name).copied().ok_or(form.clone());
        let key = |name: &str| from_base58::<32>(field(name)?).map_err(|_| form.clone());
        let challenge = Self {
            origin: field("origin")?.to_owned(),
            genesis: key("genesis")?,
            handle: field("handle")?.to_owned(),
            wallet: key("wallet")?,
            nonce: field("nonce")?.to_owned(),
            expires_at_ms: from_decimal(field("expires")?).map_err(|_| form.clone())?,
        };
        // Order, repetition, extra lines, other line ends: all settled by writing it again.
        if challenge.text()? == text { Ok(challenge) } else { Err(form) }
    }

    /// Signs the challenge with the wallet's key.
    pub fn sign(&self, wallet: &SigningKey) -> Result<Signature, StatementError> {
        Ok(signature::sign(wallet, self.text()?.as_bytes()))
    }

    /// Whether `signature` is the wallet's. A challenge that has no text has no valid signature.
    pub fn verify(&self, signature: &Signature) -> Result<(), SignatureError> {
        let text = self.text().map_err(|_| SignatureError::BadSignature)?;
        signature::verify(&self.wallet, text.as_bytes(), signature)
    }
}
