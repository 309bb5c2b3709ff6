//! The chain as identity needs it: a challenge names the network it is for.

use async_trait::async_trait;
use clawos_base::Cause;
use clawos_interface::Key;

/// Knows the network this server belongs to. Licensing implements it.
#[async_trait]
pub trait ChainIdentity: Send + Sync {
    /// The genesis hash of the network, from memory once it is known.
    ///
    /// # Errors
    /// [`GenesisError::Unavailable`] while the chain cannot be read or is another network than the database knows;
    /// [`GenesisError::Database`] when the database that remembers it fails; [`GenesisError::Internal`] for everything else.
    async fn genesis(&self) -> Result<Key, GenesisError>;
}

/// The network is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// The chain has to be asked first, and cannot be.
    #[error("The chain cannot be read now; try again shortly.")]
    Unavailable(#[source] Cause),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something else failed.
    #[error(transparent)]
    Internal(Cause),
}
