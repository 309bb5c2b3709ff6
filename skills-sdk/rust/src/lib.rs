//! Write ClawOS skills in Rust.
//!
//! A skill is a unit struct whose public functions are its endpoints. Input and output are ordinary types with
//! `serde` and `schemars` derived; the host checks every payload and every answer against their schemas.
//!
//! ```
//! use clawos_skill::{SkillError, skill};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! pub struct Greeter;
//!
//! /// Whom to greet.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Person {
//!     /// A name of 1 to 100 characters.
//!     #[schemars(length(min = 1, max = 100))]
//!     name: String,
//! }
//!
//! /// What to say.
//! #[derive(Serialize, JsonSchema)]
//! pub struct Greeting {
//!     text: String,
//! }
//!
//! #[skill]
//! impl Greeter {
//!     /// Greets someone: the endpoint `greet`.
//!     pub fn greet(person: Person) -> Result<Greeting, SkillError> {
//!         if person.name.trim().is_empty() {
//!             return Err(SkillError::bad_request("name: say who it is"));
//!         }
//!         clawos_skill::log::info(format_args!("greeting {}", person.name));
//!         Ok(Greeting { text: format!("Hello, {}!", person.name) })
//!     }
//! }
//!
//! // On the host, endpoints are functions, and [`Skill::run`] is what a call does.
//! # use clawos_skill::Skill;
//! assert_eq!(Greeter::run("greet", r#"{"name": "Ada"}"#).unwrap(), r#"{"text":"Hello, Ada!"}"#);
//! ```
//!
//! # What a skill may rely on
//!
//! Every call gets a fresh instance: nothing in memory outlives a call. There is no file, no network, no
//! environment. [`clock`] and [`random`] are derived from the call, so a validator can repeat it to the same
//! answer and the same fuel. A panic ends the call as a trap; its message is logged.
//!
//! # Schemas, and tests without a sandbox
//!
//! `cargo test` needs no sandbox: [`log`], [`clock`] and [`random`] work on the host too.
//! `testing::check` compares the committed schemas and examples with the code.

pub mod clock;
mod error;
pub mod log;
pub mod random;
#[cfg(not(target_family = "wasm"))]
pub mod schema;
mod skill;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings {
    //! The component's imports and export, generated from `skills-sdk/wit`.
    wit_bindgen::generate!({
        path: "../wit",
        world: "skill",
        pub_export_macro: true,
        default_bindings_module: "clawos_skill::bindings",
    });
}

/// Makes an `impl` block of a unit struct a skill.
///
/// Each `pub fn(Input) -> Result<Output, SkillError>` of the block is an endpoint, named like the function with
/// dashes for underscores; private functions are helpers. One block lists all of a skill's endpoints, in the way
/// that one `skill.toml` does, and the struct's name is the skill's handle in tests. `Input` derives
/// `serde::Deserialize`, `Output` derives `serde::Serialize`, both `schemars::JsonSchema`.
pub use clawos_skill_macros::skill;
pub use error::{ErrorCode, SkillError};
pub use skill::Skill;

/// What the expansion of [`skill`] uses; not for authors.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::bindings;
    #[cfg(target_family = "wasm")]
    pub use crate::skill::answer;
    pub use crate::skill::{call, no_endpoint};
}
