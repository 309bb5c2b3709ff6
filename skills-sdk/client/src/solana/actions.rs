//! The other transactions of sellers and buyers: registering and updating a skill, caps, exits.

use clawos_interface::accounts::Licence;
use clawos_interface::instruction::{
    Instruction, create_associated_token_idempotent, execute_exit, register_skill, request_exit, set_licence_caps,
    update_skill,
};
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, ExitKind, Key, pda, skill_id};
use clawos_receipts::sha256;
use clawos_solana::COMPUTE_UNITS;
use clawos_solana::assembly::{compute_budget, payment};

use super::purchase::Listing;
use super::send::Confirmed;
use super::{Chain, ChainError};
use crate::key::to_base58;
use crate::wallet::Wallet;

/// What the `listing_hash` of a skill account is the SHA-256 of: who first listed which id. It never changes.
pub fn listing_hash(id: &str, creator: &Key) -> Key {
    sha256(format!("clawos/listing/v1\nskill: {id}\ncreator: {}\n", to_base58(creator)).as_bytes())
}

/// The address of the skill that `creator` registered, or would, under `id`.
pub fn skill_address(creator: &Key, id: &str) -> Key {
    pda::skill(creator, &skill_id(id)).0
}

impl Chain {
    /// Registers a skill; the wallet pays the rent, becomes its seller, and for USDC gets the token account that
    /// payments need.
    ///
    /// # Errors
    /// [`ChainError::Refused`] for terms outside the marketplace's bounds.
    pub async fn register_skill(&self, wallet: &Wallet, id: &str, terms: &Terms) -> Result<Confirmed, ChainError> {
        self.send(wallet, &self.registration(&wallet.key(), id, terms).await?).await
    }

    /// The instructions that [`Self::register_skill`] sends.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn registration(&self, creator: &Key, id: &str, terms: &Terms) -> Result<Vec<Instruction>, ChainError> {
        let mut instructions = self.payout_account(creator, terms).await?;
        instructions.push(register_skill(creator, &skill_id(id), &listing_hash(id, creator), terms));
        Ok(instructions)
    }

    /// Replaces the terms of a skill; its seller signs. Licences already sold keep theirs.
    ///
    /// # Errors
    /// [`ChainError::Refused`] (`NotSeller`, …).
    pub async fn update_skill(
        &self,
        wallet: &Wallet,
        listing: &Listing,
        terms: &Terms,
    ) -> Result<Confirmed, ChainError> {
        self.send(wallet, &self.update(&wallet.key(), listing, terms).await?).await
    }

    /// The instructions that [`Self::update_skill`] sends.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn update(&self, seller: &Key, listing: &Listing, terms: &Terms) -> Result<Vec<Instruction>, ChainError> {
        let mut instructions = self.payout_account(seller, terms).await?;
        instructions.push(update_skill(seller, &listing.address, &listing.skill.listing_hash, terms));
        Ok(instructions)
    }

    /// The compute limit, and for USDC the payout's token account.
    async fn payout_account(&self, payer: &Key, terms: &Terms) -> Result<Vec<Instruction>, ChainError> {
        let mut instructions = compute_budget(COMPUTE_UNITS, 0);
        if terms.currency == Currency::Usdc as u8 {
            let mint = self.config().await?.usdc_mint;
            instructions.push(create_associated_token_idempotent(payer, &terms.payout, &mint));
        }
        Ok(instructions)
    }

    /// Sets the buyer's own bounds on usage.
    ///
    /// # Errors
    /// [`ChainError::Refused`].
    pub async fn set_licence_caps(&self, wallet: &Wallet, skill: &Key, caps: &Caps) -> Result<Confirmed, ChainError> {
        self.send(wallet, &budgeted(set_licence_caps(&wallet.key(), skill, caps))).await
    }

    /// Requests an exit: spending is frozen at once.
    ///
    /// # Errors
    /// [`ChainError::Refused`] (`ExitPending`, `NothingToWithdraw`, …).
    pub async fn request_exit(&self, wallet: &Wallet, skill: &Key, exit: ExitKind) -> Result<Confirmed, ChainError> {
        self.send(wallet, &budgeted(request_exit(&wallet.key(), skill, exit))).await
    }

    /// Executes the requested exit, once its delay has passed.
    ///
    /// # Errors
    /// [`ChainError::Refused`] (`ExitNotReady`, `NoExitPending`).
    pub async fn execute_exit(
        &self,
        wallet: &Wallet,
        listing: &Listing,
        licence: &Licence,
    ) -> Result<Confirmed, ChainError> {
        self.send(wallet, &exit(&wallet.key(), listing, licence)?).await
    }
}

/// The instructions that [`Chain::execute_exit`] sends.
///
/// # Errors
/// As [`Listing::route`].
pub fn exit(buyer: &Key, listing: &Listing, licence: &Licence) -> Result<Vec<Instruction>, ChainError> {
    let route = listing.route()?;
    let has_vault = licence.vault_bump != 0;
    let exit = execute_exit(buyer, &route, has_vault);
    Ok(if has_vault { payment(buyer, &route, buyer, exit) } else { budgeted(exit) })
}

/// An instruction that moves no tokens, with its compute budget.
fn budgeted(instruction: Instruction) -> Vec<Instruction> {
    let mut instructions = compute_budget(COMPUTE_UNITS, 0);
    instructions.push(instruction);
    instructions
}
