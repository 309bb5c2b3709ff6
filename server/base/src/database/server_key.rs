//! That all servers on one database have one server key: what one of them stores encrypted, the others have to open.

use super::{Database, DatabaseError, store};
use crate::vault::Vault;

/// What the sealed text is bound to.
const PLACE: &str = "server_keys/1";

impl Database {
    /// Compares the key of `vault` with that of the server that came first.
    pub async fn check_server_key(&self, vault: &Vault) -> Result<(), DatabaseError> {
        let own = vault.seal(PLACE, &[]).map_err(|_| DatabaseError::ServerKey)?;
        let first = store::server_key_seal(&self.pool, own).await?;
        vault.open(PLACE, &first).map(drop).map_err(|_| DatabaseError::ServerKey)
    }
}
