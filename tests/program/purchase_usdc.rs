//! `purchase_usdc`: the stories of every sale, and those of token accounts.

use clawos_interface::ProgramError::*;
use clawos_interface::instruction::purchase_usdc;
use clawos_interface::known::SYSTEM_PROGRAM;
use clawos_interface::{Currency, Kind, Tier};
use solana_instruction::error::InstructionError;

use crate::attack::{anywhere, with};
use crate::harness::refused;
use crate::people::*;
use crate::sale::{FEE, PRICE, listed, order, stories};

stories! { Currency::Usdc;
    every_kind_and_tier_is_paid_to_the_unit,
    a_new_licence_is_filled_completely,
    it_can_be_paused,
    only_an_active_skill_is_sold,
    the_seller_cannot_buy_the_own_skill,
    kind_and_tier_must_be_known_and_offered,
    a_seller_cannot_change_the_terms_in_flight,
    the_highest_price_binds,
    a_licence_in_force_is_not_sold_again,
    an_ended_one_is_and_keeps_its_history,
    a_kind_changes_only_after_a_pause_of_recording,
    a_repurchase_does_not_cut_off_what_was_served,
    the_meter_of_an_earlier_kind_charges_nothing,
    no_purchase_while_an_exit_or_a_debt_is_pending,
    a_refunded_licence_can_be_bought_again,
    the_money_goes_to_the_right_accounts_only,
    a_treasury_that_sells_gets_both_parts,
    a_foreign_licence_is_never_touched,
    lamports_sent_ahead_do_not_block_it,
    counters_never_wrap,
    a_licence_always_has_a_meter,
    it_refuses_newer_layouts,
    no_account_can_be_forged,
}

#[test]
fn a_skill_priced_in_lamports_is_not_sold_for_usdc() {
    let (mut world, skill) = listed(Currency::Sol);
    let order = world.order(&skill, Kind::OneTime, Tier::Personal);
    let ix = purchase_usdc(&key(&buyer()), &world.route(&skill), &order);
    refused(world.send(&ix, &[&buyer()]), WrongCurrency);
}

#[test]
fn the_source_is_a_token_account_of_the_buyer_in_the_accepted_mint() {
    let (mut world, skill) = listed(Currency::Usdc);
    let ix = order(&world, &skill, Kind::OneTime);
    // Somebody else's money.
    let victims = world.ata(&key(&attacker()));
    refused(world.send(&with(&ix, "source", victims), &[&buyer()]), WrongSource);
    // Play money.
    let toy = key(&keypair(150));
    world.make_mint(toy, 6);
    world.make_token_account(&anywhere(), &key(&buyer()), &toy, PRICE);
    refused(world.send(&with(&ix, "source", anywhere()), &[&buyer()]), WrongSource);
    // A counterfeit that another program owns.
    let source = world.ata(&key(&buyer()));
    let fake = world.counterfeit(&source, anywhere(), &SYSTEM_PROGRAM);
    refused(world.send(&with(&ix, "source", fake), &[&buyer()]), WrongSource);
    // A second account of the buyer is as good as the associated one.
    let mint = world.mint;
    world.make_token_account(&anywhere(), &key(&buyer()), &mint, PRICE);
    world.send(&with(&ix, "source", anywhere()), &[&buyer()]).expect("the purchase works");
    assert_eq!(world.tokens(&anywhere()), 0);
}

#[test]
fn recipients_are_token_accounts_in_the_accepted_mint() {
    let (mut world, skill) = listed(Currency::Usdc);
    let ix = order(&world, &skill, Kind::OneTime);
    let toy = key(&keypair(150));
    world.make_mint(toy, 6);
    let (mint, other) = (world.mint, key(&keypair(151)));
    for (name, person, error) in [("payout", payout(), WrongPayout), ("treasury", treasury(), WrongTreasury)] {
        world.make_token_account(&anywhere(), &key(&person), &toy, 0);
        refused(world.send(&with(&ix, name, anywhere()), &[&buyer()]), error);
        refused(world.send(&with(&ix, name, key(&person)), &[&buyer()]), error);
    }
    // Another token account of the same owner receives as well.
    world.make_token_account(&anywhere(), &key(&payout()), &mint, 0);
    world.make_token_account(&other, &key(&treasury()), &mint, 0);
    let ix = with(&with(&ix, "payout", anywhere()), "treasury", other);
    world.send(&ix, &[&buyer()]).expect("the purchase works");
    assert_eq!((world.tokens(&anywhere()), world.tokens(&other)), (PRICE - FEE, FEE));
}

#[test]
fn a_recipient_that_is_frozen_or_closed_is_named() {
    for person in [payout(), treasury()] {
        let (mut world, skill) = listed(Currency::Usdc);
        world.freeze(&key(&person));
        refused(world.purchase(&skill, Kind::OneTime), RecipientFrozen);
        let (mut world, skill) = listed(Currency::Usdc);
        world.close_ata(&person);
        refused(world.purchase(&skill, Kind::OneTime), RecipientFrozen);
    }
}

#[test]
fn a_frozen_buyer_cannot_pay() {
    let (mut world, skill) = listed(Currency::Usdc);
    world.freeze(&key(&buyer()));
    refused(world.purchase(&skill, Kind::OneTime), WrongSource);
}

#[test]
fn a_buyer_with_too_little_is_refused_by_the_token_program() {
    let (mut world, skill) = listed(Currency::Usdc);
    let mint = world.mint;
    world.make_token_account(&anywhere(), &key(&buyer()), &mint, PRICE - 1);
    let ix = with(&order(&world, &skill, Kind::OneTime), "source", anywhere());
    refused(world.send(&ix, &[&buyer()]), InstructionError::Custom(1));
    assert_eq!(world.tokens(&anywhere()), PRICE - 1, "the seller's part came back");
    assert_eq!(world.usdc(&key(&payout())), 0);
}

#[test]
fn the_programs_must_be_the_real_ones() {
    let (mut world, skill) = listed(Currency::Usdc);
    let ix = order(&world, &skill, Kind::OneTime);
    for name in ["token_program", "system_program"] {
        let other = with(&ix, name, clawos_interface::known::ASSOCIATED_TOKEN_PROGRAM);
        refused(world.send(&other, &[&buyer()]), InstructionError::IncorrectProgramId);
    }
}
