//! What a key or a session may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One permission of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Publish skills and versions.
    Publish,
    /// Purchase and execute.
    Invoke,
    /// Read what is the agent's own: receipts, licences, profile.
    Read,
    /// Manage keys, sessions and the profile.
    Admin,
}

impl Scope {
    const ALL: [Scope; 4] = [Scope::Publish, Scope::Invoke, Scope::Read, Scope::Admin];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Publish => "publish",
            Scope::Invoke => "invoke",
            Scope::Read => "read",
            Scope::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them: what a session has.
    pub fn all() -> Scopes {
        Scope::ALL.into_iter().collect()
    }

    /// Whether it holds `scope`.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether it holds every scope of `other`.
    pub fn includes(self, other: Scopes) -> bool {
        other.0 & !self.0 == 0
    }

    /// The scopes in it, in a fixed order.
    pub fn list(self) -> Vec<Scope> {
        Scope::ALL.into_iter().filter(|scope| self.contains(*scope)).collect()
    }

    /// As stored: comma separated.
    pub(super) fn to_text(self) -> String {
        self.list().into_iter().map(Scope::as_str).collect::<Vec<_>>().join(",")
    }

    /// From what is stored; names this version does not know give nothing.
    pub(super) fn from_text(text: &str) -> Scopes {
        Scope::ALL.into_iter().filter(|scope| text.split(',').any(|name| name == scope.as_str())).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes};

    #[test]
    fn text_form_round_trips_and_ignores_the_unknown() {
        let scopes: Scopes = [Scope::Read, Scope::Publish].into_iter().collect();
        assert_eq!(scopes.to_text(), "publish,read");
        assert_eq!(Scopes::from_text("read,root,publish"), scopes);
        assert!(Scopes::all().includes(scopes) && !scopes.includes(Scopes::all()));
        assert_eq!(Scopes::from_text(""), Scopes::default());
    }
}
