//! The instructions as data: arguments, discriminators and, for hosts, builders that derive every address themselves.

pub mod args;
pub mod discriminator;

#[cfg(feature = "host")]
mod build;
#[cfg(feature = "host")]
mod buyer;
#[cfg(feature = "host")]
mod market;
#[cfg(feature = "host")]
mod outside;
#[cfg(feature = "host")]
mod seller;
#[cfg(feature = "host")]
mod settle;

#[cfg(feature = "host")]
pub use build::{AccountMeta, Instruction, Route};
#[cfg(feature = "host")]
pub use buyer::{
    deposit_credit, execute_exit, purchase, purchase_sol, purchase_usdc, renew, request_exit, set_licence_caps,
};
#[cfg(feature = "host")]
pub use market::{initialize, pause, unpause};
#[cfg(feature = "host")]
pub use outside::{create_associated_token_idempotent, set_compute_unit_limit, set_compute_unit_price};
#[cfg(feature = "host")]
pub use seller::{register_skill, set_skill_status, update_skill};
#[cfg(feature = "host")]
pub use settle::{record_usage, verify_access};
