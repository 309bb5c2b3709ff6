//! From a project's source to a component: find a compiler, run cargo on the cache that all projects share, wrap the core
//! module.

mod cache;
mod compiler;
pub mod component;
mod error;
mod guest;
mod sources;
mod workspace;

pub use cache::BuildCache;
pub use compiler::available;
pub use error::BuildError;
pub use guest::build_rust;
