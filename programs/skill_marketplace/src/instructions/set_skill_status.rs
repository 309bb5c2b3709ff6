//! `set_skill_status`: on sale, off sale, or retired for good. It touches sales only; licences already sold go on.

use interface::events::SCHEMA_VERSION;
use interface::SkillStatus;

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::state::{key, Skill};

/// Accounts of `set_skill_status`.
#[derive(Accounts)]
pub struct SetSkillStatus {
    /// The skill's seller.
    pub seller: Signer,
    /// The skill.
    #[account(mut)]
    pub skill: Account<Skill>,
}

/// Runs `set_skill_status`.
pub fn run(ctx: &mut Context<SetSkillStatus>, status: u8) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let skill_key = *key(accounts.skill.address());
    let skill = accounts.skill.write()?;
    ensure!(key(accounts.seller.address()) == &skill.seller, NotSeller);
    ensure!(skill.status != SkillStatus::Retired as u8, SkillRetired);
    let new = SkillStatus::try_from(status).map_err(fail)? as u8;
    let old = skill.status;
    skill.status = new;
    skill.updated_at.set(Clock::get()?.unix_timestamp);
    events::log(
        &interface::events::SkillStatusChanged { schema_version: SCHEMA_VERSION, skill: skill_key, old, new }.encode(),
    );
    Ok(())
}
