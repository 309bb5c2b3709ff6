//! The key-value capability: the port that a caller supplies, its bounds, and one call's view of it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::{CapabilityCall, Grant};
use crate::{CommitError, Exchange, Exchanges, HeldEffect, Permission};

/// Longest key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 256;
/// Longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Most bytes of keys and values that one call reads and writes: the host keeps them until the call is over.
pub const MAX_CALL_BYTES: u64 = 4 * 1024 * 1024;
/// Counted for each read and write beside key and value, in bytes: about what a map's entry or an exchange takes of the
/// host, so that many tiny ones are bounded too.
const ENTRY_BYTES: usize = 128;

/// A store of keys and values. Whoever grants it decides what of it the call may see: one licence's share.
#[async_trait]
pub trait KeyValue: fmt::Debug + Send + Sync {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`KeyValueError::Denied`] ends the call; the guest is told the others.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, KeyValueError>;

    /// Applies all that one call wrote, or nothing of it: each key's last value.
    ///
    /// # Errors
    /// Any; the caller of the sandbox gets it from [`HeldEffects::commit`](crate::HeldEffects::commit).
    async fn apply(&self, writes: BTreeMap<String, Bytes>) -> Result<(), KeyValueError>;
}

/// Why an operation on a store failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyValueError {
    /// The key is empty or longer than [`MAX_KEY_BYTES`].
    #[error("the key must have 1 to {MAX_KEY_BYTES} bytes")]
    InvalidKey,
    /// The value is longer than [`MAX_VALUE_BYTES`].
    #[error("a value may have {MAX_VALUE_BYTES} bytes at most")]
    ValueTooLarge,
    /// The share of the store is full, or the call moved more than [`MAX_CALL_BYTES`].
    #[error("the quota is used up")]
    QuotaExceeded,
    /// The store does not answer now. The text is for the operator.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// The call may not use the store.
    #[error("the call may not use the store")]
    Denied,
}

/// A store that is granted to calls.
#[derive(Clone, Debug)]
pub struct KeyValueGrant(Arc<dyn KeyValue>);

impl KeyValueGrant {
    /// Grants what of a store its port shows.
    #[must_use]
    pub fn new(port: Arc<dyn KeyValue>) -> Self {
        Self(port)
    }
}

impl Grant for KeyValueGrant {
    fn begin(&self, exchanges: Exchanges) -> Box<dyn CapabilityCall> {
        Box::new(KeyValueCall::new(Arc::clone(&self.0), exchanges))
    }
}

/// One call's view of a store: it reads its own writes, and they are held back until the call counts.
#[derive(Debug)]
pub struct KeyValueCall {
    port: Arc<dyn KeyValue>,
    writes: BTreeMap<String, Bytes>,
    exchanges: Exchanges,
    /// Bytes of keys and values that went either way, and [`ENTRY_BYTES`] for each read and write.
    moved: u64,
}

impl KeyValueCall {
    fn new(port: Arc<dyn KeyValue>, exchanges: Exchanges) -> Self {
        Self { port, writes: BTreeMap::new(), exchanges, moved: 0 }
    }

    /// The value of `key`: what this call wrote last, else what the store holds.
    ///
    /// # Errors
    /// As [`KeyValue::get`], and what is wrong with the key.
    pub async fn get(&mut self, key: &str) -> Result<Option<Bytes>, KeyValueError> {
        check_key(key)?;
        self.count(ENTRY_BYTES + key.len())?;
        if let Some(written) = self.writes.get(key) {
            return Ok(Some(written.clone()));
        }
        let value = self.port.get(key).await?;
        self.count(value.as_ref().map_or(0, Bytes::len))?;
        let request = Bytes::copy_from_slice(key.as_bytes());
        self.exchanges.record(Exchange { permission: Permission::Kv, request, response: value.clone() });
        Ok(value)
    }

    /// Holds `value` back under `key`.
    ///
    /// # Errors
    /// What is wrong with the key or the value.
    pub fn set(&mut self, key: String, value: Bytes) -> Result<(), KeyValueError> {
        check_key(&key)?;
        if value.len() > MAX_VALUE_BYTES {
            return Err(KeyValueError::ValueTooLarge);
        }
        self.count(ENTRY_BYTES + key.len() + value.len())?;
        self.writes.insert(key, value);
        Ok(())
    }

    /// Bounds what the host keeps for one call.
    fn count(&mut self, bytes: usize) -> Result<(), KeyValueError> {
        self.moved = self.moved.saturating_add(bytes as u64);
        if self.moved > MAX_CALL_BYTES { Err(KeyValueError::QuotaExceeded) } else { Ok(()) }
    }
}

impl CapabilityCall for KeyValueCall {
    fn was_used(&self) -> bool {
        self.moved > 0
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn HeldEffect>> {
        let Self { port, writes, .. } = *self;
        (!writes.is_empty()).then(|| Box::new(Writes { port, writes }) as Box<dyn HeldEffect>)
    }
}

fn check_key(key: &str) -> Result<(), KeyValueError> {
    if (1..=MAX_KEY_BYTES).contains(&key.len()) { Ok(()) } else { Err(KeyValueError::InvalidKey) }
}

/// The writes of one call.
struct Writes {
    port: Arc<dyn KeyValue>,
    writes: BTreeMap<String, Bytes>,
}

#[async_trait]
impl HeldEffect for Writes {
    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.port.apply(self.writes).await.map_err(|error| CommitError(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::Capabilities;

    #[derive(Debug, Default)]
    struct Map(Mutex<BTreeMap<String, Bytes>>);

    #[async_trait]
    impl KeyValue for Map {
        async fn get(&self, key: &str) -> Result<Option<Bytes>, KeyValueError> {
            Ok(self.0.lock().expect("no test panics with it").get(key).cloned())
        }

        async fn apply(&self, writes: BTreeMap<String, Bytes>) -> Result<(), KeyValueError> {
            self.0.lock().expect("no test panics with it").extend(writes);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_call_reads_its_own_writes_and_nobody_else_does_before_the_commit() {
        let map = Arc::new(Map::default());
        let mut granted = Capabilities::default().with(KeyValueGrant::new(map.clone())).begin();
        let call: &mut KeyValueCall = granted.get().expect("it was granted");
        assert_eq!(call.get("a").await, Ok(None));
        call.set("a".to_owned(), "1".into()).expect("a good key");
        assert_eq!(call.get("a").await, Ok(Some("1".into())));
        assert_eq!(map.get("a").await, Ok(None));
        let (exchanges, effects) = granted.finish(true);
        let read = Exchange { permission: Permission::Kv, request: "a".into(), response: None };
        assert_eq!(exchanges, [read], "what it wrote itself is nothing it learned");
        effects.commit().await.expect("the map takes it");
        assert_eq!(map.get("a").await, Ok(Some("1".into())));
    }

    #[tokio::test]
    async fn what_a_call_moves_is_bounded() {
        let mut call = KeyValueCall::new(Arc::new(Map::default()), Exchanges::default());
        assert_eq!(call.get("").await, Err(KeyValueError::InvalidKey));
        assert_eq!(call.get(&"k".repeat(257)).await, Err(KeyValueError::InvalidKey));
        let largest = Bytes::from(vec![0; MAX_VALUE_BYTES]);
        assert_eq!(call.set("k".to_owned(), vec![0; MAX_VALUE_BYTES + 1].into()), Err(KeyValueError::ValueTooLarge));
        assert!(!call.was_used());
        let mut written = 0;
        while call.set(written.to_string(), largest.clone()).is_ok() {
            written += 1;
        }
        assert_eq!(written, 63, "64 values of 64 KiB are 4 MiB, and the keys count too");
        assert_eq!(call.set("x".to_owned(), largest), Err(KeyValueError::QuotaExceeded));
    }

    #[tokio::test]
    async fn what_the_host_keeps_of_tiny_entries_is_bounded() {
        let mut call = KeyValueCall::new(Arc::new(Map::default()), Exchanges::default());
        let most = MAX_CALL_BYTES as usize / ENTRY_BYTES;
        let mut reads = 0;
        while call.get("k").await.is_ok() {
            reads += 1;
        }
        assert!(reads < most, "{reads}");
        assert_eq!(call.set("k".to_owned(), Bytes::new()), Err(KeyValueError::QuotaExceeded));
    }
}
