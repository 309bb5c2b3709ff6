//! Which network this server belongs to.

use async_trait::async_trait;
use clawos_base::audit::{self, SERVER};
use clawos_identity::{ChainIdentity, GenesisError};
use clawos_interface::{Key, PROGRAM_ID};
use clawos_receipts::text::to_base58;

use crate::chain::{ChainError, other_network};
use crate::{Licensing, LicensingError, OpenError, store};

/// The network a receipt names.
#[derive(Debug, Clone)]
pub struct Network {
    /// Genesis hash.
    pub genesis: Key,
    /// The marketplace program.
    pub program: Key,
}

impl Licensing {
    /// The network. Asked of the chain once; afterwards, and after a restart, known without it.
    ///
    /// # Errors
    /// When it was never reached, or is another one than the database knows.
    pub async fn network(&self) -> Result<&Network, LicensingError> {
        self.network.get_or_try_init(|| self.join_network()).await
    }

    /// Learns the network, or sees that it is the known one, and certifies the receipt key on it, when the server starts.
    ///
    /// # Errors
    /// [`OpenError::OtherNetwork`]; [`OpenError::Database`]. A chain that cannot be asked yet is no error.
    pub(crate) async fn meet_network(&self) -> Result<(), OpenError> {
        match self.renew_certificate().await {
            Ok(()) => Ok(()),
            Err(LicensingError::Chain(error @ ChainError::OtherNetwork { .. })) => Err(OpenError::OtherNetwork(error)),
            Err(LicensingError::Database(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "the network is not known yet, so nobody can enrol or call until the chain is reached");
                Ok(())
            }
        }
    }

    /// Asks the chain whether it is the network this database belongs to: before anything of the database is sent to it.
    ///
    /// # Errors
    /// When it is another one, or cannot be asked.
    pub async fn check_network(&self) -> Result<(), LicensingError> {
        let (found, known) = (self.chain.genesis().await?, self.network().await?.genesis);
        if found == known { Ok(()) } else { Err(other_network(&found, &known).into()) }
    }

    /// Whether the chain can be read now.
    pub async fn reachable(&self) -> bool {
        self.chain.block_height().await.is_ok()
    }

    async fn join_network(&self) -> Result<Network, LicensingError> {
        let known = store::network(&self.db).await?;
        let genesis = match (self.chain.genesis().await, known) {
            (Ok(found), Some(known)) if found != known => {
                return Err(other_network(&found, &known).into());
            }
            (Ok(found), Some(_)) => found,
            (Ok(found), None) => self.bind_database(found).await?,
            (Err(_), Some(known)) => known,
            (Err(error), None) => return Err(error.into()),
        };
        self.chain.belong_to(genesis);
        Ok(Network { genesis, program: PROGRAM_ID })
    }

    /// Binds the database to the network it was first used on, unless another server just did; the one that counts.
    async fn bind_database(&self, found: Key) -> Result<Key, LicensingError> {
        let mut tx = self.db.write().await?;
        if store::join_network(&mut tx, &found, &PROGRAM_ID).await? {
            let (genesis, program) = (to_base58(&found), to_base58(&PROGRAM_ID));
            audit::append(&mut tx, self.clock.now_ms(), SERVER, "network.join", &genesis, &program).await?;
        }
        tx.commit().await?;
        Ok(store::network(&self.db).await?.unwrap_or(found))
    }
}

#[async_trait]
impl ChainIdentity for Licensing {
    async fn genesis(&self) -> Result<Key, GenesisError> {
        let known = self.network().await.map(|network| network.genesis);
        known.map_err(|error| match error {
            LicensingError::Database(error) => GenesisError::Database(error),
            error if error.is_chain_unavailable() => GenesisError::Unavailable(error.into()),
            error => GenesisError::Internal(error.into()),
        })
    }
}
