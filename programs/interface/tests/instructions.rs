//! Builders: signers, writable accounts, and data of the exact length the program reads.

use clawos_interface::instruction::args::{InitializeArgs, PurchaseArgs, RecordArgs};
use clawos_interface::instruction::{self, Instruction, Route};
use clawos_interface::known::{PROGRAM_ID, TOKEN_PROGRAM};
use clawos_interface::rules::usage::Caps;
use clawos_interface::{pda, Currency, ExitKind, Key, Kind, SkillStatus, Tier};

use crate::samples::{config, skill, terms};

const BUYER: Key = [5; 32];
const MINT: Key = [6; 32];

fn route(currency: Currency) -> Route {
    let (mut config, mut account) = (config(), skill());
    config.treasury = [7; 32];
    config.usdc_mint = MINT;
    account.payout = [8; 32];
    account.currency = currency as u8;
    Route::new(&config, [9; 32], &account).expect("the currency is known")
}

fn order() -> PurchaseArgs {
    PurchaseArgs {
        kind: Kind::Usage,
        tier: Tier::Commercial,
        max_price: 7,
        terms_hash: [3; 32],
        caps: Caps { usage_limit: 1, max_units_per_batch: 2, max_units_per_day: 3 },
    }
}

/// The only signer is `signer`, it comes first, and the data has this length.
fn check(ix: &Instruction, signer: &Key, data: usize) {
    assert_eq!(ix.program_id, PROGRAM_ID);
    assert_eq!(ix.accounts[0].key, *signer);
    assert_eq!(ix.accounts.iter().filter(|meta| meta.signer).count(), 1);
    assert!(ix.accounts[0].signer);
    assert_eq!(ix.data.len(), data);
}

#[test]
fn every_builder_has_one_signer_and_full_data() {
    let args = InitializeArgs {
        authority: [1; 32],
        treasury: [2; 32],
        guardian: [3; 32],
        arbiter: [4; 32],
        meter: [5; 32],
        fee_bps: 250,
        min_price: [1, 2],
        max_price: [3, 4],
        max_refund_window: 0,
        settle_delay: 600,
    };
    check(&instruction::initialize(&BUYER, &MINT, &args), &BUYER, 8 + 5 * 32 + 2 + 4 * 8 + 2 * 4);
    let offered = 2 * 32 + 3 * 8 + 5 * 4 + 3;
    check(&instruction::register_skill(&BUYER, &[1; 32], &[2; 32], &terms()), &BUYER, 8 + 64 + offered);
    check(&instruction::update_skill(&BUYER, &[1; 32], &[2; 32], &terms()), &BUYER, 8 + 32 + offered);
    check(&instruction::set_skill_status(&BUYER, &[1; 32], SkillStatus::Paused), &BUYER, 9);
    check(&instruction::pause(&BUYER, 3), &BUYER, 10);
    check(&instruction::unpause(&BUYER, 3), &BUYER, 10);
    check(&instruction::set_licence_caps(&BUYER, &[1; 32], &Caps::default()), &BUYER, 8 + 24);
    check(&instruction::request_exit(&BUYER, &[1; 32], ExitKind::Close), &BUYER, 9);
    for currency in [Currency::Sol, Currency::Usdc] {
        let route = route(currency);
        check(&instruction::purchase(&BUYER, &route, &order()), &BUYER, 8 + 2 + 8 + 32 + 24);
        check(&instruction::renew(&BUYER, &route, 1, &[2; 32]), &BUYER, 8 + 8 + 32);
        check(&instruction::deposit_credit(&BUYER, &route, 1), &BUYER, 16);
        check(&instruction::execute_exit(&BUYER, &route, true), &BUYER, 8);
        let batch = RecordArgs { seq: 1, prev_root: [1; 32], units: 2, root: [3; 32] };
        check(&instruction::record_usage(&MINT, &route, &BUYER, true, &batch), &MINT, 8 + 8 + 32 + 8 + 32);
    }
    let verify = instruction::verify_access(&[9; 32], &BUYER);
    assert!(verify.accounts.iter().all(|meta| !meta.signer && !meta.writable));
    assert_eq!(verify.accounts[2].key, pda::licence(&[9; 32], &BUYER).0);
}

#[test]
fn money_goes_to_wallets_for_sol_and_to_token_accounts_for_usdc() {
    let (sol, usdc) = (route(Currency::Sol), route(Currency::Usdc));
    let keys = |ix: &Instruction| ix.accounts.iter().map(|meta| meta.key).collect::<Vec<_>>();
    let by_sol = keys(&instruction::purchase(&BUYER, &sol, &order()));
    assert!(by_sol.contains(&sol.payout) && by_sol.contains(&sol.treasury) && !by_sol.contains(&TOKEN_PROGRAM));
    let by_usdc = keys(&instruction::purchase(&BUYER, &usdc, &order()));
    for owner in [BUYER, usdc.payout, usdc.treasury] {
        assert!(by_usdc.contains(&pda::ata(&owner, &MINT).0));
    }
    // What SOL does not need is absent: the program's own id stands for it.
    assert_eq!(keys(&instruction::deposit_credit(&BUYER, &sol, 1)).iter().filter(|key| **key == PROGRAM_ID).count(), 3);
    assert!(!keys(&instruction::deposit_credit(&BUYER, &usdc, 1)).contains(&PROGRAM_ID));
    assert!(keys(&instruction::execute_exit(&BUYER, &usdc, false)).contains(&PROGRAM_ID), "no vault, no vault account");
}

#[test]
fn outside_instructions_are_those_of_their_programs() {
    assert_eq!(instruction::set_compute_unit_limit(200_000).data, [2, 0x40, 0x0d, 0x03, 0]);
    assert_eq!(instruction::set_compute_unit_price(7).data, [3, 7, 0, 0, 0, 0, 0, 0, 0]);
    let create = instruction::create_associated_token_idempotent(&BUYER, &[9; 32], &MINT);
    assert_eq!(create.data, [1]);
    assert_eq!(create.accounts[1].key, pda::ata(&[9; 32], &MINT).0);
}
