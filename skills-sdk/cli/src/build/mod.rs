//! From a project's source to a component: find a compiler, run cargo, wrap the core module.

mod compiler;
pub mod component;
mod error;
mod guest;
mod workspace;

pub use compiler::available;
pub use error::BuildError;
pub use guest::build_rust;
