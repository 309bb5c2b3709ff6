//! Agents, sessions and API keys.

use serde::{Deserialize, Serialize};

use super::keys::IssuedKey;
use super::{BASE, number, segment};
use crate::error::Result;
use crate::http::{Body, Call, Client, Retry, json};

/// What a new agent says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// The handle, unique and for ever: lower-case letters, digits and hyphens.
    pub name: String,
    /// The wallet's address.
    pub wallet: String,
    /// A line about the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `author`, `buyer`; empty leaves it to the server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A challenge to be signed. Only [`crate::login::answer`] signs it, after rebuilding it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenge {
    /// Its id, `chl_…`.
    pub challenge: String,
    /// The text the server expects a signature of.
    pub message: String,
    /// The server's idea of its own origin.
    pub origin: String,
    /// The chain's genesis hash, base58.
    pub genesis: String,
    /// The agent's handle.
    pub handle: String,
    /// The agent's wallet.
    pub wallet: String,
    /// The server's random text.
    pub nonce: String,
    /// When it lapses, in Unix milliseconds.
    #[serde(with = "number")]
    pub expires_at_ms: u64,
}

/// A signed-in agent's tokens.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// The agent.
    pub agent: Agent,
    /// Authorises calls for an hour.
    pub access_token: String,
    /// RFC 3339.
    pub access_expires_at: String,
    /// Exchanged once for the next session.
    pub refresh_token: String,
    /// RFC 3339.
    pub refresh_expires_at: String,
    /// The first API key, at enrolment only.
    #[serde(default)]
    pub api_key: Option<IssuedKey>,
}

/// An agent's public profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Agent {
    /// `agt_…`
    pub id: String,
    /// The handle.
    pub name: String,
    /// The wallet's address.
    pub wallet: String,
    /// A line about it.
    #[serde(default)]
    pub description: Option<String>,
    /// `author`, `buyer`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// What to change of the own profile; what is none stays as it is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProfileUpdate {
    /// A line about the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `author`, `buyer` or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Signed<'a> {
    signature: &'a str,
}

impl Client {
    /// `POST /agents/register`: asks for an enrolment challenge.
    ///
    /// # Errors
    /// `handle_taken`, `wallet_taken`, `validation_failed`, …
    pub async fn register(&self, enrolment: &Enrolment) -> Result<Challenge> {
        self.json(Call::post(format!("{BASE}/agents/register"), json(enrolment), Retry::Unsent)).await
    }

    /// `POST /agents/register/{challenge}/verify`: ends the enrolment.
    ///
    /// # Errors
    /// `bad_signature`, `challenge_expired`, `challenge_used`, …
    pub async fn verify_registration(&self, challenge: &str, signature: &str) -> Result<Session> {
        let path = format!("{BASE}/agents/register/{}/verify", segment(challenge)?);
        self.json(Call::post(path, json(&Signed { signature }), Retry::Unsent)).await
    }

    /// `POST /auth/challenge`: asks for a sign-in challenge.
    ///
    /// # Errors
    /// `not_found` when the wallet is not enrolled.
    pub async fn auth_challenge(&self, wallet: &str) -> Result<Challenge> {
        let body = json(&serde_json::json!({ "wallet": wallet }));
        self.json(Call::post(format!("{BASE}/auth/challenge"), body, Retry::Unsent)).await
    }

    /// `POST /auth/verify`: ends the sign-in.
    ///
    /// # Errors
    /// `bad_signature`, `challenge_expired`, `challenge_used`.
    pub async fn auth_verify(&self, challenge: &str, signature: &str) -> Result<Session> {
        let body = json(&serde_json::json!({ "challenge": challenge, "signature": signature }));
        self.json(Call::post(format!("{BASE}/auth/verify"), body, Retry::Unsent)).await
    }

    /// `POST /auth/refresh`: exchanges a refresh token for the next session. A refresh token works once.
    ///
    /// # Errors
    /// `unauthenticated` when it is over or was used before.
    pub async fn auth_refresh(&self, refresh_token: &str) -> Result<Session> {
        let body = json(&serde_json::json!({ "refresh_token": refresh_token }));
        self.json(Call::post(format!("{BASE}/auth/refresh"), body, Retry::Unsent)).await
    }

    /// `POST /auth/revoke`: ends this session.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn auth_revoke(&self) -> Result<()> {
        self.bytes(Call::post(format!("{BASE}/auth/revoke"), Body::Json(b"{}".to_vec()), Retry::Unsent)).await.map(drop)
    }

    /// `GET /agents/me`.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn me(&self) -> Result<Agent> {
        self.json(Call::get(format!("{BASE}/agents/me"))).await
    }

    /// `GET /agents/{id or handle}`.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn agent(&self, id: &str) -> Result<Agent> {
        self.json(Call::get(format!("{BASE}/agents/{}", segment(id)?))).await
    }

    /// `PATCH /agents/me`.
    ///
    /// # Errors
    /// `unauthenticated`, `validation_failed`.
    pub async fn update_me(&self, update: &ProfileUpdate) -> Result<Agent> {
        self.json(Call::patch(format!("{BASE}/agents/me"), json(update))).await
    }
}
