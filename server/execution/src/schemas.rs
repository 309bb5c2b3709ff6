//! Compiled JSON Schemas of endpoints. Compiling one takes longer than many calls, and a version never changes.

use std::sync::Arc;

use bytes::Bytes;
use clawos_api::FieldError;
use clawos_manifest::{EndpointSchemas, Violation};
use clawos_registry::SkillVersion;
use moka::future::Cache;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::{block_in_place, spawn_blocking};

use crate::error::ExecutionError;

/// Endpoints kept, at most.
const MAX_ENDPOINTS: u64 = 10_000;
/// Checks that may take more work than this (about a millisecond) run beside the server's own threads.
const QUICK_WORK: u64 = 100_000;
/// Payloads checked beside them at a time; a check takes tens of milliseconds at the very worst, so others just wait.
const CHECKS_AT_A_TIME: usize = 4;

/// The schemas in use.
#[derive(Debug)]
pub(crate) struct Schemas {
    compiled: Cache<(String, String), Arc<CompiledSchemas>>,
    checks: Semaphore,
}

/// Both schemas of an endpoint.
#[derive(Debug)]
pub(crate) struct CompiledSchemas(EndpointSchemas);

impl CompiledSchemas {
    /// Whether the answer's bytes fit the output schema.
    pub(crate) fn validate_output(&self, output: &[u8]) -> Result<(), Vec<Violation>> {
        let threads = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        if self.0.output.most_work(output.len()) > QUICK_WORK && threads {
            return block_in_place(|| self.0.validate_output(output));
        }
        self.0.validate_output(output)
    }
}

impl Schemas {
    pub(crate) fn new() -> Schemas {
        Schemas { compiled: Cache::new(MAX_ENDPOINTS), checks: Semaphore::new(CHECKS_AT_A_TIME) }
    }

    /// The schemas of an endpoint.
    ///
    /// # Errors
    /// [`ExecutionError::EndpointNotFound`].
    pub(crate) async fn of(
        &self,
        version: &SkillVersion,
        endpoint: &str,
    ) -> Result<Arc<CompiledSchemas>, ExecutionError> {
        let key = (version.version_id.clone(), endpoint.to_owned());
        if let Some(found) = self.compiled.get(&key).await {
            return Ok(found);
        }
        let manifest = version.manifest.endpoint(endpoint).ok_or_else(|| {
            let names: Vec<&str> = version.manifest.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
            ExecutionError::EndpointNotFound(names.join(", "))
        })?;
        let (input, output) = (manifest.input.clone(), manifest.output.clone());
        let compiled = spawn_blocking(move || EndpointSchemas::compile(&input, &output)).await;
        let schemas = compiled.map_err(ExecutionError::internal)?.map_err(ExecutionError::internal)?;
        let schemas = Arc::new(CompiledSchemas(schemas));
        self.compiled.insert(key, Arc::clone(&schemas)).await;
        Ok(schemas)
    }

    /// Checks the payload's bytes against the input schema.
    ///
    /// # Errors
    /// [`ExecutionError::PayloadInvalid`], with a pointer per violation.
    pub(crate) async fn check_payload(
        &self,
        schemas: &Arc<CompiledSchemas>,
        payload: &Bytes,
    ) -> Result<(), ExecutionError> {
        if schemas.0.input.most_work(payload.len()) <= QUICK_WORK {
            return schemas.0.validate_payload(payload).map_err(payload_invalid);
        }
        let _permit = self.checks.acquire().await.map_err(ExecutionError::internal)?;
        let (schemas, payload) = (Arc::clone(schemas), payload.clone());
        let checked = spawn_blocking(move || schemas.0.validate_payload(&payload)).await;
        checked.map_err(ExecutionError::internal)?.map_err(payload_invalid)
    }
}

fn payload_invalid(violations: Vec<Violation>) -> ExecutionError {
    let field = |violation: Violation| FieldError {
        pointer: format!("/payload{}", violation.pointer),
        detail: violation.detail,
    };
    ExecutionError::PayloadInvalid(violations.into_iter().map(field).collect())
}
