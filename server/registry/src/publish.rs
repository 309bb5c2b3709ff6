//! Publishing a skill or a version of one, or trying to.

use std::time::Duration;

use clawos_api::registry::PublishReport;
use clawos_base::idempotency::{AnswerSlot, StoredAnswer};
use clawos_base::{Failpoint, database};
use clawos_identity::Caller;
use clawos_manifest::names;
use clawos_receipts::text::to_hex;

use crate::candidate::Candidate;
use crate::limits::MAX_UPLOADS;
use crate::publication::Publication;
use crate::trial::Trial;
use crate::{Registry, RegistryError, Upload, host_limits, store};

/// A publish takes less: one module is compiled at a time, for up to two minutes, after those of the other uploads; then
/// examples take one minute, and one is spare.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(MAX_UPLOADS as u64 * 120 + 120);

impl Registry {
    /// Publishes what the caller sent: a new skill, or a version of the skill `target`. A dry run checks everything but the
    /// signature and stores nothing but its answer. The cheap checks come first; the module is compiled only for a
    /// publisher who signed it.
    ///
    /// # Errors
    /// [`RegistryError`]; nothing is stored then.
    pub async fn publish(
        &self,
        caller: &Caller,
        target: Option<&str>,
        upload: &Upload,
        dry_run: bool,
        slot: &AnswerSlot,
    ) -> Result<StoredAnswer, RegistryError> {
        if let Some(id) = target {
            self.check_target(caller, id).await?;
        }
        let candidate = read(caller, target, upload).await?;
        if target.is_none() {
            // Else the request's path has named it.
            tracing::Span::current().record("skill", &*candidate.manifest.skill.id);
        }
        host_limits::check(&candidate.manifest.limits, &self.ports.max_limits)?;
        let kind = candidate.manifest.runtime.kind;
        if self.ports.sandbox.engine(kind).is_none() {
            return Err(RegistryError::UnsupportedKind(kind));
        }
        let publication = Publication { caller, upload, candidate: &candidate, is_new: target.is_none() };
        publication.check_room(&mut *self.ports.db.acquire().await?, self.ports.clock.now_ms()).await?;
        let signature = match dry_run {
            true => None,
            false => Some(candidate.check_signature(upload, caller)?),
        };
        let trial = self.try_out(&candidate, upload).await?;
        let report = self.report(&publication, trial).await;
        match signature {
            Some(signature) => self.store(&publication, signature, report, slot).await,
            None => Ok(slot.store(&mut *self.ports.db.acquire().await?, &report).await?),
        }
    }

    /// A version goes to a skill that exists and is the caller's.
    async fn check_target(&self, caller: &Caller, id: &str) -> Result<(), RegistryError> {
        let held = store::skill(&mut *self.ports.db.acquire().await?, id).await?.ok_or(RegistryError::SkillNotFound)?;
        if held.publisher_id == *caller.agent_id && names::publisher_of(id) == Some(&*caller.handle) {
            return Ok(());
        }
        Err(RegistryError::NotPublisher { publisher: held.summary.publisher, id: id.to_owned() })
    }

    async fn report(&self, publication: &Publication<'_>, trial: Trial) -> PublishReport {
        let Publication { caller, upload, candidate, .. } = publication;
        let skill = &candidate.manifest.skill;
        PublishReport {
            skill: skill.id.clone(),
            version: skill.version.clone(),
            version_id: None,
            module_sha256: to_hex(&upload.module_sha256),
            manifest_sha256: to_hex(&candidate.manifest_sha256),
            size: trial.info.size,
            permissions: trial.info.imports.into_iter().collect(),
            examples: trial.examples,
            warnings: publication.warnings(),
            // Publishing does not need the chain; when it cannot be read nothing is known.
            registered: self.ports.listings.is_registered(&caller.wallet, &skill.id).await.unwrap_or(false),
        }
    }

    /// Stores the version, its artifact and the answer: all of them or none.
    async fn store(
        &self,
        publication: &Publication<'_>,
        signature: String,
        report: PublishReport,
        slot: &AnswerSlot,
    ) -> Result<StoredAnswer, RegistryError> {
        Failpoint::PublishTried.reach();
        let version = publication.version(signature, &report, self.ports.clock.now_ms());
        let report = PublishReport { version_id: Some(version.view.id.clone()), ..report };
        let upload = publication.upload;
        // Written before the transaction, which must not wait for so much, and named in it and last: what is refused leaves
        // no artifact, and no version is without its own.
        let artifact = self.ports.storage.write(upload.module_sha256, upload.parts.artifact.clone()).await?;
        Failpoint::PublishWritten.reach();
        let mut tx = self.ports.db.write().await?;
        publication.record(&mut tx, &version).await?;
        let answer = slot.store(&mut tx, &report).await?;
        artifact.commit().await?;
        Failpoint::PublishNamed.reach();
        database::commit(tx).await?;
        Failpoint::PublishStored.reach();
        self.versions.forget_newest(&version.skill_id).await;
        metrics::counter!("clawos_versions_published_total").increment(1);
        Ok(answer)
    }
}

/// What was sent, as far as it can be judged by itself.
async fn read(caller: &Caller, target: Option<&str>, upload: &Upload) -> Result<Candidate, RegistryError> {
    // Many examples against their schemas can take seconds, which other requests shall not wait for.
    let (sent, sender) = (upload.clone(), caller.clone());
    let read = tokio::task::spawn_blocking(move || Candidate::read(&sent, &sender)).await;
    let candidate = read.map_err(RegistryError::internal)??;
    let id = &candidate.manifest.skill.id;
    if target.is_some_and(|target| target != id) {
        return Err(RegistryError::OtherSkill(id.clone()));
    }
    Ok(candidate)
}
