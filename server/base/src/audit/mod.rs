//! The audit log: every change of state except a call, append-only, with a hash chain per actor.
//!
//! Each entry's hash covers the entry and the hash before it, so that a changed or missing entry shows. An entry is
//! written in the transaction of the change it records: neither exists without the other.
//!
//! | recorded | actor | actions |
//! | --- | --- | --- |
//! | agents | the agent | `agent.register`, `agent.update` |
//! | sessions | the agent | `session.start`, `session.refresh`, `session.reuse`, `session.revoke` |
//! | API keys | the agent | `key.create`, `key.rotate`, `key.revoke` |
//! | skills | the publisher | `skill.publish`, `version.publish` |
//! | what settlement gives up or forms again | `settlement` | `receipts.waive`, `receipt.set_aside`, `batch.void`, `batch.reopen`, `batch.dead` |
//! | what settlement leaves to the operator | `settlement` | `account.stop`, `batch.withhold`, `batch.wait` |
//! | the network this database belongs to, the keys that sign receipts | [`SERVER`] | `network.join`, `receipt_key.certify` |
//!
//! An agent reads its own entries, buyer and seller of a licence those of settlement about it. Those of [`SERVER`] are in the
//! published certificates of receipt keys.
//!
//! Not recorded: a call, whose receipt is its record, with the units, free calls and money that it takes; what only lasts while
//! something is under way (challenges, claims of idempotency keys, leases); when a key was last used; and the removal of
//! what has expired.

mod store;

use clawos_api::audit::{Entry, ListQuery};
use clawos_api::{Page, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AnyPool};

use crate::page::{self, Cursor, PageError, page_limit};
use crate::request_id;

/// The log cannot be read as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Limit or cursor are wrong.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The actor of what the server does by itself.
pub const SERVER: &str = "server";

fn digest(entry: &Entry) -> String {
    let mut hasher = Sha256::new();
    let (n, at) = (entry.n.to_string(), entry.at.0.to_string());
    let Entry { prev_hash, actor, action, target, detail, request_id, .. } = entry;
    for field in [prev_hash, actor, &n, &at, action, target, detail, request_id] {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Adds an entry to the actor's chain, in the transaction of the change it records.
///
/// # Errors
/// When the database fails.
pub async fn append(
    tx: &mut AnyConnection,
    now: i64,
    actor: &str,
    action: &str,
    target: &str,
    detail: &str,
) -> Result<(), sqlx::Error> {
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
    entry.hash = digest(&entry);
    store::insert(tx, &entry).await
}

/// What an agent did, newest first.
///
/// # Errors
/// [`AuditError`].
pub async fn list(pool: &AnyPool, agent_id: &str, query: &ListQuery) -> Result<Page<Entry>, AuditError> {
    let limit = page_limit(query.limit)?;
    let before = Cursor::start(query.cursor.as_deref())?.number;
    let rows = store::list(pool, agent_id, before, i64::from(limit) + 1).await?;
    Ok(page::page(rows, limit, cursor, |entry| entry))
}

/// What an actor did to one subject (a target up to its first `@`), newest first.
///
/// # Errors
/// [`AuditError`].
pub async fn list_about(
    pool: &AnyPool,
    actor: &str,
    subject: &str,
    query: &ListQuery,
) -> Result<Page<Entry>, AuditError> {
    let limit = page_limit(query.limit)?;
    let before = Cursor::start(query.cursor.as_deref())?.number;
    let rows = store::list_about(pool, actor, subject, before, i64::from(limit) + 1).await?;
    Ok(page::page(rows, limit, cursor, |entry| entry))
}

/// Where a page that ends with this entry goes on.
fn cursor(entry: &Entry) -> Cursor {
    Cursor { number: entry.n, id: entry.actor.clone() }
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
            assert_ne!(digest(&changed), digest(&entry));
        }
        // Text cannot move from one field into the next.
        let moved = Entry { target: text("key_"), detail: text("1read"), ..entry.clone() };
        assert_ne!(digest(&moved), digest(&entry));
    }
}
