//! Writing accounts directly: states that no instruction reaches within a test, and what an attacker would write if he could.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{Key, pda};
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::harness::World;
use crate::people::{buyer, key};

/// Where the layout version stands in each account, from its first byte.
pub const CONFIG_VERSION_AT: usize = 8 + std::mem::offset_of!(Config, version);
/// As above.
pub const SKILL_VERSION_AT: usize = 8 + std::mem::offset_of!(Skill, version);
/// As above.
pub const LICENCE_VERSION_AT: usize = 8 + std::mem::offset_of!(Licence, version);

impl World {
    /// Overwrites one byte of an account's data.
    pub fn poke(&mut self, address: &Key, at: usize, byte: u8) {
        let mut account = self.account(address);
        account.data[at] = byte;
        self.set_account(address, account);
    }

    /// An account as it stands.
    pub fn account(&self, address: &Key) -> Account {
        self.svm.get_account(&Pubkey::from(*address)).expect("the account exists")
    }

    /// Changes Config behind the program's back.
    pub fn change_config(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config();
        change(&mut config);
        self.rewrite(&pda::config().0, &config.encode());
    }

    /// Changes a skill behind the program's back.
    pub fn change_skill(&mut self, address: &Key, change: impl FnOnce(&mut Skill)) {
        let mut skill = self.skill(address);
        change(&mut skill);
        self.rewrite(address, &skill.encode());
    }

    /// Changes the buyer's licence of `skill` behind the program's back.
    pub fn change_licence(&mut self, skill: &Key, change: impl FnOnce(&mut Licence)) {
        let mut licence = self.licence(skill);
        change(&mut licence);
        self.rewrite(&pda::licence(skill, &key(&buyer())).0, &licence.encode());
    }

    fn rewrite(&mut self, address: &Key, data: &[u8]) {
        let mut account = self.account(address);
        account.data = data.to_vec();
        self.set_account(address, account);
    }

    /// Writes a byte-for-byte copy of an account to another address and lets another program own it.
    pub fn counterfeit(&mut self, original: &Key, at: Key, owner: &Key) -> Key {
        let mut account = self.account(original);
        account.owner = Pubkey::from(*owner);
        self.set_account(&at, account);
        at
    }

    /// Takes an account away.
    pub fn remove(&mut self, address: &Key) {
        let empty = Account { lamports: 0, data: vec![], owner: Pubkey::default(), executable: false, rent_epoch: 0 };
        self.set_account(address, empty);
    }
}
