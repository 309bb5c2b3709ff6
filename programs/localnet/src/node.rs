//! The state that every request shares: the chain behind a lock, the keys, the faucets.

use std::sync::{Mutex, MutexGuard};

use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::bank::Bank;
use crate::config::LocalnetConfig;
use crate::error::{Error, Result};
use crate::faucet::Faucet;
use crate::genesis;
use crate::keys::Keys;
use crate::ledger::Ledger;
use crate::program;

/// An open chain with what its requests need.
pub(crate) struct Node {
    bank: Mutex<Bank>,
    keys: Keys,
    usdc_mint: Pubkey,
}

impl Node {
    /// Opens the folder of a configuration: genesis on the first start, afterwards what the ledger holds.
    pub(crate) fn open(config: &LocalnetConfig) -> Result<Self> {
        let code = program::code(config)?;
        let (ledger, state) = Ledger::open(&config.data, config.fsync)?;
        let keys = Keys::open(&config.data)?;
        let usdc_mint = genesis::usdc_mint(&keys);
        let bank = match state {
            None => {
                let mut bank = Bank::genesis_of(ledger, config);
                genesis::fill(&mut bank, &keys, &code)?;
                bank.finalize();
                bank
            }
            Some(state) => {
                let mut bank = Bank::restored(ledger, state, config)?;
                if bank.account(&usdc_mint).is_none() {
                    return Err(Error::Config(format!(
                        "the keys in {} are not those of this ledger: restore them, or delete the data folder to start over",
                        keys.folder().display()
                    )));
                }
                program::keep_current(&mut bank, &code, &keys.upgrade_authority.pubkey())?;
                bank
            }
        };
        Ok(Self { bank: Mutex::new(bank), keys, usdc_mint })
    }

    /// The chain, at the present moment. A request is short, so one lock serves all.
    pub(crate) fn bank(&self) -> MutexGuard<'_, Bank> {
        let mut bank = self
            .bank
            .lock()
            .expect("a request that panics leaves memory in doubt; the ledger is right, so restart localnet");
        bank.tick();
        bank
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn usdc_mint(&self) -> Pubkey {
        self.usdc_mint
    }

    pub(crate) fn faucet(&self) -> Faucet<'_> {
        Faucet { keys: &self.keys, usdc_mint: self.usdc_mint }
    }
}

#[cfg(test)]
mod tests {
    use solana_account::ReadableAccount;
    use tempfile::TempDir;

    use super::*;

    fn airdrop(node: &Node, to: &Pubkey) {
        let mut bank = node.bank();
        let transaction = node.faucet().sol(&bank, to, 1_000_000_000, None).unwrap();
        bank.send(transaction).unwrap();
    }

    #[test]
    fn a_compacted_chain_is_the_same_chain() {
        let folder = TempDir::new().unwrap();
        let config = LocalnetConfig::new(folder.path());
        let node = Node::open(&config).unwrap();
        let wallet = Pubkey::new_from_array([7; 32]);
        airdrop(&node, &wallet);
        node.bank().compact().unwrap();
        airdrop(&node, &wallet);
        let accounts = |node: &Node| {
            let bank = node.bank();
            let sysvar = |owner: &Pubkey| owner.to_string().starts_with("Sysvar");
            let kept = bank.accounts().filter(|(_, account)| !sysvar(account.owner()));
            kept.map(|(key, account)| (*key, account.clone())).collect::<std::collections::BTreeMap<_, _>>()
        };
        let before = accounts(&node);
        let signatures = |node: &Node| node.bank().history().iter().map(|found| found.signature).collect::<Vec<_>>();
        let history = signatures(&node);
        assert_eq!(before[&wallet].lamports(), 2_000_000_000);
        drop(node);

        let node = Node::open(&config).unwrap();
        assert_eq!(accounts(&node), before);
        assert_eq!(signatures(&node), history);
        assert_eq!(history.len(), 4, "two of genesis, two airdrops");
    }
}
