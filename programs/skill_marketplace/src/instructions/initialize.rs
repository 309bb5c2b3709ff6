//! `initialize`: makes Config. Only the key that may upgrade the program can, so nobody can do it first.

use anchor_spl::mint::Mint;
use interface::events::SCHEMA_VERSION;
use interface::known::{PROGRAM_DATA, UPGRADEABLE_LOADER};
use interface::rules::{exit, fee, price, terms};
use interface::{Key, NO_KEY};

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::state::{key, Config};

/// Decimals of USDC.
const USDC_DECIMALS: u8 = 6;

/// How the loader marks a ProgramData account: its state's number (3), then the slot, then `Some`; the upgrade
/// authority follows.
const PROGRAM_DATA_TAG: [u8; 4] = [3, 0, 0, 0];

/// What Config begins with.
#[derive(AnchorSerialize, AnchorDeserialize, IdlType, Clone, Copy)]
pub struct InitializeArgs {
    /// Who may change Config from now on.
    pub authority: Address,
    /// Wallet that receives the fee.
    pub treasury: Address,
    /// Who may pause.
    pub guardian: Address,
    /// Who decides disputes.
    pub arbiter: Address,
    /// Who records usage where a skill names no meter.
    pub meter: Address,
    /// The fee in basis points, at most 1,000.
    pub fee_bps: u16,
    /// Lowest price per currency (SOL, USDC), base units.
    pub min_price: [u64; 2],
    /// Highest price per currency (SOL, USDC), base units.
    pub max_price: [u64; 2],
    /// Longest refund window, seconds.
    pub max_refund_window: u32,
    /// Seconds between asking for an exit and executing it.
    pub settle_delay: u32,
}

/// Accounts of `initialize`.
#[derive(Accounts)]
pub struct Initialize {
    /// The program's upgrade authority; pays the rent.
    #[account(mut)]
    pub deployer: Signer,
    /// Config, made here.
    #[account(init, payer = deployer, seeds = [b"config"], bump)]
    pub config: Account<Config>,
    /// The USDC mint to accept.
    pub usdc_mint: Account<Mint>,
    /// The program's ProgramData account.
    pub program_data: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

/// Runs `initialize`.
pub fn run(ctx: &mut Context<Initialize>, args: &InitializeArgs) -> Result<()> {
    let accounts = &mut ctx.accounts;
    check_deployer(accounts.program_data.account(), key(accounts.deployer.address()))?;
    ensure!(accounts.usdc_mint.decimals() == USDC_DECIMALS, WrongMint);
    check(args)?;

    let config = accounts.config.layout_mut();
    config.version = interface::accounts::Config::VERSION;
    config.bump = ctx.bumps.config;
    config.authority = *key(&args.authority);
    config.treasury = *key(&args.treasury);
    config.guardian = *key(&args.guardian);
    config.arbiter = *key(&args.arbiter);
    config.meter = *key(&args.meter);
    config.usdc_mint = *key(accounts.usdc_mint.address());
    config.fee_bps.set(args.fee_bps);
    config.min_price = args.min_price.map(Into::into);
    config.max_price = args.max_price.map(Into::into);
    config.max_refund_window.set(args.max_refund_window);
    config.settle_delay.set(args.settle_delay);

    events::log(
        &interface::events::ProgramInitialized {
            schema_version: SCHEMA_VERSION,
            authority: config.authority,
            treasury: config.treasury,
            meter: config.meter,
            usdc_mint: config.usdc_mint,
            fee_bps: config.fee_bps,
        }
        .encode(),
    );
    Ok(())
}

/// Whether the arguments can stand in Config.
#[expect(clippy::absurd_extreme_comparisons, reason = "the longest refund window is 0 until payments can be held")]
fn check(args: &InitializeArgs) -> Result<()> {
    let keys = [&args.authority, &args.treasury, &args.guardian, &args.arbiter, &args.meter];
    ensure!(keys.iter().all(|address| key(address) != &NO_KEY), KeyMissing);
    ensure!(args.fee_bps <= fee::MAX_FEE_BPS, FeeTooHigh);
    for (min, max) in args.min_price.into_iter().zip(args.max_price) {
        price::check_bounds(min, max).map_err(fail)?;
    }
    ensure!(args.max_refund_window <= terms::MAX_REFUND_WINDOW_SECS, RefundWindowTooLong);
    ensure!(
        (exit::MIN_SETTLE_DELAY_SECS..=exit::MAX_SETTLE_DELAY_SECS).contains(&args.settle_delay),
        SettleDelayInvalid
    );
    Ok(())
}

/// Whether `deployer` is the upgrade authority that the program's ProgramData names.
fn check_deployer(program_data: &AccountView, deployer: &Key) -> Result<()> {
    let loader = Address::new_from_array(UPGRADEABLE_LOADER);
    ensure!(key(program_data.address()) == &PROGRAM_DATA && program_data.owned_by(&loader), WrongProgramData);
    let data = program_data.try_borrow()?;
    ensure!(data.len() >= 45 && data[..4] == PROGRAM_DATA_TAG, WrongProgramData);
    ensure!(data[12] == 1 && &data[13..45] == deployer, NotUpgradeAuthority);
    Ok(())
}
