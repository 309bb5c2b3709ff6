//! Proving a wallet: a challenge is handed out, its signature makes an agent or a session.
//!
//! The challenge is a fixed text (`clawos_receipts::statement::Challenge`) that the client rebuilds and signs; it names
//! this server and this chain, it can be used once, and it cannot be a transaction.

mod store;

use super::profile::Agent;
use super::sessions::{self, Session};
use super::{handle, keys, profile};
use crate::app::{App, AppState};
use crate::audit;
use crate::database::is_unique_violation;
use crate::error::{ApiError, Code, Problem};
use crate::http::{Input, Path, Problems, StrictJson};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clawos_receipts::statement;
use clawos_receipts::text::{from_base58, to_base58};
use serde::{Deserialize, Serialize};
pub(super) use store::{Purpose, forget_expired};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a challenge may be answered (milliseconds): long enough for a person with a hardware wallet.
const CHALLENGE_MS: i64 = 5 * 60 * 1000;
/// Characters of a description.
pub(super) const DESCRIPTION_LEN: std::ops::RangeInclusive<usize> = 0..=500;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(register_verify))
        .routes(routes!(sign_in))
        .routes(routes!(sign_in_verify))
}

/// A new agent's wish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    /// The agent's unique, immutable name: 3 to 32 lower-case letters, digits and hyphens.
    name: String,
    /// Its wallet, base58; the key that must sign the challenge.
    wallet: String,
    /// At most 500 characters.
    #[serde(default)]
    description: String,
    /// `author`, `buyer` or both (the default).
    roles: Option<Vec<profile::Role>>,
}

impl Input for Register {
    fn check(&self, problems: &mut Problems) {
        handle::check("/name", &self.name, problems);
        check_wallet("/wallet", &self.wallet, problems);
        problems.text("/description", &self.description, DESCRIPTION_LEN);
        if let Some(roles) = &self.roles {
            profile::check_roles("/roles", roles, problems);
        }
    }
}

/// An agent that wants a new session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The agent's wallet, base58.
    wallet: String,
}

impl Input for SignIn {
    fn check(&self, problems: &mut Problems) {
        check_wallet("/wallet", &self.wallet, problems);
    }
}

/// What to sign: rebuild `message` from the other fields, compare, sign its bytes.
#[derive(Debug, Serialize, ToSchema)]
struct Challenge {
    /// `chl_…`; send it back with the signature.
    challenge: String,
    /// The exact text to sign.
    message: String,
    origin: String,
    /// The chain's genesis hash, base58.
    genesis: String,
    handle: String,
    wallet: String,
    nonce: String,
    /// Unix milliseconds, as in the text.
    expires_at_ms: i64,
}

/// A signature of a registration challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Signed {
    /// Ed25519 signature of the challenge's text, base58.
    signature: String,
}

impl Input for Signed {
    fn check(&self, problems: &mut Problems) {
        check_signature("/signature", &self.signature, problems);
    }
}

/// A signature of a sign-in challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignedIn {
    /// `chl_…`
    challenge: String,
    /// Ed25519 signature of the challenge's text, base58.
    signature: String,
}

impl Input for SignedIn {
    fn check(&self, problems: &mut Problems) {
        problems.text("/challenge", &self.challenge, 1..=64);
        check_signature("/signature", &self.signature, problems);
    }
}

fn check_wallet(pointer: &str, wallet: &str, problems: &mut Problems) {
    let key = from_base58::<32>(wallet).ok().and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok());
    // A weak key (small order) has signatures that fit any message.
    if key.is_none_or(|key| key.is_weak()) {
        problems.add(pointer, "must be a Solana wallet address: an Ed25519 public key in base58");
    }
}

fn check_signature(pointer: &str, signature: &str, problems: &mut Problems) {
    if from_base58::<64>(signature).is_err() {
        problems.add(pointer, "must be an Ed25519 signature: 64 bytes in base58");
    }
}

/// Ask for a challenge to enrol a new agent.
#[utoipa::path(post, path = "/agents/register", tag = "identity", request_body = Register,
    responses((status = 201, body = Challenge), (status = "default", body = Problem)))]
async fn register(
    State(app): State<AppState>,
    body: StrictJson<Register>,
) -> Result<(StatusCode, Json<Challenge>), ApiError> {
    let wish = body.value;
    if profile::by_handle(&app, &wish.name).await?.is_some() {
        return Err(ApiError::new(Code::HandleTaken, format!("The name {} is taken; choose another.", wish.name)));
    }
    if profile::by_wallet(&app, &wish.wallet).await?.is_some() {
        let detail = "This wallet has an agent; sign in with POST /api/v1/auth/challenge.";
        return Err(ApiError::new(Code::WalletTaken, detail));
    }
    let roles = wish.roles.unwrap_or_else(|| profile::Role::ALL.to_vec());
    let challenge = hand_out(&app, Purpose::Register, &wish.name, &wish.wallet, &wish.description, &roles).await?;
    Ok((StatusCode::CREATED, Json(challenge)))
}

/// Answer the challenge: makes the agent, its first session and its first API key.
#[utoipa::path(post, path = "/agents/register/{challenge}/verify", tag = "identity", request_body = Signed,
    params(("challenge" = String, Path, description = "`chl_…`")),
    responses((status = 201, body = Session), (status = "default", body = Problem)))]
async fn register_verify(
    State(app): State<AppState>,
    Path(id): Path<String>,
    body: StrictJson<Signed>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    let challenge = answered(&app, &id, Purpose::Register, &body.value.signature).await?;
    let now = app.clock.now_ms();
    let agent = Agent::new(&challenge.handle, &challenge.wallet, &challenge.description, &challenge.roles, now);
    let mut tx = app.db.write().await?;
    use_up(&mut tx, &id, now).await?;
    profile::insert(&mut tx, &agent).await.map_err(taken)?;
    audit::append(&mut tx, now, &agent.id, "agent.register", &agent.id, &agent.name).await?;
    let key = keys::issue_first(&app, &mut tx, &agent).await?;
    let session = sessions::start(&app, &mut tx, agent, Some(key)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(session)))
}

/// Ask for a challenge to sign in again.
#[utoipa::path(post, path = "/auth/challenge", tag = "identity", request_body = SignIn,
    responses((status = 201, body = Challenge), (status = "default", body = Problem)))]
async fn sign_in(
    State(app): State<AppState>,
    body: StrictJson<SignIn>,
) -> Result<(StatusCode, Json<Challenge>), ApiError> {
    let unknown =
        || ApiError::new(Code::NotFound, "No agent has this wallet; enrol with POST /api/v1/agents/register.");
    let agent = profile::by_wallet(&app, &body.value.wallet).await?.ok_or_else(unknown)?;
    let challenge = hand_out(&app, Purpose::SignIn, &agent.name, &agent.wallet, "", &[]).await?;
    Ok((StatusCode::CREATED, Json(challenge)))
}

/// Answer the challenge: makes a session.
#[utoipa::path(post, path = "/auth/verify", tag = "identity", request_body = SignedIn,
    responses((status = 200, body = Session), (status = "default", body = Problem)))]
async fn sign_in_verify(State(app): State<AppState>, body: StrictJson<SignedIn>) -> Result<Json<Session>, ApiError> {
    let id = &body.value.challenge;
    let challenge = answered(&app, id, Purpose::SignIn, &body.value.signature).await?;
    let agent = profile::by_wallet(&app, &challenge.wallet).await?;
    let agent = agent.ok_or_else(|| ApiError::internal("a sign-in challenge without an agent"))?;
    let now = app.clock.now_ms();
    let mut tx = app.db.write().await?;
    use_up(&mut tx, id, now).await?;
    audit::append(&mut tx, now, &agent.id, "session.start", &agent.id, "").await?;
    let session = sessions::start(&app, &mut tx, agent, None).await?;
    tx.commit().await?;
    Ok(Json(session))
}

async fn hand_out(
    app: &App,
    purpose: Purpose,
    handle: &str,
    wallet: &str,
    description: &str,
    roles: &[profile::Role],
) -> Result<Challenge, ApiError> {
    let genesis = app.licensing.genesis().await?;
    let challenge = store::Challenge {
        id: clawos_receipts::new_id("chl"),
        purpose,
        origin: app.config.listen.origin(),
        genesis: to_base58(&genesis),
        handle: handle.to_owned(),
        wallet: wallet.to_owned(),
        nonce: clawos_receipts::new_id("nonce"),
        description: description.to_owned(),
        roles: profile::roles_text(roles),
        expires_at: app.clock.now_ms() + CHALLENGE_MS,
        used: false,
    };
    let message = statement_of(&challenge)?.text().map_err(ApiError::internal)?;
    store::insert(&app.db, &challenge).await?;
    Ok(Challenge {
        challenge: challenge.id,
        message,
        origin: challenge.origin,
        genesis: challenge.genesis,
        handle: challenge.handle,
        wallet: challenge.wallet,
        nonce: challenge.nonce,
        expires_at_ms: challenge.expires_at,
    })
}

/// The challenge, if it is open and `signature` is its wallet's.
async fn answered(app: &App, id: &str, purpose: Purpose, signature: &str) -> Result<store::Challenge, ApiError> {
    let found = store::find(&app.db, id).await?.filter(|challenge| challenge.purpose == purpose);
    let challenge =
        found.ok_or_else(|| ApiError::new(Code::NotFound, "There is no such challenge; ask for a new one."))?;
    if challenge.used {
        return Err(already_used());
    }
    if challenge.expires_at <= app.clock.now_ms() {
        return Err(ApiError::new(
            Code::ChallengeExpired,
            "The challenge was open for five minutes; ask for a new one.",
        ));
    }
    let signature = from_base58::<64>(signature).map_err(ApiError::internal)?;
    statement_of(&challenge)?.verify(&signature).map_err(|error| {
        let detail = "The signature is not this wallet's over the challenge's exact text.";
        ApiError::new(Code::BadSignature, detail).caused_by(error)
    })?;
    Ok(challenge)
}

fn statement_of(challenge: &store::Challenge) -> Result<statement::Challenge, ApiError> {
    Ok(statement::Challenge {
        origin: challenge.origin.clone(),
        genesis: from_base58(&challenge.genesis).map_err(ApiError::internal)?,
        handle: challenge.handle.clone(),
        wallet: from_base58(&challenge.wallet).map_err(ApiError::internal)?,
        nonce: challenge.nonce.clone(),
        expires_at_ms: u64::try_from(challenge.expires_at).map_err(ApiError::internal)?,
    })
}

/// Marks the challenge used; of two answers at the same time only one gets through.
async fn use_up(tx: &mut sqlx::AnyConnection, id: &str, now: i64) -> Result<(), ApiError> {
    if store::use_up(tx, id, now).await? { Ok(()) } else { Err(already_used()) }
}

fn already_used() -> ApiError {
    ApiError::new(Code::ChallengeUsed, "A challenge can be answered once; ask for a new one.")
}

/// Somebody enrolled with the name or the wallet while this challenge was open.
fn taken(error: sqlx::Error) -> ApiError {
    if !is_unique_violation(&error) {
        return error.into();
    }
    // Both databases name the column in the message.
    let code = if error.to_string().contains("wallet") { Code::WalletTaken } else { Code::HandleTaken };
    ApiError::new(code, "It was taken while your challenge was open.").caused_by(error)
}
