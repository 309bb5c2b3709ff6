//! How much publishing one server takes, and from one agent.

use std::time::Duration;

/// Uploads at a time.
pub(crate) const MAX_UPLOADS: usize = 8;
/// Of one agent: it can publish two skills side by side, and leaves room for others.
pub(crate) const MAX_OF_AGENT: usize = 2;
/// Versions a day: a publisher with many skills who releases all of them stays below it.
pub(crate) const MAX_VERSIONS: i64 = 200;
/// Bytes of artifacts a day: sixteen of the largest, or [`MAX_VERSIONS`] of the usual megabyte or two.
pub(crate) const MAX_BYTES: i64 = 512 * 1024 * 1024;
/// All examples of a version together may take this long: they run while the publisher waits.
pub(crate) const EXAMPLES_BUDGET: Duration = Duration::from_secs(60);
