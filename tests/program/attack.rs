//! What an attacker can try with any instruction: leave out or replace signers, swap each account for another, name one twice, cut the data.
//!
//! Accounts are named as in the IDL. [`refuses_forgeries`] tries all of it on one instruction that must work unchanged afterwards.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::instruction::{AccountMeta, Instruction, discriminator};
use clawos_interface::known::{PROGRAM_ID, SYSTEM_PROGRAM, TOKEN_PROGRAM};
use clawos_interface::{Key, pda};
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;

use crate::harness::{Refusal, Tx, World, refused};
use crate::idl;
use crate::people::{attacker, key, keypair};

/// What Anchor says when an account that changes is named twice.
pub const DUPLICATE: InstructionError = InstructionError::Custom(2040);

/// The Clock sysvar, `SysvarC1ock11111111111111111111111111111111`.
pub const CLOCK: Key = [
    6, 167, 213, 23, 24, 199, 116, 201, 40, 86, 99, 152, 105, 29, 94, 182, 139, 94, 184, 163, 155, 75, 109, 92, 115,
    85, 91, 33, 0, 0, 0, 0,
];

/// An address at which an attacker can put what he likes, as far as the runtime lets him.
pub fn anywhere() -> Key {
    key(&keypair(200))
}

/// The position of an instruction's account, by its name in the IDL.
pub fn position(ix: &Instruction, name: &str) -> usize {
    let accounts = idl::instruction(ix)["accounts"].as_array().expect("accounts are a list");
    accounts.iter().position(|account| account["name"] == name).unwrap_or_else(|| panic!("there is an account {name}"))
}

/// The instruction with another address for one account.
pub fn with(ix: &Instruction, name: &str, address: Key) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at].key = address;
    ix
}

/// The instruction without one of its optional accounts.
pub fn without(ix: &Instruction, name: &str) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at] = AccountMeta::readonly(PROGRAM_ID);
    ix
}

/// The instruction with some bytes of its data replaced; `at` counts from behind the discriminator.
pub fn with_data(ix: &Instruction, at: usize, bytes: &[u8]) -> Instruction {
    let mut ix = ix.clone();
    ix.data[8 + at..8 + at + bytes.len()].copy_from_slice(bytes);
    ix
}

/// The instruction with one account that does not change.
pub fn read_only(ix: &Instruction, name: &str) -> Instruction {
    let mut ix = ix.clone();
    let at = position(&ix, name);
    ix.accounts[at].writable = false;
    ix
}

/// Instructions that must not fail because of a recipient: one that is read-only counts as one that cannot receive.
const TOLERANT: [&str; 3] = ["record_usage", "deposit_credit", "execute_exit"];

/// Whether a wrong account named `name` moves no money instead of failing the instruction; [`crate::charging`] shows that.
fn moves_nothing(ix: &Instruction, name: &str) -> bool {
    ix.data.starts_with(&discriminator::RECORD_USAGE) && ["payout", "treasury"].contains(&name)
}

/// Tries every forgery on `ix`, each of which must be refused, then sends `ix` as it is, which must work.
pub fn refuses_forgeries(world: &mut World, ix: &Instruction, signer: &Keypair) -> Tx {
    for at in 0..ix.accounts.len() {
        if ix.accounts[at].key != PROGRAM_ID {
            signers(world, ix, at, signer);
            unchanging(world, ix, at, signer);
            if !moves_nothing(ix, idl::text(&idl::instruction(ix)["accounts"][at], "name")) {
                strangers(world, ix, at, signer);
                duplicates(world, ix, at, signer);
            }
        }
    }
    cut_short(world, ix, signer);
    send(world, ix, signer).unwrap_or_else(|refusal| panic!("the untouched instruction works: {refusal:?}"))
}

/// Sends `ix`, the attacker paying the network's fee, so that nobody is writable or a signer but by the instruction's own flags.
fn send(world: &mut World, ix: &Instruction, signer: &Keypair) -> Result<Tx, Refusal> {
    let signs = ix.accounts.iter().any(|meta| meta.signer && meta.key == key(signer));
    if signs && key(signer) != key(&attacker()) {
        world.send(ix, &[&attacker(), signer])
    } else {
        world.send(ix, &[&attacker()])
    }
}

#[track_caller]
fn must_fail(world: &mut World, ix: &Instruction, signer: &Keypair, forgery: &str) {
    if let Ok(tx) = send(world, ix, signer) {
        panic!("{} accepts {forgery}: {:?}", idl::text(idl::instruction(ix), "name"), tx.events);
    }
}

/// The signature is missing, or is the attacker's.
fn signers(world: &mut World, ix: &Instruction, at: usize, signer: &Keypair) {
    if !ix.accounts[at].signer {
        return;
    }
    let mut unsigned = ix.clone();
    unsigned.accounts[at].signer = false;
    refused(send(world, &unsigned, signer), InstructionError::MissingRequiredSignature);
    let mut other = ix.clone();
    other.accounts[at].key = key(&attacker());
    must_fail(world, &other, signer, "the attacker's signature");
}

/// An account that changes is not marked as one.
fn unchanging(world: &mut World, ix: &Instruction, at: usize, signer: &Keypair) {
    let entry = idl::instruction(ix);
    let name = idl::text(&entry["accounts"][at], "name");
    let tolerated = TOLERANT.contains(&idl::text(entry, "name")) && ["payout", "treasury"].contains(&name);
    if ix.accounts[at].writable && !tolerated {
        must_fail(world, &read_only(ix, name), signer, &format!("{name} read-only"));
    }
}

/// The account is empty, a wallet, a counterfeit, of another type of ours, a token account of the attacker, or another program.
fn strangers(world: &mut World, ix: &Instruction, at: usize, signer: &Keypair) {
    if ix.accounts[at].signer {
        return;
    }
    let original = ix.accounts[at].key;
    let mut impostors = vec![anywhere(), key(&attacker()), world.ata(&key(&attacker())), TOKEN_PROGRAM, SYSTEM_PROGRAM];
    let data = world.data(&original);
    if [Config::DISCRIMINATOR, Skill::DISCRIMINATOR, Licence::DISCRIMINATOR].iter().any(|kind| data.starts_with(kind)) {
        impostors.push(world.counterfeit(&original, key(&keypair(201)), &TOKEN_PROGRAM));
        impostors.push(world.counterfeit(&original, key(&keypair(202)), &SYSTEM_PROGRAM));
        let ours = [pda::config().0].into_iter().chain(ix.accounts.iter().map(|meta| meta.key));
        impostors.extend(ours.filter(|other| world.data(other).get(..8) != data.get(..8)));
    }
    for impostor in impostors.into_iter().filter(|impostor| *impostor != original) {
        let mut other = ix.clone();
        other.accounts[at].key = impostor;
        must_fail(world, &other, signer, &format!("{impostor:?} as account {at}"));
    }
}

/// Another account of the instruction stands in for this one.
fn duplicates(world: &mut World, ix: &Instruction, at: usize, signer: &Keypair) {
    // The program's own id is no account but stands for one that is left out.
    let twins = ix.accounts.iter().map(|meta| meta.key).filter(|twin| *twin != PROGRAM_ID);
    for twin in twins.filter(|twin| *twin != ix.accounts[at].key) {
        let mut other = ix.clone();
        other.accounts[at].key = twin;
        // Nobody but the signer signs.
        other.accounts[at].signer &= twin == key(signer);
        must_fail(world, &other, signer, &format!("account {at} named twice"));
    }
}

/// Arguments or accounts are missing, or the instruction is none of ours.
fn cut_short(world: &mut World, ix: &Instruction, signer: &Keypair) {
    for length in [0, 4, 7, ix.data.len() - 1] {
        let mut other = ix.clone();
        other.data.truncate(length);
        must_fail_raw(world, &other, signer, length);
    }
    let mut other = ix.clone();
    other.accounts.pop();
    must_fail(world, &other, signer, "fewer accounts");
}

#[track_caller]
fn must_fail_raw(world: &mut World, ix: &Instruction, signer: &Keypair, length: usize) {
    assert!(send(world, ix, signer).is_err(), "{length} bytes of data are accepted");
}
