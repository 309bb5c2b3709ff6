//! Step 9 of a call: the receipt, from what was planned and what came of it. Pure.

use clawos_interface::rules::bill;
use clawos_licensing::Network;
use clawos_receipts::exchange::{self, exchanges_sha256};
use clawos_receipts::receipt::{Limits, Outcome, VERSION, seed_of};
use clawos_receipts::{Hash, Key, Receipt, ReceiptError, sha256};
use clawos_runtime::{Exchange, Usage};

use crate::plan::Plan;

/// What is known of a call before it runs.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// `run_…`
    pub id: String,
    /// Seed of the guest's randomness; follows from the id.
    pub seed: [u8; 32],
    /// The guest's clock, Unix milliseconds.
    pub time: u64,
}

impl Opening {
    /// A new call at `time` (Unix milliseconds).
    pub(crate) fn new(time: u64) -> Opening {
        let id = clawos_receipts::new_id(clawos_receipts::id::RUN);
        Opening { seed: seed_of(&id), id, time }
    }
}

/// What came of a call, after its output was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closing<'a> {
    /// The output, or how it failed.
    pub result: Result<&'a [u8], Outcome>,
    pub usage: Usage,
    pub replayable: bool,
    /// What the guest learned from outside, in order.
    pub exchanges: &'a [Exchange],
    /// Unix milliseconds.
    pub issued_at: u64,
}

/// What a call is made of: everything a receipt says that running it does not change.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub plan: &'a Plan,
    pub network: &'a Network,
    /// The key that will sign it.
    pub signer: Key,
    pub buyer: Key,
    pub endpoint: &'a str,
    /// Engine and price list of fuel.
    pub runtime: String,
    /// The input, as it was sent.
    pub payload: &'a [u8],
}

/// Writes the receipt.
///
/// # Errors
/// When a field breaks the format's rules, which a bug would cause: such a receipt must not be signed.
pub(crate) fn write(call: Call<'_>, opening: &Opening, closing: &Closing<'_>) -> Result<Receipt, ReceiptError> {
    let Call { plan, network, signer, buyer, endpoint, runtime, payload } = call;
    let facts = plan.licence_facts();
    let ok = closing.result.is_ok();
    let tariff = plan.tariff;
    let units = bill::units(tariff.unit, ok, closing.usage.fuel);
    let limits = &plan.version.manifest.limits;
    let receipt = Receipt {
        v: VERSION,
        id: opening.id.clone(),
        genesis: network.genesis,
        program: network.program,
        skill: plan.version.skill.clone(),
        version: plan.version.version.clone(),
        manifest_sha256: plan.version.manifest_sha256,
        module_sha256: plan.version.module_sha256,
        runtime,
        licence: facts.map(|facts| facts.account.licence),
        terms_version: facts.map(|facts| facts.terms_version),
        buyer,
        seller: facts.map_or(plan.version.publisher_wallet, |facts| facts.seller),
        kind: facts.map(|facts| facts.kind),
        tier: facts.map(|facts| facts.tier),
        endpoint: endpoint.to_owned(),
        exchanges_sha256: learned(closing.exchanges),
        input_sha256: sha256(payload),
        output_sha256: closing.result.ok().map(sha256),
        seed: opening.seed,
        time: opening.time,
        limits: Limits { fuel: limits.fuel, memory: limits.memory_bytes(), output: limits.output_bytes() },
        fuel: closing.usage.fuel,
        wall_us: closing.usage.wall_us,
        peak_memory: closing.usage.peak_memory,
        unit: tariff.unit,
        units,
        unit_price: tariff.unit_price,
        amount: bill::cost(units, tariff.unit_price)
            .map_err(|_| ReceiptError::Overflow { units, unit_price: tariff.unit_price })?,
        currency: tariff.currency,
        fee_bps: facts.map_or(0, |facts| facts.fee_bps),
        outcome: closing.result.err().unwrap_or(Outcome::Ok),
        replayable: closing.replayable,
        parent: None,
        licence_slot: facts.map(|facts| facts.slot),
        licence_age_ms: facts.map(|facts| facts.age_ms),
        issued_at: closing.issued_at,
        key: signer,
    };
    receipt.check()?;
    Ok(receipt)
}

/// The hash of what the guest learned from outside.
fn learned(exchanges: &[Exchange]) -> Option<Hash> {
    exchanges_sha256(exchanges.iter().map(|each| exchange::Exchange {
        permission: each.permission.as_str(),
        request: &each.request,
        response: each.response.as_deref(),
    }))
}
