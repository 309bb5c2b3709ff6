//! The buyer's step: search, quote, buy licences on chain, deposit credit.

use super::DemoError;
use super::command::{text, units};
use super::show::Show;
use super::world::{World, money};

/// Credit below which the buyer deposits again, in USDC base units.
const LOW_CREDIT: u64 = 1_000_000;

/// Buys what the buyer does not own yet.
pub(super) fn buy(world: &World, show: &Show) -> Result<(), DemoError> {
    let found = world.buyer.run(show, &["search", "readability"])?;
    show.fact("found", text(&found, "/items/0/id")?);
    one_time(world, show)?;
    for skill in ["acme.text-stats", "acme.loops"] {
        usage(world, show, skill)?;
    }
    Ok(())
}

/// A one-time licence in SOL, with the split read back from the chain.
fn one_time(world: &World, show: &Show) -> Result<(), DemoError> {
    let skill = "acme.markdown-html";
    let quote = world.buyer.run(show, &["quote", skill, "--kind", "one_time"])?;
    show.fact("price", format!("{}, of which {} is the platform fee", money(&quote["price"]), money(&quote["fee"])));
    if owned(world, skill)? {
        show.fact(skill, "the buyer owns a licence already");
        return Ok(());
    }
    let seller = world.address(&world.author)?;
    let before = (world.balance(&seller, "sol")?, world.balance(&world.treasury, "sol")?);
    let bought = world.buyer.run(show, &["buy", skill, "--kind", "one_time"])?;
    let after = (world.balance(&seller, "sol")?, world.balance(&world.treasury, "sol")?);
    show.fact("licence", text(&bought, "/licence")?);
    show.fact("transaction", text(&bought, "/transaction")?);
    let received = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
    let price = units(&bought, "/price")?;
    show.fact(
        "read back from the chain",
        format!("seller +{} lamports, treasury +{} lamports", received.0, received.1),
    );
    let fee = price / 10_000 * 250 + price % 10_000 * 250 / 10_000;
    if received != (price - fee, fee) {
        return Err(DemoError::Unexpected(format!(
            "of {price} lamports, the seller should have received {} and the treasury {fee}",
            price - fee
        )));
    }
    show.fact("of the price", format!("{price} lamports = 97.5 % + 2.5 %, exactly"));
    Ok(())
}

/// A usage licence in USDC, with credit.
fn usage(world: &World, show: &Show, skill: &str) -> Result<(), DemoError> {
    if !owned(world, skill)? {
        let quote = world.buyer.run(show, &["quote", skill, "--kind", "usage"])?;
        show.fact("price", format!("{} per {}", money(&quote["unit_price"]), text(&quote, "/unit_kind")?));
        let bought = world.buyer.run(show, &["buy", skill, "--kind", "usage"])?;
        show.fact("licence", format!("{} (no money moved)", text(&bought, "/licence")?));
        show.fact("transaction", text(&bought, "/transaction")?);
    }
    let credit = world.buyer.ask(&["credit", "deposit", skill, "1", "--dry-run"])?;
    if units(&credit, "/credit_before")? < LOW_CREDIT {
        let deposit = world.buyer.run(show, &["credit", "deposit", skill, "5"])?;
        show.fact("credit", format!("{} in {}", money(&deposit["credit"]), text(&deposit, "/licence")?));
    } else {
        show.fact(skill, format!("licensed; credit {}", money(&credit["credit_before"])));
    }
    Ok(())
}

/// Whether the chain has a licence of the buyer.
fn owned(world: &World, skill: &str) -> Result<bool, DemoError> {
    let buyer = world.address(&world.buyer)?;
    let licence = world.outsider.look(&["verify", "licence", skill, &buyer])?;
    Ok(licence["reason"] != "missing")
}
