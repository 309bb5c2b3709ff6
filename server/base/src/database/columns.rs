//! How values stand in the database: 64-bit counts as `BIGINT` (all are below 2^63), keys as base58 text.

use clawos_interface::Key;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A count or amount for a `BIGINT` column. What is stored never passes 2^63 − 1: the chain does not take more.
pub fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count or amount from a `BIGINT` column.
///
/// # Errors
/// When the column is missing or negative.
pub fn uint(row: &AnyRow, column: usize) -> Result<u64, sqlx::Error> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A count or amount from a nullable `BIGINT` column.
///
/// # Errors
/// When the column is missing or negative.
pub fn optional_uint(row: &AnyRow, column: usize) -> Result<Option<u64>, sqlx::Error> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(|value| u64::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()))).transpose()
}

/// A key for a `TEXT` column.
pub fn key_text(key: &Key) -> String {
    clawos_receipts::text::to_base58(key)
}

/// A key from a `TEXT` column.
///
/// # Errors
/// When the column is missing or not base58 of 32 bytes.
pub fn key(row: &AnyRow, column: usize) -> Result<Key, sqlx::Error> {
    let text: String = row.try_get(column)?;
    clawos_receipts::text::from_base58(&text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A hash from a `BYTEA` column.
///
/// # Errors
/// When the column is missing or has not 32 bytes.
pub fn hash(row: &AnyRow, column: usize) -> Result<[u8; 32], sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}
