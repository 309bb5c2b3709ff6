//! The assembled purchase is the one the contract says, and nothing else is accepted for it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clawos_api::{Money, Timestamp};
use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::known::{ASSOCIATED_TOKEN_PROGRAM, COMPUTE_BUDGET_PROGRAM};
use clawos_interface::{PROGRAM_ID, Unit, pda};
use clawos_solana::transaction::{message, unsigned_base64};

use super::*;

const NOW: i64 = 1_700_000_000;
const BUYER: Key = [3; 32];

fn config() -> Config {
    let bytes = vec![0u8; Config::LEN - 8];
    let mut config: Config = bytemuck::pod_read_unaligned(&bytes);
    config.treasury = [5; 32];
    config.meter = [6; 32];
    config.usdc_mint = [7; 32];
    config.fee_bps = 250.into();
    config
}

fn listing(currency: Currency) -> Listing {
    let bytes = vec![0u8; Skill::LEN - 8];
    let mut skill: Skill = bytemuck::pod_read_unaligned(&bytes);
    skill.creator = [1; 32];
    skill.seller = [1; 32];
    skill.payout = [2; 32];
    skill.price_once = 1_000_001.into();
    skill.price_unit = 7.into();
    skill.price_period = 500.into();
    skill.period_secs = 86_400.into();
    skill.tier_bps = [10_000.into(), 20_000.into(), 100_000.into()];
    skill.kinds = Kind::MASK;
    skill.currency = currency as u8;
    skill.unit_kind = Unit::Call as u8;
    skill.created_slot = 42.into();
    Listing { address: pda::skill(&skill.creator, &skill.skill_id).0, skill, config: config(), slot: 50 }
}

fn order(kind: Kind) -> Order {
    Order { kind, tier: Tier::Personal, caps: Caps::default(), meter: None }
}

/// What an honest server, which assembles by itself, would offer.
fn offer(purchase: &Purchase, instructions: &[Instruction], currency: Currency) -> PurchaseOffer {
    let blockhash = [8u8; 32];
    let money = |amount| Money { amount, currency: "X".to_owned(), decimals: currency.decimals() };
    PurchaseOffer {
        transaction: unsigned_base64(&message(&BUYER, instructions, &blockhash)),
        licence: to_base58(&purchase.licence),
        skill_account: String::new(),
        price: money(purchase.price),
        fee: money(purchase.fee),
        terms_hash: hex::encode(purchase.terms_hash),
        blockhash: to_base58(&blockhash),
        last_valid_block_height: 1,
        expires_at: Timestamp(0),
    }
}

#[test]
fn the_assembly_is_the_contract_s() {
    let sol = listing(Currency::Sol).purchase(&BUYER, &order(Kind::OneTime), None, NOW).expect("assembled");
    let programs: Vec<Key> = sol.instructions.iter().map(|instruction| instruction.program_id).collect();
    assert_eq!(programs, [COMPUTE_BUDGET_PROGRAM, PROGRAM_ID]);
    assert_eq!((sol.price, sol.fee, sol.unit_price), (1_000_001, 25_000, 0));

    let usdc = listing(Currency::Usdc).purchase(&BUYER, &order(Kind::Usage), None, NOW).expect("assembled");
    let programs: Vec<Key> = usdc.instructions.iter().map(|instruction| instruction.program_id).collect();
    let token = ASSOCIATED_TOKEN_PROGRAM;
    assert_eq!(programs, [COMPUTE_BUDGET_PROGRAM, token, token, token, PROGRAM_ID]);
    let owners: Vec<Key> = usdc.instructions[1..4].iter().map(|instruction| instruction.accounts[2].key).collect();
    assert_eq!(owners, [[2; 32], [5; 32], BUYER]);
    assert_eq!((usdc.price, usdc.fee, usdc.unit_price), (0, 0, 7));
}

#[test]
fn the_buyer_is_the_only_signer_of_every_purchase() {
    for currency in [Currency::Sol, Currency::Usdc] {
        for kind in [Kind::OneTime, Kind::Subscription, Kind::Usage] {
            let purchase = listing(currency).purchase(&BUYER, &order(kind), None, NOW).expect("assembled");
            let message = message(&BUYER, &purchase.instructions, &[8; 32]);
            assert_eq!(message.header.num_required_signatures, 1, "{currency} {kind}");
            assert_eq!(message.account_keys[0].to_bytes(), BUYER);
        }
    }
}

#[test]
fn an_equal_offer_passes_and_any_other_byte_is_refused() {
    let listing = listing(Currency::Usdc);
    let purchase = listing.purchase(&BUYER, &order(Kind::OneTime), None, NOW).expect("assembled");
    let honest = offer(&purchase, &purchase.instructions, Currency::Usdc);
    purchase.check_offer(&BUYER, &honest).expect("equal");

    let wire = BASE64_STANDARD.decode(&honest.transaction).expect("base64");
    for at in 0..wire.len() {
        let mut bytes = wire.clone();
        bytes[at] ^= 1;
        let tampered = PurchaseOffer { transaction: BASE64_STANDARD.encode(bytes), ..honest.clone() };
        assert!(purchase.check_offer(&BUYER, &tampered).is_err(), "byte {at}");
    }
    let doubled = [purchase.instructions.clone(), purchase.instructions.clone()].concat();
    assert!(purchase.check_offer(&BUYER, &offer(&purchase, &doubled, Currency::Usdc)).is_err());
    assert!(purchase.check_offer(&[4; 32], &honest).is_err(), "another buyer");
}

#[test]
fn an_offer_with_another_price_or_licence_is_refused_by_name() {
    let purchase = listing(Currency::Sol).purchase(&BUYER, &order(Kind::OneTime), None, NOW).expect("assembled");
    let honest = offer(&purchase, &purchase.instructions, Currency::Sol);
    let mut dearer = honest.clone();
    dearer.price.amount += 1;
    let error = purchase.check_offer(&BUYER, &dearer).expect_err("refused");
    assert_eq!(error, ChainError::Differs("the price".to_owned()));
    let elsewhere = PurchaseOffer { licence: to_base58(&[9; 32]), ..honest.clone() };
    assert_eq!(purchase.check_offer(&BUYER, &elsewhere), Err(ChainError::Differs("the licence".to_owned())));
    let terms = PurchaseOffer { terms_hash: "00".repeat(32), ..honest };
    assert_eq!(purchase.check_offer(&BUYER, &terms), Err(ChainError::Differs("the terms".to_owned())));
}

#[test]
fn a_valid_subscription_is_renewed_and_other_licences_block_a_purchase() {
    let bytes = vec![0u8; Licence::LEN - 8];
    let mut licence: Licence = bytemuck::pod_read_unaligned(&bytes);
    licence.kind = Kind::Subscription as u8;
    licence.status = LicenceStatus::Active as u8;
    licence.expires_at = (NOW + 10).into();
    let listing = listing(Currency::Sol);
    let buy = |licence: &Licence, kind, now| listing.purchase(&BUYER, &order(kind), Some(licence), now);

    assert!(buy(&licence, Kind::Subscription, NOW).expect("renewal").renewal);
    assert!(!buy(&licence, Kind::Subscription, NOW + 10).expect("a new purchase").renewal);
    let error = buy(&licence, Kind::Usage, NOW).expect_err("blocked");
    assert_eq!(error.code(), "LicenceActive");
    licence.exit_kind = ExitKind::Close as u8;
    assert_eq!(buy(&licence, Kind::Subscription, NOW).expect_err("blocked").code(), "LicenceClosing");
}

#[test]
fn changed_terms_change_the_hash_that_is_agreed_to() {
    let before = listing(Currency::Sol);
    let mut after = before;
    after.skill.price_once = 2_000_000.into();
    assert_ne!(before.terms_hash(), after.terms_hash());
    after = before;
    after.skill.created_slot = 43.into();
    assert_ne!(before.terms_hash(), after.terms_hash(), "a re-created listing has other terms");
}

#[test]
fn a_meter_that_only_the_seller_names_is_refused_until_the_buyer_names_it_too() {
    let buy = |listing: &Listing, meter| {
        listing.purchase(&BUYER, &Order { meter, ..order(Kind::Usage) }, None, NOW).map(|purchase| purchase.meter)
    };
    let usual = listing(Currency::Sol);
    assert_eq!(buy(&usual, None), Ok([6; 32]));
    assert_eq!(buy(&usual, Some([6; 32])), Ok([6; 32]));
    let mut own = usual;
    own.skill.meter = [9; 32];
    assert_eq!(buy(&own, None).expect_err("the seller's own").code(), "wrong_proxy");
    assert_eq!(buy(&own, Some([9; 32])), Ok([9; 32]));
    // A named meter also has to be the one on chain.
    assert!(buy(&own, Some([8; 32])).is_err() && buy(&usual, Some([9; 32])).is_err());
    own.skill.meter = usual.config.meter;
    assert_eq!(buy(&own, None), Ok([6; 32]));
}

#[test]
fn who_sells_the_skill_or_is_paid_for_it_is_told_that_he_cannot_buy_it() {
    let listing = listing(Currency::Usdc);
    for own in [listing.skill.seller, listing.skill.payout] {
        let refused = listing.purchase(&own, &order(Kind::OneTime), None, NOW);
        assert_eq!(refused.map_err(|error| error.code().to_owned()), Err("SelfPurchase".to_owned()));
    }
}
