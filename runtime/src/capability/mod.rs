//! What a guest is given: log, clock, random and progress always, and nothing else unless a call grants it.
//!
//! These files know no engine; a back end gives them to its guests in its own way.

pub(crate) mod clock;
pub(crate) mod log;
pub(crate) mod random;

/// What a caller grants a guest beyond log, clock, random and progress. Empty: this server grants nothing more yet.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Capabilities {}
