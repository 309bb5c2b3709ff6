//! Addresses derived from seeds, with their bump. Each search ends after a few hashes; the answer never changes, so
//! callers may keep it.

use alloc::vec::Vec;

use curve25519_dalek::edwards::CompressedEdwardsY;

use crate::hash::sha256;
use crate::known::{ASSOCIATED_TOKEN_PROGRAM, PROGRAM_ID, TOKEN_PROGRAM, UPGRADEABLE_LOADER};
use crate::known::{CHANNEL_SEED, CONFIG_SEED, LICENCE_SEED, MINT_SEED, PURCHASE_SEED, SKILL_SEED};
use crate::Key;

/// The address that `seeds` give under `program`, with the highest bump (255 downwards) that puts it off the curve.
pub fn find(seeds: &[&[u8]], program: &Key) -> (Key, u8) {
    for bump in (0..=u8::MAX).rev() {
        let bump_seed = [bump];
        let mut parts: Vec<&[u8]> = seeds.to_vec();
        parts.extend([&bump_seed[..], program, b"ProgramDerivedAddress"]);
        let key = sha256(&parts);
        if CompressedEdwardsY(key).decompress().is_none() {
            return (key, bump);
        }
    }
    unreachable!("half of all keys are off the curve: 256 in a row are not on it")
}

/// Config's address.
pub fn config() -> (Key, u8) {
    find(&[CONFIG_SEED], &PROGRAM_ID)
}

/// A skill's address; `skill_id` from [`skill_id`](crate::skill_id).
pub fn skill(creator: &Key, skill_id: &[u8; 32]) -> (Key, u8) {
    find(&[SKILL_SEED, creator, skill_id], &PROGRAM_ID)
}

/// A licence's address.
pub fn licence(skill: &Key, buyer: &Key) -> (Key, u8) {
    find(&[LICENCE_SEED, skill, buyer], &PROGRAM_ID)
}

/// The address of a licence's purchase number `n`, from 1.
pub fn purchase(licence: &Key, n: u32) -> (Key, u8) {
    find(&[PURCHASE_SEED, licence, &n.to_le_bytes()], &PROGRAM_ID)
}

/// The mint of the badge of a licence's purchase number `n`, from 1.
pub fn mint(licence: &Key, n: u32) -> (Key, u8) {
    find(&[MINT_SEED, licence, &n.to_le_bytes()], &PROGRAM_ID)
}

/// A channel's address; `mint` is zeros for SOL.
pub fn channel(licence: &Key, authorized_signer: &Key, mint: &Key, salt: u64, open_slot: u64) -> (Key, u8) {
    let seeds: [&[u8]; 6] =
        [CHANNEL_SEED, licence, authorized_signer, mint, &salt.to_le_bytes(), &open_slot.to_le_bytes()];
    find(&seeds, &PROGRAM_ID)
}

/// The token account that holds a licence's USDC credit.
pub fn credit_vault(licence: &Key, usdc_mint: &Key) -> (Key, u8) {
    ata(licence, usdc_mint)
}

/// The associated token account of `owner` for a mint of the classic Token program.
pub fn ata(owner: &Key, mint: &Key) -> (Key, u8) {
    find(&[owner, &TOKEN_PROGRAM, mint], &ASSOCIATED_TOKEN_PROGRAM)
}

/// The account that holds the code of an upgradeable program.
pub fn program_data(program: &Key) -> (Key, u8) {
    find(&[program], &UPGRADEABLE_LOADER)
}
