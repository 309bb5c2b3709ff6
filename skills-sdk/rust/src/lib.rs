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
//! # use clawos_skill::{Context, Skill};
//! let answer = Greeter::run("greet", r#"{"name": "Ada"}"#, &Context::default());
//! assert_eq!(answer.unwrap(), r#"{"text":"Hello, Ada!"}"#);
//! ```
//!
//! # The call's context
//!
//! An endpoint that wants to know its call's id, its caller's tier or its limits takes them as a second argument:
//!
//! ```
//! # use clawos_skill::{Context, SkillError, skill};
//! # pub struct Plans;
//! #[skill]
//! impl Plans {
//!     /// How many rows a caller may send at once.
//!     pub fn max_rows(_: (), context: &Context) -> Result<u32, SkillError> {
//!         Ok(if context.tier.as_deref() == Some("enterprise") { 100_000 } else { 1_000 })
//!     }
//! }
//!
//! // A test makes the context it needs.
//! let mut context = Context::default();
//! context.tier = Some("enterprise".to_owned());
//! assert_eq!(Plans::max_rows((), &context), Ok(100_000));
//! ```
//!
//! # What a skill may rely on
//!
//! Every call gets a fresh instance: nothing in memory outlives a call. There is no file, no network, no
//! environment. [`clock`], [`random`] and [`Context`] are derived from the call's receipt, so a validator can repeat it to the same
//! answer and the same fuel.
//!
//! # When a call fails
//!
//! Nobody pays, and the caller is told the kind of failure and, of a [`SkillError`], its message. A panic ends the call as a
//! trap. What it says, and the cause of an error that came by `?`, is logged: `clawos test`, publishing and calls of the
//! skill by its own publisher (which need no licence) tell it, at most 1 KiB; other callers are not told.
//!
//! # Schemas, and tests without a sandbox
//!
//! `cargo test` needs no sandbox: [`log`], [`progress`], [`clock`] and [`random`] work on the host too.
//! `testing::check` compares the committed schemas and examples with the code.

pub mod clock;
mod context;
mod error;
pub mod log;
pub mod progress;
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
/// Each `pub fn(Input) -> Result<Output, SkillError>` of the block is an endpoint; a second argument `&Context`, if
/// there is one, gets the call's [`Context`]. Private functions are helpers. One block lists all of a skill's endpoints,
/// in the way that one `skill.toml` does, and the struct's name is the skill's handle in tests. `Input` derives
/// `serde::Deserialize`, `Output` derives `serde::Serialize`, both `schemars::JsonSchema`.
///
/// An endpoint is named exactly like its function, in `skill.toml` and in calls: `sort_rows` is `sort_rows`. So a
/// function's name is also an endpoint's: 1 to 64 lower-case letters, digits and underscores, beginning with a letter.
pub use clawos_skill_macros::skill;
pub use context::Context;
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
