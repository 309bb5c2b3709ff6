//! How much an agent may publish a day. What is published stays, so without a bound one agent could fill the disk.

use std::time::Duration;

use sqlx::AnyConnection;

use crate::limits::{MAX_BYTES, MAX_VERSIONS};
use crate::{RegistryError, store};

/// The window (milliseconds).
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Refuses an artifact of `size` bytes when the agent's day has no room for it.
pub(crate) async fn check(
    connection: &mut AnyConnection,
    agent_id: &str,
    size: usize,
    now: i64,
) -> Result<(), RegistryError> {
    let published = store::published_since(connection, agent_id, now - DAY_MS).await?;
    let bytes = published.bytes.saturating_add(i64::try_from(size).unwrap_or(i64::MAX));
    if published.versions < MAX_VERSIONS && bytes <= MAX_BYTES {
        return Ok(());
    }
    let room_in = published.oldest.map_or(0, |at| at + DAY_MS - now);
    Err(RegistryError::QuotaReached { retry_after: Duration::from_millis(room_in.unsigned_abs()) })
}
