//! `verify_access`: the validity rule's answer as return data. A missing licence is an answer, not an error.

use interface::known::LICENCE_SEED;
use interface::rules::validity::{validity, Validity};

use super::*;
use crate::errors::ensure;
use crate::state::{key, Licence};

/// The answer of `verify_access`.
#[derive(AnchorSerialize, AnchorDeserialize, IdlType, Clone, Copy)]
pub struct Access {
    /// Whether the licence gives access now.
    pub valid: bool,
    /// 1 one-time, 2 subscription, 3 usage; 0 when there is no licence.
    pub kind: u8,
    /// 0 personal, 1 commercial, 2 enterprise.
    pub tier: u8,
    /// End of the right, Unix seconds; 0 = never.
    pub expires_at: i64,
    /// Units that limit, today's cap and credit leave; the highest value = no bound.
    pub units_left: u64,
    /// Who records usage.
    pub meter: Address,
    /// 0 ok, 1 missing, 2 expired, 3 suspended, 4 refunded, 5 closing, 6 limit reached.
    pub reason: u8,
}

impl From<Validity> for Access {
    fn from(answer: Validity) -> Self {
        Self {
            valid: answer.valid,
            kind: answer.kind,
            tier: answer.tier,
            expires_at: answer.expires_at,
            units_left: answer.units_left,
            meter: Address::new_from_array(answer.meter),
            reason: answer.reason as u8,
        }
    }
}

/// Accounts of `verify_access`.
#[derive(Accounts)]
pub struct VerifyAccess {
    /// The skill's address.
    pub skill: UncheckedAccount,
    /// The buyer's address.
    pub buyer: UncheckedAccount,
    /// The licence's address for that skill and buyer.
    pub licence: UncheckedAccount,
}

/// Runs `verify_access`.
pub fn run(ctx: &mut Context<VerifyAccess>) -> Result<Access> {
    let VerifyAccess { skill, buyer, licence } = &ctx.accounts;
    if !licence.account().owned_by(&crate::ID) {
        // Nothing is stored there; make sure that it is the place to look.
        let seeds: &[&[u8]] = &[LICENCE_SEED, skill.address().as_ref(), buyer.address().as_ref()];
        let (expected, _) = anchor_lang::cpi::try_find_program_address(seeds, &crate::ID)?;
        ensure!(&expected == licence.address(), WrongLicence);
        return Ok(Validity::MISSING.into());
    }
    let account = <Account<Licence> as AnchorAccount>::load(*licence.account())?;
    let account = account.read()?;
    ensure!(&account.skill == key(skill.address()) && &account.buyer == key(buyer.address()), WrongLicence);
    Ok(validity(account, Clock::get()?.unix_timestamp).into())
}
