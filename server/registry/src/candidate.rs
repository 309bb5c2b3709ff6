//! An upload judged by itself: manifest, publisher, signature. Cheap, and before the module is compiled.

use std::io;

use clawos_api::FieldError;
use clawos_identity::Caller;
use clawos_manifest::{Manifest, ManifestError, ResolvedManifest, names};
use clawos_receipts::statement::VersionStatement;
use clawos_receipts::text::from_base58;

use crate::{RegistryError, Upload};

/// An upload whose manifest is right and names its sender as publisher.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) manifest: ResolvedManifest,
    pub(crate) manifest_json: String,
    pub(crate) manifest_sha256: [u8; 32],
}

impl Candidate {
    /// Reads the manifest and the files it names, and checks that `caller` is its publisher.
    pub(crate) fn read(upload: &Upload, caller: &Caller) -> Result<Candidate, RegistryError> {
        let parsed = Manifest::parse(&upload.parts.manifest).map_err(|errors| {
            let prices = errors.iter().all(|error| error.key.starts_with("pricing"));
            let kind = if prices { RegistryError::Prices } else { RegistryError::Manifest };
            kind(field_errors(&errors))
        })?;
        if names::publisher_of(&parsed.skill.id) != Some(&*caller.handle) {
            return Err(RegistryError::ForeignId { handle: caller.handle.to_string() });
        }
        let mut read = |path: &str| {
            let found = upload.parts.files.get(path).map(|bytes| bytes.to_vec());
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it was not sent along as a `file` part"))
        };
        let manifest = parsed.resolve(&mut read).map_err(|errors| {
            let examples = errors.iter().all(|error| error.key.contains(".examples["));
            let kind = if examples { RegistryError::ExampleFiles } else { RegistryError::Schemas };
            kind(field_errors(&errors))
        })?;
        let manifest_json = manifest.canonical_json().map_err(RegistryError::internal)?;
        let manifest_sha256 = clawos_receipts::sha256(manifest_json.as_bytes());
        Ok(Candidate { manifest, manifest_json, manifest_sha256 })
    }

    /// The publisher's signature, once it is checked to be over exactly this manifest and the upload's module.
    pub(crate) fn check_signature(&self, upload: &Upload, caller: &Caller) -> Result<String, RegistryError> {
        let unsigned = |detail: &str| {
            RegistryError::Unsigned(FieldError { pointer: "/signature".to_owned(), detail: detail.to_owned() })
        };
        let signature = upload.parts.signature.as_ref();
        let text = signature.ok_or_else(|| unsigned("is missing; only a dry run goes without"))?;
        let bytes = from_base58::<64>(text).map_err(|_| unsigned("must be 64 bytes in base58"))?;
        let statement = VersionStatement {
            skill: self.manifest.skill.id.clone(),
            version: self.manifest.skill.version.clone(),
            module_sha256: upload.module_sha256,
            manifest_sha256: self.manifest_sha256,
        };
        statement.verify(&caller.wallet, &bytes).map_err(RegistryError::BadSignature)?;
        Ok(text.clone())
    }
}

fn field_errors(errors: &[ManifestError]) -> Vec<FieldError> {
    let field = |error: &ManifestError| FieldError {
        pointer: pointer(&error.key),
        detail: format!("{} ({})", error.problem, error.hint),
    };
    errors.iter().map(field).collect()
}

/// `endpoints[0].name` as `/manifest/endpoints/0/name`.
fn pointer(key: &str) -> String {
    let path = key.replace("].", "/").replace(['.', '['], "/").replace(']', "");
    if path.is_empty() { "/manifest".to_owned() } else { format!("/manifest/{path}") }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn keys_become_pointers() {
        assert_eq!(pointer(""), "/manifest");
        assert_eq!(pointer("pricing.usage.per"), "/manifest/pricing/usage/per");
        assert_eq!(pointer("endpoints[0].examples[12].input"), "/manifest/endpoints/0/examples/12/input");
    }
}
