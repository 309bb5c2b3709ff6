//! `update_skill`: replaces a skill's terms. Buyers who agreed to the old ones cannot be charged the new ones.

use interface::events::SCHEMA_VERSION;
use interface::SkillStatus;

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::hash::sha256;
use crate::money::Recipient;
use crate::state::{key, Config, Skill};

/// Accounts of `update_skill`.
#[derive(Accounts)]
pub struct UpdateSkill {
    /// The skill's seller.
    pub seller: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut)]
    pub skill: Account<Skill>,
    /// The payout of the terms, writable.
    #[account(mut, unsafe(dup))]
    pub payout: Recipient,
}

/// Runs `update_skill`.
pub fn run(ctx: &mut Context<UpdateSkill>, listing_hash: &[u8; 32], terms: &SkillTerms) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let skill_key = *key(accounts.skill.address());
    let skill = accounts.skill.write()?;
    ensure!(key(accounts.seller.address()) == &skill.seller, NotSeller);
    ensure!(skill.status != SkillStatus::Retired as u8, SkillRetired);
    // Licences hold credit in the skill's currency.
    ensure!(terms.currency == skill.currency, WrongCurrency);
    terms.store(skill, config, accounts.payout.account())?;
    skill.listing_hash = *listing_hash;
    let version = skill.terms_version().checked_add(1).ok_or_else(|| fail(interface::ProgramError::MathOverflow))?;
    skill.terms_version.set(version);
    skill.updated_at.set(Clock::get()?.unix_timestamp);

    events::log(
        &interface::events::SkillUpdated {
            schema_version: SCHEMA_VERSION,
            skill: skill_key,
            terms_version: skill.terms_version,
            terms_hash: skill.terms(&config.meter).hash(sha256, skill.created_slot()),
        }
        .encode(),
    );
    Ok(())
}
