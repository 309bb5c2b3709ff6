//! Builders for sellers.

use alloc::vec;

use super::build::{config, AccountMeta, Data, Instruction, SYSTEM};
use super::discriminator;
use crate::codes::SkillStatus;
use crate::rules::terms::Terms;
use crate::{pda, Key};

/// `register_skill`: makes the skill's account; `creator` signs, pays the rent and becomes the seller. A meter of zeros
/// in `terms` means Config's. The payout is named writable, which shows that it can be paid.
pub fn register_skill(creator: &Key, skill_id: &[u8; 32], listing_hash: &[u8; 32], terms: &Terms) -> Instruction {
    let accounts = vec![
        AccountMeta::signer_mut(*creator),
        config(),
        AccountMeta::writable(pda::skill(creator, skill_id).0),
        AccountMeta::writable(terms.payout),
        SYSTEM,
    ];
    let data = Data::new(discriminator::REGISTER_SKILL).bytes(skill_id).bytes(listing_hash).terms(terms);
    Instruction::ours(accounts, data)
}

/// `update_skill`: replaces the terms of the skill at address `skill`; its seller signs.
pub fn update_skill(seller: &Key, skill: &Key, listing_hash: &[u8; 32], terms: &Terms) -> Instruction {
    let accounts = vec![
        AccountMeta::signer(*seller),
        config(),
        AccountMeta::writable(*skill),
        AccountMeta::writable(terms.payout),
    ];
    Instruction::ours(accounts, Data::new(discriminator::UPDATE_SKILL).bytes(listing_hash).terms(terms))
}

/// `set_skill_status`: puts the skill at address `skill` on or off sale; its seller signs.
pub fn set_skill_status(seller: &Key, skill: &Key, status: SkillStatus) -> Instruction {
    let accounts = vec![AccountMeta::signer(*seller), AccountMeta::writable(*skill)];
    Instruction::ours(accounts, Data::new(discriminator::SET_SKILL_STATUS).u8(status as u8))
}
