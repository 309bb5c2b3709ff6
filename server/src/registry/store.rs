//! SQL of skills and versions.

use super::quota::Published;
use super::types::{Filter, SkillRow, VersionRow};
use crate::http::Cursor;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

pub(super) async fn skill(connection: &mut AnyConnection, id: &str) -> Result<Option<SkillRow>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM skills WHERE id = $1").bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read_skill).transpose()
}

/// Adds the skill, or brings its listing up to its newest version.
pub(super) async fn put_skill(connection: &mut AnyConnection, skill: &SkillRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO skills
           (id, publisher_id, publisher, publisher_wallet, summary, description, category, tags, licence, search_text,
            sells_once, sells_period, sells_usage, latest_version, created_at, updated_at, prices)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (id) DO UPDATE SET
            summary = $5, description = $6, category = $7, tags = $8, licence = $9, search_text = $10,
            sells_once = $11, sells_period = $12, sells_usage = $13, latest_version = $14, updated_at = $16, prices = $17",
    )
    .bind(&skill.id)
    .bind(&skill.publisher_id)
    .bind(&skill.publisher)
    .bind(&skill.publisher_wallet)
    .bind(&skill.summary)
    .bind(&skill.description)
    .bind(&skill.category)
    .bind(&skill.tags)
    .bind(&skill.licence)
    .bind(&skill.search_text)
    .bind(i64::from(skill.sells_once))
    .bind(i64::from(skill.sells_period))
    .bind(i64::from(skill.sells_usage))
    .bind(&skill.latest_version)
    .bind(skill.created_at)
    .bind(skill.updated_at)
    .bind(skill.prices.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn insert_version(connection: &mut AnyConnection, version: &VersionRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO versions
           (id, skill_id, version, module_sha256, manifest_sha256, manifest, readme, signature, publisher_wallet,
            permissions, size, created_at, yanked)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)",
    )
    .bind(&version.id)
    .bind(&version.skill_id)
    .bind(&version.version)
    .bind(&version.module_sha256)
    .bind(&version.manifest_sha256)
    .bind(&version.manifest)
    .bind(version.readme.as_deref())
    .bind(&version.signature)
    .bind(&version.publisher_wallet)
    .bind(&version.permissions)
    .bind(version.size)
    .bind(version.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn version(
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
pub(super) async fn published_since(
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
pub(super) async fn versions(
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

/// Skills that fit the filter, newest first. An empty text filters nothing; `words` are LIKE patterns, all of which must
/// match (unused ones are `%`).
pub(super) async fn list(pool: &AnyPool, filter: &Filter, limit: i64) -> Result<Vec<SkillRow>, sqlx::Error> {
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
         ORDER BY created_at DESC, id DESC
         LIMIT $12",
    )
    .bind(filter.after.number)
    .bind(&filter.after.id)
    .bind(&filter.words[0])
    .bind(&filter.words[1])
    .bind(&filter.words[2])
    .bind(&filter.words[3])
    .bind(&filter.category)
    .bind(&filter.tag)
    .bind(i64::from(filter.sells_once))
    .bind(i64::from(filter.sells_period))
    .bind(i64::from(filter.sells_usage))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_skill).collect()
}

fn read_skill(row: &AnyRow) -> Result<SkillRow, sqlx::Error> {
    let flag = |name: &str| row.try_get::<i64, _>(name).map(|flag| flag != 0);
    Ok(SkillRow {
        id: row.try_get("id")?,
        publisher_id: row.try_get("publisher_id")?,
        publisher: row.try_get("publisher")?,
        publisher_wallet: row.try_get("publisher_wallet")?,
        summary: row.try_get("summary")?,
        description: row.try_get("description")?,
        category: row.try_get("category")?,
        tags: row.try_get("tags")?,
        licence: row.try_get("licence")?,
        search_text: row.try_get("search_text")?,
        prices: row.try_get("prices")?,
        sells_once: flag("sells_once")?,
        sells_period: flag("sells_period")?,
        sells_usage: flag("sells_usage")?,
        latest_version: row.try_get("latest_version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn read_version(row: &AnyRow) -> Result<VersionRow, sqlx::Error> {
    let yanked: i64 = row.try_get("yanked")?;
    Ok(VersionRow {
        id: row.try_get("id")?,
        skill_id: row.try_get("skill_id")?,
        version: row.try_get("version")?,
        module_sha256: row.try_get("module_sha256")?,
        manifest_sha256: row.try_get("manifest_sha256")?,
        manifest: row.try_get("manifest")?,
        readme: row.try_get("readme")?,
        signature: row.try_get("signature")?,
        publisher_wallet: row.try_get("publisher_wallet")?,
        permissions: row.try_get("permissions")?,
        size: row.try_get("size")?,
        created_at: row.try_get("created_at")?,
        yanked: yanked != 0,
    })
}
