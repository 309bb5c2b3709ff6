//! Registering: a wallet becomes an agent, with its first session and its first API key.

use clawos_api::Timestamp;
use clawos_api::identity::{Agent, Challenge, Register, Role, Session, Signed};
use clawos_base::database::{self, is_unique_violation};
use clawos_base::{Invalid, Problems, audit};

use super::store::Purpose;
use super::{Subject, check_signature, check_wallet, use_up};
use crate::profile::{self, roles_from_text};
use crate::{Identity, IdentityError, handle, sessions};

impl Identity {
    /// A challenge to register a new agent.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`], [`IdentityError::HandleTaken`], [`IdentityError::WalletTaken`],
    /// [`IdentityError::Genesis`].
    pub async fn register(&self, request: &Register) -> Result<Challenge, IdentityError> {
        check(request)?;
        if profile::by_handle(&self.ports.db, &request.name).await?.is_some() {
            return Err(IdentityError::HandleTaken(request.name.clone()));
        }
        if profile::by_wallet(&self.ports.db, &request.wallet).await?.is_some() {
            return Err(IdentityError::WalletTaken);
        }
        self.issue_challenge(Subject {
            purpose: Purpose::Register,
            handle: &request.name,
            wallet: &request.wallet,
            description: &request.description,
            roles: request.roles.as_deref().unwrap_or(Role::ALL),
        })
        .await
    }

    /// Ends a registration: makes the agent, its first session and its first API key.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`], [`IdentityError::Absent`], [`IdentityError::ChallengeUsed`],
    /// [`IdentityError::ChallengeExpired`], [`IdentityError::BadSignature`], [`IdentityError::HandleTakenMeanwhile`],
    /// [`IdentityError::WalletTakenMeanwhile`].
    pub async fn verify_registration(&self, challenge: &str, answer: &Signed) -> Result<Session, IdentityError> {
        let mut problems = Problems::default();
        check_signature(&answer.signature, &mut problems);
        problems.into_result()?;
        let challenge = self.answered(challenge, Purpose::Register, &answer.signature).await?;
        let now = self.now();
        let agent = Agent {
            id: clawos_receipts::new_id("agt"),
            name: challenge.handle,
            wallet: challenge.wallet,
            description: challenge.description,
            roles: roles_from_text(&challenge.roles),
            created_at: Timestamp(now),
        };
        let mut tx = self.ports.db.write().await?;
        use_up(&mut tx, &challenge.id, now).await?;
        profile::insert(&mut tx, &agent).await.map_err(taken)?;
        audit::append(&mut tx, now, &agent.id, "agent.register", &agent.id, &agent.name).await?;
        audit::append(&mut tx, now, &agent.id, "session.start", &agent.id, "").await?;
        let key = self.issue_first_key(&mut tx, &agent).await?;
        let session = sessions::start(&mut tx, now, agent, Some(key)).await?;
        database::commit(tx).await?;
        Ok(session)
    }
}

fn check(request: &Register) -> Result<(), Invalid> {
    let mut problems = Problems::default();
    handle::check("/name", &request.name, &mut problems);
    check_wallet(&request.wallet, &mut problems);
    profile::check(Some(&request.description), request.roles.as_deref(), &mut problems);
    problems.into_result()
}

/// Somebody registered the name or the wallet while this challenge was open.
fn taken(error: sqlx::Error) -> IdentityError {
    if !is_unique_violation(&error) {
        return error.into();
    }
    // Both databases name the column in the message.
    if error.to_string().contains("wallet") {
        IdentityError::WalletTakenMeanwhile(error)
    } else {
        IdentityError::HandleTakenMeanwhile(error)
    }
}
