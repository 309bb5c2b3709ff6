//! `deposit_credit`: prepays usage. What is unbilled is paid first, which lifts a suspension.

use interface::codes::PauseBits;
use interface::events::SCHEMA_VERSION;
use interface::rules::usage::add;
use interface::{Currency, Kind, ProgramError as Refusal, MAX_AMOUNT};

use super::*;
use crate::billing::{bill, log_billed};
use crate::errors::{ensure, fail};
use crate::events;
use crate::money::{sol, usdc, with_token_program, Recipient, Recipients};
use crate::state::{key, Config, Licence, Skill};

/// Accounts of `deposit_credit`.
///
/// Any of them may also be the payout, which the seller chooses: that must not make the instruction fail, and can do no
/// harm, since their types exclude each other and lamports are moved one step at a time.
#[derive(Accounts)]
pub struct DepositCredit {
    /// Pays and owns the licence.
    #[account(mut, unsafe(dup))]
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The skill.
    #[account(mut, unsafe(dup))]
    pub skill: Account<Skill>,
    /// The buyer's licence.
    #[account(mut, unsafe(dup))]
    pub licence: Account<Licence>,
    /// The seller's receiving account: payout wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub payout: Recipient,
    /// The platform's receiving account: treasury wallet (SOL) or a token account of it (USDC).
    #[account(mut, unsafe(dup))]
    pub treasury: Recipient,
    /// USDC: the buyer's token account.
    #[account(mut, unsafe(dup))]
    pub source: Option<UncheckedAccount>,
    /// USDC: the licence's associated token account.
    #[account(mut, unsafe(dup))]
    pub vault: Option<UncheckedAccount>,
    /// USDC: the Token program.
    pub token_program: Option<Program<Token>>,
    /// The System program.
    pub system_program: Program<System>,
}

/// Runs `deposit_credit`.
pub fn run(ctx: &mut Context<DepositCredit>, amount: u64) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    ensure!((1..=MAX_AMOUNT).contains(&amount), AmountInvalid);
    let skill_key = *key(accounts.skill.address());
    let licence_key = *key(accounts.licence.address());
    let vault = with_token_program(&accounts.vault, &accounts.token_program);

    let licence = accounts.licence.write()?;
    ensure!(licence.skill == skill_key, WrongSkill);
    ensure!(&licence.buyer == key(accounts.buyer.address()), NotBuyer);
    ensure!(licence.kind == Kind::Usage as u8, NotUsageLicence);
    // During an exit only a debt can be paid, also while deposits are paused: without that, a licence that owes could
    // not be closed.
    let leaves = licence.exit_kind != 0;
    let pays_to_leave = leaves && licence.unbilled() != 0;
    ensure!(!leaves || pays_to_leave, LicenceClosing);
    ensure!(pays_to_leave || !config.is_paused(PauseBits::DEPOSIT), Paused);
    licence.credit.set(add(licence.credit(), amount).map_err(fail)?);
    let event = interface::events::CreditDeposited {
        schema_version: SCHEMA_VERSION,
        licence: licence_key,
        amount: amount.into(),
        credit: licence.credit,
    };
    match Currency::try_from(licence.currency).map_err(fail)? {
        Currency::Sol => sol::pay(accounts.buyer.account(), accounts.licence.account(), amount),
        Currency::Usdc => {
            let (Some(source), Some(vault)) = (&accounts.source, &vault) else {
                return Err(fail(Refusal::TokenAccountsMissing));
            };
            ensure!(usdc::holds(source.account(), key(accounts.buyer.address()), &config.usdc_mint), WrongSource);
            licence.vault_bump = vault_bump(vault, &licence_key, &config.usdc_mint, licence.vault_bump)?;
            ensure!(usdc::balance(vault).is_some(), VaultUnusable);
            usdc::transfer(source.account(), vault, accounts.buyer.account(), amount, &[]);
        }
    }
    events::log(&event.encode());
    let recipients = Recipients { payout: *accounts.payout.account(), treasury: *accounts.treasury.account() };
    let paid = bill(&mut accounts.licence, accounts.skill.write()?, config, &recipients, vault.as_ref())?;
    log_billed(&accounts.licence, &paid);
    Ok(())
}

/// Checks the vault's address; at the first deposit it is searched, and its bump kept. No associated token account has
/// bump 0 in practice, so 0 means "not yet".
fn vault_bump(vault: &AccountView, licence: &interface::Key, mint: &interface::Key, known: u8) -> Result<u8> {
    if known != 0 {
        usdc::check_vault(vault, licence, mint, known).map_err(fail)?;
        return Ok(known);
    }
    let (address, bump) = usdc::associated(licence, mint)?;
    ensure!(key(vault.address()) == &address && bump != 0, WrongVault);
    Ok(bump)
}
