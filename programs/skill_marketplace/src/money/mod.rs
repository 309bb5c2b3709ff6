//! Moving money. Both currencies have the same two steps: check that a recipient can receive, then move. Every check
//! comes before the first move.

use anchor_lang::prelude::*;
use interface::accounts::{Config, Skill};
use interface::rules::usage::Charge;
use interface::{Currency, ProgramError as Refusal};

use crate::errors::{ensure, fail};
use crate::state::key;

mod recipient;
pub mod sol;
pub mod usdc;

pub use recipient::Recipient;

/// The seller's and the treasury's receiving accounts, as the caller named them.
#[derive(Clone, Copy)]
pub struct Recipients {
    /// The seller's: the payout wallet, or a token account of it.
    pub payout: AccountView,
    /// The platform's: the treasury wallet, or a token account of it.
    pub treasury: AccountView,
}

/// An optional token account, given only together with the Token program that moves it.
pub fn with_token_program(account: &Option<UncheckedAccount>, program: &Option<Program<Token>>) -> Option<AccountView> {
    match (account, program) {
        (Some(account), Some(_)) => Some(*account.account()),
        _ => None,
    }
}

/// Whether a refusal is the recipient's fault: the account is the right one but cannot receive.
pub fn cannot_receive(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::RecipientNotRentExempt | Refusal::RecipientFrozen)
}

/// Whether an error only says that the caller saw an older state: the payout or the treasury was changed, or the first
/// deposit made, since.
pub fn is_outdated(error: &Error) -> bool {
    const OUTDATED: [Refusal; 3] = [Refusal::WrongPayout, Refusal::WrongTreasury, Refusal::TokenAccountsMissing];
    OUTDATED.iter().any(|refusal| *error == fail(*refusal))
}

impl Recipients {
    /// Whether both are the right accounts and can receive their part of `charge`.
    pub fn check(
        &self,
        currency: Currency,
        skill: &Skill,
        config: &Config,
        charge: &Charge,
    ) -> core::result::Result<(), Refusal> {
        match currency {
            Currency::Sol => {
                sol::check(&self.payout, &skill.payout, charge.seller(), Refusal::WrongPayout)?;
                sol::check(&self.treasury, &config.treasury, charge.fee, Refusal::WrongTreasury)
            }
            Currency::Usdc => {
                usdc::check(&self.payout, &skill.payout, &config.usdc_mint, Refusal::WrongPayout)?;
                usdc::check(&self.treasury, &config.treasury, &config.usdc_mint, Refusal::WrongTreasury)
            }
        }
    }

    /// Pays a price out of the buyer's wallet, or out of the buyer's token account `source`.
    pub fn pay_from_buyer(
        &self,
        currency: Currency,
        buyer: &Signer,
        source: Option<&AccountView>,
        mint: &interface::Key,
        charge: &Charge,
    ) -> Result<()> {
        match currency {
            Currency::Sol => {
                sol::pay(buyer.account(), &self.payout, charge.seller());
                sol::pay(buyer.account(), &self.treasury, charge.fee);
            }
            Currency::Usdc => {
                let source = source.ok_or_else(|| fail(Refusal::TokenAccountsMissing))?;
                ensure!(usdc::holds(source, key(buyer.address()), mint), WrongSource);
                usdc::transfer(source, &self.payout, buyer.account(), charge.seller(), &[]);
                usdc::transfer(source, &self.treasury, buyer.account(), charge.fee, &[]);
            }
        }
        Ok(())
    }
}
