//! Whether a receipt was billed before: batches on chain that could hold it are read again, leaf by leaf.
//!
//! Who can write to the database can put a settled receipt back to be settled. What he cannot change is the licence's root
//! on chain: it binds each batch and, through its tree, each leaf. So before a batch is formed, earlier ones are compared
//! with the receipts that it would take. That is kept short by what each batch says under the server key: when the newest
//! receipt in it and in all before it was made. Where that is before the oldest receipt to be billed, none of these
//! batches can hold one; as a rule that is the last batch, and nothing but its row is read.

use std::collections::HashSet;

use clawos_base::vault::{Vault, VaultError};
use clawos_interface::accounts::Licence;
use clawos_interface::{Key, NO_KEY};
use clawos_receipts::text::to_hex;

use super::batch::BatchContents;
use super::contents::Candidate;
use super::{SettleError, Settler, past_store, signed_body};
use crate::account::Account;

/// A batch as it was anchored, and what it says of its past.
#[derive(Debug)]
pub(super) struct Anchored {
    pub contents: BatchContents,
    /// Under the server key: when the newest receipt in it and in all before it was made.
    pub sealed_newest: Vec<u8>,
}

/// Why nothing more of a licence is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stopped {
    /// The chain's last batch is not in the database.
    #[error("the chain has batch {seq}, which is not here")]
    Unknown {
        /// Its number.
        seq: u64,
    },
    /// A batch that is on chain is not what was anchored.
    #[error("batch {seq} is missing, or its row or receipts are not what was anchored")]
    Changed {
        /// Its number.
        seq: u64,
    },
    /// A receipt that is to be billed is in a batch that is on chain.
    #[error("a receipt that is to be billed is in batch {seq}")]
    Billed {
        /// The batch's number.
        seq: u64,
    },
}

impl Settler {
    /// When the newest receipt of an account that is on chain was made (Unix milliseconds; 0 when none is), after making
    /// sure that none of `candidates` is.
    pub(super) async fn newest_settled(
        &self,
        account: &Account,
        licence: &Licence,
        candidates: &[Candidate],
    ) -> Result<Result<i64, Stopped>, SettleError> {
        let oldest = candidates.iter().map(|candidate| candidate.issued_at).min().unwrap_or(i64::MAX);
        let leaves: HashSet<[u8; 32]> = candidates.iter().map(|candidate| candidate.leaf).collect();
        let (mut seq, mut root, mut newest) = (licence.usage_seq(), licence.chain_root, 0);
        while seq > 0 {
            self.hold.keep().await?;
            let found = past_store::anchored(&self.db, account, seq).await?;
            let Some(batch) = found.filter(|batch| batch.contents.chain_root == root) else {
                if carries_on(licence) {
                    break;
                }
                let at_head = seq == licence.usage_seq();
                return Ok(Err(if at_head { Stopped::Unknown { seq } } else { Stopped::Changed { seq } }));
            };
            // Sealed under another server key it tells nothing, so the batch is read.
            let sealed = open(&self.vault, &root, &batch.sealed_newest);
            newest = newest.max(sealed.unwrap_or(0));
            if sealed.is_some_and(|sealed| sealed < oldest) {
                break;
            }
            let bodies = past_store::bodies(&self.db, account, seq).await?;
            let (of, prev_root) = (account.licence, batch.contents.prev_root);
            let read = tokio::task::spawn_blocking(move || billed_in(&of, &batch.contents, &bodies)).await?;
            let Some(billed) = read else { return Ok(Err(Stopped::Changed { seq })) };
            if billed.iter().any(|billed| leaves.contains(&billed.leaf)) {
                return Ok(Err(Stopped::Billed { seq }));
            }
            newest = billed.iter().map(|billed| billed.issued_at).fold(newest, i64::max);
            (seq, root) = (seq - 1, prev_root);
        }
        Ok(Ok(newest))
    }
}

/// Whether batches that are not here may precede this server's: another proxy recorded them before the buyer renewed with
/// this one's meter, or does after he renewed with its. Where nothing is paid for a unit nothing can be billed twice.
fn carries_on(licence: &Licence) -> bool {
    licence.previous_meter != NO_KEY && licence.unit_price() == 0
}

/// What a batch on chain billed; none when the receipts are not those that it was anchored with. They need no signature:
/// the licence's root binds them.
pub(super) fn billed_in(licence: &Key, contents: &BatchContents, bodies: &[String]) -> Option<Vec<Candidate>> {
    let billed: Vec<Candidate> = bodies.iter().map(|body| signed_body::billed(body)).collect::<Option<_>>()?;
    let read = BatchContents::of(licence, contents.seq, contents.prev_root, &billed)?;
    (read == *contents).then_some(billed)
}

/// What a batch that leads to `chain_root` says of its past, readable only by who has the server key.
///
/// # Errors
/// When the operating system has no randomness.
pub(super) fn seal(vault: &Vault, chain_root: &[u8; 32], newest: i64) -> Result<Vec<u8>, VaultError> {
    vault.seal(&place(chain_root), &newest.to_le_bytes())
}

fn open(vault: &Vault, chain_root: &[u8; 32], sealed: &[u8]) -> Option<i64> {
    let newest = vault.open(&place(chain_root), sealed).ok()?;
    newest.try_into().map(i64::from_le_bytes).ok()
}

/// The root names the batch, and all before it.
fn place(chain_root: &[u8; 32]) -> String {
    format!("batches/{}", to_hex(chain_root))
}
