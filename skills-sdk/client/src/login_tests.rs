//! A challenge is signed only when it is, byte for byte, the one this client builds.

use clawos_receipts::signature::verify;
use clawos_receipts::text::from_base58;

use super::*;

const NOW: u64 = 1_700_000_000_000;
const ORIGIN: &str = "http://127.0.0.1:8080";
const GENESIS: Key = [9; 32];

fn expected() -> Expected<'static> {
    Expected { origin: ORIGIN, genesis: GENESIS, handle: "acme", now_ms: NOW }
}

/// What an honest server sends.
fn honest(wallet: &Wallet) -> Challenge {
    let text = ChallengeText {
        origin: ORIGIN.to_owned(),
        genesis: GENESIS,
        handle: "acme".to_owned(),
        wallet: wallet.key(),
        nonce: "0123456789abcdef0123456789abcdef".to_owned(),
        expires_at_ms: NOW + 300_000,
    };
    Challenge {
        challenge: "chl_1".to_owned(),
        message: text.text().expect("a text"),
        origin: text.origin.clone(),
        genesis: to_base58(&GENESIS),
        handle: text.handle.clone(),
        wallet: wallet.address(),
        nonce: text.nonce.clone(),
        expires_at_ms: text.expires_at_ms,
    }
}

#[test]
fn an_honest_challenge_is_signed() {
    let wallet = Wallet::generate();
    let challenge = honest(&wallet);
    let signature = answer(&wallet, expected(), &challenge).expect("signed");
    let signature = from_base58::<64>(&signature).expect("base58");
    verify(&wallet.key(), challenge.message.as_bytes(), &signature).expect("the wallet's signature over that text");
}

#[test]
fn a_text_that_differs_in_any_byte_is_refused() {
    let wallet = Wallet::generate();
    let challenge = honest(&wallet);
    for at in 0..challenge.message.len() {
        let mut bytes = challenge.message.clone().into_bytes();
        bytes[at] ^= 1;
        let message = String::from_utf8(bytes).expect("still ASCII");
        let tampered = Challenge { message, ..challenge.clone() };
        let refused = answer(&wallet, expected(), &tampered).expect_err("refused");
        assert_eq!(refused, ChallengeRefused::Differs("the text"), "byte {at}");
    }
    for message in [String::new(), format!("{}\n", challenge.message), format!(" {}", challenge.message)] {
        assert!(answer(&wallet, expected(), &Challenge { message, ..challenge.clone() }).is_err());
    }
}

#[test]
fn another_origin_chain_handle_or_wallet_is_refused_though_the_server_is_consistent() {
    let wallet = Wallet::generate();
    let other = Wallet::generate();
    let challenge = honest(&wallet);
    let cases = [
        (Expected { origin: "http://evil.example", ..expected() }, "the origin"),
        (Expected { genesis: [8; 32], ..expected() }, "the chain's genesis hash"),
        (Expected { handle: "acne", ..expected() }, "the handle"),
    ];
    for (ours, what) in cases {
        assert_eq!(answer(&wallet, ours, &challenge), Err(ChallengeRefused::Differs(what)));
    }
    assert_eq!(answer(&other, expected(), &challenge), Err(ChallengeRefused::Differs("the wallet")));
}

#[test]
fn a_nonce_cannot_add_lines_and_an_expiry_cannot_be_far() {
    let wallet = Wallet::generate();
    let challenge = honest(&wallet);
    for nonce in ["", "short", "0123456789abcdef\nexpires: 9", "0123456789abcde ", &"a".repeat(129)] {
        let bad = Challenge { nonce: nonce.to_owned(), ..challenge.clone() };
        assert_eq!(answer(&wallet, expected(), &bad), Err(ChallengeRefused::Nonce), "{nonce:?}");
    }
    for expires_at_ms in [0, NOW, NOW + MAX_CHALLENGE_LIFE_MS + 1, u64::MAX] {
        let bad = Challenge { expires_at_ms, ..challenge.clone() };
        assert!(matches!(answer(&wallet, expected(), &bad), Err(ChallengeRefused::Lifetime(_))), "{expires_at_ms}");
    }
}
