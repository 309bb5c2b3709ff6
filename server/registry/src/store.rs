//! SQL of skills and versions.

use clawos_api::Timestamp;
use clawos_api::registry::{SkillSummary, VersionView};
use clawos_base::Cursor;
use clawos_base::database::columns::int;
use clawos_interface::Kind;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::rows::{Filter, Published, SkillRow, VersionRow};

pub(crate) async fn skill(connection: &mut AnyConnection, id: &str) -> Result<Option<SkillRow>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM skills WHERE id = $1").bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read_skill).transpose()
}

/// Adds the skill, or brings its listing up to its newest version.
pub(crate) async fn put_skill(connection: &mut AnyConnection, skill: &SkillRow) -> Result<(), sqlx::Error> {
    let summary = &skill.summary;
    let tags = if summary.tags.is_empty() { String::new() } else { format!(",{},", summary.tags.join(",")) };
    let prices = summary.prices.as_ref().map(serde_json::to_string).transpose();
    let prices = prices.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sells = |kind| i64::from(summary.kinds.contains(&kind));
    sqlx::query(
        "INSERT INTO skills
           (id, publisher_id, publisher, publisher_wallet, summary, description, category, tags, licence, search_text,
            sells_once, sells_period, sells_usage, latest_version, created_at, updated_at, prices, account)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (id) DO UPDATE SET
            summary = $5, description = $6, category = $7, tags = $8, licence = $9, search_text = $10,
            sells_once = $11, sells_period = $12, sells_usage = $13, latest_version = $14, updated_at = $16, prices = $17",
    )
    .bind(&summary.id)
    .bind(&skill.publisher_id)
    .bind(&summary.publisher)
    .bind(&skill.publisher_wallet)
    .bind(&summary.summary)
    .bind(&skill.description)
    .bind(&summary.category)
    .bind(tags)
    .bind(&skill.licence)
    .bind(&skill.search_text)
    .bind(sells(Kind::OneTime))
    .bind(sells(Kind::Subscription))
    .bind(sells(Kind::Usage))
    .bind(&summary.latest_version)
    .bind(summary.created_at.0)
    .bind(summary.updated_at.0)
    .bind(prices)
    .bind(&skill.account)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn insert_version(connection: &mut AnyConnection, version: &VersionRow) -> Result<(), sqlx::Error> {
    let view = &version.view;
    sqlx::query(
        "INSERT INTO versions
           (id, skill_id, version, module_sha256, manifest_sha256, manifest, readme, signature, publisher_wallet,
            permissions, size, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&view.id)
    .bind(&version.skill_id)
    .bind(&view.version)
    .bind(&view.module_sha256)
    .bind(&view.manifest_sha256)
    .bind(&version.manifest)
    .bind(version.readme.as_deref())
    .bind(&view.signature)
    .bind(&view.publisher_wallet)
    .bind(version.permissions.join(","))
    .bind(int(view.size))
    .bind(view.created_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn version(
    connection: &mut AnyConnection,
    skill_id: &str,
    version: &str,
) -> Result<Option<VersionRow>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM versions WHERE skill_id = $1 AND version = $2")
        .bind(skill_id)
        .bind(version)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_version).transpose()
}

/// What an agent published after `since`.
pub(crate) async fn published_since(
    connection: &mut AnyConnection,
    publisher_id: &str,
    since: i64,
) -> Result<Published, sqlx::Error> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS versions, CAST(COALESCE(SUM(v.size), 0) AS BIGINT) AS bytes, MIN(v.created_at) AS oldest
         FROM versions v JOIN skills s ON s.id = v.skill_id
         WHERE s.publisher_id = $1 AND v.created_at > $2",
    )
    .bind(publisher_id)
    .bind(since)
    .fetch_one(connection)
    .await?;
    Ok(Published { versions: row.try_get("versions")?, bytes: row.try_get("bytes")?, oldest: row.try_get("oldest")? })
}

/// A skill's versions after a place in their list, newest first.
pub(crate) async fn versions(
    pool: &AnyPool,
    skill_id: &str,
    after: &Cursor,
    limit: i64,
) -> Result<Vec<VersionRow>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT * FROM versions
         WHERE skill_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
         ORDER BY created_at DESC, id DESC
         LIMIT $4",
    )
    .bind(skill_id)
    .bind(after.number)
    .bind(&after.id)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_version).collect()
}

/// The newest versions, as `publisher.name@version` with their modules' SHA-256 in hex.
pub(crate) async fn newest_modules(pool: &AnyPool, limit: i64) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT skill_id, version, module_sha256 FROM versions ORDER BY created_at DESC, id DESC LIMIT $1")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let read = |row: &AnyRow| {
        let (skill, version): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok((format!("{skill}@{version}"), row.try_get(2)?))
    };
    rows.iter().map(read).collect()
}

/// Skills that fit the filter, newest first.
pub(crate) async fn list(pool: &AnyPool, filter: &Filter, limit: i64) -> Result<Vec<SkillRow>, sqlx::Error> {
    let sells = |kind| i64::from(filter.kind == Some(kind));
    let rows = sqlx::query(
        "SELECT * FROM skills
         WHERE (created_at < $1 OR (created_at = $1 AND id < $2))
           AND search_text LIKE $3 ESCAPE '\\'
           AND search_text LIKE $4 ESCAPE '\\'
           AND search_text LIKE $5 ESCAPE '\\'
           AND search_text LIKE $6 ESCAPE '\\'
           AND ($7 = '' OR category = $7)
           AND tags LIKE $8 ESCAPE '\\'
           AND sells_once >= $9 AND sells_period >= $10 AND sells_usage >= $11
           AND ($12 = '' OR account = $12)
         ORDER BY created_at DESC, id DESC
         LIMIT $13",
    )
    .bind(filter.after.number)
    .bind(&filter.after.id)
    .bind(&filter.words[0])
    .bind(&filter.words[1])
    .bind(&filter.words[2])
    .bind(&filter.words[3])
    .bind(&filter.category)
    .bind(&filter.tag)
    .bind(sells(Kind::OneTime))
    .bind(sells(Kind::Subscription))
    .bind(sells(Kind::Usage))
    .bind(&filter.account)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_skill).collect()
}

fn read_skill(row: &AnyRow) -> Result<SkillRow, sqlx::Error> {
    let mut kinds = Vec::new();
    for (column, kind) in
        [("sells_once", Kind::OneTime), ("sells_period", Kind::Subscription), ("sells_usage", Kind::Usage)]
    {
        if row.try_get::<i64, _>(column)? != 0 {
            kinds.push(kind);
        }
    }
    let prices: Option<String> = row.try_get("prices")?;
    let prices = prices.map(|prices| serde_json::from_str(&prices)).transpose();
    Ok(SkillRow {
        summary: SkillSummary {
            id: row.try_get("id")?,
            publisher: row.try_get("publisher")?,
            summary: row.try_get("summary")?,
            category: row.try_get("category")?,
            tags: words(row.try_get("tags")?),
            latest_version: row.try_get("latest_version")?,
            kinds,
            prices: prices.map_err(|error| sqlx::Error::Decode(error.into()))?,
            created_at: Timestamp(row.try_get("created_at")?),
            updated_at: Timestamp(row.try_get("updated_at")?),
        },
        publisher_id: row.try_get("publisher_id")?,
        publisher_wallet: row.try_get("publisher_wallet")?,
        account: row.try_get("account")?,
        description: row.try_get("description")?,
        licence: row.try_get("licence")?,
        search_text: row.try_get("search_text")?,
    })
}

fn read_version(row: &AnyRow) -> Result<VersionRow, sqlx::Error> {
    let size: i64 = row.try_get("size")?;
    Ok(VersionRow {
        view: VersionView {
            id: row.try_get("id")?,
            version: row.try_get("version")?,
            module_sha256: row.try_get("module_sha256")?,
            manifest_sha256: row.try_get("manifest_sha256")?,
            signature: row.try_get("signature")?,
            publisher_wallet: row.try_get("publisher_wallet")?,
            size: u64::try_from(size).map_err(|error| sqlx::Error::Decode(error.into()))?,
            created_at: Timestamp(row.try_get("created_at")?),
        },
        skill_id: row.try_get("skill_id")?,
        manifest: row.try_get("manifest")?,
        readme: row.try_get("readme")?,
        permissions: words(row.try_get("permissions")?),
    })
}

/// Comma-separated text as a list.
fn words(text: String) -> Vec<String> {
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
