//! Ids: a prefix that says what it is, `_`, and 128 random bits in lower-case hex.

/// Random bytes in an id: 128 bits, so that none repeats and none can be guessed.
const RANDOM_BYTES: usize = 16;

/// Prefix of a call's id, which is its receipt's id.
pub const RUN: &str = "run";

/// A new id such as `run_0123…`, from the operating system's random generator.
///
/// # Panics
/// When the operating system has no random bytes to give; nothing safe can be done then.
pub fn new_id(prefix: &str) -> String {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    format!("{prefix}_{}", hex::encode(random))
}

/// Whether `text` is an id with this prefix, in the one form [`new_id`] gives.
pub fn is_id(prefix: &str, text: &str) -> bool {
    let random = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    random.is_some_and(|random| crate::text::from_hex::<RANDOM_BYTES>(random).is_ok())
}
