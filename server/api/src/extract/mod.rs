//! What handlers take out of a request: bodies, paths, queries, callers. Mistakes are answered as problems.

mod caller;
mod json;
mod params;
mod query;

pub(crate) use caller::Credentials;
pub use caller::{Authenticated, MaybeCaller};
pub(crate) use json::check_body;
pub use json::{Body, StrictJson};
pub use params::{IdempotencyHeader, IdempotencyKey, Path};
pub use query::Query;
