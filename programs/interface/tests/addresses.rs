//! Addresses: known values of Solana, and derivations that differ wherever a seed differs.

use clawos_interface::known::{PROGRAM_DATA, PROGRAM_ID, TOKEN_PROGRAM};
use clawos_interface::{pda, skill_id, Key};
use proptest::prelude::*;

/// A base58 key as bytes.
fn base58(text: &str) -> Key {
    const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 32];
    for digit in text.chars() {
        let mut carry = ALPHABET.find(digit).expect("a base58 digit") as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        assert_eq!(carry, 0, "more than 32 bytes");
    }
    bytes
}

#[test]
fn known_addresses_are_right() {
    assert_eq!(PROGRAM_ID, base58("6SPvkMXN7kJjcHFioeqyoEWZArufXPm8Bo6hM6moBxW8"));
    assert_eq!(TOKEN_PROGRAM, base58("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"));
    assert_eq!(pda::program_data(&PROGRAM_ID).0, PROGRAM_DATA);
}

#[test]
fn an_associated_token_account_is_the_networks() {
    // Circle's USDC mint, and an exchange's wallet whose account for it is well known.
    let mint = base58("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
    let wallet = base58("9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM");
    let address = base58("FGETo8T8wMcN2wCjav8VK6eh3dLk63evNDPxzLSJra8B");
    assert_eq!(pda::ata(&wallet, &mint), (address, 254), "also where the first try is on the curve");
    assert_eq!(pda::credit_vault(&wallet, &mint).0, address);
}

proptest! {
    #[test]
    fn every_seed_counts(a: Key, b: Key, c: Key, n: u32, salt: u64) {
        prop_assume!(a != b && b != c);
        let addresses = [
            pda::config().0,
            pda::skill(&a, &c).0,
            pda::skill(&b, &c).0,
            pda::licence(&a, &c).0,
            pda::licence(&b, &c).0,
            pda::purchase(&a, n).0,
            pda::purchase(&a, n ^ 1).0,
            pda::mint(&a, n).0,
            pda::channel(&a, &b, &c, salt, 1).0,
            pda::channel(&a, &b, &c, salt, 2).0,
        ];
        for (index, address) in addresses.iter().enumerate() {
            prop_assert!(!addresses[..index].contains(address));
        }
    }
}

#[test]
fn a_skills_id_is_the_hash_of_its_name() {
    assert_ne!(skill_id("acme.text"), skill_id("acme.texts"));
    assert_eq!(skill_id("acme.text")[..4], clawos_interface::sha256(&[b"acme", b".text"])[..4]);
}
