//! How much an agent may publish a day. What is published stays, so without a bound one agent could fill the disk.

use super::store;
use crate::error::{ApiError, Code};
use sqlx::AnyConnection;
use std::time::Duration;

/// The window (milliseconds).
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Versions a day: a publisher with many skills who releases all of them stays below it.
const MAX_VERSIONS: i64 = 200;
/// Bytes of artifacts a day: sixteen of the largest, or [`MAX_VERSIONS`] of the usual megabyte or two.
const MAX_BYTES: i64 = 512 * 1024 * 1024;

/// What an agent published lately.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published {
    pub(super) versions: i64,
    pub(super) bytes: i64,
    /// When the oldest of them was published.
    pub(super) oldest: Option<i64>,
}

/// Refuses an artifact of `size` bytes when the agent's day has no room for it.
pub(super) async fn check(
    connection: &mut AnyConnection,
    agent_id: &str,
    size: usize,
    now: i64,
) -> Result<(), ApiError> {
    let published = store::published_since(connection, agent_id, now - DAY_MS).await?;
    let bytes = published.bytes.saturating_add(i64::try_from(size).unwrap_or(i64::MAX));
    if published.versions < MAX_VERSIONS && bytes <= MAX_BYTES {
        return Ok(());
    }
    let room_in = published.oldest.map_or(0, |at| at + DAY_MS - now);
    let detail = format!("An agent may publish {MAX_VERSIONS} versions with {MAX_BYTES} bytes a day; go on later.");
    Err(ApiError::new(Code::RateLimited, detail).retry_after(Duration::from_millis(room_in.unsigned_abs())))
}
