//! What a guest is given: log, clock, random and progress always, and nothing else unless a call grants it.
//!
//! These files know no engine; a back end gives them to its guests in its own way. What needs a [`Permission`] has one
//! file here: its port, its bounds, the [`Grant`] that a caller makes of the port, and one call's view of it
//! ([`CapabilityCall`]).

pub(crate) mod clock;
pub mod kv;
pub(crate) mod log;
pub(crate) mod random;

use std::{any::Any, fmt, sync::Arc};

use crate::{Exchange, Exchanges, HeldEffect, HeldEffects, Permission};

/// The permissions that skills of this release may ask for: its servers grant them, and the command line checks and tests
/// skills for them. None yet.
pub const OFFERED: &[Permission] = &[];

/// A capability that a caller grants: each call gets its own view of it.
pub trait Grant: fmt::Debug + Send + Sync {
    /// The view of a call that has not used it yet. It records in `exchanges` what it learns.
    fn begin(&self, exchanges: Exchanges) -> Box<dyn CapabilityCall>;
}

/// One call's view of a capability. It bounds what the host keeps for the call.
pub trait CapabilityCall: Any + fmt::Debug + Send {
    /// Whether the call depends on it, or would change something by it: then running it again may end otherwise.
    fn was_used(&self) -> bool;

    /// Ends it. Gives what the call would change, if anything.
    fn finish(self: Box<Self>) -> Option<Box<dyn HeldEffect>>;
}

/// What a caller grants a guest beyond log, clock, random and progress. Empty by default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Capabilities(Vec<Arc<dyn Grant>>);

impl Capabilities {
    /// These, and another one. Of two of one type a call uses the first.
    #[must_use]
    pub fn with(mut self, grant: impl Grant + 'static) -> Self {
        self.0.push(Arc::new(grant));
        self
    }

    /// The views of a call that begins.
    #[must_use]
    pub fn begin(&self) -> CallCapabilities {
        let exchanges = Exchanges::default();
        let calls = self.0.iter().map(|grant| grant.begin(exchanges.clone())).collect();
        CallCapabilities { calls, exchanges }
    }
}

/// What one call was granted, and what it did with it.
#[derive(Debug, Default)]
pub struct CallCapabilities {
    calls: Vec<Box<dyn CapabilityCall>>,
    exchanges: Exchanges,
}

impl CallCapabilities {
    /// The call's view of a capability. None where it was not granted.
    pub fn get<C: CapabilityCall>(&mut self) -> Option<&mut C> {
        self.calls.iter_mut().find_map(|call| (&mut **call as &mut dyn Any).downcast_mut())
    }

    /// Whether the call used any of it.
    #[must_use]
    pub fn were_used(&self) -> bool {
        self.calls.iter().any(|call| call.was_used())
    }

    /// Ends the call: what it learned from outside, in order, and what it would change there. A call that failed changes
    /// nothing.
    pub fn finish(self, succeeded: bool) -> (Vec<Exchange>, HeldEffects) {
        let mut effects = HeldEffects::default();
        let changes = self.calls.into_iter().filter_map(CapabilityCall::finish);
        changes.filter(|_| succeeded).for_each(|effect| effects.hold(effect));
        (self.exchanges.take(), effects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does nothing but being used.
    #[derive(Clone, Debug, Default)]
    struct Probe {
        used: bool,
    }

    impl Grant for Probe {
        fn begin(&self, _: Exchanges) -> Box<dyn CapabilityCall> {
            Box::new(self.clone())
        }
    }

    impl CapabilityCall for Probe {
        fn was_used(&self) -> bool {
            self.used
        }

        fn finish(self: Box<Self>) -> Option<Box<dyn HeldEffect>> {
            None
        }
    }

    #[test]
    fn a_call_reaches_what_it_was_granted_and_nothing_else() {
        assert!(Capabilities::default().begin().get::<Probe>().is_none());
        let granted = Capabilities::default().with(Probe::default());
        let (mut one, other) = (granted.begin(), granted.begin());
        assert!(one.get::<kv::KeyValueCall>().is_none());
        one.get::<Probe>().expect("it was granted").used = true;
        assert!(one.were_used() && !other.were_used(), "each call has its own view");
    }
}
