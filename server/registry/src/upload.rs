//! What is sent to be published. Its hashes are made once, here, away from the threads that serve requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use clawos_base::idempotency::fingerprint;

use crate::{RegistryError, UploadPermit};

/// The parts of an upload, as they came.
#[derive(Clone, Debug, Default)]
pub struct UploadParts {
    /// The text of `skill.toml`.
    pub manifest: String,
    /// The module.
    pub artifact: Bytes,
    /// Schemas and examples by the path that the manifest names them by.
    pub files: BTreeMap<String, Bytes>,
    /// Markdown.
    pub readme: Option<String>,
    /// The publisher's signature of the version statement, base58; a dry run goes without.
    pub signature: Option<String>,
}

/// An upload with its hashes. It keeps its permit for as long as it is in memory.
#[derive(Clone, Debug)]
pub struct Upload {
    pub(crate) parts: UploadParts,
    /// SHA-256 of the artifact.
    pub(crate) module_sha256: [u8; 32],
    /// Of all parts in a fixed order.
    parts_fingerprint: [u8; 32],
    _permit: Arc<UploadPermit>,
}

impl Upload {
    /// Hashes the parts.
    ///
    /// # Errors
    /// [`RegistryError::Internal`] when the runtime is shutting down.
    pub async fn new(parts: UploadParts, permit: UploadPermit) -> Result<Upload, RegistryError> {
        // Up to 35 MiB take tens of milliseconds, which other requests shall not wait for.
        let hashed = tokio::task::spawn_blocking(move || {
            let module_sha256 = clawos_receipts::sha256(&parts.artifact);
            let parts_fingerprint = parts.fingerprint(&module_sha256);
            Upload { parts, module_sha256, parts_fingerprint, _permit: Arc::new(permit) }
        });
        hashed.await.map_err(RegistryError::internal)
    }

    /// What makes a publish the same request when it comes again: `target` (the skill that gets a version; none for a new
    /// skill), `dry_run` and the parts. Multipart boundaries differ from try to try.
    pub fn fingerprint(&self, target: Option<&str>, dry_run: bool) -> [u8; 32] {
        let dry_run: &[u8] = if dry_run { b"dry" } else { b"" };
        fingerprint(&[target.unwrap_or_default().as_bytes(), dry_run, &self.parts_fingerprint])
    }
}

impl UploadParts {
    fn fingerprint(&self, module_sha256: &[u8; 32]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![self.manifest.as_bytes(), module_sha256];
        parts.extend([&self.readme, &self.signature].map(|text| text.as_deref().unwrap_or_default().as_bytes()));
        for (path, bytes) in &self.files {
            parts.extend([path.as_bytes(), bytes]);
        }
        fingerprint(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_the_fingerprint() {
        let print = |parts: &UploadParts| parts.fingerprint(&clawos_receipts::sha256(&parts.artifact));
        let parts = UploadParts {
            manifest: "m".to_owned(),
            artifact: Bytes::from_static(b"a"),
            files: BTreeMap::from([("p".to_owned(), Bytes::from_static(b"f"))]),
            readme: None,
            signature: None,
        };
        let changes: [fn(&mut UploadParts); 7] = [
            |parts| parts.manifest.push('x'),
            |parts| parts.artifact = Bytes::from_static(b"ax"),
            |parts| parts.readme = Some("x".to_owned()),
            |parts| parts.signature = Some("x".to_owned()),
            |parts| parts.files.clear(),
            |parts| drop(parts.files.insert("p".to_owned(), Bytes::from_static(b"x"))),
            |parts| drop(parts.files.insert("q".to_owned(), Bytes::new())),
        ];
        for change in changes {
            let mut changed = parts.clone();
            change(&mut changed);
            assert_ne!(print(&changed), print(&parts));
        }
    }
}
