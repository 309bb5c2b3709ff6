//! The certificate of the key that signs receipts: by the meter, for a time. A receipt outside of that time cannot be billed, so
//! the certificate is renewed long before its end, and without one that is good nothing is called.

use std::sync::{PoisonError, RwLock};

use clawos_base::audit::{self, SERVER};
use clawos_interface::{Key, PROGRAM_ID};
use clawos_receipts::statement::{CertifiedKey, KeyCertificate, PublishedKey};
use clawos_receipts::text::to_base58;
use tokio::sync::Mutex;

use crate::{Licensing, LicensingError, keys, store};

/// How long a new certificate is good (milliseconds): two years, so that a receipt key is rotated now and then.
const CERTIFICATE_MS: i64 = 2 * 365 * 86_400_000;
/// A certificate that ends sooner than this is replaced (milliseconds): 90 days.
const RENEW_BEFORE_MS: i64 = 90 * 86_400_000;
/// A certificate begins this much earlier (milliseconds), for clocks that are behind.
const BACKDATE_MS: i64 = 300_000;
/// A call begins only while its certificate is good for at least this long (milliseconds): longer than the longest call.
const CALL_MS: i64 = 300_000;

/// The certificate that this process signs receipts under.
#[derive(Debug, Default)]
pub(crate) struct Certificate {
    present: RwLock<Option<CertifiedKey>>,
    /// Held by whoever makes the next one.
    renewing: Mutex<()>,
}

impl Certificate {
    /// The present one, if it is good from `now_ms` on for `spare_ms`.
    fn good(&self, now_ms: i64, spare_ms: i64) -> Option<CertifiedKey> {
        let present = *self.present.read().unwrap_or_else(PoisonError::into_inner);
        present.filter(|held| held.from_ms <= now_ms && held.to_ms > now_ms.saturating_add(spare_ms))
    }

    fn replace(&self, next: CertifiedKey) {
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}

/// Receipt keys that are certified on this network.
#[derive(Debug, Default)]
pub struct KeysByMeter {
    /// By this server's meter.
    pub ours: Vec<CertifiedKey>,
    /// By another one: of another server, or this server's before.
    pub others: Vec<PublishedKey>,
}

impl Licensing {
    /// The key that signs the receipt of a call that begins now.
    ///
    /// # Errors
    /// [`LicensingError::NotCertified`] when its certificate has ended and cannot be renewed; when the network is unknown.
    pub async fn certified_key(&self) -> Result<CertifiedKey, LicensingError> {
        if let Some(good) = self.certificate.good(self.clock.now_ms(), CALL_MS) {
            return Ok(good);
        }
        self.network().await?;
        // The worker should have done it long ago.
        self.renew_certificate().await.map_err(|error| LicensingError::NotCertified(Box::new(error)))?;
        let good = self.certificate.good(self.clock.now_ms(), CALL_MS);
        good.ok_or_else(|| LicensingError::Internal("a new certificate is good for two years".into()))
    }

    /// Replaces the certificate when it ends within 90 days. To be called now and then; mostly it does nothing.
    ///
    /// # Errors
    /// When the network is unknown, or the database fails.
    pub async fn renew_certificate(&self) -> Result<(), LicensingError> {
        let genesis = self.network().await?.genesis;
        let _alone = self.certificate.renewing.lock().await;
        if self.certificate.good(self.clock.now_ms(), RENEW_BEFORE_MS).is_none() {
            self.certificate.replace(self.certify(genesis).await?);
        }
        Ok(())
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
        for published in self.receipt_keys().await? {
            let PublishedKey { certified, meter: by } = published;
            let statement = certified.statement(network.genesis, network.program);
            match statement.verify(&by, &certified.certificate).is_ok() {
                true if by == meter => keys.ours.push(certified),
                true => keys.others.push(published),
                false => {}
            }
        }
        Ok(keys)
    }

    /// Every certificate of a receipt key that there ever was, by whichever meter, the present one first: licences keep
    /// the meter they were bought under, and their receipts have to stay verifiable.
    pub(crate) async fn receipt_keys(&self) -> Result<Vec<PublishedKey>, LicensingError> {
        let present = match self.certified_key().await {
            Ok(certified) => Some(PublishedKey { certified, meter: self.meter() }),
            // What was signed before its end is as good as ever.
            Err(LicensingError::NotCertified(_)) => None,
            Err(error) => return Err(error),
        };
        let stored = store::receipt_keys(&self.db).await?;
        let older = stored.into_iter().filter(|stored| Some(stored) != present.as_ref());
        Ok(present.into_iter().chain(older).collect())
    }
}
