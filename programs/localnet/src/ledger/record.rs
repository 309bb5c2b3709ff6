//! The records of journal and snapshot, and their encoding.

use solana_account::{Account, AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use wincode::config::{Configuration, PREALLOCATION_SIZE_LIMIT_DISABLED};
use wincode::{ReadResult, SchemaRead, SchemaWrite};

use crate::pace::{Pace, Timeline};

/// Raised whenever an older program could not read what this one writes.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// One entry of the journal or snapshot.
#[derive(SchemaRead, SchemaWrite)]
pub(crate) enum Record {
    /// First record of a snapshot.
    Header(Header),
    /// A transaction and the state it left behind.
    Transaction {
        /// The transaction and its outcome.
        transaction: StoredTransaction,
        /// Every account it changed, as it was afterwards.
        accounts: Vec<AccountState>,
    },
    /// State set by localnet itself: genesis, an upgraded program.
    Accounts(Vec<AccountState>),
    /// Slots have another length, or the Unix time another distance from the wall clock, from here on.
    Pace(Pace),
    /// Last record of a snapshot.
    End {
        /// How many records precede it.
        records: u64,
    },
}

/// The chain's identity and its time.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct Header {
    /// [`FORMAT_VERSION`] of the writer.
    pub(crate) version: u32,
    /// The genesis hash, which names the chain.
    pub(crate) genesis: [u8; 32],
    /// How slots follow the wall clock, and followed it.
    pub(crate) timeline: Timeline,
    /// Newest slot known to the ledger.
    pub(crate) slot: u64,
    /// Newest block time known to the ledger, seconds since 1970.
    pub(crate) unix_timestamp: i64,
}

impl Header {
    /// A header in the format of this program.
    pub(crate) fn new(genesis: [u8; 32], timeline: Timeline, slot: u64, unix_timestamp: i64) -> Self {
        Self { version: FORMAT_VERSION, genesis, timeline, slot, unix_timestamp }
    }
}

/// An account as it is after some record. No lamports: it is closed.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct AccountState {
    key: [u8; 32],
    lamports: u64,
    owner: [u8; 32],
    executable: bool,
    rent_epoch: u64,
    data: Vec<u8>,
}

impl AccountState {
    /// The state of `account` under `key`.
    pub(crate) fn new(key: &Pubkey, account: &AccountSharedData) -> Self {
        Self {
            key: key.to_bytes(),
            lamports: account.lamports(),
            owner: account.owner().to_bytes(),
            executable: account.executable(),
            rent_epoch: account.rent_epoch(),
            data: account.data().to_vec(),
        }
    }

    /// Back to a key and an account.
    pub(crate) fn into_account(self) -> (Pubkey, AccountSharedData) {
        let account = Account {
            lamports: self.lamports,
            data: self.data,
            owner: Pubkey::from(self.owner),
            executable: self.executable,
            rent_epoch: self.rent_epoch,
        };
        (Pubkey::from(self.key), account.into())
    }
}

/// A transaction that was executed, successfully or not.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct StoredTransaction {
    /// Its first signature, which is its name.
    pub(crate) signature: [u8; 64],
    /// The slot it ran in.
    pub(crate) slot: u64,
    /// Its place in that slot, from 0.
    pub(crate) position: u32,
    /// Block time, seconds since 1970.
    pub(crate) unix_timestamp: i64,
    /// The transaction as it was sent.
    pub(crate) wire: Vec<u8>,
    /// The error as RPC shows it (JSON); none: it succeeded.
    pub(crate) error: Option<String>,
    /// The status as `getTransaction` shows it (JSON).
    pub(crate) meta: String,
    /// The text of its memo instructions, as `getSignaturesForAddress` shows it.
    pub(crate) memo: Option<String>,
    /// Every account it names, looked-up ones included.
    pub(crate) accounts: Vec<[u8; 32]>,
}

impl StoredTransaction {
    /// The signature with its type.
    pub(crate) fn signature(&self) -> Signature {
        Signature::from(self.signature)
    }

    /// Memory it takes, in bytes, near enough for a limit.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.wire.len() + self.meta.len() + self.accounts.len() * 32
    }
}

/// Accounts may be larger (10 MiB) than wincode preallocates unasked; the frame's checksum vouches for the lengths.
type Unlimited = Configuration<true, PREALLOCATION_SIZE_LIMIT_DISABLED>;

pub(crate) fn encode(record: &Record) -> Vec<u8> {
    wincode::config::serialize(record, Unlimited::new()).expect("writing plain data to memory cannot fail")
}

/// The version of the program that wrote a header; `None` for another record. A header of another version has other fields.
pub(crate) fn header_version(bytes: &[u8]) -> Option<u32> {
    let (tag, rest) = bytes.split_first_chunk::<4>()?;
    let version = rest.first_chunk::<4>()?;
    // The tag of `Record::Header`, the first of its kinds.
    (*tag == [0; 4]).then(|| u32::from_le_bytes(*version))
}

/// The record in these bytes, which must hold nothing else.
pub(crate) fn decode(bytes: &[u8]) -> ReadResult<Record> {
    wincode::config::deserialize_exact(bytes, Unlimited::new())
}
