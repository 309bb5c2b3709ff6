//! Reading the marketplace's accounts straight from the chain. An account counts only when our program owns it, it
//! decodes, and its address is the one its own fields derive to.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{DecodeError, Key, PROGRAM_ID, pda};
pub use clawos_solana::costs::TOKEN_ACCOUNT_BYTES;
use serde_json::json;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::RpcRequest;
use solana_rpc_client_api::response::{Response, RpcKeyedAccount};

use super::{Chain, ChainError};
use crate::key::{self, to_base58};

/// Where a licence account has its buyer, in bytes: after the discriminator and the skill.
const LICENCE_BUYER_AT: usize = 8 + 32;

/// The Clock sysvar, `SysvarC1ock11111111111111111111111111111111`: its Unix time is the i64 at byte 32.
const CLOCK_SYSVAR: Key = [
    6, 167, 213, 23, 24, 199, 116, 201, 40, 86, 99, 152, 105, 29, 94, 182, 139, 94, 184, 163, 155, 75, 109, 92, 115,
    85, 91, 33, 0, 0, 0, 0,
];

/// A value with the slot it was read at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtSlot<T> {
    /// The decoded value.
    pub value: T,
    /// The slot it was read at.
    pub slot: u64,
}

/// An account as read from the chain, with nothing checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawAccount {
    /// The program that owns it.
    pub owner: Key,
    /// The account's data.
    pub data: Vec<u8>,
}

impl Chain {
    /// The marketplace's Config.
    ///
    /// # Errors
    /// [`ChainError::Absent`] on a chain without the marketplace.
    pub async fn config(&self) -> Result<Config, ChainError> {
        let (address, _) = pda::config();
        let found = self.decoded(&address, "Config account", Config::decode).await?;
        found.value.ok_or_else(|| ChainError::Absent("marketplace program (no Config account)".to_owned()))
    }

    /// The skill at `address`, if there is one.
    ///
    /// # Errors
    /// [`ChainError::Account`] when something else is there.
    pub async fn skill(&self, address: &Key) -> Result<AtSlot<Option<Skill>>, ChainError> {
        let found = self.decoded(address, "skill account", Skill::decode).await?;
        if let Some(skill) = &found.value {
            check_address("skill account", address, &pda::skill(&skill.creator, &skill.skill_id).0)?;
        }
        Ok(found)
    }

    /// The licence of `buyer` to the skill at `skill`, if there is one.
    ///
    /// # Errors
    /// [`ChainError::Account`] when something else is there.
    pub async fn licence(&self, skill: &Key, buyer: &Key) -> Result<AtSlot<Option<Licence>>, ChainError> {
        self.licence_at(&pda::licence(skill, buyer).0).await
    }

    /// The licence at `address`, if there is one.
    ///
    /// # Errors
    /// [`ChainError::Account`] when something else is there.
    pub async fn licence_at(&self, address: &Key) -> Result<AtSlot<Option<Licence>>, ChainError> {
        let found = self.decoded(address, "licence account", Licence::decode).await?;
        if let Some(licence) = &found.value {
            check_address("licence account", address, &pda::licence(&licence.skill, &licence.buyer).0)?;
        }
        Ok(found)
    }

    /// All licences of `buyer`, with their addresses.
    ///
    /// # Errors
    /// [`ChainError::Rpc`], also where the endpoint does not search accounts; [`ChainError::Account`] when one is not what
    /// it should be.
    pub async fn licences(&self, buyer: &Key) -> Result<Vec<(Key, Licence)>, ChainError> {
        let at = |offset, bytes: &[u8]| RpcFilterType::Memcmp(Memcmp::new_raw_bytes(offset, bytes.to_vec()));
        let account_config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(self.rpc.commitment()),
            ..RpcAccountInfoConfig::default()
        };
        let config = RpcProgramAccountsConfig {
            filters: Some(vec![at(0, &Licence::DISCRIMINATOR), at(LICENCE_BUYER_AT, buyer)]),
            account_config,
            ..RpcProgramAccountsConfig::default()
        };
        let parameters = json!([to_base58(&PROGRAM_ID), config]);
        let found: Result<Vec<RpcKeyedAccount>, _> = self.rpc.send(RpcRequest::GetProgramAccounts, parameters).await;
        let found = found.map_err(|error| self.error(&error))?;
        found.into_iter().map(|found| licence_of(found, buyer)).collect()
    }

    /// An owner's lamports.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn sol(&self, owner: &Key) -> Result<u64, ChainError> {
        self.rpc.get_balance(&Pubkey::from(*owner)).await.map_err(|error| self.error(&error))
    }

    /// An owner's balance of `mint` in its associated token account, in base units; 0 without an account.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn tokens(&self, owner: &Key, mint: &Key) -> Result<u64, ChainError> {
        let (address, _) = pda::ata(owner, mint);
        let Some(account) = self.account(&address).await?.value else { return Ok(0) };
        // A token account's amount is the u64 at byte 64.
        let amount = account.data.get(64..72).filter(|_| account.data.len() == TOKEN_ACCOUNT_BYTES);
        let amount = amount.and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        amount.ok_or_else(|| invalid("token account", "it does not have the size of one"))
    }

    /// The chain's clock, Unix seconds: what licences expire by.
    ///
    /// # Errors
    /// [`ChainError::Account`] when the node has no clock.
    pub async fn clock(&self) -> Result<i64, ChainError> {
        let account = self.account(&CLOCK_SYSVAR).await?.value.ok_or_else(|| ChainError::Absent("clock".to_owned()))?;
        let seconds = account.data.get(32..40).and_then(|bytes| bytes.try_into().ok());
        seconds.map(i64::from_le_bytes).ok_or_else(|| invalid("clock", "it is too short"))
    }

    /// The lamports an account of `bytes` must hold to be rent-exempt.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn rent(&self, bytes: usize) -> Result<u64, ChainError> {
        self.rpc.get_minimum_balance_for_rent_exemption(bytes).await.map_err(|error| self.error(&error))
    }

    /// The newest confirmed slot.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn slot(&self) -> Result<u64, ChainError> {
        self.rpc.get_slot().await.map_err(|error| self.error(&error))
    }

    /// The node's version.
    ///
    /// # Errors
    /// [`ChainError::Rpc`].
    pub async fn node_version(&self) -> Result<String, ChainError> {
        self.rpc.get_version().await.map(|version| version.solana_core).map_err(|error| self.error(&error))
    }

    /// Reads and decodes one of our program's accounts.
    async fn decoded<T>(
        &self,
        address: &Key,
        what: &str,
        decode: fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<AtSlot<Option<T>>, ChainError> {
        let AtSlot { value, slot } = self.account(address).await?;
        let Some(account) = value else { return Ok(AtSlot { value: None, slot }) };
        // Lamports sent to an address that is not made yet leave an empty account of the System program there.
        if account.data.is_empty() && account.owner == clawos_interface::known::SYSTEM_PROGRAM {
            return Ok(AtSlot { value: None, slot });
        }
        if account.owner != PROGRAM_ID {
            return Err(invalid(what, "it belongs to another program"));
        }
        let value = decode(&account.data).map_err(|error| invalid(what, &error.to_string()))?;
        Ok(AtSlot { value: Some(value), slot })
    }

    /// The account at `address`, if there is one, with nothing checked.
    ///
    /// # Errors
    /// [`ChainError::Rpc`]; [`ChainError::Account`] when the node's answer cannot be decoded.
    pub async fn account(&self, address: &Key) -> Result<AtSlot<Option<RawAccount>>, ChainError> {
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(self.rpc.commitment()),
            ..RpcAccountInfoConfig::default()
        };
        // Not by the client's own methods: one panics at data that cannot be decoded, and another calls every error of the
        // connection an absent account.
        let parameters = json!([to_base58(address), config]);
        let answer: Result<Response<Option<UiAccount>>, _> =
            self.rpc.send(RpcRequest::GetAccountInfo, parameters).await;
        let answer = answer.map_err(|error| self.error(&error))?;
        let slot = answer.context.slot;
        let Some(encoded) = answer.value else { return Ok(AtSlot { value: None, slot }) };
        let account = encoded.to_account().ok_or_else(|| invalid("account", "the node's encoding of it is invalid"))?;
        Ok(AtSlot { value: Some(RawAccount { owner: account.owner.to_bytes(), data: account.data }), slot })
    }
}

/// The licence of `buyer` that a search found.
fn licence_of(found: RpcKeyedAccount, buyer: &Key) -> Result<(Key, Licence), ChainError> {
    let what = "licence account";
    let address = key::parse(&found.pubkey).map_err(|_| invalid(what, "its address is not base58 of 32 bytes"))?;
    let account = found.account.to_account().ok_or_else(|| invalid(what, "the node's encoding of it is invalid"))?;
    if account.owner.to_bytes() != PROGRAM_ID {
        return Err(invalid(what, "it belongs to another program"));
    }
    let licence = Licence::decode(&account.data).map_err(|error| invalid(what, &error.to_string()))?;
    check_address(what, &address, &pda::licence(&licence.skill, buyer).0)?;
    Ok((address, licence))
}

fn check_address(what: &str, found: &Key, derived: &Key) -> Result<(), ChainError> {
    if found == derived { Ok(()) } else { Err(invalid(what, "its address is not derived from its fields")) }
}

fn invalid(what: &str, reason: &str) -> ChainError {
    ChainError::Account { what: what.to_owned(), reason: reason.to_owned() }
}
