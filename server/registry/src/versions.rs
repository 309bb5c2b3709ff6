//! A skill's versions.

use clawos_api::Page;
use clawos_api::registry::{VersionDetail, VersionView, VersionsQuery};
use clawos_base::Cursor;
use clawos_base::page::{page, page_limit};

use crate::rows::VersionRow;
use crate::{Registry, RegistryError, store};

impl Registry {
    /// A skill's versions, newest first.
    ///
    /// # Errors
    /// [`RegistryError::Page`], [`RegistryError::SkillNotFound`].
    pub async fn versions(&self, id: &str, query: &VersionsQuery) -> Result<Page<VersionView>, RegistryError> {
        let limit = page_limit(query.limit)?;
        let after = Cursor::start(query.cursor.as_deref())?;
        store::skill(&mut *self.ports.db.acquire().await?, id).await?.ok_or(RegistryError::SkillNotFound)?;
        let rows = store::versions(&self.ports.db, id, &after, i64::from(limit) + 1).await?;
        let cursor = |row: &VersionRow| Cursor { number: row.view.created_at.0, id: row.view.id.clone() };
        Ok(page(rows, limit, cursor, |row| row.view))
    }

    /// One version with its manifest and README.
    ///
    /// # Errors
    /// [`RegistryError::SkillNotFound`], [`RegistryError::VersionNotFound`].
    pub async fn version(&self, id: &str, version: &str) -> Result<VersionDetail, RegistryError> {
        let mut connection = self.ports.db.acquire().await?;
        store::skill(&mut connection, id).await?.ok_or(RegistryError::SkillNotFound)?;
        let row = store::version(&mut connection, id, version).await?.ok_or(RegistryError::VersionNotFound)?;
        let manifest = serde_json::from_str(&row.manifest).map_err(RegistryError::internal)?;
        Ok(VersionDetail { version: row.view, manifest, readme: row.readme })
    }
}
