//! The headers that tell clients about a rate limit: draft-ietf-httpapi-ratelimit-headers-11.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use clawos_identity::{RATE_WINDOW, RateStatus};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of the limit.
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes `RateLimit-Policy` and `RateLimit`.
pub(crate) fn write(status: RateStatus, headers: &mut HeaderMap) {
    let RateStatus { per_minute, remaining } = status;
    let window = RATE_WINDOW.as_secs();
    let used = u64::from(per_minute - remaining.min(per_minute));
    let full_in = (used * window).div_ceil(u64::from(per_minute.max(1)));
    let policy = format!("\"default\";q={per_minute};w={window}");
    let now = format!("\"default\";r={remaining};t={full_in}");
    for (name, value) in [(POLICY, policy), (LIMIT, now)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
