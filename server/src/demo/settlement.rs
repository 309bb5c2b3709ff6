//! The settlement: receipts become roots on chain, and money reaches seller and treasury.

use super::DemoError;
use super::calls::Calls;
use super::command::{text, units};
use super::show::Show;
use super::world::World;

/// Waits until both good calls are anchored, and shows what the chain says.
pub(super) fn show(world: &World, show: &Show, calls: &Calls) -> Result<(), DemoError> {
    let seller = world.address(&world.author)?;
    for good in &calls.good {
        let answer = world.buyer.run(show, &["receipts", "get", &good.id, "--wait", "30"])?;
        let anchor = &answer["anchor"];
        let batch = format!("{} of {}", text(anchor, "/seq").unwrap_or("?"), text(anchor, "/licence")?);
        show.fact("batch", batch);
        let totals = (units(anchor, "/count")?, units(anchor, "/units")?, units(anchor, "/amount")?);
        show.fact("receipts, units, amount", format!("{}, {}, {} base units", totals.0, totals.1, totals.2));
        show.fact("anchored root", text(anchor, "/anchored_root")?);
        show.fact("transaction", text(anchor, "/transaction")?);
        let proof = serde_json::to_string_pretty(&answer).expect("it was JSON");
        world.write(&format!("{}.receipt.json", good.skill), &proof)?;
    }
    let (seller, treasury) = (world.balance(&seller, "usdc")?, world.balance(&world.treasury, "usdc")?);
    let (seller, treasury) = (seller.saturating_sub(calls.before.0), treasury.saturating_sub(calls.before.1));
    show.fact(
        "since the calls",
        format!("seller +{seller}, treasury +{treasury} base units of USDC, read from the chain"),
    );
    Ok(())
}
