//! The settlement step: waits until the receipts are anchored on chain, and seller and treasury are paid.

use super::DemoError;
use super::books::Books;
use super::calls::Calls;
use super::command::{text, units};
use super::show::Show;
use super::world::World;

/// Waits until both good calls are anchored, and shows what the chain says.
pub(super) fn show(world: &World, show: &Show, calls: &Calls) -> Result<(), DemoError> {
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
    let received = Books::read(world)?.since(&calls.before)?;
    let (seller, treasury) = (received.seller, received.treasury);
    show.fact("billed since the calls", format!("{} base units of USDC", received.billed));
    show.fact("read back from the chain", format!("seller +{seller}, treasury +{treasury}: exactly the billed amount"));
    Ok(())
}
