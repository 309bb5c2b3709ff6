//! Signing in again: an agent's wallet gives it a new session.

use clawos_api::identity::{Challenge, Session, SignIn, SignedIn};
use clawos_base::{Problems, audit, database};

use super::store::Purpose;
use super::{Subject, check_signature, check_wallet, use_up};
use crate::{Identity, IdentityError, profile, sessions};

impl Identity {
    /// A challenge to sign in.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`], [`IdentityError::Absent`], [`IdentityError::Genesis`].
    pub async fn sign_in(&self, request: &SignIn) -> Result<Challenge, IdentityError> {
        let mut problems = Problems::default();
        check_wallet(&request.wallet, &mut problems);
        problems.into_result()?;
        let agent = profile::by_wallet(&self.ports.db, &request.wallet).await?;
        let agent = agent.ok_or(IdentityError::Absent("agent; enrol with POST /api/v1/agents/register"))?;
        self.issue_challenge(Subject {
            purpose: Purpose::SignIn,
            handle: &agent.name,
            wallet: &agent.wallet,
            description: "",
            roles: &[],
        })
        .await
    }

    /// Ends a sign-in: makes a session.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`], [`IdentityError::Absent`], [`IdentityError::ChallengeUsed`],
    /// [`IdentityError::ChallengeExpired`], [`IdentityError::BadSignature`].
    pub async fn verify_sign_in(&self, answer: &SignedIn) -> Result<Session, IdentityError> {
        let mut problems = Problems::default();
        problems.text("/challenge", &answer.challenge, 1..=64);
        check_signature(&answer.signature, &mut problems);
        problems.into_result()?;
        let challenge = self.answered(&answer.challenge, Purpose::SignIn, &answer.signature).await?;
        let agent = profile::by_wallet(&self.ports.db, &challenge.wallet).await?;
        let agent = agent.ok_or_else(|| IdentityError::Internal("a sign-in challenge without an agent".into()))?;
        let now = self.now();
        let mut tx = self.ports.db.write().await?;
        use_up(&mut tx, &challenge.id, now).await?;
        audit::append(&mut tx, now, &agent.id, "session.start", &agent.id, "").await?;
        let session = sessions::start(&mut tx, now, agent, None).await?;
        database::commit(tx).await?;
        Ok(session)
    }
}
