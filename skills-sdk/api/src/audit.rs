//! The audit log as its subjects read it.

#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// One entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Who did it: `agt_…`, or `settlement`.
    pub actor: String,
    /// Its place in the actor's chain, from 1.
    pub n: i64,
    /// When.
    pub at: Timestamp,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what.
    pub target: String,
    /// A few words more.
    pub detail: String,
    /// The request that did it; empty when none did.
    pub request_id: String,
    /// The hash of the entry before it; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over `prev_hash` and the entry.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Sha256))]
    pub hash: String,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ListQuery {
    /// 1 to 100; 20 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}
