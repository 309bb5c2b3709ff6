//! Depositing credit: the transaction is assembled here from the accounts on chain. What the server offers is only compared
//! with it, byte for byte; the wallet signs this crate's own.

use clawos_interface::accounts::Licence;
use clawos_interface::instruction::{Instruction, deposit_credit};
use clawos_interface::{Currency, Key, Kind, MAX_AMOUNT, ProgramError};
use clawos_solana::assembly::payment;

use super::offer::{check_same, check_transaction};
use super::purchase::Listing;
use super::send::Confirmed;
use super::{Chain, ChainError};
use crate::api::market::DepositOffer;
use crate::key::to_base58;
use crate::wallet::Wallet;

/// A deposit, ready to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// The licence whose credit it is.
    pub licence: Key,
    /// What leaves the wallet for it, in base units.
    pub amount: u64,
    /// What those are units of.
    pub currency: Currency,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
}

impl Listing {
    /// Assembles a deposit of `amount` base units into `licence`, which is `buyer`'s of this skill. `meter` is the key that
    /// the buyer trusts to spend it; none is Config's.
    ///
    /// # Errors
    /// [`ChainError::OtherMeter`] when the licence names another; [`ChainError::Refused`] where the program would refuse for
    /// a reason that is visible now.
    pub fn deposit(
        &self,
        buyer: &Key,
        licence: &Licence,
        amount: u64,
        meter: Option<&Key>,
    ) -> Result<Deposit, ChainError> {
        if !(1..=MAX_AMOUNT).contains(&amount) {
            return Err(ProgramError::AmountInvalid.into());
        }
        if licence.kind != Kind::Usage as u8 {
            return Err(ProgramError::NotUsageLicence.into());
        }
        self.check_meter(&licence.meter, meter)?;
        let route = self.route()?;
        let address = route.licence(buyer);
        let instructions = payment(buyer, &route, &address, deposit_credit(buyer, &route, amount));
        Ok(Deposit { licence: address, amount, currency: route.currency, instructions })
    }
}

impl Deposit {
    /// Compares the server's unsigned transaction with this deposit, byte for byte.
    ///
    /// # Errors
    /// [`ChainError::Differs`] naming what differs.
    pub fn check_offer(&self, buyer: &Key, offer: &DepositOffer) -> Result<(), ChainError> {
        let currency = self.currency.to_string();
        check_same(&[
            ("the licence", offer.licence == to_base58(&self.licence)),
            ("the amount", offer.amount.amount == self.amount),
            ("the currency", offer.amount.currency == currency),
        ])?;
        check_transaction(buyer, &self.instructions, &offer.blockhash, &offer.transaction)
    }
}

impl Chain {
    /// Moves `amount` base units into the wallet's licence, which pays what is unbilled first. `meter` is the key that the
    /// buyer trusts to spend it; none is Config's.
    ///
    /// # Errors
    /// [`ChainError::OtherMeter`] when the licence names another; [`ChainError::Absent`] when there is no licence;
    /// [`ChainError::Refused`] (`NotUsageLicence`, …), [`ChainError::Funds`].
    pub async fn deposit_credit(
        &self,
        wallet: &Wallet,
        listing: &Listing,
        amount: u64,
        meter: Option<&Key>,
    ) -> Result<Confirmed, ChainError> {
        let buyer = wallet.key();
        let address = listing.route()?.licence(&buyer);
        let licence = self.licence_at(&address).await?.value;
        let licence = licence.ok_or_else(|| ChainError::Absent(format!("licence {}", to_base58(&address))))?;
        self.send(wallet, &listing.deposit(&buyer, &licence, amount, meter)?.instructions).await
    }
}
