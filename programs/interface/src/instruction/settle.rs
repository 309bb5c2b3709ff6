//! Builders for the meter, and for whoever asks the program about a licence.

use alloc::vec;

use super::args::RecordArgs;
use super::build::{config, AccountMeta, Data, Instruction, Route};
use super::discriminator;
use crate::{pda, Key};

/// `record_usage`: anchors a batch of `buyer`'s licence and charges what its credit covers; the licence's meter signs.
/// `has_vault`: whether a USDC licence ever took a deposit (`licence.vault_bump() != 0`).
pub fn record_usage(meter: &Key, route: &Route, buyer: &Key, has_vault: bool, args: &RecordArgs) -> Instruction {
    let licence = route.licence(buyer);
    let [payout, treasury] = route.recipients();
    let vault = if has_vault { route.token_of(&licence) } else { AccountMeta::absent() };
    let accounts = vec![
        AccountMeta::signer(*meter),
        config(),
        AccountMeta::writable(route.skill),
        AccountMeta::writable(licence),
        payout,
        treasury,
        vault,
        route.token_program(),
    ];
    let data =
        Data::new(discriminator::RECORD_USAGE).u64(args.seq).bytes(&args.prev_root).u64(args.units).bytes(&args.root);
    Instruction::ours(accounts, data)
}

/// `verify_access`: returns a [`Validity`](crate::rules::validity::Validity) as data; changes nothing and never fails
/// for a "no".
pub fn verify_access(skill: &Key, buyer: &Key) -> Instruction {
    let accounts = vec![
        AccountMeta::readonly(*skill),
        AccountMeta::readonly(*buyer),
        AccountMeta::readonly(pda::licence(skill, buyer).0),
    ];
    Instruction::ours(accounts, Data::new(discriminator::VERIFY_ACCESS))
}
