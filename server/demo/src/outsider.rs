//! The outsider's step: without an account, verifies licences and receipts and replays the calls.

use serde_json::Value;

use super::DemoError;
use super::calls::Calls;
use super::show::Show;
use super::world::World;

/// Verifies both licences and receipts, and replays both calls.
pub(super) fn verify(world: &World, show: &Show, calls: &Calls) -> Result<(), DemoError> {
    let buyer = world.address(&world.buyer)?;
    for good in &calls.good {
        let licence = world.outsider.run(show, &["verify", "licence", good.skill, &buyer])?;
        show.fact("from the chain alone", format!("valid: {}", licence["valid"]));
        let arguments = ["verify", "receipt", &good.receipt, "--replay", "--input", &good.payload];
        let report = world.outsider.run(show, &arguments)?;
        for check in report["checks"].as_array().into_iter().flatten() {
            let word = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            show.fact(&format!("{} {}", mark(check), word("name")), word("evidence"));
        }
        show.fact("in one line", report["conclusion"].as_str().unwrap_or_default());
    }
    Ok(())
}

fn mark(check: &Value) -> &'static str {
    match check["verdict"].as_str() {
        Some("ok") => "✓",
        Some("skipped" | "not_applicable") => "-",
        _ => "✗",
    }
}
