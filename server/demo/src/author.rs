//! The author's step: real skills, built from source, published and registered.

use serde_json::Value;

use super::DemoError;
use super::command::{text, units};
use super::show::Show;
use super::world::{World, money};

/// Folders of the skills; the last one misbehaves on request.
const SKILLS: [(&str, &str); 3] = [
    ("acme.text-stats", "skills-sdk/rust/examples/text-stats"),
    ("acme.markdown-html", "skills-sdk/rust/examples/markdown-html"),
    ("acme.loops", "tests/guests/loops"),
];

/// Builds, checks, publishes and registers each skill; what an earlier demo did is not done again.
pub(super) fn publish(world: &World, show: &Show) -> Result<(), DemoError> {
    for (id, folder) in SKILLS {
        let listing = world.outsider.ask(&["show", id]).ok();
        let published = listing.as_ref().map(|listing| text(listing, "/latest_version")).transpose()?;
        let registered = listing.as_ref().is_some_and(|listing| listing["chain"]["registered"] == true);
        if let (Some(version), true) = (published, registered) {
            show.fact(id, format!("{version} is published and registered already"));
            continue;
        }
        let how = if published.is_some() { "--register-only" } else { "--no-build" };
        world.author.run(show, &["build", folder])?;
        world.author.run(show, &["check", folder])?;
        evidence(&world.author.run(show, &["publish", folder, how])?, show)?;
    }
    Ok(())
}

fn evidence(done: &Value, show: &Show) -> Result<(), DemoError> {
    let published = &done["published"];
    if !published.is_null() {
        let module = text(published, "/module_sha256")?;
        show.fact("module", format!("{module} ({} bytes)", units(published, "/size").unwrap_or_default()));
        let examples = published["examples"].as_array().map_or(0, Vec::len);
        show.fact("examples run and matched", examples);
    }
    show.fact("registered as", text(done, "/registration/skill_account")?);
    show.fact("transaction", text(done, "/registration/transaction")?);
    show.fact("cost (rent and fee)", money(&done["registration"]["cost"]));
    Ok(())
}
