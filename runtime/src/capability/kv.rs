//! The key-value capability: the port that a caller supplies, and one call's view of it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use crate::{
    CommitError, Exchange, HeldEffect, Permission,
    limits::{MAX_KV_CALL_BYTES, MAX_KV_KEY_BYTES, MAX_KV_VALUE_BYTES},
};

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
    /// The key is empty or longer than [`MAX_KV_KEY_BYTES`].
    #[error("the key must have 1 to {MAX_KV_KEY_BYTES} bytes")]
    InvalidKey,
    /// The value is longer than [`MAX_KV_VALUE_BYTES`].
    #[error("a value may have {MAX_KV_VALUE_BYTES} bytes at most")]
    ValueTooLarge,
    /// The share of the store is full, or the call moved more than [`MAX_KV_CALL_BYTES`].
    #[error("the quota is used up")]
    QuotaExceeded,
    /// The store does not answer now. The text is for the operator.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// The call may not use the store.
    #[error("the call may not use the store")]
    Denied,
}

/// One call's view of a store: it reads its own writes, and they are held back until the call counts.
#[derive(Debug)]
pub struct KeyValueCall {
    port: Arc<dyn KeyValue>,
    writes: BTreeMap<String, Bytes>,
    exchanges: Vec<Exchange>,
    /// Bytes of keys and values that went either way, and [`ENTRY_BYTES`] for each read and write.
    moved: u64,
}

impl KeyValueCall {
    /// A view that has read and written nothing yet.
    #[must_use]
    pub fn new(port: Arc<dyn KeyValue>) -> Self {
        Self { port, writes: BTreeMap::new(), exchanges: Vec::new(), moved: 0 }
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
        self.exchanges.push(Exchange { permission: Permission::Kv, request, response: value.clone() });
        Ok(value)
    }

    /// Holds `value` back under `key`.
    ///
    /// # Errors
    /// What is wrong with the key or the value.
    pub fn set(&mut self, key: String, value: Bytes) -> Result<(), KeyValueError> {
        check_key(&key)?;
        if value.len() > MAX_KV_VALUE_BYTES {
            return Err(KeyValueError::ValueTooLarge);
        }
        self.count(ENTRY_BYTES + key.len() + value.len())?;
        self.writes.insert(key, value);
        Ok(())
    }

    /// Whether the call depends on the store, or would change it.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.moved > 0
    }

    /// What the call read, and what it wrote, if anything.
    #[must_use]
    pub fn finish(self) -> (Vec<Exchange>, Option<Box<dyn HeldEffect>>) {
        let Self { port, writes, exchanges, .. } = self;
        let effect = (!writes.is_empty()).then(|| Box::new(Writes { port, writes }) as Box<dyn HeldEffect>);
        (exchanges, effect)
    }

    /// Bounds what the host keeps for one call.
    fn count(&mut self, bytes: usize) -> Result<(), KeyValueError> {
        self.moved = self.moved.saturating_add(bytes as u64);
        if self.moved > MAX_KV_CALL_BYTES { Err(KeyValueError::QuotaExceeded) } else { Ok(()) }
    }
}

fn check_key(key: &str) -> Result<(), KeyValueError> {
    if (1..=MAX_KV_KEY_BYTES).contains(&key.len()) { Ok(()) } else { Err(KeyValueError::InvalidKey) }
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
        let mut call = KeyValueCall::new(map.clone());
        assert_eq!(call.get("a").await, Ok(None));
        call.set("a".to_owned(), "1".into()).expect("a good key");
        assert_eq!(call.get("a").await, Ok(Some("1".into())));
        assert_eq!(map.get("a").await, Ok(None));
        let (exchanges, effect) = call.finish();
        let read = Exchange { permission: Permission::Kv, request: "a".into(), response: None };
        assert_eq!(exchanges, [read], "what it wrote itself is nothing it learned");
        effect.expect("it wrote").commit().await.expect("the map takes it");
        assert_eq!(map.get("a").await, Ok(Some("1".into())));
    }

    #[tokio::test]
    async fn what_a_call_moves_is_bounded() {
        let mut call = KeyValueCall::new(Arc::new(Map::default()));
        assert_eq!(call.get("").await, Err(KeyValueError::InvalidKey));
        assert_eq!(call.get(&"k".repeat(257)).await, Err(KeyValueError::InvalidKey));
        let largest = Bytes::from(vec![0; MAX_KV_VALUE_BYTES]);
        assert_eq!(call.set("k".to_owned(), vec![0; MAX_KV_VALUE_BYTES + 1].into()), Err(KeyValueError::ValueTooLarge));
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
        let mut call = KeyValueCall::new(Arc::new(Map::default()));
        let most = MAX_KV_CALL_BYTES as usize / ENTRY_BYTES;
        let mut reads = 0;
        while call.get("k").await.is_ok() {
            reads += 1;
        }
        assert!(reads < most, "{reads}");
        assert_eq!(call.set("k".to_owned(), Bytes::new()), Err(KeyValueError::QuotaExceeded));
    }
}
