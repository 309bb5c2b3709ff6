//! What a publish writes: the version, and the listing as it is after it.

use clawos_api::Timestamp;
use clawos_api::registry::{PublishReport, SkillSummary, VersionView};
use clawos_base::audit;
use clawos_identity::{Caller, lock_agent};
use clawos_interface::{pda, skill_id};
use clawos_manifest::Prices;
use clawos_receipts::text::to_base58;
use sqlx::AnyConnection;

use crate::candidate::Candidate;
use crate::rows::{SkillRow, VersionRow};
use crate::{RegistryError, Upload, quota, search, store};

/// A publish: who sends what.
pub(crate) struct Publication<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) upload: &'a Upload,
    pub(crate) candidate: &'a Candidate,
    /// Whether the skill is new, too.
    pub(crate) is_new: bool,
}

impl Publication<'_> {
    /// The listing that this publish changes. Refuses what exists already, and what is too much for a day. Asked before the
    /// work of compiling, and again when what is asked about can no longer change.
    pub(crate) async fn check_room(
        &self,
        connection: &mut AnyConnection,
        now: i64,
    ) -> Result<Option<SkillRow>, RegistryError> {
        let skill = &self.candidate.manifest.skill;
        let held = store::skill(connection, &skill.id).await?;
        if held.is_some() && self.is_new {
            return Err(RegistryError::SkillExists(skill.id.clone()));
        }
        if store::version(connection, &skill.id, &skill.version).await?.is_some() {
            return Err(RegistryError::VersionExists);
        }
        quota::check(connection, &self.caller.agent_id, self.upload.parts.artifact.len(), now).await?;
        Ok(held)
    }

    /// Adds the version and brings the listing up to date. Publishes of one agent take turns here, so that each sees what
    /// the one before it wrote.
    pub(crate) async fn record(&self, tx: &mut AnyConnection, version: &VersionRow) -> Result<(), RegistryError> {
        lock_agent(tx, &self.caller.agent_id).await?;
        let now = version.view.created_at.0;
        let earlier = self.check_room(tx, now).await?;
        store::put_skill(tx, &self.listing(earlier, Timestamp(now))).await?;
        store::insert_version(tx, version).await?;
        let action = if self.is_new { "skill.publish" } else { "version.publish" };
        let target = format!("{}@{}", version.skill_id, version.view.version);
        audit::append(tx, now, &self.caller.agent_id, action, &target, &version.view.module_sha256).await?;
        Ok(())
    }

    /// The version to store.
    pub(crate) fn version(&self, signature: String, report: &PublishReport, now: i64) -> VersionRow {
        let view = VersionView {
            id: clawos_receipts::new_id("ver"),
            version: report.version.clone(),
            module_sha256: report.module_sha256.clone(),
            manifest_sha256: report.manifest_sha256.clone(),
            signature,
            publisher_wallet: to_base58(&self.caller.wallet),
            size: report.size,
            created_at: Timestamp(now),
        };
        VersionRow {
            view,
            skill_id: report.skill.clone(),
            manifest: self.candidate.manifest_json.clone(),
            readme: self.upload.parts.readme.clone(),
            permissions: report.permissions.clone(),
        }
    }

    /// The listing as it is after this publish. An older number than the newest published one (a fix of an old line)
    /// leaves the newest as it is.
    fn listing(&self, earlier: Option<SkillRow>, now: Timestamp) -> SkillRow {
        let manifest = &self.candidate.manifest;
        let skill = &manifest.skill;
        let created_at = match earlier {
            Some(mut held) if !is_newer(&skill.version, &held.summary.latest_version) => {
                held.summary.updated_at = now;
                return held;
            }
            Some(held) => held.summary.created_at,
            None => now,
        };
        let category = serde_json::to_value(skill.category).ok().and_then(|value| value.as_str().map(str::to_owned));
        SkillRow {
            summary: SkillSummary {
                id: skill.id.clone(),
                publisher: self.caller.handle.to_string(),
                summary: skill.summary.clone(),
                category: category.unwrap_or_default(),
                tags: skill.tags.iter().cloned().collect(),
                latest_version: skill.version.clone(),
                kinds: manifest.prices.as_ref().map(Prices::kinds).unwrap_or_default(),
                prices: manifest.prices.clone(),
                created_at,
                updated_at: now,
            },
            publisher_id: self.caller.agent_id.to_string(),
            publisher_wallet: to_base58(&self.caller.wallet),
            account: to_base58(&pda::skill(&self.caller.wallet, &skill_id(&skill.id)).0),
            description: skill.description.clone(),
            licence: skill.license.clone(),
            search_text: search::search_text(skill),
        }
    }

    /// What is allowed but probably not meant.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let manifest = &self.candidate.manifest;
        let mut warnings = Vec::new();
        for endpoint in manifest.endpoints.iter().filter(|endpoint| endpoint.examples.is_empty()) {
            warnings.push(format!("the endpoint `{}` has no example: buyers cannot see that it works", endpoint.name));
        }
        if manifest.prices.is_none() {
            warnings.push("there is no [pricing]: the skill is free".to_owned());
        }
        if self.upload.parts.readme.is_none() {
            warnings.push("there is no README".to_owned());
        }
        warnings
    }
}

/// A release is newer than every pre-release, so that a beta never becomes what buyers get by default.
fn is_newer(version: &str, than: &str) -> bool {
    match (semver::Version::parse(version), semver::Version::parse(than)) {
        (Ok(version), Ok(than)) => (version.pre.is_empty(), &version) > (than.pre.is_empty(), &than),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn releases_are_newer_than_older_ones_and_than_any_beta() {
        assert!(is_newer("1.10.0", "1.9.9"));
        assert!(!is_newer("1.9.9", "1.10.0"));
        assert!(is_newer("1.0.0", "2.0.0-beta.1"));
        assert!(!is_newer("2.0.0-beta.1", "1.0.0"));
        assert!(is_newer("2.0.0-beta.2", "2.0.0-beta.1"));
    }
}
