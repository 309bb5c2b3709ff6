//! What an attacker can try with any instruction: leave out or replace signers, swap each account for another, name one twice, cut the data.
//!
//! Each forgery must be refused with the error that `forgeries.txt` lists for it, and the instruction must work unchanged afterwards.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::instruction::{Instruction, discriminator};
use clawos_interface::known::{PROGRAM_ID, SYSTEM_PROGRAM, TOKEN_PROGRAM};
use clawos_interface::{Key, pda};
use solana_keypair::Keypair;

use super::answers::Answers;
use super::{anywhere, read_only};
use crate::harness::{Refusal, Tx, World};
use crate::idl;
use crate::people::{attacker, key, keypair};

/// Instructions that must not fail because of a recipient: one that is read-only counts as one that cannot receive.
const TOLERANT: [&str; 3] = ["record_usage", "deposit_credit", "execute_exit"];

/// The instruction under attack.
struct Attack<'a> {
    world: &'a mut World,
    ix: &'a Instruction,
    signer: &'a Keypair,
    answers: Answers,
}

/// Tries every forgery on `ix`, each of which must be refused as `forgeries.txt` says, then sends `ix` as it is, which must work.
pub fn refuses_forgeries(world: &mut World, ix: &Instruction, signer: &Keypair) -> Tx {
    let name = idl::text(idl::instruction(ix), "name");
    let mut attack = Attack { world, ix, signer, answers: Answers::default() };
    for at in 0..ix.accounts.len() {
        if ix.accounts[at].key != PROGRAM_ID {
            attack.signers(at);
            attack.unchanging(at);
            if !attack.moves_nothing(at) {
                attack.strangers(at);
                attack.duplicates(at);
            }
        }
    }
    attack.cut_short();
    let with_tokens = ix.accounts.iter().any(|meta| meta.key == TOKEN_PROGRAM);
    attack.answers.check(&format!("{name}{}", if with_tokens { ", with token accounts" } else { "" }));
    let sent = attack.send(ix);
    sent.unwrap_or_else(|refusal| panic!("the untouched instruction works: {refusal:?}"))
}

impl Attack<'_> {
    /// Sends an instruction, the attacker paying the network's fee, so that nobody is writable or a signer but by its own flags.
    fn send(&mut self, ix: &Instruction) -> Result<Tx, Refusal> {
        let signs = ix.accounts.iter().any(|meta| meta.signer && meta.key == key(self.signer));
        if signs && key(self.signer) != key(&attacker()) {
            self.world.send(ix, &[&attacker(), self.signer])
        } else {
            self.world.send(ix, &[&attacker()])
        }
    }

    /// Sends a forgery of `what`, which must be refused.
    fn refused(&mut self, what: &str, forgery: &str, ix: &Instruction) {
        match self.send(ix) {
            Err(refusal) => self.answers.add(what, forgery, &refusal),
            Ok(tx) => panic!("{what}, {forgery}, is accepted: {:?}", tx.events),
        }
    }

    fn name(&self, at: usize) -> &'static str {
        idl::text(&idl::instruction(self.ix)["accounts"][at], "name")
    }

    /// Whether a wrong account moves no money instead of failing the instruction; [`crate::charging`] shows that.
    fn moves_nothing(&self, at: usize) -> bool {
        self.ix.data.starts_with(&discriminator::RECORD_USAGE) && ["payout", "treasury"].contains(&self.name(at))
    }

    /// The signature is missing, or is the attacker's.
    fn signers(&mut self, at: usize) {
        if !self.ix.accounts[at].signer {
            return;
        }
        let mut unsigned = self.ix.clone();
        unsigned.accounts[at].signer = false;
        self.refused(self.name(at), "unsigned", &unsigned);
        self.replaced(at, key(&attacker()), "the attacker");
    }

    /// An account that changes is not marked as one.
    fn unchanging(&mut self, at: usize) {
        let name = self.name(at);
        let tolerant = TOLERANT.contains(&idl::text(idl::instruction(self.ix), "name"));
        let tolerated = tolerant && ["payout", "treasury"].contains(&name);
        if self.ix.accounts[at].writable && !tolerated {
            self.refused(name, "read-only", &read_only(self.ix, name));
        }
    }

    /// The account is empty, a wallet, a counterfeit, of another type of ours, a token account of the attacker, or another program.
    fn strangers(&mut self, at: usize) {
        if self.ix.accounts[at].signer {
            return;
        }
        let original = self.ix.accounts[at].key;
        let tokens = self.world.ata(&key(&attacker()));
        let mut impostors = vec![
            (anywhere(), "an empty account"),
            (key(&attacker()), "a wallet"),
            (tokens, "a token account"),
            (TOKEN_PROGRAM, "the Token program"),
            (SYSTEM_PROGRAM, "the System program"),
        ];
        let data = self.world.data(&original);
        let kinds = [Config::DISCRIMINATOR, Skill::DISCRIMINATOR, Licence::DISCRIMINATOR];
        if kinds.iter().any(|kind| data.starts_with(kind)) {
            let copy = self.world.counterfeit(&original, key(&keypair(201)), &TOKEN_PROGRAM);
            impostors.push((copy, "a copy of the Token program's"));
            let copy = self.world.counterfeit(&original, key(&keypair(202)), &SYSTEM_PROGRAM);
            impostors.push((copy, "a copy of the System program's"));
            if !data.starts_with(&Config::DISCRIMINATOR) {
                impostors.push((pda::config().0, "config"));
            }
        }
        for (impostor, forgery) in impostors.into_iter().filter(|(impostor, _)| *impostor != original) {
            self.replaced(at, impostor, forgery);
        }
    }

    /// Another account of the instruction stands in for this one.
    fn duplicates(&mut self, at: usize) {
        for twin in 0..self.ix.accounts.len() {
            let key = self.ix.accounts[twin].key;
            // The program's own id is no account but stands for one that is left out.
            if key != PROGRAM_ID && key != self.ix.accounts[at].key {
                self.replaced(at, key, self.name(twin));
            }
        }
    }

    fn replaced(&mut self, at: usize, by: Key, forgery: &str) {
        let mut other = self.ix.clone();
        other.accounts[at].key = by;
        // Nobody but the signer signs, and the attacker where he takes the signer's place.
        other.accounts[at].signer &= by == key(self.signer) || by == key(&attacker());
        self.refused(self.name(at), forgery, &other);
    }

    /// Arguments or accounts are missing, or the instruction is none of ours.
    fn cut_short(&mut self) {
        for length in [0, 4, 7, self.ix.data.len() - 1] {
            let mut other = self.ix.clone();
            other.data.truncate(length);
            let all = if length < 8 { format!("{length} bytes") } else { "one byte too few".to_owned() };
            self.refused("data", &all, &other);
        }
        let mut other = self.ix.clone();
        other.accounts.pop();
        self.refused("accounts", "one too few", &other);
    }
}
