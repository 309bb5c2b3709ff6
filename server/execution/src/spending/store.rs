//! SQL of what API keys spent.

use clawos_base::database::columns::{int, uint};
use clawos_interface::Currency;
use sqlx::{AnyConnection, AnyPool};

use super::Spend;

/// Base units that `api_key` spent on `day`.
pub(super) async fn spent(pool: &AnyPool, api_key: &str, day: i64, currency: Currency) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT amount FROM key_spending WHERE api_key = $1 AND day = $2 AND currency = $3")
        .bind(api_key)
        .bind(day)
        .bind(currency.as_str())
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(0), |row| uint(&row, 0))
}

/// Adds to what a key spent.
pub(crate) async fn record(tx: &mut AnyConnection, spend: &Spend) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO key_spending (api_key, day, currency, amount) VALUES ($1, $2, $3, $4)
         ON CONFLICT (api_key, day, currency) DO UPDATE SET amount = key_spending.amount + excluded.amount",
    )
    .bind(&spend.api_key)
    .bind(spend.day)
    .bind(spend.currency.as_str())
    .bind(int(spend.amount))
    .execute(tx)
    .await?;
    Ok(())
}
