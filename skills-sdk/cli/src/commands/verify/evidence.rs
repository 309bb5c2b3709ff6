//! Fetches the evidence for a receipt: accounts from the chain, then what the server publishes about them.

use clawos_client::api::receipts::{Anchor as FetchedAnchor, BatchView};
use clawos_client::api::skills::VersionView;
use clawos_client::solana::read::RawAccount;
use clawos_client::{Client, ClientError};
use clawos_interface::accounts::Licence;
use clawos_interface::{Key, pda};
use clawos_receipts::batch::Batch;
use clawos_receipts::statement::{CertifiedKey, VersionStatement};
use clawos_receipts::text::{from_base58, from_hex, to_base58};
use clawos_receipts::{Receipt, SignedReceipt};
use clawos_verifier::Account;
use clawos_verifier::batches::PublishedBatch;
use clawos_verifier::receipt::{Anchor, Evidence, SignedVersion};

use crate::context::Context;
use crate::error::{CliError, Result};

/// An account with the address and slot it was read at.
pub(super) struct Fetched {
    address: Key,
    account: RawAccount,
    slot: u64,
}

/// The evidence found; what is missing stays empty, and the report says so.
pub(super) struct Gathered {
    genesis: Key,
    keys: Vec<CertifiedKey>,
    config: Option<Fetched>,
    licence: Option<Fetched>,
    skill: Option<Fetched>,
    anchor: Option<Anchor>,
    batches: Option<Vec<PublishedBatch>>,
    version: Option<SignedVersion>,
}

impl Gathered {
    /// Fetches what there is about `receipt`. `anchor` is the one that came with it, if any.
    pub(super) async fn fetch(context: &Context, receipt: &Receipt, anchor: Option<FetchedAnchor>) -> Result<Self> {
        let genesis = context.chain().genesis().await?;
        let config = account(context, pda::config().0).await?;
        let licence = match receipt.licence {
            Some(address) => account(context, address).await?,
            None => None,
        };
        let skill_address =
            licence.as_ref().and_then(|found| Licence::decode(&found.account.data).ok()).map(|licence| licence.skill);
        let skill = match skill_address {
            Some(address) => account(context, address).await?,
            None => None,
        };
        let client = context.public()?;
        let anchor = match anchor {
            Some(anchor) => Some(anchor),
            None => fetch_anchor(context, receipt).await?,
        };
        let batches = match receipt.licence {
            Some(licence) if anchor.is_some() => Some(fetch_batches(&client, licence).await?),
            _ => None,
        };
        Ok(Self {
            genesis,
            keys: client.well_known().await?.receipt_keys.into_iter().map(|key| key.certified).collect(),
            config,
            licence,
            skill,
            anchor: anchor.as_ref().map(convert_anchor).transpose()?,
            batches,
            version: missing_is_none(client.version(&receipt.skill, &receipt.version).await)?
                .as_ref()
                .map(|found| convert_version(receipt, &found.version))
                .transpose()?,
        })
    }

    /// The evidence as the verifier takes it.
    pub(super) fn evidence<'a>(&'a self, signed: &'a SignedReceipt) -> Evidence<'a> {
        Evidence {
            genesis: self.genesis,
            signed,
            keys: &self.keys,
            config: self.config.as_ref().map(Fetched::view),
            licence: self.licence.as_ref().map(Fetched::view),
            skill: self.skill.as_ref().map(Fetched::view),
            anchor: self.anchor.as_ref(),
            batches: self.batches.as_deref(),
            version: self.version.as_ref(),
        }
    }
}

impl Fetched {
    fn view(&self) -> Account<'_> {
        Account { address: self.address, owner: self.account.owner, data: &self.account.data, slot: self.slot }
    }
}

async fn account(context: &Context, address: Key) -> Result<Option<Fetched>> {
    let found = context.chain().account(&address).await?;
    Ok(found.value.map(|account| Fetched { address, account, slot: found.slot }))
}

/// The anchor, for those who are signed in as the receipt's buyer or seller; others must have it in the file.
async fn fetch_anchor(context: &Context, receipt: &Receipt) -> Result<Option<FetchedAnchor>> {
    let client = match context.signed_in().await {
        Ok(client) => client,
        Err(CliError::NotSignedIn(_)) => {
            context.out.warn("the file has no settlement proof, which only the buyer or seller can fetch: sign in with `clawos login`, or let them save it with `clawos receipts get ID --json`");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(missing_is_none(client.receipt(&receipt.id).await)?.and_then(|answer| answer.anchor))
}

async fn fetch_batches(client: &Client, licence: Key) -> Result<Vec<PublishedBatch>> {
    let fetched = client.batches(&to_base58(&licence)).await?;
    fetched.iter().map(|batch| convert_batch(licence, batch)).collect()
}

fn missing_is_none<T>(answer: Result<T, ClientError>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn convert_batch(licence: Key, batch: &BatchView) -> Result<PublishedBatch> {
    Ok(PublishedBatch {
        batch: Batch {
            licence,
            seq: batch.seq,
            count: batch.count,
            units: batch.units,
            amount: batch.amount,
            tree_root: hash("tree_root", &batch.tree_root)?,
        },
        prev_root: hash("prev_root", &batch.prev_root)?,
        anchored_root: hash("anchored_root", &batch.anchored_root)?,
        chain_root: hash("chain_root", &batch.chain_root)?,
    })
}

fn convert_anchor(anchor: &FetchedAnchor) -> Result<Anchor> {
    Ok(Anchor {
        batch: Batch {
            licence: base58("licence", &anchor.licence)?,
            seq: anchor.seq,
            count: anchor.count,
            units: anchor.units,
            amount: anchor.amount,
            tree_root: hash("tree_root", &anchor.tree_root)?,
        },
        anchored_root: hash("anchored_root", &anchor.anchored_root)?,
        path: anchor.path.clone(),
    })
}

fn convert_version(receipt: &Receipt, version: &VersionView) -> Result<SignedVersion> {
    Ok(SignedVersion {
        statement: VersionStatement {
            skill: receipt.skill.clone(),
            version: version.version.clone(),
            module_sha256: hash("module_sha256", &version.module_sha256)?,
            manifest_sha256: hash("manifest_sha256", &version.manifest_sha256)?,
        },
        publisher: base58("publisher_wallet", &version.publisher_wallet)?,
        signature: base58("signature", &version.signature)?,
    })
}

fn hash(name: &str, text: &str) -> Result<[u8; 32]> {
    from_hex::<32>(text).map_err(|_| CliError::invalid(format!("the server's {name} is not a hash: `{text}`")))
}

fn base58<const N: usize>(name: &str, text: &str) -> Result<[u8; N]> {
    from_base58::<N>(text)
        .map_err(|_| CliError::invalid(format!("the server's {name} is not base58 of {N} bytes: `{text}`")))
}
