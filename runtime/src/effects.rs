//! What a call has to do with the outside: exchanges that are recorded, and effects that are held back.

use std::{
    error::Error,
    fmt, mem,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use crate::Permission;

/// What a guest learned from outside in one request: with it, a call that is not derived from its invocation alone can
/// be explained later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// By which permission.
    pub permission: Permission,
    /// What it asked. For `kv` the key.
    pub request: Bytes,
    /// What it was told; none when there was no answer. For `kv` the value.
    pub response: Option<Bytes>,
}

/// What one call learned from outside, in order, whichever way. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Exchanges(Arc<Mutex<Vec<Exchange>>>);

impl Exchanges {
    /// Adds an exchange. Whoever records bounds how much it keeps.
    pub fn record(&self, exchange: Exchange) {
        self.0.lock().expect("no code panics while holding this lock").push(exchange);
    }

    /// Takes what was recorded.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        mem::take(&mut *self.0.lock().expect("no code panics while holding this lock"))
    }
}

/// What a call did to the outside, held back until its caller says that it counts.
#[async_trait]
pub trait HeldEffect: Send + Sync {
    /// Makes it take effect, all or nothing. Dropped without this, it never happened.
    ///
    /// # Errors
    /// When it could not take effect.
    async fn commit(self: Box<Self>) -> Result<(), CommitError>;
}

/// Effects of a call that succeeded, to be committed once its receipt is durable. Of a call that failed there are none.
/// Dropping them rolls them back.
#[derive(Default)]
#[must_use = "effects that are not committed are rolled back"]
pub struct HeldEffects(Vec<Box<dyn HeldEffect>>);

impl HeldEffects {
    /// Adds an effect, to be committed after those that are there.
    pub fn hold(&mut self, effect: Box<dyn HeldEffect>) {
        self.0.push(effect);
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the effects take place, in order.
    ///
    /// # Errors
    /// The first that failed; those after it are rolled back.
    pub async fn commit(self) -> Result<(), CommitError> {
        for effect in self.0 {
            effect.commit().await?;
        }
        Ok(())
    }

    /// Drops the effects: nothing happened.
    pub fn roll_back(self) {}
}

impl fmt::Debug for HeldEffects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldEffects({})", self.0.len())
    }
}

/// An effect that could not be committed. The text is for the operator.
#[derive(Debug, Error)]
#[error("an effect of the call could not be committed: {0}")]
pub struct CommitError(#[source] pub Box<dyn Error + Send + Sync>);
