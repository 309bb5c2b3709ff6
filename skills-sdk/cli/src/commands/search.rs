//! `clawos search`: find skills.

use clap::Args;
use clawos_client::api::skills::{Search, SkillSummary};

use crate::context::Context;
use crate::error::Result;
use crate::table;

/// Flags of `clawos search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words to look for; without any, everything.
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// Only this category.
    #[arg(long, value_parser = ["communication", "automation", "analysis", "creative", "utility", "integration"])]
    pub category: Option<String>,
    /// Only with this tag.
    #[arg(long)]
    pub tag: Option<String>,
    /// Only sold like this.
    #[arg(long, value_parser = ["one_time", "subscription", "usage"])]
    pub kind: Option<String>,
    /// How many, 1 to 100.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: Option<u32>,
    /// Go on where an earlier search ended.
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Searches.
///
/// # Errors
/// Those of the server.
pub async fn run(args: &SearchArgs, context: &Context) -> Result<()> {
    let words = args.words.join(" ");
    let search = Search {
        q: (!words.is_empty()).then_some(words),
        category: args.category.clone(),
        tag: args.tag.clone(),
        kind: args.kind.clone(),
        limit: args.limit,
        cursor: args.cursor.clone(),
    };
    let page = context.public()?.search(&search).await?;
    context.out.result(&page, || {
        let row = |skill: &SkillSummary| {
            let version = skill.latest_version.clone().unwrap_or_default();
            vec![skill.id.clone(), version, skill.category.clone(), skill.summary.clone()]
        };
        table::columns(&["skill", "version", "category", "summary"], &page.items.iter().map(row).collect::<Vec<_>>())
    })?;
    if page.items.is_empty() {
        context.out.note("nothing found; try fewer words");
    }
    if let Some(cursor) = &page.next_cursor {
        context.out.note(format!("more: add --cursor {cursor}"));
    }
    Ok(())
}
