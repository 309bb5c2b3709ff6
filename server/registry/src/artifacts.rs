//! Whether the modules that the database lists are in the store: a folder of artifacts that is not the one this database's
//! servers share would let calls fail one by one.

use clawos_receipts::text::from_hex;
use clawos_storage::StorageError;

use crate::{Registry, store};

/// Versions that are looked for, the newest.
const LOOKED_FOR: i64 = 20;

/// The store is not this database's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactsError {
    /// It has none of the modules.
    #[error(
        "the folder of artifacts has no module of this database, such as that of {version}; servers that share a database \
         must share one folder too: name it with --artifacts (CLAWOS_ARTIFACTS)"
    )]
    Elsewhere {
        /// The newest version, `publisher.name@version`.
        version: String,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl Registry {
    /// Looks for the newest modules of the database in the store. One that is missing is logged.
    ///
    /// # Errors
    /// [`ArtifactsError::Elsewhere`] when all of them are missing.
    pub async fn check_artifacts(&self) -> Result<(), ArtifactsError> {
        let newest = store::newest_modules(&self.ports.db, LOOKED_FOR).await?;
        let mut missing = Vec::new();
        for (version, module) in &newest {
            let Ok(hash) = from_hex::<32>(module) else { continue };
            if let Err(StorageError::Missing(_)) = self.ports.storage.open(&hash).await {
                missing.push(version);
            }
        }
        match missing.first() {
            Some(first) if missing.len() == newest.len() => {
                Err(ArtifactsError::Elsewhere { version: (*first).clone() })
            }
            _ => {
                for version in missing {
                    tracing::error!(%version, "the module of this version is missing from the folder of artifacts");
                }
                Ok(())
            }
        }
    }
}
