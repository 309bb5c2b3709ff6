//! From a skill's id (and a pinned version) to what a call needs: cached, since versions never change.

use super::places::Places;
use super::store;
use super::types::{SkillRow, VersionRow, words};
use crate::database::Database;
use crate::error::{ApiError, Code};
use clawos_interface::Key;
use clawos_manifest::ResolvedManifest;
use clawos_receipts::text::{from_base58, from_hex};
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;

/// How long another server's publish may stay unseen.
const CACHE_FOR: Duration = Duration::from_secs(5);
/// Versions kept, at most.
const CACHE_SIZE: u64 = 2_000;

/// One version of a skill, ready to be called.
#[derive(Clone, Debug)]
pub struct SkillVersion {
    /// `publisher.name`
    pub skill: String,
    /// `ver_…`
    pub version_id: String,
    /// Its number.
    pub version: String,
    /// `agt_…`
    pub publisher_id: String,
    /// The publisher's handle.
    pub publisher: String,
    /// The publisher's wallet, which is the skill's creator on chain.
    pub publisher_wallet: Key,
    /// SHA-256 of the artifact.
    pub module_sha256: [u8; 32],
    /// SHA-256 of the manifest.
    pub manifest_sha256: [u8; 32],
    /// The interfaces the module imports.
    pub permissions: Vec<String>,
    /// The manifest.
    pub manifest: ResolvedManifest,
}

/// Finds versions.
#[derive(Debug)]
pub struct Registry {
    db: Database,
    cache: Cache<(String, Option<String>), Arc<SkillVersion>>,
    /// Places for uploads in memory.
    pub(super) uploads: Arc<Places>,
}

impl Registry {
    /// Over this database.
    pub fn new(db: Database) -> Self {
        let cache = Cache::builder().max_capacity(CACHE_SIZE).time_to_live(CACHE_FOR).build();
        Self { db, cache, uploads: Arc::default() }
    }

    /// The version `pin` of the skill, yanked or not, or without a pin its newest that is not yanked.
    pub async fn resolve(&self, skill: &str, pin: Option<&str>) -> Result<Arc<SkillVersion>, ApiError> {
        let key = (skill.to_owned(), pin.map(str::to_owned));
        if let Some(found) = self.cache.get(&key).await {
            return Ok(found);
        }
        let mut connection = self.db.acquire().await?;
        let row = store::skill(&mut connection, skill).await?.ok_or_else(skill_not_found)?;
        let wanted = pin.unwrap_or(&row.latest_version);
        let version = store::version(&mut connection, skill, wanted).await?.ok_or_else(version_not_found)?;
        let found = Arc::new(SkillVersion::read(&row, &version)?);
        self.cache.insert(key, Arc::clone(&found)).await;
        Ok(found)
    }

    /// A publish changed what is newest.
    pub(super) async fn forget_newest(&self, skill: &str) {
        self.cache.invalidate(&(skill.to_owned(), None)).await;
    }
}

impl SkillVersion {
    fn read(skill: &SkillRow, version: &VersionRow) -> Result<SkillVersion, ApiError> {
        Ok(SkillVersion {
            skill: skill.id.clone(),
            version_id: version.id.clone(),
            version: version.version.clone(),
            publisher_id: skill.publisher_id.clone(),
            publisher: skill.publisher.clone(),
            publisher_wallet: from_base58(&version.publisher_wallet).map_err(ApiError::internal)?,
            module_sha256: from_hex(&version.module_sha256).map_err(ApiError::internal)?,
            manifest_sha256: from_hex(&version.manifest_sha256).map_err(ApiError::internal)?,
            permissions: words(&version.permissions),
            manifest: serde_json::from_str(&version.manifest).map_err(ApiError::internal)?,
        })
    }
}

pub(super) fn skill_not_found() -> ApiError {
    ApiError::new(Code::SkillNotFound, "There is no such skill; search with GET /api/v1/skills.")
}

pub(super) fn version_not_found() -> ApiError {
    ApiError::new(Code::VersionNotFound, "The skill has no such version; see GET /api/v1/skills/{id}/versions.")
}
