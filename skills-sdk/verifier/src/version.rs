//! The version that ran: the publisher signed exactly that module and manifest, and the call kept to the manifest.

use clawos_interface::{Key, pda, skill_id};
use clawos_manifest::ResolvedManifest;
use clawos_manifest::source::Permissions;
use clawos_receipts::statement::VersionStatement;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Receipt, Signature, canonical_json, sha256};
use clawos_runtime::Limits;
use serde_json::Value;

use crate::account::shown;
use crate::receipt::OnChain;
use crate::report::{Finding, Report, equal};

/// What a publisher signed about the version that ran.
#[derive(Debug, Clone)]
pub struct SignedVersion {
    /// Skill, version, module and manifest.
    pub statement: VersionStatement,
    /// Who is said to have signed it.
    pub publisher: Key,
    /// The publisher's signature of it.
    pub signature: Signature,
    /// The resolved manifest, with every member it has.
    pub manifest: Value,
}

/// The manifest that the receipt names by its hash.
///
/// Errors with why `manifest` is not that one, or why it cannot be read here.
pub fn manifest_of(receipt: &Receipt, manifest: &Value) -> Result<ResolvedManifest, String> {
    let canonical = canonical_json(manifest).map_err(|error| error.to_string())?;
    equal("the manifest's SHA-256", to_hex(&sha256(canonical.as_bytes())), to_hex(&receipt.manifest_sha256))?;
    serde_json::from_value(manifest.clone())
        .map_err(|error| format!("the manifest is not one that this version can read: {error}"))
}

/// Both checks, where there is evidence.
pub(crate) fn check(
    receipt: &Receipt,
    version: Option<&SignedVersion>,
    manifest: Option<&Result<ResolvedManifest, String>>,
    chain: &OnChain,
    report: &mut Report,
) {
    let (Some(version), Some(manifest)) = (version, manifest) else {
        report.skip("publisher", "needs the publisher's signature of the version");
        return report.skip("manifest", "needs the version's manifest");
    };
    match published(receipt, version, chain) {
        Ok(signed) if chain.skill.is_none() => {
            report.skip("publisher", format!("{signed}; only the server names this publisher"));
        }
        finding => report.add("publisher", finding),
    }
    report.add("manifest", manifest.as_ref().map_err(Clone::clone).and_then(|manifest| kept(receipt, manifest)));
}

fn published(receipt: &Receipt, version: &SignedVersion, chain: &OnChain) -> Finding {
    let SignedVersion { statement, publisher, signature, .. } = version;
    equal("the signed skill", &statement.skill, &receipt.skill)?;
    equal("the signed version", &statement.version, &receipt.version)?;
    equal("the signed module", to_hex(&statement.module_sha256), to_hex(&receipt.module_sha256))?;
    equal("the signed manifest", to_hex(&statement.manifest_sha256), to_hex(&receipt.manifest_sha256))?;
    statement.verify(publisher, signature).map_err(|error| error.to_string())?;
    // A skill's creator goes on publishing it after he passed its sale on to another seller.
    let creates = match (&chain.skill, &chain.licence) {
        (Some(skill), _) => *publisher == skill.creator,
        (None, Some(licence)) => pda::skill(publisher, &skill_id(&receipt.skill)).0 == licence.skill,
        (None, None) => false,
    };
    if !creates {
        equal("the publisher", shown(publisher), shown(&receipt.seller))?;
        if chain.skill.as_ref().is_some_and(|skill| *publisher != skill.seller) {
            return Err(format!(
                "{} signed, who is neither creator nor seller of the skill on chain",
                shown(publisher)
            ));
        }
    }
    let (module, manifest) = (to_hex(&receipt.module_sha256), to_hex(&receipt.manifest_sha256));
    Ok(format!("module {module} and manifest {manifest} signed by {}", shown(publisher)))
}

/// The call ran as the manifest says.
fn kept(receipt: &Receipt, manifest: &ResolvedManifest) -> Finding {
    equal("the manifest's skill", &manifest.skill.id, &receipt.skill)?;
    equal("the manifest's version", &manifest.skill.version, &receipt.version)?;
    if manifest.endpoint(&receipt.endpoint).is_none() {
        return Err(format!("the manifest has no endpoint {}", receipt.endpoint));
    }
    let limits = Limits::from(&manifest.limits);
    equal("the fuel limit", receipt.limits.fuel, limits.fuel)?;
    equal("the memory limit", receipt.limits.memory, limits.memory_bytes)?;
    equal("the output limit", receipt.limits.output, limits.output_bytes)?;
    if receipt.exchanges_sha256.is_some() && !reaches_outside(manifest) {
        return Err("the call learned something from outside, and the manifest permits nothing there".to_owned());
    }
    Ok(format!(
        "limits of {} fuel, {} bytes of memory and {} of output are the manifest's",
        limits.fuel, limits.memory_bytes, limits.output_bytes
    ))
}

/// Whether a call may depend on something outside: nothing else keeps it from being derived from its receipt.
pub(crate) fn reaches_outside(manifest: &ResolvedManifest) -> bool {
    manifest.permissions != Permissions::default()
}
