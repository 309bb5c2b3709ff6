//! `register_skill`: makes a skill's account. Its creator is part of the address, so nobody can take another's id.

#![allow(unused_variables, reason = "the derive binds the named instruction argument also where it does not need it")]

use interface::codes::PauseBits;
use interface::events::SCHEMA_VERSION;
use interface::rules::terms::Terms;
use interface::SkillStatus;

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::money::Recipient;
use crate::state::{key, Config, Skill};

/// The terms a seller offers. Prices are base units; a price of a kind that is not offered is 0.
#[derive(AnchorSerialize, AnchorDeserialize, IdlType, Clone, Copy)]
pub struct SkillTerms {
    /// Wallet that receives the money.
    pub payout: Address,
    /// Key that records usage; zeros mean Config's.
    pub meter: Address,
    /// Price of a one-time licence.
    pub price_once: u64,
    /// Price of a subscription period.
    pub price_period: u64,
    /// Price of a unit of usage.
    pub price_unit: u64,
    /// Length of a subscription period, seconds.
    pub period_secs: u32,
    /// Seconds in which an unused purchase can be taken back.
    pub refund_window: u32,
    /// Price multiplier per tier in basis points, personal = 10,000.
    pub tier_bps: [u32; 3],
    /// 0 = SOL, 1 = USDC.
    pub currency: u8,
    /// Bits of the kinds offered: 1 one-time, 2 subscription, 4 usage.
    pub kinds: u8,
    /// 0 = call, 1 = megafuel.
    pub unit_kind: u8,
}

impl SkillTerms {
    /// The terms as the rules take them.
    fn rules(&self) -> Terms {
        Terms {
            payout: *key(&self.payout),
            meter: *key(&self.meter),
            price_once: self.price_once,
            price_period: self.price_period,
            price_unit: self.price_unit,
            period_secs: self.period_secs,
            refund_window: self.refund_window,
            tier_bps: self.tier_bps,
            currency: self.currency,
            kinds: self.kinds,
            unit_kind: self.unit_kind,
        }
    }

    /// Checks the terms and writes them into a skill.
    ///
    /// `payout` is the account that the terms name. The runtime makes its own accounts read-only, which nobody can pay:
    /// with one of them as payout, a seller could hold buyers' credit for ever.
    pub fn store(
        &self,
        skill: &mut interface::accounts::Skill,
        config: &interface::accounts::Config,
        payout: &AccountView,
    ) -> Result<()> {
        let terms = self.rules();
        terms.check(&config.bounds()).map_err(fail)?;
        ensure!(key(payout.address()) == &terms.payout, WrongPayout);
        ensure!(payout.is_writable(), RecipientFrozen);
        skill.payout = terms.payout;
        skill.meter = terms.meter;
        skill.price_once.set(terms.price_once);
        skill.price_period.set(terms.price_period);
        skill.price_unit.set(terms.price_unit);
        skill.period_secs.set(terms.period_secs);
        skill.refund_window.set(terms.refund_window);
        skill.tier_bps = terms.tier_bps.map(Into::into);
        skill.currency = terms.currency;
        skill.kinds = terms.kinds;
        skill.unit_kind = terms.unit_kind;
        Ok(())
    }
}

/// Accounts of `register_skill`.
#[derive(Accounts)]
#[instruction(skill_id: [u8; 32])]
pub struct RegisterSkill {
    /// Registers and sells the skill; pays the rent.
    #[account(mut, unsafe(dup))]
    pub creator: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill, made here.
    #[account(init, payer = creator, seeds = [b"skill", creator, skill_id.as_ref()], bump)]
    pub skill: Account<Skill>,
    /// The payout of the terms, writable.
    #[account(mut, unsafe(dup))]
    pub payout: Recipient,
    /// The System program.
    pub system_program: Program<System>,
}

/// Runs `register_skill`.
pub fn run(
    ctx: &mut Context<RegisterSkill>,
    skill_id: &[u8; 32],
    listing_hash: &[u8; 32],
    terms: &SkillTerms,
) -> Result<()> {
    let bump = ctx.bumps.skill;
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    ensure!(!config.is_paused(PauseBits::REGISTER), Paused);
    let clock = Clock::get()?;
    let skill_key = *key(accounts.skill.address());

    let skill = accounts.skill.layout_mut();
    skill.version = interface::accounts::Skill::VERSION;
    skill.bump = bump;
    skill.creator = *key(accounts.creator.address());
    skill.seller = skill.creator;
    skill.skill_id = *skill_id;
    skill.listing_hash = *listing_hash;
    skill.status = SkillStatus::Active as u8;
    skill.terms_version.set(1);
    skill.created_slot.set(clock.slot);
    skill.created_at.set(clock.unix_timestamp);
    skill.updated_at.set(clock.unix_timestamp);
    terms.store(skill, config, accounts.payout.account())?;

    events::log(
        &interface::events::SkillRegistered {
            schema_version: SCHEMA_VERSION,
            skill: skill_key,
            seller: skill.seller,
            skill_id: *skill_id,
        }
        .encode(),
    );
    Ok(())
}
