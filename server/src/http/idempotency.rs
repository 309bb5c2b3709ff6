//! `Idempotency-Key` (draft-07): the same request is done once and its answer replayed for 24 hours.
//!
//! A key is claimed before the work and answered after it. Scope is (agent, route, key). Answers with 429 or 5xx are not
//! stored: the claim is dropped and the next try runs. A claim left by a killed process ends by itself.

mod store;

use super::auth::Caller;
use super::params::IdempotencyKey;
use super::vault::Vault;
use crate::clock::Clock;
use crate::database::Database;
use crate::error::{ApiError, Code};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer is kept (milliseconds).
const KEEP_MS: i64 = 24 * 3600 * 1000;

/// Largest answer that is stored (bytes); larger than any JSON this API gives.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How long ordinary work may take before its claim is taken for dead.
pub const CLAIM: Duration = Duration::from_secs(60);

/// How to go on with a request.
#[derive(Debug)]
pub enum Begin {
    /// The request was answered before: this is that answer.
    Replay(Response),
    /// Do the work, then complete or abandon the claim.
    Claimed(Claim),
    /// The client sent no key: do the work.
    Unkeyed,
}

/// The right to answer a keyed request.
#[derive(Debug, Clone)]
pub struct Claim {
    agent_id: String,
    route: &'static str,
    key_hash: String,
    token: String,
}

/// The SHA-256 of a request's parts, each with its length, so that parts cannot run into each other.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The keys of this server's clients.
#[derive(Debug)]
pub struct Idempotency {
    db: Database,
    vault: Vault,
    clock: Arc<dyn Clock>,
}

impl Idempotency {
    /// Over this database; answers are encrypted with `vault`.
    pub fn new(db: Database, vault: Vault, clock: Arc<dyn Clock>) -> Self {
        Self { db, vault, clock }
    }

    /// Claims the request's key, or finds its earlier answer. A claim that is neither completed nor abandoned ends
    /// after `within`.
    pub async fn begin(
        &self,
        caller: &Caller,
        route: &'static str,
        key: &IdempotencyKey,
        fingerprint: [u8; 32],
        within: Duration,
    ) -> Result<Begin, ApiError> {
        let Some(key) = &key.0 else { return Ok(Begin::Unkeyed) };
        let claim = Claim {
            agent_id: caller.agent_id.to_string(),
            route,
            key_hash: hex::encode(Sha256::digest(key.as_bytes())),
            token: clawos_receipts::new_id("clm"),
        };
        let fingerprint = hex::encode(fingerprint);
        let now = self.clock.now_ms();
        let until = now + i64::try_from(within.as_millis()).unwrap_or(KEEP_MS);
        if store::claim(&self.db, &claim, &fingerprint, now, until, now + KEEP_MS).await? {
            return Ok(Begin::Claimed(claim));
        }
        // Nothing found means that it ended between the two statements.
        let earlier = store::find(&self.db, &claim).await?.ok_or_else(running)?;
        if earlier.fingerprint != fingerprint {
            let detail = "This Idempotency-Key was used for another request; use a new one for a new request.";
            return Err(ApiError::new(Code::IdempotencyMismatch, detail));
        }
        let sealed = earlier.answer.ok_or_else(running)?;
        let plain = self.vault.open(&claim.place(), &sealed).map_err(ApiError::internal)?;
        Ok(Begin::Replay(unpack(&plain)?))
    }

    /// Stores the answer in the caller's transaction, so that it exists exactly when the work does. False when the claim
    /// had run out and another request took it: the work must then be undone.
    pub async fn complete_in(
        &self,
        claim: &Claim,
        connection: &mut AnyConnection,
        status: StatusCode,
        body: &[u8],
    ) -> Result<bool, ApiError> {
        let sealed = self.vault.seal(&claim.place(), &pack(status, body)).map_err(ApiError::internal)?;
        Ok(store::complete(connection, claim, &sealed, self.clock.now_ms() + KEEP_MS).await?)
    }

    /// Gives the key back: the next request with it runs.
    pub async fn abandon(&self, claim: &Claim) -> Result<(), ApiError> {
        store::abandon(&self.db, claim).await?;
        Ok(())
    }

    /// Runs `work` once per key. `work` gets its claim and hands it to [`Self::answer_in`], so that what it does and what
    /// it answers are one transaction; what it refuses is stored here.
    pub async fn once<W, F>(
        &self,
        caller: &Caller,
        route: &'static str,
        key: &IdempotencyKey,
        fingerprint: [u8; 32],
        within: Duration,
        work: W,
    ) -> Result<Response, ApiError>
    where
        W: FnOnce(Option<Claim>) -> F,
        F: Future<Output = Result<Response, ApiError>>,
    {
        let claim = match self.begin(caller, route, key, fingerprint, within).await? {
            Begin::Replay(response) => return Ok(response),
            Begin::Unkeyed => return work(None).await,
            Begin::Claimed(claim) => claim,
        };
        match work(Some(claim.clone())).await {
            Ok(answer) => Ok(answer),
            Err(refusal) => self.refuse(&claim, refusal.into_response()).await,
        }
    }

    /// Makes the answer of guarded work and stores it in the work's transaction.
    ///
    /// # Errors
    /// When the claim had run out and another request took it, too: the transaction must not be committed.
    pub async fn answer_in<T: Serialize>(
        &self,
        claim: Option<Claim>,
        connection: &mut AnyConnection,
        status: StatusCode,
        body: &T,
    ) -> Result<Response, ApiError> {
        let body = serde_json::to_vec(body).map_err(ApiError::internal)?;
        if let Some(claim) = claim
            && !self.complete_in(&claim, connection, status, &body).await?
        {
            return Err(running());
        }
        Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
    }

    /// Stores a refusal, or gives the key back when the same request may succeed later.
    async fn refuse(&self, claim: &Claim, refusal: Response) -> Result<Response, ApiError> {
        let (parts, body) = refusal.into_parts();
        let body = axum::body::to_bytes(body, MAX_ANSWER).await.map_err(ApiError::internal)?;
        let stored = match parts.status.is_server_error() || parts.status == StatusCode::TOO_MANY_REQUESTS {
            true => self.abandon(claim).await,
            false => self.complete(claim, parts.status, &body).await,
        };
        if let Err(error) = stored {
            // The client shall learn why it was refused all the same; the claim ends by itself.
            tracing::warn!(?error, "the refusal of an idempotent request could not be stored");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn complete(&self, claim: &Claim, status: StatusCode, body: &[u8]) -> Result<(), ApiError> {
        self.complete_in(claim, &mut *self.db.acquire().await?, status, body).await.map(drop)
    }

    /// Removes answers older than 24 hours.
    pub async fn forget_expired(&self) -> Result<(), sqlx::Error> {
        store::forget_expired(&self.db, self.clock.now_ms()).await
    }

    /// Drops the claims of a process that is gone: right at start-up when no other server shares the database.
    pub async fn drop_dead_claims(&self) -> Result<(), sqlx::Error> {
        store::drop_claims(&self.db).await
    }
}

fn running() -> ApiError {
    ApiError::new(Code::IdempotencyRunning, "Wait for the first request to end, then repeat this one for its answer.")
        .retry_after(Duration::from_secs(1))
}

impl Claim {
    fn place(&self) -> String {
        format!("{}|{}|{}", self.agent_id, self.route, self.key_hash)
    }
}

fn pack(status: StatusCode, body: &[u8]) -> Vec<u8> {
    [status.as_u16().to_le_bytes().as_slice(), body].concat()
}

fn unpack(plain: &[u8]) -> Result<Response, ApiError> {
    let broken = || ApiError::internal("a stored answer is too short");
    let (status, body) = plain.split_at_checked(2).ok_or_else(broken)?;
    let status = StatusCode::from_u16(u16::from_le_bytes([status[0], status[1]])).map_err(ApiError::internal)?;
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, body.to_vec()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    Ok(response)
}
