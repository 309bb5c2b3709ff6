//! The time of the call.

/// Milliseconds since 1970-01-01 UTC at which the call was admitted.
///
/// It does not move during a call, so it measures nothing; a replay gets the same value. On the host it is the
/// system's time.
#[cfg(target_family = "wasm")]
pub fn now_ms() -> u64 {
    crate::bindings::clawos::skill::clock::now()
}

/// Milliseconds since 1970-01-01 UTC; in a sandbox, the time at which the call was admitted.
#[cfg(not(target_family = "wasm"))]
pub fn now_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
