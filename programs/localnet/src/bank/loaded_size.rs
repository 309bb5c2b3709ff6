//! How much account data a transaction loads, as the runtime counts it towards the transaction's limit (SIMD-0186).
//!
//! litesvm keeps the number to itself, so it is counted here again.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_pubkey::Pubkey;

/// What each account counts besides its data, in bytes.
const ACCOUNT_BASE: usize = 64;
/// What each address lookup table counts, in bytes.
const LOOKUP_TABLE: usize = 8_248;
const UPGRADEABLE_LOADER: Pubkey = Pubkey::new_from_array(clawos_interface::known::UPGRADEABLE_LOADER);
const INSTRUCTIONS_SYSVAR: Pubkey = Pubkey::from_str_const("Sysvar1nstructions1111111111111111111111111");

/// Bytes that loading `keys` and `tables` lookup tables counts. A program brings its data account along, once.
pub(super) fn loaded_size<'a>(
    keys: &[Pubkey],
    tables: usize,
    account: impl Fn(&Pubkey) -> Option<&'a AccountSharedData>,
) -> u32 {
    let counted = |key: &Pubkey| account(key).map_or(0, |found| ACCOUNT_BASE + found.data().len());
    let mut brought: Vec<Pubkey> = Vec::new();
    let mut total = tables * LOOKUP_TABLE;
    for key in keys.iter().filter(|key| **key != INSTRUCTIONS_SYSVAR) {
        total += counted(key);
        let data = account(key).and_then(program_data);
        if let Some(data) = data.filter(|data| !keys.contains(data) && !brought.contains(data)) {
            total += counted(&data);
            brought.push(data);
        }
    }
    u32::try_from(total).unwrap_or(u32::MAX)
}

/// The account with the code of an upgradeable program.
fn program_data(account: &AccountSharedData) -> Option<Pubkey> {
    if *account.owner() != UPGRADEABLE_LOADER {
        return None;
    }
    match wincode::deserialize(account.data()) {
        Ok(UpgradeableLoaderState::Program { programdata_address }) => Some(programdata_address),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_brings_its_code_once_and_a_missing_account_nothing() {
        let [wallet, program, code, missing] = [1, 2, 3, 4].map(|n| Pubkey::new_from_array([n; 32]));
        let state = wincode::serialize(&UpgradeableLoaderState::Program { programdata_address: code }).unwrap();
        let len = state.len();
        let account = |data: Vec<u8>, owner: &Pubkey| {
            let mut account = AccountSharedData::new(1, data.len(), owner);
            account.set_data_from_slice(&data);
            account
        };
        let accounts = [
            (wallet, account(vec![0; 10], &Pubkey::default())),
            (program, account(state, &UPGRADEABLE_LOADER)),
            (code, account(vec![0; 1_000], &UPGRADEABLE_LOADER)),
        ];
        let find = |key: &Pubkey| accounts.iter().find(|(found, _)| found == key).map(|(_, account)| account);
        let all = 74 + 64 + len as u32 + 1_064;
        assert_eq!(loaded_size(&[wallet, program, missing], 0, find), all);
        assert_eq!(loaded_size(&[wallet, program, code, INSTRUCTIONS_SYSVAR], 2, find), all + 2 * 8_248);
    }
}
