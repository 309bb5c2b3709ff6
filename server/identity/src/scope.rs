//! What a key or a session may do.

use clawos_api::identity::Scope;

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them: what a session has.
    pub fn all() -> Scopes {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether it holds `scope`.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// Whether it holds every scope of `other`.
    pub fn includes(self, other: Scopes) -> bool {
        other.0 & !self.0 == 0
    }

    /// The scopes in it, in a fixed order.
    pub fn list(self) -> Vec<Scope> {
        Scope::ALL.iter().copied().filter(|scope| self.contains(*scope)).collect()
    }

    /// As stored: comma separated.
    pub(crate) fn to_text(self) -> String {
        self.list().into_iter().map(Scope::as_str).collect::<Vec<_>>().join(",")
    }

    /// From what is stored; names this version does not know give nothing.
    pub(crate) fn from_text(text: &str) -> Scopes {
        text.split(',').filter_map(Scope::from_name).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_ignores_the_unknown() {
        let scopes: Scopes = [Scope::Read, Scope::Publish].into_iter().collect();
        assert_eq!(scopes.to_text(), "publish,read");
        assert_eq!(Scopes::from_text("read,root,publish"), scopes);
        assert!(Scopes::all().includes(scopes) && !scopes.includes(Scopes::all()));
        assert_eq!(Scopes::from_text(""), Scopes::default());
    }
}
