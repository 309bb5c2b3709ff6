//! What a guest is given: log, clock, random and progress always, and nothing else unless a call grants it.
//!
//! These files know no engine; a back end gives them to its guests in its own way.

pub(crate) mod clock;
pub mod kv;
pub(crate) mod log;
pub(crate) mod random;

use std::sync::Arc;

use kv::KeyValue;

/// What a caller grants a guest beyond log, clock, random and progress, as handles. Empty by default: nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// The store behind the permission `kv`.
    pub kv: Option<Arc<dyn KeyValue>>,
}

impl Capabilities {
    /// These, and a store.
    #[must_use]
    pub fn with_kv(self, store: Arc<dyn KeyValue>) -> Self {
        Self { kv: Some(store), ..self }
    }
}
