//! Finding skills: words, category, tag, kind of licence, account on chain; newest first.

use clawos_api::Page;
use clawos_api::limits::MAX_SEARCH;
use clawos_api::registry::{SkillQuery, SkillSummary};
use clawos_base::page::{page, page_limit};
use clawos_base::{Cursor, Problems};
use clawos_manifest::source::Skill;
use clawos_receipts::text::from_base58;

use crate::rows::{Filter, SEARCH_WORDS, SkillRow};
use crate::{Registry, RegistryError, store};

impl Registry {
    /// The skills that fit, newest first.
    ///
    /// # Errors
    /// [`RegistryError::Page`]; [`RegistryError::Invalid`] for a text that is too long.
    pub async fn search(&self, query: &SkillQuery) -> Result<Page<SkillSummary>, RegistryError> {
        let limit = page_limit(query.limit)?;
        let rows = store::list(&self.ports.db, &Filter::new(query)?, i64::from(limit) + 1).await?;
        let cursor = |row: &SkillRow| Cursor { number: row.summary.created_at.0, id: row.summary.id.clone() };
        Ok(page(rows, limit, cursor, |row| row.summary))
    }
}

impl Filter {
    fn new(query: &SkillQuery) -> Result<Filter, RegistryError> {
        let mut problems = Problems::default();
        for (pointer, text) in [("/q", &query.q), ("/category", &query.category), ("/tag", &query.tag)] {
            problems.text(pointer, text.as_deref().unwrap_or_default(), 0..=MAX_SEARCH);
        }
        if query.account.as_deref().is_some_and(|account| from_base58::<32>(account).is_err()) {
            problems.add("/account", "must be an address in base58");
        }
        problems.into_result()?;
        let mut words: [String; SEARCH_WORDS] = std::array::from_fn(|_| "%".to_owned());
        let text = query.q.as_deref().unwrap_or_default().to_lowercase();
        for (pattern, word) in words.iter_mut().zip(text.split_whitespace()) {
            *pattern = format!("%{}%", escape(word));
        }
        let tag = query.tag.as_ref().map(|tag| format!("%,{},%", escape(&tag.to_lowercase())));
        Ok(Filter {
            after: Cursor::start(query.cursor.as_deref())?,
            words,
            category: query.category.clone().unwrap_or_default(),
            tag: tag.unwrap_or_else(|| "%".to_owned()),
            kind: query.kind,
            account: query.account.clone().unwrap_or_default(),
        })
    }
}

/// What a search looks in. Lower-cased here, since databases disagree on letters beyond ASCII.
pub(crate) fn search_text(skill: &Skill) -> String {
    let tags: Vec<&str> = skill.tags.iter().map(String::as_str).collect();
    [&skill.id, &skill.summary, &skill.description, &tags.join(" ")].map(String::as_str).join("\n").to_lowercase()
}

/// A word as a LIKE pattern that matches only itself.
fn escape(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn wildcards_lose_their_meaning() {
        assert_eq!(escape(r"100%_a\b"), r"100\%\_a\\b");
    }
}
