//! Skills and versions as stored: what is shown of them, and what is not; and what the database is asked about them.

use clawos_api::registry::{SkillSummary, VersionView};
use clawos_base::Cursor;
use clawos_interface::Kind;

/// A skill: the listing of its newest version.
#[derive(Clone, Debug)]
pub(crate) struct SkillRow {
    pub(crate) summary: SkillSummary,
    /// `agt_…`
    pub(crate) publisher_id: String,
    /// Base58.
    pub(crate) publisher_wallet: String,
    /// Its account on chain, base58; the address is the skill's also while it is not registered.
    pub(crate) account: String,
    pub(crate) description: String,
    /// SPDX expression.
    pub(crate) licence: String,
    /// What a search looks in, in lower case.
    pub(crate) search_text: String,
}

/// A version.
#[derive(Clone, Debug)]
pub(crate) struct VersionRow {
    pub(crate) view: VersionView,
    /// `publisher.name`
    pub(crate) skill_id: String,
    /// The resolved manifest's canonical JSON.
    pub(crate) manifest: String,
    /// Markdown.
    pub(crate) readme: Option<String>,
    /// The interfaces the module imports.
    pub(crate) permissions: Vec<String>,
}

/// Words of a search that are looked for; more are ignored.
pub(crate) const SEARCH_WORDS: usize = 4;

/// What a list is narrowed to.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) after: Cursor,
    /// LIKE patterns, all of which must match; unused ones are `%`.
    pub(crate) words: [String; SEARCH_WORDS],
    /// Empty for any.
    pub(crate) category: String,
    /// A LIKE pattern.
    pub(crate) tag: String,
    pub(crate) kind: Option<Kind>,
    /// Base58; empty for any.
    pub(crate) account: String,
}

/// What an agent published lately.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    pub(crate) versions: i64,
    pub(crate) bytes: i64,
    /// When the oldest of them was published (Unix milliseconds).
    pub(crate) oldest: Option<i64>,
}
