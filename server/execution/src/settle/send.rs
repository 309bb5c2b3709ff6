//! Sending batches: as many `record_usage` instructions in one transaction as fit, signed by the meter key.
//!
//! Each transaction is simulated first. A batch that the program would refuse is left out and marked with the reason, so
//! that one licence never holds up another.

use std::collections::VecDeque;

use clawos_base::Failpoint;
use clawos_interface::Key;
use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::args::RecordArgs;
use clawos_interface::instruction::{Instruction, Route, record_usage};
use clawos_licensing::Simulation;
use clawos_solana::assembly::compute_budget;
use clawos_solana::transaction::{signed, wire_len};
use clawos_solana::{MAX_COMPUTE_UNITS, MAX_TRANSACTION_BYTES};
use solana_transaction::Transaction;

use super::check::MOVED;
use super::store::{self, Change};
use super::{Batch, RETRY_MS, SettleError, Settler, States, show};

/// Highest price per compute unit that is paid, in micro-lamports: with 50,000 units at most 50,000 lamports.
const MAX_UNIT_PRICE: u64 = 1_000_000;
/// Compute units asked for beyond what the simulation used, in percent: state may change in between.
const HEADROOM_PERCENT: u64 = 20;

/// A batch with its instruction.
#[derive(Debug, Clone)]
struct Item {
    batch: Batch,
    instruction: Instruction,
}

impl Settler {
    /// Sends batches, several to a transaction.
    pub(super) async fn send(&self, batches: Vec<Batch>, states: &States) -> Result<(), SettleError> {
        let meter = self.licensing.meter();
        let mut items = Vec::new();
        for batch in batches {
            self.hold.keep().await?;
            let licence = batch.account.licence;
            match self.item(batch, &meter, states).await {
                Ok(item) => items.extend(item),
                Err(error) => self.log_and_skip(error, &licence)?,
            }
        }
        let (alone, mut items): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| item.batch.problem.is_some());
        let mut groups = VecDeque::new();
        // Licences of one skill share accounts, so more of them fit into a transaction.
        items.sort_by_key(|item| item.batch.skill_account);
        while !items.is_empty() {
            let rest = items.split_off(fitting(&meter, &items));
            groups.push_back(items);
            items = rest;
        }
        groups.extend(alone.into_iter().map(|item| vec![item]));
        while let Some(group) = groups.pop_front() {
            self.hold.keep().await?;
            let mut again = group.clone();
            match self.send_one(group, &meter).await {
                Ok(parts) => groups.extend(parts),
                // One of them may be the cause.
                Err(error) if again.len() > 1 => {
                    self.log_and_skip(error, &again[0].batch.account.licence)?;
                    groups.extend(again.into_iter().map(|item| vec![item]));
                }
                Err(error) => {
                    let Some(Item { batch, .. }) = again.pop() else { continue };
                    let problem = error.to_string();
                    self.log_and_skip(error, &batch.account.licence)?;
                    // It may have been stored as sent all the same, when the database's answer was lost.
                    if let Err(error) = self.postpone(&batch, &problem).await {
                        self.log_and_skip(error, &batch.account.licence)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A batch with its instruction, if it may be sent now; else it is postponed, or voided where it never may.
    async fn item(&self, batch: Batch, meter: &Key, states: &States) -> Result<Option<Item>, SettleError> {
        if !self.is_as_signed(&batch).await? {
            return Ok(None);
        }
        if let Some(state) = states.get(&batch.account.licence)
            && state.value.licence.is_some_and(|licence| self.is_moved(&licence, state))
        {
            self.void(&batch, MOVED).await?;
            return Ok(None);
        }
        match instruction(meter, &batch, states) {
            Ok(instruction) => Ok(Some(Item { batch, instruction })),
            Err(problem) => {
                self.postpone(&batch, problem).await?;
                Ok(None)
            }
        }
    }

    /// Sends one transaction with what the simulation accepts of `items`; returns parts that have to go separately.
    async fn send_one(&self, mut items: Vec<Item>, meter: &Key) -> Result<Vec<Vec<Item>>, SettleError> {
        let chain = self.licensing.chain();
        let touched: Vec<Key> = items.iter().map(|item| item.batch.account.licence).collect();
        let price = chain.recent_unit_price(&touched).await.unwrap_or(0).min(MAX_UNIT_PRICE);
        let units = loop {
            if items.is_empty() {
                return Ok(Vec::new());
            }
            let head = compute_budget(MAX_COMPUTE_UNITS, price);
            match chain.simulate(meter, &assemble(&head, &items)).await? {
                Simulation::Ok { units } => break units,
                Simulation::InstructionFails { index, problem } if index >= head.len() => {
                    let refused = items.remove(index - head.len());
                    tracing::warn!(licence = %show(&refused.batch.account.licence), %problem, "a batch was refused");
                    self.postpone(&refused.batch, &problem).await?;
                }
                // One of them may be the cause.
                Simulation::InstructionFails { .. } | Simulation::Fails { .. } if items.len() > 1 => {
                    let rest = items.split_off(items.len() / 2);
                    return Ok(vec![items, rest]);
                }
                Simulation::InstructionFails { problem, .. } | Simulation::Fails { problem } => {
                    tracing::error!(%problem, meter = %show(meter), "settlement cannot be sent; does the meter's wallet have SOL for fees?");
                    for item in &items {
                        self.postpone(&item.batch, &problem).await?;
                    }
                    return Ok(Vec::new());
                }
            }
        };
        let limit = units.saturating_add(units * HEADROOM_PERCENT / 100).saturating_add(1_000);
        let limit = u32::try_from(limit).unwrap_or(MAX_COMPUTE_UNITS).min(MAX_COMPUTE_UNITS);
        let blockhash = chain.latest_blockhash().await?;
        let instructions = assemble(&compute_budget(limit, price), &items);
        let transaction = signed(self.licensing.meter_key(), &instructions, &blockhash.hash);
        // Known before it is sent, so it is stored first.
        let signature = transaction.signatures[0].to_string();
        let mut tx = self.db.write().await?;
        for item in &items {
            let sent = Change::Submitted { tx: &signature, last_valid_height: blockhash.last_valid_block_height };
            store::change(&mut tx, &item.batch, &sent).await?;
        }
        // Before the commit: it may take place while its answer is lost, and the next round sends this one then.
        let mut in_flight = self.in_flight.lock().await;
        // None of these batches was stored as sent by now, so what is left of earlier tries was not sent.
        in_flight.retain(|_, earlier| !items.iter().any(|item| concerns(earlier, &item.batch.account.licence)));
        in_flight.insert(signature.clone(), transaction.clone());
        drop(in_flight);
        tx.commit().await?;
        Failpoint::BatchSigned.reach();
        tracing::info!(%signature, licences = items.len(), "usage sent to the chain");
        // If this fails it is sent again by the next round: it is stored and in flight.
        if let Err(error) = chain.send(&transaction).await {
            tracing::warn!(%error, %signature, "a settlement could not be handed in yet");
        }
        Failpoint::BatchSent.reach();
        Ok(Vec::new())
    }

    async fn postpone(&self, batch: &Batch, problem: &str) -> Result<(), SettleError> {
        let retry_at = self.clock.now_ms() + RETRY_MS;
        self.change(batch, Change::Pending { problem: Some(problem), retry_at }).await
    }
}

/// The instruction that records a batch, from the chain's present accounts.
fn instruction(meter: &Key, batch: &Batch, states: &States) -> Result<Instruction, &'static str> {
    let state = &states.get(&batch.account.licence).ok_or("its licence was not read")?.value;
    let licence = state.licence.as_ref().ok_or("the licence account was closed")?;
    let skill = state.listing.skill.as_ref().ok_or("the skill's account was closed")?;
    if state.listing.config.is_paused(PauseBits::USAGE) {
        return Err("recording usage is paused on chain");
    }
    let route = Route::new(&state.listing.config, state.listing.skill_account, skill)
        .map_err(|_| "the skill's currency is unknown to this server")?;
    let args = RecordArgs {
        seq: batch.contents.seq,
        prev_root: batch.contents.prev_root,
        units: batch.contents.units,
        root: batch.contents.anchored_root,
    };
    Ok(record_usage(meter, &route, &batch.buyer, licence.vault_bump() != 0, &args))
}

/// Whether a transaction has this account among its own.
fn concerns(transaction: &Transaction, account: &Key) -> bool {
    transaction.message.account_keys.iter().any(|key| key.to_bytes() == *account)
}

fn assemble(head: &[Instruction], items: &[Item]) -> Vec<Instruction> {
    head.iter().chain(items.iter().map(|item| &item.instruction)).cloned().collect()
}

/// How many of the first items fit into one transaction; at least one.
fn fitting(meter: &Key, items: &[Item]) -> usize {
    let head = compute_budget(MAX_COMPUTE_UNITS, MAX_UNIT_PRICE);
    let fits = |count: &usize| wire_len(meter, &assemble(&head, &items[..*count])) <= MAX_TRANSACTION_BYTES;
    (2..=items.len()).take_while(fits).last().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::settle::batch::BatchContents;
    use clawos_api::execution::BatchStatus;
    use clawos_interface::Currency;

    fn item(n: u8) -> Item {
        let buyer = [n; 32];
        let route = Route {
            skill: [200; 32],
            payout: [201; 32],
            treasury: [202; 32],
            currency: Currency::Usdc,
            usdc_mint: [203; 32],
        };
        let args = RecordArgs { seq: 1, prev_root: [0; 32], units: 1, root: [1; 32] };
        let batch = Batch {
            account: Account { licence: route.licence(&buyer), opened_slot: 1 },
            skill_account: route.skill,
            buyer,
            seller: [4; 32],
            contents: BatchContents {
                seq: 1,
                prev_root: [0; 32],
                count: 1,
                units: 1,
                amount: 1,
                tree_root: [6; 32],
                anchored_root: [1; 32],
                chain_root: [8; 32],
            },
            status: BatchStatus::Pending,
            transaction: None,
            last_valid_height: None,
            slot: None,
            problem: None,
        };
        Item { batch, instruction: record_usage(&[9; 32], &route, &buyer, true, &args) }
    }

    #[test]
    fn a_transaction_is_filled_and_never_too_long() {
        let meter = [9; 32];
        let items: Vec<Item> = (10..30).map(item).collect();
        let count = fitting(&meter, &items);
        let len = |count: usize| {
            wire_len(&meter, &assemble(&compute_budget(MAX_COMPUTE_UNITS, MAX_UNIT_PRICE), &items[..count]))
        };
        assert!(count > 1, "several licences share a transaction");
        assert!(len(count) <= MAX_TRANSACTION_BYTES && len(count + 1) > MAX_TRANSACTION_BYTES);
    }
}
