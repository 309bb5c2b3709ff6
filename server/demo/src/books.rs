//! Checks on chain that seller and treasury received exactly what was billed for usage, to the USDC base unit.

use clawos_interface::rules::fee::{DEFAULT_FEE_BPS, fee_delta};

use super::DemoError;
use super::command::units;
use super::world::World;

/// The skills that bill usage.
const PAID_BY_USE: [&str; 2] = ["acme.text-stats", "acme.loops"];
/// How often the balances are read until no settlement comes in between: a demo has few batches.
const ATTEMPTS: usize = 20;

/// A consistent reading of the chain: no settlement came in between.
pub(super) struct Books {
    /// Base units billed so far of each licence.
    billed: [u64; PAID_BY_USE.len()],
    seller: u64,
    treasury: u64,
}

/// What changed between two readings, in base units.
pub(super) struct Received {
    pub(super) billed: u64,
    pub(super) seller: u64,
    pub(super) treasury: u64,
}

impl Books {
    /// Reads licences and balances until no settlement came in between.
    pub(super) fn read(world: &World) -> Result<Self, DemoError> {
        let (seller, buyer) = (world.address(&world.author)?, world.address(&world.buyer)?);
        let mut before = billed(world, &buyer)?;
        for _ in 0..ATTEMPTS {
            let (seller, treasury) = (world.balance(&seller, "usdc")?, world.balance(&world.treasury, "usdc")?);
            let after = billed(world, &buyer)?;
            if before == after {
                return Ok(Self { billed: after, seller, treasury });
            }
            before = after;
        }
        Err(DemoError::Unexpected("settlements keep arriving although no calls are made".to_owned()))
    }

    /// What was billed and received since `earlier`; an error unless seller and treasury received exactly what was billed.
    pub(super) fn since(&self, earlier: &Self) -> Result<Received, DemoError> {
        let went_back = || DemoError::Unexpected("the chain's totals went backwards".to_owned());
        let (mut billed, mut fee) = (0, 0);
        for (before, now) in earlier.billed.iter().zip(self.billed) {
            let amount = now.checked_sub(*before).ok_or_else(went_back)?;
            billed += amount;
            fee += fee_delta(*before, amount, DEFAULT_FEE_BPS).map_err(|_| went_back())?;
        }
        let seller = self.seller.checked_sub(earlier.seller).ok_or_else(went_back)?;
        let treasury = self.treasury.checked_sub(earlier.treasury).ok_or_else(went_back)?;
        if (seller, treasury) != (billed - fee, fee) {
            let due = billed - fee;
            let problem = format!(
                "of {billed} billed, the seller should have received {due} and the treasury {fee}, but they received {seller} and {treasury}"
            );
            return Err(DemoError::Unexpected(problem));
        }
        Ok(Received { billed, seller, treasury })
    }
}

/// What was billed so far of each licence, base units.
fn billed(world: &World, buyer: &str) -> Result<[u64; PAID_BY_USE.len()], DemoError> {
    let mut totals = [0; PAID_BY_USE.len()];
    for (skill, total) in PAID_BY_USE.iter().zip(&mut totals) {
        *total = units(&world.outsider.look(&["verify", "licence", skill, buyer])?, "/details/billed_total")?;
    }
    Ok(totals)
}
