//! `Idempotency-Key` (draft-07): the same request is done once and its answer replayed for 24 hours.
//!
//! A key is claimed before the work and answered after it. Scope is (agent, route, key). Answers with 429 or 5xx are not
//! stored: the claim is dropped and the next try runs. A claim left by a killed process ends by itself.

mod store;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use crate::vault::{Vault, VaultError};
use crate::{Cause, Clock, Database};

/// How long an answer is kept (milliseconds).
const KEEP_MS: i64 = 24 * 3600 * 1000;
/// Claims remembered that could not be given back while the database was away; further ones end by themselves.
const MAX_UNRETURNED: usize = 4_096;

/// How long ordinary work may take before its claim is taken for dead.
pub const CLAIM: Duration = Duration::from_secs(60);

/// A request cannot be taken up, or its answer not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdempotencyError {
    /// The key was used for another request.
    #[error("This Idempotency-Key was used for another request; use a new one for a new request.")]
    Mismatch,
    /// The first request with this key has not ended.
    #[error("Wait for the first request to end, then repeat this one for its answer.")]
    Running,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A stored answer cannot be read, or this one not be written.
    #[error("an answer cannot be stored or read: {0}")]
    Internal(Cause),
}

impl From<VaultError> for IdempotencyError {
    fn from(error: VaultError) -> Self {
        IdempotencyError::Internal(error.into())
    }
}

/// What identifies a request that may come again.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'a> {
    /// Who asks: `agt_…`.
    pub agent_id: &'a str,
    /// Method and path, or another name, of what is asked for.
    pub route: &'static str,
    /// The client's key; none makes every request a new one.
    pub key: Option<&'a str>,
    /// [`fingerprint`] of all that makes it the same request.
    pub fingerprint: [u8; 32],
    /// How long the work may take before its claim counts as dead: [`CLAIM`] unless it takes longer.
    pub within: Duration,
}

/// An answer as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its JSON.
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold a new key's secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// An answer that its work has stored, in the work's own transaction, or that no key asks to be stored. Only
/// [`AnswerSlot::store`] makes one, so a door cannot send other bytes than those.
#[derive(Debug)]
#[must_use = "it is the answer"]
pub struct StoredAnswer(Answer);

impl StoredAnswer {
    /// The answer to send.
    pub fn into_answer(self) -> Answer {
        self.0
    }
}

/// How to go on with a request.
#[derive(Debug)]
pub enum Begin {
    /// The request was answered before: this is that answer.
    Replay(Answer),
    /// Do the work, then complete or abandon the claim.
    Claimed(Claim),
    /// The client sent no key: do the work.
    Unkeyed,
}

/// Where work puts its answer, in its own transaction, so that the answer exists exactly when the work does.
#[derive(Clone, Debug)]
pub struct AnswerSlot {
    idempotency: Arc<Idempotency>,
    claim: Option<Claim>,
    status: u16,
}

impl AnswerSlot {
    /// A slot for an answer with `status`; without a claim nothing is stored.
    pub fn new(idempotency: Arc<Idempotency>, claim: Option<Claim>, status: u16) -> AnswerSlot {
        AnswerSlot { idempotency, claim, status }
    }

    /// Stores the answer in the transaction of the work.
    ///
    /// # Errors
    /// [`IdempotencyError::Running`] when the claim had lapsed and another request took it; then, as with every other error,
    /// the transaction must not be committed.
    pub async fn store<T: Serialize>(
        &self,
        connection: &mut AnyConnection,
        body: &T,
    ) -> Result<StoredAnswer, IdempotencyError> {
        let body = serde_json::to_vec(body).map_err(|error| IdempotencyError::Internal(error.into()))?;
        if let Some(claim) = &self.claim
            && !self.idempotency.complete_in(claim, connection, self.status, &body).await?
        {
            return Err(IdempotencyError::Running);
        }
        Ok(StoredAnswer(Answer { status: self.status, body }))
    }
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
    server: String,
    /// Of work that ended without an answer while the database was away, by [`Claim::place`].
    unreturned: Mutex<HashMap<String, Claim>>,
}

impl Idempotency {
    /// Over this database; answers are encrypted with `vault`. `server` names this process among those that share it.
    pub fn new(db: Database, vault: Vault, clock: Arc<dyn Clock>, server: String) -> Self {
        Self { db, vault, clock, server, unreturned: Mutex::default() }
    }

    /// Claims the request's key, or finds its earlier answer.
    ///
    /// # Errors
    /// [`IdempotencyError`].
    pub async fn begin(&self, request: Keyed<'_>) -> Result<Begin, IdempotencyError> {
        let Some(key) = request.key else { return Ok(Begin::Unkeyed) };
        let claim = Claim {
            agent_id: request.agent_id.to_owned(),
            route: request.route,
            key_hash: hex::encode(Sha256::digest(key.as_bytes())),
            token: clawos_receipts::new_id("clm"),
        };
        self.return_earlier(&claim).await;
        let fingerprint = hex::encode(request.fingerprint);
        let now = self.clock.now_ms();
        let until = now + i64::try_from(request.within.as_millis()).unwrap_or(KEEP_MS);
        let lasting = store::Lasting { now, claimed_until: until, expires_at: now + KEEP_MS };
        if store::claim(&self.db, &claim, &self.server, &fingerprint, lasting).await? {
            return Ok(Begin::Claimed(claim));
        }
        // Nothing found means that it ended between the two statements.
        let earlier = store::find(&self.db, &claim).await?.ok_or(IdempotencyError::Running)?;
        if earlier.fingerprint != fingerprint {
            return Err(IdempotencyError::Mismatch);
        }
        let sealed = earlier.answer.ok_or(IdempotencyError::Running)?;
        Ok(Begin::Replay(unpack(&self.vault.open(&claim.place(), &sealed)?)?))
    }

    /// Stores the answer in the caller's transaction. False when the claim had lapsed and another request took it: the work
    /// must then be undone.
    ///
    /// # Errors
    /// [`IdempotencyError`].
    pub async fn complete_in(
        &self,
        claim: &Claim,
        connection: &mut AnyConnection,
        status: u16,
        body: &[u8],
    ) -> Result<bool, IdempotencyError> {
        let sealed = self.vault.seal(&claim.place(), &pack(status, body))?;
        Ok(store::complete(connection, claim, &sealed, self.clock.now_ms() + KEEP_MS).await?)
    }

    /// Stores an answer that changed nothing else: a refusal.
    ///
    /// # Errors
    /// [`IdempotencyError`].
    pub async fn complete(&self, claim: &Claim, answer: &Answer) -> Result<(), IdempotencyError> {
        let mut connection = self.db.acquire().await?;
        self.complete_in(claim, &mut connection, answer.status, &answer.body).await.map(drop)
    }

    /// Gives the key back: the next request with it runs. Not when an answer is stored under it: if its work's transaction is
    /// one of which nobody knows yet whether it took place, the database keeps this waiting until it is known, since that
    /// transaction has changed the same row.
    ///
    /// # Errors
    /// When the database fails; the claim is given back before the next request with this key, or by
    /// [`Idempotency::return_claims`].
    pub async fn abandon(&self, claim: &Claim) -> Result<(), sqlx::Error> {
        let done = store::abandon(&self.db, claim).await;
        if done.is_err() {
            let mut unreturned = self.unreturned();
            if unreturned.len() < MAX_UNRETURNED {
                unreturned.insert(claim.place(), claim.clone());
            }
        }
        done
    }

    /// Gives back the claim that stands in the way of this one, where it could not be given back before. When it still
    /// cannot, the request finds it as it is: running.
    async fn return_earlier(&self, claim: &Claim) {
        let earlier = self.unreturned().remove(&claim.place());
        if let Some(earlier) = earlier {
            // What fails is remembered for the next time, and no reason to refuse this request.
            let _ = self.abandon(&earlier).await;
        }
    }

    /// Gives back what could not be given back before: now and then, beside the requests.
    ///
    /// # Errors
    /// When the database fails; the rest stays for the next time.
    pub async fn return_claims(&self) -> Result<(), sqlx::Error> {
        let places: Vec<String> = self.unreturned().keys().cloned().collect();
        for place in places {
            // A request with this key may have been faster.
            let claim = self.unreturned().remove(&place);
            if let Some(claim) = claim {
                self.abandon(&claim).await?;
            }
        }
        Ok(())
    }

    fn unreturned(&self) -> MutexGuard<'_, HashMap<String, Claim>> {
        self.unreturned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes answers older than 24 hours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired(&self) -> Result<(), sqlx::Error> {
        store::forget_expired(&self.db, self.clock.now_ms()).await
    }

    /// Drops the claims that processes left which are gone: at start-up, before any request. See [`Database::gone`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_dead_claims(&self) -> Result<(), sqlx::Error> {
        store::drop_claims(&self.db, self.db.gone(&self.server)).await
    }
}

impl Claim {
    fn place(&self) -> String {
        format!("{}|{}|{}", self.agent_id, self.route, self.key_hash)
    }
}

/// Whether a repetition of the request gets this answer again: rate limits and server errors are not stored, so that the
/// next try runs.
pub fn is_kept(status: u16) -> bool {
    status != 429 && status < 500
}

fn pack(status: u16, body: &[u8]) -> Vec<u8> {
    [status.to_le_bytes().as_slice(), body].concat()
}

fn unpack(plain: &[u8]) -> Result<Answer, IdempotencyError> {
    let (status, body) =
        plain.split_first_chunk().ok_or_else(|| IdempotencyError::Internal("a stored answer is too short".into()))?;
    Ok(Answer { status: u16::from_le_bytes(*status), body: body.to_vec() })
}
