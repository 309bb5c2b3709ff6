//! `clawos search`: searches the listings.

use clap::Args;
use clap::builder::TypedValueParser;
use clawos_client::api::skills::{SkillQuery, SkillSummary};
use clawos_interface::Kind;

use crate::args::kinds;
use crate::context::Context;
use crate::error::Result;
use crate::output::shell_word;
use crate::price_text;
use crate::table;

/// Flags of `clawos search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words to search for; without any, all skills are listed.
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// Only skills of this category.
    #[arg(long, value_parser = ["communication", "automation", "analysis", "creative", "utility", "integration"])]
    pub category: Option<String>,
    /// Only skills with this tag.
    #[arg(long)]
    pub tag: Option<String>,
    /// Only skills that sell this kind of licence.
    #[arg(long, value_parser = kind())]
    pub kind: Option<Kind>,
    /// The most results to show, 1 to 100.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: Option<u32>,
    /// Continue from the cursor that an earlier search printed.
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Prints one page of results.
///
/// # Errors
/// Those of the server.
pub async fn run(args: &SearchArgs, context: &Context) -> Result<()> {
    let words = args.words.join(" ");
    let query = SkillQuery {
        q: (!words.is_empty()).then_some(words),
        category: args.category.clone(),
        tag: args.tag.clone(),
        kind: args.kind,
        account: None,
        limit: args.limit,
        cursor: args.cursor.clone(),
    };
    let page = context.public()?.search(&query).await?;
    context.out.result(&page, || {
        let row = |skill: &SkillSummary| {
            let price = price_text::line(skill.prices.as_ref());
            vec![skill.id.clone(), skill.latest_version.clone(), price, skill.summary.clone()]
        };
        table::columns(&["skill", "version", "price", "summary"], &page.items.iter().map(row).collect::<Vec<_>>())
    })?;
    if page.items.is_empty() {
        context.out.note("no skills found; try fewer words");
    }
    if let Some(cursor) = &page.next_cursor {
        context.out.note(format!("more: add --cursor {}", shell_word(cursor)));
    }
    Ok(())
}

/// Reads the words of [`Kind`].
fn kind() -> impl TypedValueParser<Value = Kind> {
    let kind_of = |word: String| Kind::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or("no such kind");
    kinds().try_map(kind_of)
}
