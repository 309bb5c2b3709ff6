//! `initialize`: only the upgrade authority makes Config, once, with sane values.

use clawos_interface::ProgramError::*;
use clawos_interface::accounts::Config;
use clawos_interface::events::Event;
use clawos_interface::instruction::Instruction;
use clawos_interface::instruction::args::InitializeArgs;
use clawos_interface::instruction::initialize;
use clawos_interface::known::{PROGRAM_DATA, SYSTEM_PROGRAM, UPGRADEABLE_LOADER};
use clawos_interface::{NO_KEY, ProgramError, pda};
use solana_instruction::error::InstructionError;

use crate::attack::{anywhere, refuses_forgeries, with};
use crate::harness::{World, refused};
use crate::people::*;

fn instruction(world: &World, change: impl FnOnce(&mut InitializeArgs)) -> Instruction {
    let mut args = world.config_args();
    change(&mut args);
    initialize(&key(&deployer()), &world.mint, &args)
}

#[test]
fn it_writes_exactly_what_it_was_told() {
    let mut world = World::deployed();
    let args = world.config_args();
    let tx = world.send(&instruction(&world, |_| ()), &[&deployer()]).expect("initialize works");

    let (address, bump) = pda::config();
    let config = world.config();
    assert_eq!(
        [config.authority, config.treasury, config.guardian, config.arbiter, config.meter],
        [args.authority, args.treasury, args.guardian, args.arbiter, args.meter]
    );
    assert_eq!((config.usdc_mint, config.pending_authority), (world.mint, NO_KEY));
    assert_eq!((config.fee_bps(), config.pending_fee_bps(), config.pause_bits()), (250, 0, 0));
    assert_eq!((config.min_price(), config.max_price()), (args.min_price, args.max_price));
    assert_eq!((config.max_refund_window(), config.settle_delay()), (0, 600));
    assert_eq!((config.authority_eta(), config.fee_eta(), config.usage_resumed_at()), (0, 0, 0));
    assert_eq!((config.version, config.bump), (1, bump));
    assert!(config.reserved.iter().all(|byte| *byte == 0));
    assert_eq!(world.lamports(&address), world.svm.minimum_balance_for_rent_exemption(Config::LEN));
    let [Event::ProgramInitialized(event)] = tx.events[..] else { panic!("one event: {:?}", tx.events) };
    assert_eq!((event.authority, event.treasury, event.meter), (args.authority, args.treasury, args.meter));
    assert_eq!((event.usdc_mint, event.fee_bps(), event.schema_version), (world.mint, 250, 1));
}

#[test]
fn each_value_has_its_bounds() {
    type Change = fn(&mut InitializeArgs);
    let refusals: [(Change, ProgramError); 16] = [
        (|args| args.authority = NO_KEY, KeyMissing),
        (|args| args.treasury = NO_KEY, KeyMissing),
        (|args| args.guardian = NO_KEY, KeyMissing),
        (|args| args.arbiter = NO_KEY, KeyMissing),
        (|args| args.meter = NO_KEY, KeyMissing),
        (|args| args.fee_bps = 1_001, FeeTooHigh),
        (|args| args.fee_bps = u16::MAX, FeeTooHigh),
        (|args| args.min_price[0] = 0, PriceBoundsInvalid),
        (|args| args.min_price[1] = 0, PriceBoundsInvalid),
        (|args| args.min_price[0] = args.max_price[0] + 1, PriceBoundsInvalid),
        (|args| args.min_price[1] = args.max_price[1] + 1, PriceBoundsInvalid),
        (|args| args.max_price[0] = 1 << 63, PriceBoundsInvalid),
        (|args| args.max_price[1] = u64::MAX, PriceBoundsInvalid),
        (|args| args.max_refund_window = 1, RefundWindowTooLong),
        (|args| args.settle_delay = 119, SettleDelayInvalid),
        (|args| args.settle_delay = 604_801, SettleDelayInvalid),
    ];
    let mut world = World::deployed();
    for (change, error) in refusals {
        refused(world.send(&instruction(&world, change), &[&deployer()]), error);
    }
    let accepted: [Change; 5] = [
        |args| args.fee_bps = 1_000,
        |args| args.fee_bps = 0,
        |args| (args.min_price, args.max_price) = ([1, 1], [i64::MAX as u64, 1]),
        |args| args.settle_delay = 120,
        |args| args.settle_delay = 604_800,
    ];
    for change in accepted {
        let mut world = World::deployed();
        world.send(&instruction(&world, change), &[&deployer()]).expect("the bound itself is allowed");
    }
}

#[test]
fn only_the_upgrade_authority_can() {
    let mut world = World::deployed();
    let args = world.config_args();
    let attack = initialize(&key(&attacker()), &world.mint, &args);
    refused(world.send(&attack, &[&attacker()]), NotUpgradeAuthority);

    // A program that nobody may upgrade any more cannot be taken over either.
    world.poke(&PROGRAM_DATA, 12, 0);
    refused(world.send(&instruction(&world, |_| ()), &[&deployer()]), NotUpgradeAuthority);
    world.poke(&PROGRAM_DATA, 12, 1);
    world.send(&instruction(&world, |_| ()), &[&deployer()]).expect("initialize works");
}

#[test]
fn program_data_must_be_the_programs_own() {
    let mut world = World::deployed();
    let args = world.config_args();
    // ProgramData of another program, of which the attacker is the upgrade authority.
    let other = world.counterfeit(&PROGRAM_DATA, anywhere(), &UPGRADEABLE_LOADER);
    for (at, byte) in key(&attacker()).into_iter().enumerate() {
        world.poke(&other, 13 + at, byte);
    }
    let attack = with(&initialize(&key(&attacker()), &world.mint, &args), "program_data", other);
    refused(world.send(&attack, &[&attacker()]), WrongProgramData);

    // The right address with another state (1 is a buffer) or another owner.
    let ix = instruction(&world, |_| ());
    let genuine = world.account(&PROGRAM_DATA);
    world.poke(&PROGRAM_DATA, 0, 1);
    refused(world.send(&ix, &[&deployer()]), WrongProgramData);
    world.set_account(&PROGRAM_DATA, genuine.clone());
    world.counterfeit(&PROGRAM_DATA, PROGRAM_DATA, &SYSTEM_PROGRAM);
    refused(world.send(&ix, &[&deployer()]), WrongProgramData);
    let mut short = genuine.clone();
    short.data.truncate(44);
    world.set_account(&PROGRAM_DATA, short);
    refused(world.send(&ix, &[&deployer()]), WrongProgramData);
    world.set_account(&PROGRAM_DATA, genuine);
    world.send(&ix, &[&deployer()]).expect("initialize works");
}

#[test]
fn the_mint_must_be_a_classic_one_with_six_decimals() {
    let mut world = World::deployed();
    world.make_mint(anywhere(), 9);
    let ix = instruction(&world, |_| ());
    refused(world.send(&with(&ix, "usdc_mint", anywhere()), &[&deployer()]), WrongMint);
    // The same bytes owned by another program than Token.
    let mint = world.mint;
    let fake = world.counterfeit(&mint, key(&keypair(201)), &SYSTEM_PROGRAM);
    refused(world.send(&with(&ix, "usdc_mint", fake), &[&deployer()]), InstructionError::IllegalOwner);
    let no_mint = with(&ix, "usdc_mint", world.ata(&key(&buyer())));
    refused(world.send(&no_mint, &[&deployer()]), InstructionError::InvalidAccountData);
}

#[test]
fn it_works_once() {
    let mut world = World::new();
    let before = world.config();
    let again = instruction(&world, |args| args.fee_bps = 1_000);
    // The System program: the account is in use already.
    refused(world.send(&again, &[&deployer()]), InstructionError::Custom(0));
    assert_eq!(world.config(), before);
}

#[test]
fn lamports_sent_ahead_do_not_block_it() {
    let mut world = World::deployed();
    world.svm.airdrop(&pda::config().0.into(), 1_000_000).expect("an airdrop works");
    world.send(&instruction(&world, |_| ()), &[&deployer()]).expect("initialize works");
    assert_eq!(world.config().version, 1);
}

#[test]
fn no_account_can_be_forged() {
    let mut world = World::deployed();
    let ix = instruction(&world, |_| ());
    refuses_forgeries(&mut world, &ix, &deployer());
}
