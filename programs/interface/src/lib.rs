//! What the ClawOS program and everybody who talks to it agree on: account layouts, addresses, instructions, errors,
//! events and the rules of money and rights.
//!
//! The crate knows no Solana type: a key is 32 bytes ([`Key`]), an instruction is plain data. The program on chain and
//! the hosts (server, command, verifier, local endpoint, tests) call the same functions, so a rule exists once.
//!
//! | module | owns |
//! | --- | --- |
//! | [`codes`] | the words and codes of kind, tier, currency, unit and status |
//! | [`accounts`], [`events`], [`integers`] | what is on chain and in the program's log, byte for byte |
//! | [`instruction`] | arguments, discriminators and (host) builders |
//! | [`rules`] | prices, bills, fees, terms, usage, validity, exits |
//! | [`errors`] | every refusal of the program |
//! | [`known`], [`pda`] | addresses |
//! | [`money`] | decimal text to base units and back |
//!
//! Without features it is `no_std` and needs no heap, as the program wants it. The feature `host` adds SHA-256,
//! [`money`], address derivation and instruction builders; `serde` reads and writes the words of [`codes`].
//!
//! Two limits come from the program's compiler: no 128-bit multiplication (so no `checked_mul` on `u64`) and no
//! overflow checks in dependencies, so every sum here is a `checked_` one or carries the reason why it cannot overflow.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "host")]
extern crate alloc;

pub mod accounts;
pub mod codes;
pub mod errors;
pub mod events;
#[cfg(feature = "host")]
mod hash;
pub mod instruction;
pub mod integers;
pub mod known;
mod layout;
#[cfg(feature = "host")]
pub mod money;
#[cfg(feature = "host")]
pub mod pda;
pub mod rules;

pub use codes::{Currency, ExitKind, Kind, LicenceStatus, SkillStatus, SuspendReason, Tier, Unit};
pub use errors::ProgramError;
#[cfg(feature = "host")]
pub use hash::{sha256, skill_id};
pub use known::PROGRAM_ID;
pub use layout::DecodeError;

/// An Ed25519 public key or a program-derived address; shown to people in base58.
pub type Key = [u8; 32];

/// SHA-256 over the concatenation of its parts: the program passes the syscall, hosts pass `sha256`.
pub type Hasher = fn(&[&[u8]]) -> [u8; 32];

/// The key of all zeros: "none" in an account's field.
pub const NO_KEY: Key = [0; 32];

/// The largest amount of money or units anything here accepts: 2^63 − 1, so that every value also fits a signed 64-bit
/// column.
pub const MAX_AMOUNT: u64 = i64::MAX as u64;
