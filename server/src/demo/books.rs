//! What the chain says of the demo's usage in USDC: what was billed, and what seller and treasury hold. Both must come out
//! even, to the base unit.

use super::DemoError;
use super::command::units;
use super::world::World;
use clawos_interface::rules::fee::{DEFAULT_FEE_BPS, fee_delta};

/// The skills that are paid by use.
const PAID_BY_USE: [&str; 2] = ["acme.text-stats", "acme.loops"];
/// How often the books are read before a settlement in between is called strange: batches of one demo are few.
const ATTEMPTS: usize = 20;

/// One look at the chain, with no settlement in between.
pub(super) struct Books {
    /// Base units billed so far of each licence.
    billed: [u64; PAID_BY_USE.len()],
    seller: u64,
    treasury: u64,
}

/// What moved between two looks.
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
        Err(DemoError::Unexpected("usage goes on being settled although nobody calls".to_owned()))
    }

    /// What was billed and received since `earlier`; an error unless seller and treasury received exactly what was billed.
    pub(super) fn since(&self, earlier: &Self) -> Result<Received, DemoError> {
        let strange = || DemoError::Unexpected("the chain's totals went backwards".to_owned());
        let (mut billed, mut fee) = (0, 0);
        for (before, now) in earlier.billed.iter().zip(self.billed) {
            let amount = now.checked_sub(*before).ok_or_else(strange)?;
            billed += amount;
            fee += fee_delta(*before, amount, DEFAULT_FEE_BPS).map_err(|_| strange())?;
        }
        let seller = self.seller.checked_sub(earlier.seller).ok_or_else(strange)?;
        let treasury = self.treasury.checked_sub(earlier.treasury).ok_or_else(strange)?;
        if (seller, treasury) != (billed - fee, fee) {
            let due = billed - fee;
            let problem =
                format!("of {billed} billed, {due} and {fee} were due, but {seller} and {treasury} were received");
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
