//! The ClawOS program on this chain: its two accounts, and replacing its code when a release brings another.

use std::borrow::Cow;

use solana_account::{Account, AccountSharedData, ReadableAccount};
use solana_loader_v3_interface::get_program_data_address;
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_pubkey::Pubkey;

use crate::bank::Bank;
use crate::config::LocalnetConfig;
use crate::error::{Error, Result};

/// The program of this release.
static BUILT_IN: &[u8] = include_bytes!("../../artifacts/skill_marketplace.so");
/// The address it is deployed at.
pub(crate) const PROGRAM_ID: Pubkey = Pubkey::new_from_array(clawos_interface::PROGRAM_ID);
const LOADER: Pubkey = Pubkey::new_from_array(clawos_interface::known::UPGRADEABLE_LOADER);

/// The code to run: the file of `--program`, else the built-in one.
pub(crate) fn code(config: &LocalnetConfig) -> Result<Cow<'static, [u8]>> {
    match &config.program {
        Some(path) => std::fs::read(path).map(Cow::Owned).map_err(Error::file(path)),
        None => Ok(Cow::Borrowed(BUILT_IN)),
    }
}

/// The program's account and its data account, as the upgradeable loader leaves them after a deployment.
pub(crate) fn accounts(bank: &Bank, code: &[u8], authority: &Pubkey) -> Vec<(Pubkey, AccountSharedData)> {
    let data_address = get_program_data_address(&PROGRAM_ID);
    let program = state(&UpgradeableLoaderState::Program { programdata_address: data_address });
    let mut data = state(&UpgradeableLoaderState::ProgramData {
        slot: bank.clock().slot(),
        upgrade_authority_address: Some(*authority),
    });
    data.resize(UpgradeableLoaderState::size_of_programdata_metadata(), 0);
    data.extend_from_slice(code);
    vec![(data_address, account(bank, data, false)), (PROGRAM_ID, account(bank, program, true))]
}

fn state(state: &UpgradeableLoaderState) -> Vec<u8> {
    wincode::serialize(state).expect("writing plain data to memory cannot fail")
}

fn account(bank: &Bank, data: Vec<u8>, executable: bool) -> AccountSharedData {
    let lamports = bank.rent_minimum(data.len());
    Account { lamports, data, owner: LOADER, executable, rent_epoch: u64::MAX }.into()
}

/// Puts `code` in the place of what the ledger holds, unless it is the same. The accounts of the program stay.
pub(crate) fn keep_current(bank: &mut Bank, code: &[u8], authority: &Pubkey) -> Result<()> {
    let deployed = bank
        .account(&get_program_data_address(&PROGRAM_ID))
        .and_then(|account| account.data().get(UpgradeableLoaderState::size_of_programdata_metadata()..));
    if deployed == Some(code) {
        return Ok(());
    }
    let was = deployed.map_or(0, <[u8]>::len);
    bank.set_accounts(accounts(bank, code, authority))?;
    tracing::info!(program = %PROGRAM_ID, was_bytes = was, bytes = code.len(), "the program was upgraded in place");
    Ok(())
}
