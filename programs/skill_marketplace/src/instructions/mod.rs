//! One file per instruction: its accounts, and what it does.

use anchor_lang::prelude::*;

pub mod deposit_credit;
pub mod execute_exit;
pub mod initialize;
pub mod pause;
pub mod purchase_sol;
pub mod purchase_usdc;
pub mod record_usage;
pub mod register_skill;
pub mod renew;
pub mod request_exit;
pub mod set_licence_caps;
pub mod set_skill_status;
pub mod update_skill;
pub mod verify_access;

pub use crate::sale::{LicenceCaps, Order};
pub use initialize::InitializeArgs;
pub use register_skill::SkillTerms;
pub use verify_access::Access;
