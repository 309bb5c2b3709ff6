//! Fetches the evidence for a receipt: accounts from the chain, then what the server publishes about them.

use clawos_client::api::receipts::{Anchor as FetchedAnchor, BatchStatus, BatchView, ProofAnswer, Settlement};
use clawos_client::api::skills::VersionDetail;
use clawos_client::solana::read::RawAccount;
use clawos_client::{Client, ClientError};
use clawos_interface::accounts::Licence;
use clawos_interface::{Key, pda};
use clawos_manifest::ResolvedManifest;
use clawos_receipts::batch::Batch;
use clawos_receipts::statement::{CertifiedKey, VersionStatement};
use clawos_receipts::text::{from_base58, from_hex, to_base58};
use clawos_receipts::{Receipt, SignedReceipt};
use clawos_verifier::Account;
use clawos_verifier::anchor::{Anchor, Placement, is_final};
use clawos_verifier::batches::PublishedBatch;
use clawos_verifier::receipt::Evidence;
use clawos_verifier::version::{SignedVersion, manifest_of};

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
    placement: Placement,
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
        let decoded = licence.as_ref().and_then(|found| Licence::decode(&found.account.data).ok());
        let skill = match &decoded {
            Some(licence) => account(context, licence.skill).await?,
            None => None,
        };
        let client = context.public()?;
        let placement = match anchor.filter(|anchor| anchor.status == BatchStatus::Confirmed) {
            Some(anchor) => Placement::InBatch(convert_anchor(&anchor)?),
            None => place(&client, receipt).await?,
        };
        let batches = match (receipt.licence, &decoded, &placement) {
            (Some(address), Some(licence), Placement::InBatch(_)) => {
                Some(fetch_batches(&client, address, licence).await?)
            }
            _ => None,
        };
        Ok(Self {
            genesis,
            keys: receipt_keys(&client).await?,
            config,
            licence,
            skill,
            placement,
            batches,
            version: missing_is_none(client.version(&receipt.skill, &receipt.version).await)?
                .map(|found| convert_version(receipt, found))
                .transpose()?,
        })
    }

    /// Whether the receipt is in no batch and never will be.
    pub(super) fn is_final(&self, receipt: &Receipt) -> bool {
        is_final(receipt, &self.placement)
    }

    /// The manifest that the receipt names, where the server gave it.
    pub(super) fn manifest(&self, receipt: &Receipt) -> Option<ResolvedManifest> {
        self.version.as_ref().and_then(|version| manifest_of(receipt, &version.manifest).ok())
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
            placement: &self.placement,
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

/// Where the receipt stands, as the server says to anybody who has it.
async fn place(client: &Client, receipt: &Receipt) -> Result<Placement> {
    let said = match client.proof(&receipt.id, &receipt.leaf_hash()).await {
        Ok(said) => said,
        Err(error) if error.status() == Some(404) => {
            return Ok(Placement::Unknown(format!("{} knows no such receipt", client.origin())));
        }
        Err(error) => return Ok(Placement::Unknown(format!("the server did not say: {error}"))),
    };
    match said {
        ProofAnswer { anchor: Some(anchor), .. } if anchor.status == BatchStatus::Dead => {
            Ok(Placement::NeverCharged("its batch can never be recorded on chain"))
        }
        ProofAnswer { anchor: Some(anchor), .. } => Ok(Placement::InBatch(convert_anchor(&anchor)?)),
        ProofAnswer { settlement, anchor: None } => Ok(match settlement {
            Settlement::Pending => Placement::Pending,
            Settlement::Waived => Placement::NeverCharged("it was waived"),
            Settlement::SetAside => Placement::NeverCharged("what the server has stored is not what was signed"),
            Settlement::None => Placement::NeverCharged("the server has it as a call that costs nothing"),
            Settlement::Batched => Placement::Unknown("the server names no batch".to_owned()),
        }),
    }
}

/// The receipt keys that the server publishes.
pub(super) async fn receipt_keys(client: &Client) -> Result<Vec<CertifiedKey>> {
    Ok(client.well_known().await?.receipt_keys.into_iter().map(|key| key.certified).collect())
}

/// All batches that the server publishes of the licence whose account was read at `address`; none when it knows no such
/// account.
pub(super) async fn fetch_batches(client: &Client, address: Key, licence: &Licence) -> Result<Vec<PublishedBatch>> {
    let fetched = client.batches(&to_base58(&address), licence.created_slot(), licence.usage_seq()).await;
    let fetched = missing_is_none(fetched)?.unwrap_or_default();
    fetched.iter().map(|batch| convert_batch(address, batch)).collect()
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

fn convert_version(receipt: &Receipt, found: VersionDetail) -> Result<SignedVersion> {
    let version = &found.version;
    Ok(SignedVersion {
        statement: VersionStatement {
            skill: receipt.skill.clone(),
            version: version.version.clone(),
            module_sha256: hash("module_sha256", &version.module_sha256)?,
            manifest_sha256: hash("manifest_sha256", &version.manifest_sha256)?,
        },
        publisher: base58("publisher_wallet", &version.publisher_wallet)?,
        signature: base58("signature", &version.signature)?,
        manifest: found.manifest,
    })
}

pub(super) fn hash(name: &str, text: &str) -> Result<[u8; 32]> {
    from_hex::<32>(text).map_err(|_| CliError::invalid(format!("the server's {name} is not a hash: `{text}`")))
}

fn base58<const N: usize>(name: &str, text: &str) -> Result<[u8; N]> {
    from_base58::<N>(text)
        .map_err(|_| CliError::invalid(format!("the server's {name} is not base58 of {N} bytes: `{text}`")))
}
