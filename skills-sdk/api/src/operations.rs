//! Whether a server is alive, whether it is ready, and what it runs.

use serde::{Deserialize, Serialize};

/// The process answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok`
    pub status: String,
}

/// Whether each thing this server needs is there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether requests can be served: database and storage are there, and the network is known.
    pub ready: bool,
    /// Whether the database answers.
    pub database: bool,
    /// Whether artifacts can be written.
    pub storage: bool,
    /// Whether this server knows which network it belongs to, which it learns from the chain at its first start. Until then
    /// nobody can enrol or call. False, too, when the RPC endpoint is another network's than the database's.
    pub network: bool,
    /// False while the RPC endpoint is down; calls then go on under licences that are known, for the grace period.
    pub chain: bool,
}

/// What is running.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    /// `clawos-server`
    pub name: String,
    /// Its version, as SemVer.
    pub version: String,
    /// The sandbox engine and its price list, as receipts name it.
    pub runtime: String,
}
