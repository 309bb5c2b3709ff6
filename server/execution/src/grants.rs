//! What calls of this server are granted beyond what every call has: the one place that knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use clawos_interface::Key;
use clawos_manifest::source::Permissions;
use clawos_runtime::{Capabilities, Permission};

/// A call, as far as it decides what is granted.
#[derive(Debug, Clone, Copy)]
pub struct Grantee<'a> {
    /// `publisher.name`
    pub skill: &'a str,
    /// Who calls.
    pub wallet: &'a Key,
    /// What the manifest asks for.
    pub permissions: &'a Permissions,
}

/// Adds what a call is granted by one permission.
type Give = dyn Fn(Capabilities, &Grantee<'_>) -> Capabilities + Send + Sync;

/// The permissions that this server can grant, and how.
#[derive(Clone, Default)]
pub struct Grants(BTreeMap<Permission, Arc<Give>>);

impl Grants {
    /// What a server of this release grants: nothing yet.
    pub fn new() -> Grants {
        Grants::default()
    }

    /// These, and what `give` adds for calls whose skill asks for `permission`.
    #[must_use]
    pub fn with(
        mut self,
        permission: Permission,
        give: impl Fn(Capabilities, &Grantee<'_>) -> Capabilities + Send + Sync + 'static,
    ) -> Grants {
        self.0.insert(permission, Arc::new(give));
        self
    }

    /// The permissions that skills may ask for here: what the sandbox has to link.
    pub fn offers(&self) -> BTreeSet<Permission> {
        self.0.keys().copied().collect()
    }

    /// What the call is granted: what its skill asks for and this server has.
    pub(crate) fn of(&self, call: &Grantee<'_>) -> Capabilities {
        let asked = self.0.iter().filter(|(permission, _)| permission.is_declared(call.permissions));
        asked.fold(Capabilities::default(), |granted, (_, give)| give(granted, call))
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grants").field(&self.offers()).finish()
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use clawos_runtime::capability::OFFERED;
    use clawos_runtime::capability::kv::{KeyValue, KeyValueCall, KeyValueError, KeyValueGrant};

    use super::*;

    /// A store that says whose it is.
    #[derive(Debug)]
    struct Owner(String);

    #[async_trait]
    impl KeyValue for Owner {
        async fn get(&self, _: &str) -> Result<Option<Bytes>, KeyValueError> {
            Ok(Some(self.0.clone().into()))
        }

        async fn apply(&self, _: BTreeMap<String, Bytes>) -> Result<(), KeyValueError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_call_is_granted_what_its_skill_asks_for_as_its_caller() {
        let grants = Grants::new().with(Permission::Kv, |granted, call| {
            let owner = Owner(format!("{} of {}", call.skill, call.wallet[0]));
            granted.with(KeyValueGrant::new(Arc::new(owner)))
        });
        assert_eq!(grants.offers(), [Permission::Kv].into());
        let asks = |kv| {
            let permissions = Permissions { kv, ..Permissions::default() };
            grants.of(&Grantee { skill: "acme.notes", wallet: &[7; 32], permissions: &permissions }).begin()
        };
        let mut granted = asks(true);
        let store: &mut KeyValueCall = granted.get().expect("it was asked for");
        assert_eq!(store.get("whose").await, Ok(Some("acme.notes of 7".into())));
        assert!(asks(false).get::<KeyValueCall>().is_none());
    }

    #[test]
    fn a_server_grants_what_the_command_line_says_that_servers_offer() {
        assert_eq!(Grants::new().offers(), OFFERED.iter().copied().collect());
    }
}
