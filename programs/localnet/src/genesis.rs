//! The first start: keys are funded, USDC gets a mint, the program is deployed and initialised.

use clawos_interface::MAX_AMOUNT;
use clawos_interface::instruction as builder;
use clawos_interface::instruction::args::InitializeArgs;
use clawos_interface::rules::fee::DEFAULT_FEE_BPS;
use clawos_interface::rules::terms::MAX_REFUND_WINDOW_SECS;
use clawos_solana::transaction::to_solana;
use solana_account::{Account, AccountSharedData};
use solana_commitment_config::CommitmentLevel;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::bank::{Bank, SendError};
use crate::error::{Error, Result};
use crate::faucet::{Faucet, signed};
use crate::keys::Keys;
use crate::program;
use crate::token::TOKEN;

const LAMPORTS_PER_SOL: u64 = 1_000_000_000;
/// What the faucet can give away, in SOL: about as much as there is.
const FAUCET_SOL: u64 = 500_000_000;
/// What each other key starts with, in SOL: fees and rent for a long time.
const KEY_SOL: u64 = 100;
/// Lowest price of a purchase, base units of either currency: with 2.5 % the fee is then at least one unit.
const MIN_PRICE: u64 = 40;
/// Seconds between asking for an exit and executing it: more than a proxy needs to settle what it has served.
const SETTLE_DELAY_SECS: u32 = 300;
/// As the real USDC.
const USDC_DECIMALS: u8 = 6;

/// The local USDC mint of these keys: an address derived from the mint authority, so that it needs no file.
pub(crate) fn usdc_mint(keys: &Keys) -> Pubkey {
    Pubkey::create_with_seed(&keys.mint_authority.pubkey(), "usdc", &TOKEN)
        .expect("a seed of 4 bytes is short enough and the token program may own it")
}

/// Fills a new chain and writes it as the first snapshot. A kill before that leaves nothing but the keys.
pub(crate) fn fill(bank: &mut Bank, keys: &Keys, code: &[u8]) -> Result<()> {
    bank.tick();
    let mut accounts = program::accounts(bank, code, &keys.upgrade_authority.pubkey());
    accounts.push((usdc_mint(keys), mint(bank, &keys.mint_authority.pubkey())));
    accounts.push((keys.faucet.pubkey(), wallet(FAUCET_SOL)));
    let others = [
        &keys.upgrade_authority,
        &keys.authority,
        &keys.guardian,
        &keys.arbiter,
        &keys.treasury,
        &keys.meter,
        &keys.mint_authority,
    ];
    accounts.extend(others.map(|key| (key.pubkey(), wallet(KEY_SOL))));
    bank.set_accounts(accounts)?;
    let faucet = Faucet { keys, usdc_mint: usdc_mint(keys) };
    let treasury = faucet.create_token_account(&keys.treasury.pubkey());
    run(bank, "create the treasury's USDC account", treasury, &keys.faucet)?;
    run(bank, "initialize", initialize(keys), &keys.upgrade_authority)?;
    bank.compact()
}

fn initialize(keys: &Keys) -> Instruction {
    let args = InitializeArgs {
        authority: keys.authority.pubkey().to_bytes(),
        treasury: keys.treasury.pubkey().to_bytes(),
        guardian: keys.guardian.pubkey().to_bytes(),
        arbiter: keys.arbiter.pubkey().to_bytes(),
        meter: keys.meter.pubkey().to_bytes(),
        fee_bps: DEFAULT_FEE_BPS,
        min_price: [MIN_PRICE; 2],
        max_price: [MAX_AMOUNT; 2],
        max_refund_window: MAX_REFUND_WINDOW_SECS,
        settle_delay: SETTLE_DELAY_SECS,
    };
    let deployer = keys.upgrade_authority.pubkey().to_bytes();
    to_solana(&builder::initialize(&deployer, &usdc_mint(keys).to_bytes(), &args))
}

fn run(bank: &mut Bank, what: &'static str, instruction: Instruction, signer: &Keypair) -> Result<()> {
    let transaction = signed(&[instruction], &bank.clock().latest(), &[signer]);
    let simulation = bank.simulate(transaction.clone(), CommitmentLevel::Processed);
    if let Some(error) = simulation.error {
        return Err(Error::Genesis { what, error, logs: simulation.outcome.logs.join("\n") });
    }
    match bank.send(transaction) {
        Ok(_) => Ok(()),
        Err(SendError::Ledger(error)) => Err(error),
        Err(SendError::Rejected(failed)) => {
            Err(Error::Genesis { what, error: failed.err, logs: failed.meta.logs.join("\n") })
        }
    }
}

fn wallet(sol: u64) -> AccountSharedData {
    AccountSharedData::new(sol * LAMPORTS_PER_SOL, 0, &Pubkey::default())
}

/// An initialised mint without freeze authority, in the token program's layout.
fn mint(bank: &Bank, authority: &Pubkey) -> AccountSharedData {
    const SOME: [u8; 4] = 1_u32.to_le_bytes();
    const NONE: [u8; 36] = [0; 36];
    const NO_SUPPLY: [u8; 8] = [0; 8];
    const INITIALISED: u8 = 1;
    let data = [&SOME[..], authority.as_ref(), &NO_SUPPLY, &[USDC_DECIMALS, INITIALISED], &NONE].concat();
    Account { lamports: bank.rent_minimum(data.len()), data, owner: TOKEN, executable: false, rent_epoch: u64::MAX }
        .into()
}
