//! Skills and their versions: publish, search, show, download.
//!
//! A version is immutable and signed by its publisher. What a module may do is read off its imports, never off a text; what
//! the manifest's examples promise is run before anyone can buy it.
//!
//! | module | owns |
//! | --- | --- |
//! | `upload`, `upload_permits` | what is sent to be published, and how much of it is in memory at a time |
//! | `publish` | the order of a publish: check, try, store |
//! | `candidate` | an upload judged by itself: manifest, publisher, signature |
//! | `host_limits` | what a manifest may ask for on this server |
//! | `trial`, `examples` | the module in the sandbox: compiled, its imports compared, its examples run |
//! | `publication` | what a publish writes, and whether there is room for it (`quota`) |
//! | `resolve`, `search`, `show`, `versions` | reading |
//! | `artifacts` | whether the modules that the database lists are in the store |
//! | `listings` | the port through which the chain is asked about a skill |

mod artifacts;
mod candidate;
mod error;
mod examples;
mod host_limits;
mod limits;
mod listings;
mod publication;
mod publish;
mod quota;
mod resolve;
mod rows;
mod search;
mod show;
mod store;
mod trial;
mod upload;
mod upload_permits;
mod versions;

pub use artifacts::ArtifactsError;
pub use error::RegistryError;
pub use listings::ChainListings;
pub use publish::PUBLISH_TIMEOUT;
pub use resolve::SkillVersion;
pub use upload::{Upload, UploadParts};
pub use upload_permits::UploadPermit;

use std::fmt;
use std::sync::Arc;

use clawos_base::{Clock, Database};
use clawos_manifest::Limits;
use clawos_runtime::Sandbox;
use clawos_storage::{ArtifactStore, Staging};

use resolve::VersionCache;
use upload_permits::UploadPermits;

/// What the registry is built on.
pub struct RegistryPorts {
    /// The database.
    pub db: Database,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Published modules.
    pub storage: Arc<dyn ArtifactStore>,
    /// Modules under check; the sandbox reads them from here.
    pub staging: Staging,
    /// Where modules are tried.
    pub sandbox: Arc<dyn Sandbox>,
    /// What the chain says of skills.
    pub listings: Arc<dyn ChainListings>,
    /// The most that a manifest may ask for.
    pub max_limits: Limits,
}

/// The skills of this server.
pub struct Registry {
    ports: RegistryPorts,
    versions: VersionCache,
    uploads: Arc<UploadPermits>,
}

impl Registry {
    /// With an empty cache and no upload on its way.
    pub fn new(ports: RegistryPorts) -> Registry {
        Registry { ports, versions: VersionCache::default(), uploads: Arc::default() }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
