//! What a manifest may ask for on this server: at most what its operator allows. Asked at publish alone, so that a version runs
//! everywhere, and in every replay, under the very limits that its publisher signed.

use clawos_api::FieldError;
use clawos_manifest::Limits;

use crate::RegistryError;

/// Refuses limits above `most`.
///
/// # Errors
/// [`RegistryError::Manifest`], with each limit that is too high.
pub(crate) fn check(asked: &Limits, most: &Limits) -> Result<(), RegistryError> {
    let limits = [
        ("fuel", asked.fuel, most.fuel),
        ("memory_mib", asked.memory_mib.into(), most.memory_mib.into()),
        ("wall_ms", asked.wall_ms.into(), most.wall_ms.into()),
        ("output_kib", asked.output_kib.into(), most.output_kib.into()),
    ];
    let too_high = limits.iter().filter(|(_, asked, most)| asked > most);
    let errors: Vec<_> = too_high
        .map(|(name, asked, most)| FieldError {
            pointer: format!("/manifest/limits/{name}"),
            detail: format!("is {asked}, and this server takes at most {most} (write a lower one under [limits])"),
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(RegistryError::Manifest(errors)) }
}
