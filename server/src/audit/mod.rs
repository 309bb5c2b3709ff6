//! The audit log: every change of state except a call, append-only, with a hash chain per actor.
//!
//! Each entry's hash covers the entry and the hash before it, so that a changed or missing entry shows. An entry is
//! written in the transaction of the change it records: neither exists without the other.

mod store;

use crate::app::AppState;
use crate::error::{ApiError, Problem};
use crate::http::{Caller, Cursor, Page, Query, Timestamp, page, page_limit, request_id};
use crate::identity::Scope;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// One entry.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Who did it: `agt_…`.
    pub actor: String,
    /// Its place in the actor's chain, from 1.
    pub n: i64,
    /// When.
    pub at: Timestamp,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what.
    pub target: String,
    /// A few words more.
    pub detail: String,
    /// The request that did it.
    pub request_id: String,
    /// The hash of the entry before it; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over `prev_hash` and the entry.
    pub hash: String,
}

impl Entry {
    fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        let (n, at) = (self.n.to_string(), self.at.0.to_string());
        let fields =
            [&self.prev_hash, &self.actor, &n, &at, &self.action, &self.target, &self.detail, &self.request_id];
        for field in fields {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

/// Adds an entry to the actor's chain, in the transaction of the change it records.
pub async fn append(
    tx: &mut AnyConnection,
    now: i64,
    actor: &str,
    action: &str,
    target: &str,
    detail: &str,
) -> Result<(), ApiError> {
    let (n, prev_hash) = store::next(tx, actor).await?;
    let mut entry = Entry {
        actor: actor.to_owned(),
        n,
        at: Timestamp(now),
        action: action.to_owned(),
        target: target.to_owned(),
        detail: detail.to_owned(),
        request_id: request_id::current(),
        prev_hash,
        hash: String::new(),
    };
    entry.hash = entry.digest();
    store::insert(tx, &entry).await?;
    Ok(())
}

/// Routes under `/agents/me/audit`.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// 1 to 100; 20 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What the caller's agent did, newest first.
#[utoipa::path(get, path = "/agents/me/audit", tag = "identity", security(("bearer" = [])), params(ListQuery),
    responses((status = 200, body = Page<Entry>), (status = "default", body = Problem)))]
async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Entry>>, ApiError> {
    caller.require(Scope::Admin)?;
    let limit = page_limit(query.limit)?;
    let before = Cursor::start(query.cursor.as_deref())?.number;
    let rows = store::list(&app.db, &caller.agent_id, before, i64::from(limit) + 1).await?;
    let cursor = |entry: &Entry| Cursor { number: entry.n, id: entry.actor.clone() };
    Ok(Json(page(rows, limit, cursor, |entry| entry)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_the_hash() {
        let text = |text: &str| text.to_owned();
        let entry = Entry {
            actor: text("agt_1"),
            n: 7,
            at: Timestamp(1),
            action: text("key.create"),
            target: text("key_1"),
            detail: text("read"),
            request_id: text("req_1"),
            prev_hash: text("00"),
            hash: String::new(),
        };
        let changes: [fn(&mut Entry); 8] = [
            |entry| entry.actor.push('x'),
            |entry| entry.n = 8,
            |entry| entry.at = Timestamp(2),
            |entry| entry.action.push('x'),
            |entry| entry.target.push('x'),
            |entry| entry.detail.push('x'),
            |entry| entry.request_id.push('x'),
            |entry| entry.prev_hash.push('x'),
        ];
        for change in changes {
            let mut changed = entry.clone();
            change(&mut changed);
            assert_ne!(changed.digest(), entry.digest());
        }
        // Text cannot move from one field into the next.
        let moved = Entry { target: text("key_"), detail: text("1read"), ..entry.clone() };
        assert_ne!(moved.digest(), entry.digest());
    }
}
