//! Which network this server belongs to, and the certificate its receipt key has there.

use async_trait::async_trait;
use clawos_base::audit::{self, SERVER};
use clawos_identity::{ChainIdentity, GenesisError};
use clawos_interface::{Key, PROGRAM_ID};
use clawos_receipts::statement::{CertifiedKey, KeyCertificate, PublishedKey};
use clawos_receipts::text::to_base58;

use crate::chain::{ChainError, other_network};
use crate::{Licensing, LicensingError, OpenError, keys, store};

/// How long a new certificate is good (milliseconds): two years, so that a receipt key is rotated now and then.
const CERTIFICATE_MS: i64 = 2 * 365 * 86_400_000;
/// A certificate that ends sooner than this is replaced at start (milliseconds): 90 days.
const RENEW_BEFORE_MS: i64 = 90 * 86_400_000;
/// A certificate begins this much earlier (milliseconds), for clocks that are behind.
const BACKDATE_MS: i64 = 300_000;

/// The network a receipt names, and the key that signs receipts there.
#[derive(Debug, Clone)]
pub struct Network {
    /// Genesis hash.
    pub genesis: Key,
    /// The marketplace program.
    pub program: Key,
    /// The receipt key with the meter's certificate.
    pub receipt_key: CertifiedKey,
}

/// Receipt keys that are certified on this network.
#[derive(Debug, Default)]
pub struct KeysByMeter {
    /// By this server's meter.
    pub ours: Vec<CertifiedKey>,
    /// By another one: of another server, or this server's before.
    pub others: Vec<CertifiedKey>,
}

impl Licensing {
    /// The network. Asked of the chain once; afterwards, and after a restart, known without it.
    ///
    /// # Errors
    /// When it was never reached, or is another one than the database knows.
    pub async fn network(&self) -> Result<&Network, LicensingError> {
        self.network.get_or_try_init(|| self.join_network()).await
    }

    /// Learns the network, or sees that it is the known one, when the server starts.
    ///
    /// # Errors
    /// [`OpenError::OtherNetwork`]; [`OpenError::Database`]. A chain that cannot be asked yet is no error.
    pub(crate) async fn meet_network(&self) -> Result<(), OpenError> {
        match self.network().await {
            Ok(_) => Ok(()),
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
        Ok(Network { genesis, program: PROGRAM_ID, receipt_key: self.certify(genesis).await? })
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

    /// The stored certificate of the receipt key by the present meter, or a new one.
    async fn certify(&self, genesis: Key) -> Result<CertifiedKey, LicensingError> {
        let (meter, key, now) = (self.meter(), keys::public(&self.receipt_key), self.clock.now_ms());
        let held = store::receipt_keys(&self.db).await?;
        let good = |stored: &&PublishedKey| {
            let CertifiedKey { key: of, from_ms, to_ms, .. } = stored.certified;
            stored.meter == meter && of == key && from_ms <= now && to_ms > now + RENEW_BEFORE_MS
        };
        if let Some(stored) = held.iter().find(good) {
            return Ok(stored.certified);
        }
        let certificate = KeyCertificate {
            genesis,
            program: PROGRAM_ID,
            key,
            from_ms: now - BACKDATE_MS,
            to_ms: now + CERTIFICATE_MS,
        };
        let certified = certificate.sign(&self.meter);
        let mut tx = self.db.write().await?;
        if store::add_receipt_key(&mut tx, &PublishedKey { certified, meter }).await? {
            let (key, by) = (to_base58(&key), format!("by {}", to_base58(&meter)));
            audit::append(&mut tx, now, SERVER, "receipt_key.certify", &key, &by).await?;
        }
        tx.commit().await?;
        Ok(certified)
    }

    /// The receipt keys that this server's meter certified, whose receipts it settles, and those that another meter did,
    /// whose receipts it leaves to that one.
    ///
    /// # Errors
    /// When the network is unknown, or the database fails.
    pub async fn certified_keys(&self) -> Result<KeysByMeter, LicensingError> {
        let (network, meter) = (self.network().await?, self.meter());
        let mut keys = KeysByMeter::default();
        for PublishedKey { certified, meter: by } in self.receipt_keys().await? {
            let statement = certified.statement(network.genesis, network.program);
            match statement.verify(&by, &certified.certificate).is_ok() {
                true if by == meter => keys.ours.push(certified),
                true => keys.others.push(certified),
                false => {}
            }
        }
        Ok(keys)
    }

    /// Every certificate of a receipt key that there ever was, by whichever meter, the present one first: licences keep
    /// the meter they were bought under, and their receipts have to stay verifiable.
    pub(crate) async fn receipt_keys(&self) -> Result<Vec<PublishedKey>, LicensingError> {
        let present = PublishedKey { certified: self.network().await?.receipt_key, meter: self.meter() };
        let stored = store::receipt_keys(&self.db).await?;
        let older = stored.into_iter().filter(|stored| *stored != present);
        Ok(std::iter::once(present).chain(older).collect())
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
