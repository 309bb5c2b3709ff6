//! `purchase_sol`: the stories of every sale, and those of lamports.

use clawos_interface::ProgramError::*;
use clawos_interface::accounts::Licence;
use clawos_interface::instruction::{purchase_sol, update_skill};
use clawos_interface::known::TOKEN_PROGRAM;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, NO_KEY, Tier};
use solana_instruction::error::InstructionError;

use crate::attack::with;
use crate::harness::{World, refused};
use crate::people::*;
use crate::sale::{FEE, PRICE, listed, order, stories};

stories! { Currency::Sol;
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
fn a_skill_priced_in_usdc_is_not_sold_for_lamports() {
    let (mut world, skill) = listed(Currency::Usdc);
    let order = world.order(&skill, Kind::OneTime, Tier::Personal);
    let ix = purchase_sol(&key(&buyer()), &world.route(&skill), &order);
    refused(world.send(&ix, &[&buyer()]), WrongCurrency);
}

/// Lets the skill pay to another wallet.
fn pay_to(world: &mut World, skill: &Key, wallet: Key) {
    let terms = Terms { payout: wallet, ..world.skill(skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
}

#[test]
fn recipients_must_end_above_the_rent_minimum() {
    let (mut world, skill) = listed(Currency::Sol);
    let minimum = world.svm.minimum_balance_for_rent_exemption(0);
    let wallet = key(&keypair(100));
    pay_to(&mut world, &skill, wallet);
    let before = world.lamports(&key(&buyer()));
    // The price alone is above the minimum; one lamport too little beside a smaller one is not.
    world.change_config(|config| config.min_price[0].set(1));
    let terms = Terms { price_once: 10_000, ..world.skill(&skill).terms(&NO_KEY) };
    world.send(&update_skill(&key(&seller()), &skill, &[0; 32], &terms), &[&seller()]).expect("updating works");
    refused(world.purchase(&skill, Kind::OneTime), RecipientNotRentExempt);
    world.svm.airdrop(&wallet.into(), minimum).expect("an airdrop works");
    world.purchase(&skill, Kind::OneTime).expect("a funded wallet can receive anything");
    assert_eq!(world.lamports(&wallet), minimum + 9_750);
    assert!(world.lamports(&key(&buyer())) < before);
}

#[test]
fn an_empty_treasury_is_refused_before_money_moves() {
    let (mut world, skill) = listed(Currency::Sol);
    world.remove(&key(&treasury()));
    let before = world.lamports(&key(&payout()));
    refused(world.purchase(&skill, Kind::OneTime), RecipientNotRentExempt);
    assert_eq!(world.lamports(&key(&payout())), before);
    // A usage licence moves nothing, so it asks nothing of the recipients.
    world.purchase(&skill, Kind::Usage).expect("the purchase works");
}

#[test]
fn a_program_cannot_be_paid() {
    let (mut world, skill) = listed(Currency::Sol);
    pay_to(&mut world, &skill, TOKEN_PROGRAM);
    refused(world.purchase(&skill, Kind::OneTime), InstructionError::ExternalAccountLamportSpend);
}

#[test]
fn a_buyer_with_too_little_is_refused_by_the_system_program() {
    let (mut world, skill) = listed(Currency::Sol);
    let ix = order(&world, &skill, Kind::OneTime);
    // Enough for the licence's rent and the seller, but not for the treasury too.
    let mut poor = world.account(&key(&buyer()));
    poor.lamports = world.svm.minimum_balance_for_rent_exemption(Licence::LEN) + PRICE - FEE;
    world.set_account(&key(&buyer()), poor);
    let before = world.lamports(&key(&payout()));
    refused(world.send(&ix, &[&attacker(), &buyer()]), InstructionError::Custom(1));
    assert_eq!(world.lamports(&key(&payout())), before, "the seller's part came back with the rest");
}

#[test]
fn the_system_program_must_be_the_real_one() {
    let (mut world, skill) = listed(Currency::Sol);
    let ix = with(&order(&world, &skill, Kind::OneTime), "system_program", TOKEN_PROGRAM);
    refused(world.send(&ix, &[&buyer()]), InstructionError::IncorrectProgramId);
}
