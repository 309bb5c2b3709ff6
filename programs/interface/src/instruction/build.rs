//! The plain form of an instruction, and what the builders share.

use alloc::vec::Vec;

use crate::accounts::{Config, Skill};
use crate::codes::Currency;
use crate::known::{PROGRAM_ID, SYSTEM_PROGRAM, TOKEN_PROGRAM};
use crate::rules::terms::Terms;
use crate::rules::usage::Caps;
use crate::{pda, Key};

/// One account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountMeta {
    /// Address.
    pub key: Key,
    /// Whether it signs the transaction.
    pub signer: bool,
    /// Whether the instruction may change it.
    pub writable: bool,
}

impl AccountMeta {
    /// A signer whose lamports or data change.
    pub const fn signer_mut(key: Key) -> Self {
        Self { key, signer: true, writable: true }
    }
    /// A signer that is only read.
    pub const fn signer(key: Key) -> Self {
        Self { key, signer: true, writable: false }
    }
    /// An account that changes.
    pub const fn writable(key: Key) -> Self {
        Self { key, signer: false, writable: true }
    }
    /// An account that is only read.
    pub const fn readonly(key: Key) -> Self {
        Self { key, signer: false, writable: false }
    }
    /// An optional account that is not given: the program's own id stands for it.
    pub(super) const fn absent() -> Self {
        Self::readonly(PROGRAM_ID)
    }
}

/// An instruction without any Solana type; callers convert it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Program that runs it.
    pub program_id: Key,
    /// Accounts in the program's order.
    pub accounts: Vec<AccountMeta>,
    /// Discriminator and arguments.
    pub data: Vec<u8>,
}

impl Instruction {
    /// An instruction of the marketplace.
    pub(super) fn ours(accounts: Vec<AccountMeta>, data: Data) -> Self {
        Self { program_id: PROGRAM_ID, accounts, data: data.0 }
    }
}

/// Where the money of one skill goes: all that an instruction needs to know of a skill and the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The skill's account.
    pub skill: Key,
    /// The seller's receiving wallet.
    pub payout: Key,
    /// The platform's receiving wallet.
    pub treasury: Key,
    /// What the skill is priced in.
    pub currency: Currency,
    /// The accepted USDC mint.
    pub usdc_mint: Key,
}

impl Route {
    /// The route of the skill at address `key`, as the chain has it.
    ///
    /// # Errors
    /// [`ProgramError::UnknownCurrency`](crate::ProgramError::UnknownCurrency) when the account names one this crate
    /// does not know.
    pub fn new(config: &Config, key: Key, skill: &Skill) -> Result<Self, crate::ProgramError> {
        Ok(Self {
            skill: key,
            payout: skill.payout,
            treasury: config.treasury,
            currency: Currency::try_from(skill.currency)?,
            usdc_mint: config.usdc_mint,
        })
    }

    /// The buyer's licence of this skill.
    pub fn licence(&self, buyer: &Key) -> Key {
        pda::licence(&self.skill, buyer).0
    }

    /// The account in which `owner` receives or holds this currency: the wallet, or (the program takes any token
    /// account of it) its associated token account.
    pub fn account_of(&self, owner: &Key) -> Key {
        match self.currency {
            Currency::Sol => *owner,
            Currency::Usdc => pda::ata(owner, &self.usdc_mint).0,
        }
    }

    /// The seller's and the treasury's receiving accounts.
    pub(super) fn recipients(&self) -> [AccountMeta; 2] {
        [AccountMeta::writable(self.account_of(&self.payout)), AccountMeta::writable(self.account_of(&self.treasury))]
    }

    /// A token account of `owner`; absent for SOL.
    pub(super) fn token_of(&self, owner: &Key) -> AccountMeta {
        match self.currency {
            Currency::Sol => AccountMeta::absent(),
            Currency::Usdc => AccountMeta::writable(self.account_of(owner)),
        }
    }

    /// The token program; absent for SOL.
    pub(super) fn token_program(&self) -> AccountMeta {
        match self.currency {
            Currency::Sol => AccountMeta::absent(),
            Currency::Usdc => AccountMeta::readonly(TOKEN_PROGRAM),
        }
    }
}

/// Config, only read.
pub(super) fn config() -> AccountMeta {
    AccountMeta::readonly(pda::config().0)
}

/// The System program.
pub(super) const SYSTEM: AccountMeta = AccountMeta::readonly(SYSTEM_PROGRAM);

/// Instruction data under construction.
pub(super) struct Data(Vec<u8>);

impl Data {
    pub(super) fn new(discriminator: [u8; 8]) -> Self {
        Self(discriminator.to_vec())
    }
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    pub(super) fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }
    pub(super) fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn caps(self, caps: &Caps) -> Self {
        self.u64(caps.usage_limit).u64(caps.max_units_per_batch).u64(caps.max_units_per_day)
    }
    pub(super) fn terms(self, terms: &Terms) -> Self {
        let [personal, commercial, enterprise] = terms.tier_bps;
        self.bytes(&terms.payout)
            .bytes(&terms.meter)
            .u64(terms.price_once)
            .u64(terms.price_period)
            .u64(terms.price_unit)
            .u32(terms.period_secs)
            .u32(terms.refund_window)
            .u32(personal)
            .u32(commercial)
            .u32(enterprise)
            .u8(terms.currency)
            .u8(terms.kinds)
            .u8(terms.unit_kind)
    }
}
