//! What an agent shows of itself.

mod store;

pub use store::lock;
pub(crate) use store::{by_handle, by_wallet, insert};

use clawos_api::identity::{Agent, Role, Scope, Update};
use clawos_api::limits::DESCRIPTION_LEN;
use clawos_base::{Problems, audit, database};
use sqlx::AnyConnection;

use crate::{Caller, Identity, IdentityError};

/// Roles as stored: comma separated, in a fixed order.
pub(crate) fn roles_text(roles: &[Role]) -> String {
    let named = Role::ALL.iter().filter(|role| roles.contains(role));
    named.map(|role| role.as_str()).collect::<Vec<_>>().join(",")
}

/// From what is stored; names this version does not know are left out.
pub(crate) fn roles_from_text(text: &str) -> Vec<Role> {
    text.split(',').filter_map(Role::from_name).collect()
}

/// Reports what is wrong with what an agent says of itself.
pub(crate) fn check(description: Option<&str>, roles: Option<&[Role]>, problems: &mut Problems) {
    if let Some(description) = description {
        problems.text("/description", description, DESCRIPTION_LEN);
    }
    if roles.is_some_and(|roles| roles.is_empty() || roles.len() > Role::ALL.len()) {
        problems.add("/roles", "must name one or two roles: author, buyer");
    }
}

/// The agent with this id; it must exist.
pub(crate) async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Agent, IdentityError> {
    let found = store::by_id(connection, id).await?;
    found.ok_or_else(|| IdentityError::Internal(format!("no agent {id}").into()))
}

impl Identity {
    /// An agent's public profile, by id (`agt_…`) or by name.
    ///
    /// # Errors
    /// [`IdentityError::Absent`].
    pub async fn agent(&self, id_or_name: &str) -> Result<Agent, IdentityError> {
        let found = if clawos_receipts::id::is_id("agt", id_or_name) {
            store::by_id(&mut *self.ports.db.acquire().await?, id_or_name).await?
        } else {
            by_handle(&self.ports.db, id_or_name).await?
        };
        found.ok_or(IdentityError::Absent("agent"))
    }

    /// Changes the caller's own profile.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`]; [`IdentityError::ScopeMissing`] without `admin`.
    pub async fn update_profile(&self, caller: &Caller, update: Update) -> Result<Agent, IdentityError> {
        let mut problems = Problems::default();
        check(update.description.as_deref(), update.roles.as_deref(), &mut problems);
        problems.into_result()?;
        caller.require(Scope::Admin)?;
        let now = self.now();
        let mut tx = self.ports.db.write().await?;
        let mut agent = by_id(&mut tx, &caller.agent_id).await?;
        agent.description = update.description.unwrap_or(agent.description);
        agent.roles = update.roles.unwrap_or(agent.roles);
        store::update(&mut tx, &agent, now).await?;
        audit::append(&mut tx, now, &caller.agent_id, "agent.update", &agent.id, &roles_text(&agent.roles)).await?;
        database::commit(tx).await?;
        Ok(agent)
    }
}
