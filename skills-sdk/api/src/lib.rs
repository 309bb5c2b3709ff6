//! The HTTP API's wire types: every request and response, once, for the server, the clients and the command.
//!
//! Data alone: no transport, no validation beyond a type's own form. 64-bit integers that count money, fuel or units travel
//! as decimal strings (JavaScript's numbers end at 2^53), times as RFC 3339 UTC, keys as base58, hashes as lower-case hex.
//! Requests refuse unknown members; responses are read leniently, so that an older client reads a newer server.
//!
//! | module | owns |
//! | --- | --- |
//! | [`code`], [`problem`] | the table of error codes, and the body of every error answer |
//! | [`limits`] | lengths and ranges of what requests carry |
//! | [`values`] | times, money, pages |
//! | [`audit`], [`operations`] | the audit log; health and version |
//! | [`identity`] | enrolment, sessions, API keys, agents |
//! | [`registry`] | publishing, versions, listings, search |
//! | [`market`] | quotes, purchases, deposits, licences, the server's keys and chain |
//! | [`execution`] | calls, receipts, batches |
//!
//! The feature `openapi` derives utoipa's schemas, for the server's OpenAPI document.

pub mod audit;
pub mod code;
pub mod execution;
pub mod identity;
pub mod limits;
pub mod market;
pub mod operations;
pub mod problem;
pub mod registry;
pub mod values;

pub use code::Code;
pub use problem::{FieldError, Problem};
pub use values::{Money, Page, Timestamp};
