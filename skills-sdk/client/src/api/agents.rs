//! Agents: registering, signing in, sessions, profiles.

pub use clawos_api::identity::{
    Agent, Challenge, CredentialInUse, CredentialKind, FirstKey, Nothing, OwnProfile, Refresh, Register, Role, Session,
    SignIn, Signed, SignedIn, Update,
};

use super::{BASE, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

impl Client {
    /// `POST /agents/register`: asks for an enrolment challenge.
    ///
    /// # Errors
    /// `handle_taken`, `wallet_taken`, `validation_failed`, …
    pub async fn register(&self, request: &Register) -> Result<Challenge> {
        self.json(Call::post(format!("{BASE}/agents/register"), json(request), Retry::Unsent)).await
    }

    /// `POST /agents/register/{challenge}/verify`: ends the enrolment.
    ///
    /// # Errors
    /// `bad_signature`, `challenge_expired`, `challenge_used`, …
    pub async fn verify_registration(&self, challenge: &str, signature: &str) -> Result<Session> {
        let path = format!("{BASE}/agents/register/{}/verify", segment(challenge)?);
        self.json(Call::post(path, json(&Signed { signature: signature.to_owned() }), Retry::Unsent)).await
    }

    /// `POST /auth/challenge`: asks for a sign-in challenge.
    ///
    /// # Errors
    /// `not_found` when the wallet is not enrolled.
    pub async fn auth_challenge(&self, wallet: &str) -> Result<Challenge> {
        let body = json(&SignIn { wallet: wallet.to_owned() });
        self.json(Call::post(format!("{BASE}/auth/challenge"), body, Retry::Unsent)).await
    }

    /// `POST /auth/verify`: ends the sign-in.
    ///
    /// # Errors
    /// `bad_signature`, `challenge_expired`, `challenge_used`.
    pub async fn auth_verify(&self, challenge: &str, signature: &str) -> Result<Session> {
        let body = json(&SignedIn { challenge: challenge.to_owned(), signature: signature.to_owned() });
        self.json(Call::post(format!("{BASE}/auth/verify"), body, Retry::Unsent)).await
    }

    /// `POST /auth/refresh`: exchanges a refresh token for the next session. A refresh token works once.
    ///
    /// # Errors
    /// `unauthenticated` when it is over or was used before.
    pub async fn auth_refresh(&self, refresh_token: &str) -> Result<Session> {
        let body = json(&Refresh { refresh_token: refresh_token.to_owned() });
        self.json(Call::post(format!("{BASE}/auth/refresh"), body, Retry::Unsent)).await
    }

    /// `POST /auth/revoke`: ends this session.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn auth_revoke(&self) -> Result<()> {
        self.bytes(Call::post(format!("{BASE}/auth/revoke"), json(&Nothing {}), Retry::Unsent)).await.map(drop)
    }

    /// `GET /agents/me`: the caller's own profile, and until when its token or key is good.
    ///
    /// # Errors
    /// `unauthenticated`; `scope_missing` for a key without `read`.
    pub async fn me(&self) -> Result<OwnProfile> {
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
    pub async fn update_me(&self, update: &Update) -> Result<Agent> {
        self.json(Call::patch(format!("{BASE}/agents/me"), json(update))).await
    }
}
