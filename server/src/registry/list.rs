//! Finding skills: words, category, tag, kind of licence; newest first.

use super::store;
use super::types::{Filter, SEARCH_WORDS, SkillRow, SkillSummary};
use crate::app::AppState;
use crate::error::{ApiError, Problem};
use crate::http::{Cursor, Page, Problems, Query, page, page_limit};
use axum::Json;
use axum::extract::State;
use clawos_manifest::source::Skill;
use serde::Deserialize;
use utoipa::IntoParams;

/// Longest search (characters).
const MAX_QUERY: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Words that must all occur in id, summary, description or tags; the first four count.
    q: Option<String>,
    /// communication, automation, analysis, creative, utility or integration.
    category: Option<String>,
    /// One tag.
    tag: Option<String>,
    /// What is sold.
    #[param(inline)]
    kind: Option<KindFilter>,
    /// 1 to 100; 20 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A kind of licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum KindFilter {
    OneTime,
    Subscription,
    Usage,
}

/// Find skills.
#[utoipa::path(get, path = "/skills", tag = "skills", params(ListQuery),
    responses((status = 200, body = Page<SkillSummary>), (status = "default", body = Problem)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SkillSummary>>, ApiError> {
    let limit = page_limit(query.limit)?;
    let filter = query.filter()?;
    let rows = store::list(&app.db, &filter, i64::from(limit) + 1).await?;
    let cursor = |row: &SkillRow| Cursor { number: row.created_at, id: row.id.clone() };
    Ok(Json(page(rows, limit, cursor, SkillSummary::from)))
}

impl ListQuery {
    fn filter(self) -> Result<Filter, ApiError> {
        let mut problems = Problems::default();
        for (pointer, text) in [("/q", &self.q), ("/category", &self.category), ("/tag", &self.tag)] {
            problems.text(pointer, text.as_deref().unwrap_or_default(), 0..=MAX_QUERY);
        }
        problems.into_result()?;
        let mut words: [String; SEARCH_WORDS] = std::array::from_fn(|_| "%".to_owned());
        let query = self.q.unwrap_or_default().to_lowercase();
        for (pattern, word) in words.iter_mut().zip(query.split_whitespace()) {
            *pattern = format!("%{}%", escape(word));
        }
        let tag = self.tag.map_or_else(|| "%".to_owned(), |tag| format!("%,{},%", escape(&tag.to_lowercase())));
        Ok(Filter {
            after: Cursor::start(self.cursor.as_deref())?,
            words,
            category: self.category.unwrap_or_default(),
            tag,
            sells_once: self.kind == Some(KindFilter::OneTime),
            sells_period: self.kind == Some(KindFilter::Subscription),
            sells_usage: self.kind == Some(KindFilter::Usage),
        })
    }
}

/// What a search looks in. Lower-cased here, since databases disagree on letters beyond ASCII.
pub(super) fn search_text(skill: &Skill) -> String {
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
