//! `execute_exit`: after the settle delay, pays what is unbilled, gives the rest of the credit back, and closes the
//! licence when that was asked for. Never paused.

use anchor_lang::AccountClose;
use interface::events::SCHEMA_VERSION;
use interface::rules::exit;
use interface::{Currency, ExitKind, ProgramError as Refusal};

use super::*;
use crate::billing::{bill, licence_seeds, log_billed, pay_from_vault};
use crate::errors::{ensure, fail};
use crate::events;
use crate::money::{sol, usdc, with_token_program, Recipient, Recipients};
use crate::state::{key, Config, Licence, Skill};

/// Accounts of `execute_exit`.
///
/// Any of them may also be the payout, which the seller chooses: that must not make the instruction fail, and can do no
/// harm, since their types exclude each other and lamports are moved one step at a time.
#[derive(Accounts)]
pub struct ExecuteExit {
    /// The licence's buyer; receives lamports and rent.
    #[account(mut, unsafe(dup))]
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut, unsafe(dup))]
    pub skill: Account<Skill>,
    /// The licence.
    #[account(mut, unsafe(dup))]
    pub licence: Account<Licence>,
    /// The seller's receiving account: payout wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub payout: Recipient,
    /// The platform's receiving account: treasury wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub treasury: Recipient,
    /// USDC: the buyer's token account, which receives the credit.
    #[account(mut, unsafe(dup))]
    pub destination: Option<UncheckedAccount>,
    /// USDC: the licence's credit vault, where it has one.
    #[account(mut, unsafe(dup))]
    pub vault: Option<UncheckedAccount>,
    /// USDC: the Token program.
    pub token_program: Option<Program<Token>>,
}

/// Runs `execute_exit`.
pub fn run(ctx: &mut Context<ExecuteExit>) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let licence = accounts.licence.read()?;
    ensure!(&licence.skill == key(accounts.skill.address()), WrongSkill);
    ensure!(&licence.buyer == key(accounts.buyer.address()), NotBuyer);
    let now = Clock::get()?.unix_timestamp;
    ensure!(now >= exit::ready_at(licence, config).map_err(fail)?, ExitNotReady);
    let vault = with_token_program(&accounts.vault, &accounts.token_program);
    if licence.unbilled() != 0 {
        let recipients = Recipients { payout: *accounts.payout.account(), treasury: *accounts.treasury.account() };
        let paid = bill(&mut accounts.licence, accounts.skill.write()?, config, &recipients, vault.as_ref())?;
        log_billed(&accounts.licence, &paid);
    }
    let mint = config.usdc_mint;
    let (amount, closes) = settle(accounts.licence.write()?)?;
    pay_back(accounts, vault.as_ref(), &mint, amount, closes)?;
    if closes {
        close(accounts)?;
    }
    Ok(())
}

/// Ends the exit: what leaves the credit, and whether the account closes.
///
/// Credit that usage still waits for stays, since a recipient could not receive it, and then the account stays too. A
/// close with a debt and nothing to give back is refused: the buyer can deposit what is owed.
fn settle(licence: &mut interface::accounts::Licence) -> Result<(u64, bool)> {
    let asked_to_close = licence.exit_kind == ExitKind::Close as u8;
    let owes = licence.unbilled() != 0;
    let kept = licence.credit().min(licence.unbilled());
    let amount = licence.credit().wrapping_sub(kept);
    ensure!(!(asked_to_close && owes && amount == 0), LicenceUnpaid);
    licence.credit.set(kept);
    licence.exit_kind = ExitKind::None as u8;
    licence.exit_requested_at.set(0);
    licence.exit_at.set(0);
    Ok((amount, asked_to_close && !owes))
}

/// Moves the credit to the buyer; at a close also whatever else the vault holds, and its rent.
fn pay_back(
    accounts: &mut ExecuteExit,
    vault: Option<&AccountView>,
    mint: &interface::Key,
    amount: u64,
    closes: bool,
) -> Result<()> {
    let licence = &accounts.licence;
    let buyer = accounts.buyer.account();
    let currency = Currency::try_from(licence.currency).map_err(fail)?;
    match currency {
        // Closing the account moves all of its lamports.
        Currency::Sol if closes => {}
        Currency::Sol => {
            sol::check(buyer, key(buyer.address()), amount, Refusal::WrongSource).map_err(fail)?;
            sol::move_out(licence.account(), buyer, amount)?;
        }
        Currency::Usdc if licence.vault_bump == 0 || (amount == 0 && !closes) => {}
        Currency::Usdc => {
            let (Some(vault), Some(destination)) = (vault, &accounts.destination) else {
                return Err(fail(Refusal::TokenAccountsMissing));
            };
            usdc::check_vault(vault, key(licence.address()), mint, licence.vault_bump).map_err(fail)?;
            ensure!(usdc::holds(destination.account(), key(buyer.address()), mint), WrongSource);
            let all = usdc::balance(vault).ok_or_else(|| fail(Refusal::VaultUnusable))?;
            if closes {
                pay_from_vault(licence, vault, destination.account(), all);
                usdc::close(vault, buyer, licence.account(), &[&licence_seeds(licence, &[licence.bump])]);
            } else {
                pay_from_vault(licence, vault, destination.account(), amount);
            }
        }
    }
    // A withdrawal that usage left nothing for ends all the same, and says so.
    if amount != 0 || !closes {
        let event = interface::events::CreditWithdrawn {
            schema_version: SCHEMA_VERSION,
            licence: *key(licence.address()),
            currency: currency as u8,
            amount: amount.into(),
        };
        events::log(&event.encode());
    }
    Ok(())
}

/// Closes the licence account; its lamports go to the buyer.
fn close(accounts: &mut ExecuteExit) -> Result<()> {
    let skill = accounts.skill.write()?;
    let open = skill.open_licences().checked_sub(1).ok_or_else(|| fail(Refusal::MathOverflow))?;
    skill.open_licences.set(open);
    let licence = accounts.licence.read()?;
    let event = interface::events::LicenceClosed {
        schema_version: SCHEMA_VERSION,
        licence: *key(accounts.licence.address()),
        skill: licence.skill,
        buyer: licence.buyer,
        usage_total: licence.usage_total,
        chain_root: licence.chain_root,
    };
    events::log(&event.encode());
    accounts.licence.close(*accounts.buyer.account())
}
