//! How much the compute units of an instruction that searches an address depend on the keys: each try costs about 370 more.
//!
//! The same 200 keys each time, as good as random, so the numbers repeat exactly on one binary.

use clawos_interface::instruction::{self, Instruction, create_associated_token_idempotent};
use clawos_interface::{Currency, Key, Kind, Tier, sha256, skill_id};
use solana_keypair::Keypair;

use crate::harness::World;
use crate::people::key;

/// How many keys.
const KEYS: u32 = 200;
/// What each wallet begins with, in lamports and in base units of USDC.
const MONEY: u64 = 1_000_000_000;

/// The frozen table: least, median and most. Each may become 3 % more, so that an accidental slowdown shows.
const FROZEN: [(&str, [u64; 3]); 5] = [
    ("register_skill", [2_859, 2_859, 5_226]),
    ("purchase_sol", [6_288, 6_288, 9_669]),
    ("purchase_usdc of a usage licence", [4_140, 4_140, 6_845]),
    ("verify_access, no licence", [696, 696, 4_068]),
    ("deposit_credit, USDC, the first", [2_871, 2_871, 5_631]),
];

#[test]
fn the_spread_over_200_keys_stays_as_it_is() {
    let mut world = World::new();
    let mut measured = [const { Vec::new() }; 5];
    for n in 0..KEYS {
        for (all, one) in measured.iter_mut().zip(measure(&mut world, n)) {
            all.push(one);
        }
    }
    println!("| instruction | least | median | most |\n| --- | ---: | ---: | ---: |");
    let mut over = Vec::new();
    for ((name, frozen), mut all) in FROZEN.iter().zip(measured) {
        all.sort_unstable();
        let spread = [all[0], all[all.len() / 2], all[all.len() - 1]];
        println!("| {name} | {} | {} | {} |", spread[0], spread[1], spread[2]);
        if spread.iter().zip(frozen).any(|(now, frozen)| *now > frozen * 103 / 100) {
            over.push((name, spread, frozen));
        }
    }
    assert!(over.is_empty(), "over budget (now, frozen): {over:?}");
}

/// The compute units of the instructions of [`FROZEN`], between a seller and a buyer of their own.
fn measure(world: &mut World, n: u32) -> [u64; 5] {
    let [seller, buyer] = ["seller", "buyer"].map(|role| person(world, role, n));
    let skills = [Currency::Sol, Currency::Usdc].map(|currency| {
        let kind = if currency == Currency::Sol { Kind::OneTime } else { Kind::Usage };
        let id = skill_id(&format!("acme.{currency}-{n}"));
        let ix = instruction::register_skill(&key(&seller), &id, &[1; 32], &world.terms(currency, kind, 1_000_000));
        (clawos_interface::pda::skill(&key(&seller), &id).0, kind, send(world, &ix, &seller))
    });
    let unknown = instruction::verify_access(&skills[0].0, &key(&buyer));
    let verified = send(world, &unknown, &buyer);
    let [in_sol, in_usdc] = skills.map(|(skill, kind, _)| {
        let order = world.order(&skill, kind, Tier::Personal);
        let ix = instruction::purchase(&key(&buyer), &world.route(&skill), &order);
        send(world, &ix, &buyer)
    });
    let deposited = first_deposit(world, &skills[1].0, &buyer);
    [skills[0].2, in_sol, in_usdc, verified, deposited]
}

fn first_deposit(world: &mut World, skill: &Key, buyer: &Keypair) -> u64 {
    let route = world.route(skill);
    let vault = create_associated_token_idempotent(&key(buyer), &route.licence(&key(buyer)), &route.usdc_mint);
    send(world, &vault, buyer);
    send(world, &instruction::deposit_credit(&key(buyer), &route, 1_000_000), buyer)
}

/// Somebody with SOL and USDC.
fn person(world: &mut World, role: &str, n: u32) -> Keypair {
    let person = Keypair::new_from_array(sha256(&[b"compute spread", role.as_bytes(), &n.to_le_bytes()]));
    world.svm.airdrop(&key(&person).into(), MONEY).expect("an airdrop works");
    world.make_ata(&key(&person));
    world.mint_usdc(&key(&person), MONEY);
    person
}

fn send(world: &mut World, ix: &Instruction, signer: &Keypair) -> u64 {
    world.send(ix, &[signer]).unwrap_or_else(|error| panic!("{error:?}")).cu
}
