//! From a skill's id (and a pinned version) to what a call needs: cached, since versions never change.

use std::sync::Arc;
use std::time::Duration;

use clawos_interface::Key;
use clawos_manifest::ResolvedManifest;
use clawos_receipts::text::{from_base58, from_hex};
use clawos_storage::Artifact;
use moka::future::Cache;

use crate::rows::{SkillRow, VersionRow};
use crate::{Registry, RegistryError, store};

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
    /// Its number, as SemVer.
    pub version: String,
    /// `agt_…`
    pub publisher_id: String,
    /// The publisher's handle.
    pub publisher: String,
    /// The publisher's wallet, which is the skill's creator on chain.
    pub publisher_wallet: Key,
    /// SHA-256 of the artifact.
    pub module_sha256: [u8; 32],
    /// SHA-256 of the resolved manifest's canonical JSON.
    pub manifest_sha256: [u8; 32],
    /// The interfaces the module imports.
    pub permissions: Vec<String>,
    /// The resolved manifest.
    pub manifest: ResolvedManifest,
}

/// Versions that were asked for lately, by skill and pinned version.
#[derive(Debug)]
pub(crate) struct VersionCache(Cache<(String, Option<String>), Arc<SkillVersion>>);

impl Default for VersionCache {
    fn default() -> Self {
        VersionCache(Cache::builder().max_capacity(CACHE_SIZE).time_to_live(CACHE_FOR).build())
    }
}

impl VersionCache {
    /// A publish changed what is newest.
    pub(crate) async fn forget_newest(&self, skill: &str) {
        self.0.invalidate(&(skill.to_owned(), None)).await;
    }
}

impl Registry {
    /// The version `pin` of the skill, or without a pin its newest.
    ///
    /// # Errors
    /// [`RegistryError::SkillNotFound`], [`RegistryError::VersionNotFound`].
    pub async fn resolve(&self, skill: &str, pin: Option<&str>) -> Result<Arc<SkillVersion>, RegistryError> {
        let key = (skill.to_owned(), pin.map(str::to_owned));
        if let Some(found) = self.versions.0.get(&key).await {
            return Ok(found);
        }
        let mut connection = self.ports.db.acquire().await?;
        let row = store::skill(&mut connection, skill).await?.ok_or(RegistryError::SkillNotFound)?;
        let wanted = pin.unwrap_or(&row.summary.latest_version);
        let version = store::version(&mut connection, skill, wanted).await?.ok_or(RegistryError::VersionNotFound)?;
        let found = Arc::new(SkillVersion::read(row, version)?);
        self.versions.0.insert(key, Arc::clone(&found)).await;
        Ok(found)
    }

    /// The version's module.
    ///
    /// # Errors
    /// [`RegistryError::Storage`].
    pub async fn open_artifact(&self, version: &SkillVersion) -> Result<Artifact, RegistryError> {
        Ok(self.ports.storage.open(&version.module_sha256).await?)
    }
}

impl SkillVersion {
    fn read(skill: SkillRow, version: VersionRow) -> Result<SkillVersion, RegistryError> {
        let view = version.view;
        Ok(SkillVersion {
            publisher_wallet: from_base58(&view.publisher_wallet).map_err(RegistryError::internal)?,
            module_sha256: from_hex(&view.module_sha256).map_err(RegistryError::internal)?,
            manifest_sha256: from_hex(&view.manifest_sha256).map_err(RegistryError::internal)?,
            manifest: serde_json::from_str(&version.manifest).map_err(RegistryError::internal)?,
            permissions: version.permissions,
            version_id: view.id,
            version: view.version,
            skill: skill.summary.id,
            publisher: skill.summary.publisher,
            publisher_id: skill.publisher_id,
        })
    }
}
