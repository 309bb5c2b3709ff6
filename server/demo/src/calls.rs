//! The calls: two that succeed on a real document, and three that are refused and cost nothing.

use serde_json::{Value, json};

use super::books::Books;
use super::command::{shown, text, units};
use super::show::Show;
use super::world::{World, money};
use super::{DemoError, system};

/// A document of the repository that the skills work on.
const DOCUMENT: &str = "ARCHITECTURE.md";

/// What later steps need.
pub(super) struct Calls {
    /// What the chain said before them.
    pub(super) before: Books,
    /// Receipt and payload files of each good call, with the receipt's id and its skill.
    pub(super) good: Vec<Good>,
}

/// A call that succeeded, with the files to verify it.
pub(super) struct Good {
    pub(super) skill: &'static str,
    pub(super) id: String,
    pub(super) receipt: String,
    pub(super) payload: String,
}

/// Makes all the calls.
pub(super) fn make(world: &World, show: &Show) -> Result<Calls, DemoError> {
    let path = world.project.join(DOCUMENT);
    let document = std::fs::read_to_string(&path).map_err(system(path.display().to_string()))?;
    let before = Books::read(world)?;
    let stats = call(world, show, "acme.text-stats", "analyse", &json!({ "text": document }))?;
    let html = call(world, show, "acme.markdown-html", "outline", &json!({ "markdown": document }))?;
    without_licence(world, show)?;
    over_the_limit(world, show)?;
    runaway(world, show)?;
    Ok(Calls { before, good: vec![stats, html] })
}

fn call(world: &World, show: &Show, skill: &'static str, endpoint: &str, payload: &Value) -> Result<Good, DemoError> {
    let payload = world.write(&format!("{skill}.payload.json"), &payload.to_string())?;
    let receipt = world.data.join(format!("{skill}.receipt.json")).display().to_string();
    let input = format!("@{payload}");
    let answer = world.buyer.run(show, &["exec", skill, endpoint, &input, "--save-receipt", &receipt])?;
    show.fact("result", shortened(&answer["result"]));
    let id = text(&answer, "/receipt/id")?.to_owned();
    let fuel = units(&answer, "/usage/fuel")?;
    show.fact(
        "fuel, time, price",
        format!("{fuel}, {} µs, {}", units(&answer, "/usage/wall_us")?, money(&answer["price"])),
    );
    show.fact("receipt", &id);
    Ok(Good { skill, id, receipt, payload })
}

fn without_licence(world: &World, show: &Show) -> Result<(), DemoError> {
    show.say("a stranger without a licence:");
    let arguments = ["exec", "acme.markdown-html", "outline", r##"{"markdown": "# hi"}"##];
    let problem = world.stranger.refused(show, &arguments, "licence_required")?;
    refusal(show, &problem);
    Ok(())
}

/// The buyer bounds the licence to one unit in all; the second call is one too many.
fn over_the_limit(world: &World, show: &Show) -> Result<(), DemoError> {
    show.say("one call over the buyer's own limit:");
    world.buyer.run(show, &["caps", "acme.loops", "--limit", "1"])?;
    let first = ["exec", "acme.loops", "echo", r#"{"n": 1}"#];
    show.command(&shown(&first));
    let outcome = match world.buyer.attempt(&first)? {
        Ok(_) => "allowed",
        // In a demo that goes on, an earlier one has used the unit.
        Err(problem) if problem["code"] == "units_exhausted" => "used up by an earlier demo",
        Err(problem) => return Err(DemoError::Unexpected(format!("the first call was refused: {problem}"))),
    };
    show.fact("the first call", outcome);
    let problem = world.buyer.refused(show, &["exec", "acme.loops", "echo", r#"{"n": 2}"#], "units_exhausted")?;
    refusal(show, &problem);
    Ok(())
}

fn runaway(world: &World, show: &Show) -> Result<(), DemoError> {
    show.say("an endless loop is stopped when its fuel is used up:");
    world.buyer.run(show, &["caps", "acme.loops", "--limit", "0"])?;
    let problem = world.buyer.refused(show, &["exec", "acme.loops", "spin", "{}"], "out_of_fuel")?;
    refusal(show, &problem);
    let receipt = &problem["receipt"];
    show.fact(
        "its receipt",
        format!(
            "{}: {} fuel used, {} charged",
            text(receipt, "/id")?,
            units(receipt, "/fuel")?,
            units(receipt, "/amount")?
        ),
    );
    if units(receipt, "/amount")? != 0 {
        return Err(DemoError::Unexpected("a failed call was charged".to_owned()));
    }
    // A demo that goes on finds the bound of this one.
    world.buyer.ask(&["caps", "acme.loops", "--limit", "1"])?;
    Ok(())
}

fn refusal(show: &Show, problem: &Value) {
    show.fact(
        "refused",
        format!("{} ({}), nothing charged", problem["code"].as_str().unwrap_or_default(), problem["status"]),
    );
    show.fact("", problem["detail"].as_str().unwrap_or_default());
}

/// The beginning of an answer, on one line.
fn shortened(result: &Value) -> String {
    let text = result.to_string();
    let start: String = text.chars().take(100).collect();
    if start.len() < text.len() { format!("{start}… ({} bytes)", text.len()) } else { start }
}
