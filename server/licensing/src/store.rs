//! SQL of licensing: the network this database belongs to, and the certified receipt keys.

use clawos_interface::Key;
use clawos_receipts::statement::{CertifiedKey, PublishedKey};
use clawos_receipts::text;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

/// The genesis hash this database's receipts name.
pub(super) async fn network(pool: &AnyPool) -> Result<Option<Key>, sqlx::Error> {
    let row = sqlx::query("SELECT genesis FROM networks WHERE id = 1").fetch_optional(pool).await?;
    row.map(|row| base58(&row, 0)).transpose()
}

/// Binds the database to a network; false when another server just did.
pub(super) async fn join_network(tx: &mut AnyConnection, genesis: &Key, program: &Key) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("INSERT INTO networks (id, genesis, program) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING")
            .bind(text::to_base58(genesis))
            .bind(text::to_base58(program))
            .execute(tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Every certified key, newest first. A row that cannot be read certifies nothing.
pub(super) async fn receipt_keys(pool: &AnyPool) -> Result<Vec<PublishedKey>, sqlx::Error> {
    let rows = sqlx::query("SELECT key, meter, from_ms, to_ms, certificate FROM receipt_keys ORDER BY from_ms DESC")
        .fetch_all(pool)
        .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        match published_key(row) {
            Ok(key) => keys.push(key),
            Err(error) => tracing::error!(%error, "a row of receipt_keys cannot be read, so it certifies no key"),
        }
    }
    Ok(keys)
}

fn published_key(row: &AnyRow) -> Result<PublishedKey, sqlx::Error> {
    let certified = CertifiedKey {
        key: base58(row, 0)?,
        from_ms: row.try_get(2)?,
        to_ms: row.try_get(3)?,
        certificate: base58(row, 4)?,
    };
    Ok(PublishedKey { certified, meter: base58(row, 1)? })
}

/// Adds a certified key; false when it is there already.
pub(super) async fn add_receipt_key(tx: &mut AnyConnection, stored: &PublishedKey) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO receipt_keys (key, meter, from_ms, to_ms, certificate) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key, meter, from_ms) DO NOTHING",
    )
    .bind(text::to_base58(&stored.certified.key))
    .bind(text::to_base58(&stored.meter))
    .bind(stored.certified.from_ms)
    .bind(stored.certified.to_ms)
    .bind(text::to_base58(&stored.certified.certificate))
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn base58<const N: usize>(row: &AnyRow, column: usize) -> Result<[u8; N], sqlx::Error> {
    text::from_base58(&row.try_get::<String, _>(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}
