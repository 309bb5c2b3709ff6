//! Lengths and ranges of what requests carry: checked by the server's domains and written into the OpenAPI document.

use std::ops::RangeInclusive;

/// Characters of what an agent says of itself.
pub const DESCRIPTION_LEN: RangeInclusive<usize> = 0..=500;
/// Characters of an API key's name.
pub const KEY_NAME_LEN: RangeInclusive<usize> = 1..=64;
/// Entries in an API key's address list, at most.
pub const MAX_ADDRESSES: usize = 32;
/// How long a rotated key may live on (seconds): 30 days.
pub const MAX_OVERLAP_SECS: u64 = 30 * 24 * 3600;
/// Items of a page when none is asked for.
pub const DEFAULT_PAGE: u32 = 20;
/// Items of a page, at most.
pub const MAX_PAGE: u32 = 100;
/// Characters of a search's text, category or tag, at most.
pub const MAX_SEARCH: usize = 200;
/// Characters of a skill's id in a body, at most.
pub const MAX_SKILL_ID: usize = 128;
/// Bytes of a version's README, at most.
pub const MAX_README: usize = 256 * 1024;
/// Schema and example files of a version, at most: what a manifest with every endpoint and example would name.
pub const MAX_FILES: usize = 600;
/// Characters of a page's cursor, at most.
pub const MAX_CURSOR: usize = 256;
/// Characters of an `Idempotency-Key`, at most.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;
