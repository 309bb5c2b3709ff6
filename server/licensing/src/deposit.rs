//! The unsigned transaction that adds credit to a usage licence. The buyer's key signs it, elsewhere.
//!
//! A client builds the same transaction itself from the chain and compares: a legacy message with the buyer as fee payer
//! and only signer, of the instructions that [`payment`] puts together.

use clawos_api::limits::MAX_SKILL_ID;
use clawos_api::market::{DepositOffer, DepositRequest};
use clawos_api::{FieldError, Money, Timestamp};
use clawos_base::{Invalid, Problems};
use clawos_identity::{Caller, Scope};
use clawos_interface::accounts::{Config, Licence};
use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::{Instruction, Route, deposit_credit};
use clawos_interface::rules::usage::{add, charge, settle};
use clawos_interface::{Currency, ExitKind, Key, Kind, MAX_AMOUNT, ProgramError};
use clawos_receipts::text::to_base58;
use clawos_registry::Registry;
use clawos_solana::assembly::{check_buyer, payment};
use clawos_solana::costs::{FEE_PER_SIGNATURE, TOKEN_ACCOUNT_BYTES, token_accounts};
use clawos_solana::transaction::{message, unsigned_base64};

use crate::accounts::{LicenceState, skill_account};
use crate::purchase::BLOCKHASH_MS;
use crate::read::READ_NOW;
use crate::{Licensing, LicensingError, Refusal};

/// What a deposit does to a licence, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Effect {
    /// Paid at once for usage that credit had not covered.
    billed: u64,
    /// The platform's part of that.
    fee: u64,
    /// Credit afterwards.
    credit: u64,
    /// Usage that is still unpaid.
    unbilled: u64,
}

fn check_values(request: &DepositRequest) -> Result<(), Invalid> {
    let mut problems = Problems::default();
    problems.text("/skill", &request.skill, 1..=MAX_SKILL_ID);
    if !(1..=MAX_AMOUNT).contains(&request.amount) {
        problems.add("/amount", "must be between 1 and 2^63 - 1 base units");
    }
    problems.into_result()
}

impl Licensing {
    /// Describes a deposit of credit into the caller's own usage licence. Nothing is stored, so an `Idempotency-Key` has
    /// nothing to do here: a repetition is described anew, with a blockhash that has not aged. What is signed pays
    /// once, however often it is sent; equal deposits with the same blockhash are one transaction.
    ///
    /// # Errors
    /// For values out of bounds, and without the scope `invoke`; when the skill does not exist, is free or not registered;
    /// when the caller has no licence of it, or one that takes no credit, is being left or names another meter; while
    /// deposits are paused; when the chain cannot be read.
    pub async fn deposit(
        &self,
        registry: &Registry,
        caller: &Caller,
        request: &DepositRequest,
    ) -> Result<DepositOffer, LicensingError> {
        check_values(request)?;
        caller.require(Scope::Invoke)?;
        let (buyer, amount) = (&caller.wallet, request.amount);
        let skill = registry.resolve(&request.skill, None).await?;
        if skill.manifest.prices.is_none() {
            return Err(LicensingError::Free);
        }
        let account = skill_account(&skill.publisher_wallet, &request.skill);
        let reading = self.licence(account, buyer, READ_NOW).await?;
        let LicenceState { licence, listing, .. } = &reading.snapshot.value;
        let listed = listing.skill.as_ref().ok_or(LicensingError::NotRegistered)?;
        let Some(licence) = licence else {
            check_buyer(buyer, listed).map_err(|_| LicensingError::SelfPurchase)?;
            return Err(Refusal::Missing.into());
        };
        let effect = effect(licence, &listing.config, &self.meter(), amount)?;
        let route = Route::new(&listing.config, account, listed).map_err(LicensingError::NotForSale)?;
        let instructions = payment(buyer, &route, &route.licence(buyer), deposit_credit(buyer, &route, amount));
        let rent = self.rent_of_missing(&instructions, reading.snapshot.slot).await?;
        let blockhash = self.chain.latest_blockhash().await?;
        let money = |amount| Money::new(amount, route.currency);
        Ok(DepositOffer {
            transaction: unsigned_base64(&message(buyer, &instructions, &blockhash.hash)),
            licence: to_base58(&route.licence(buyer)),
            skill_account: to_base58(&account),
            amount: money(amount),
            billed: money(effect.billed),
            fee: money(effect.fee),
            credit: money(effect.credit),
            unbilled: money(effect.unbilled),
            rent: Money::new(rent, Currency::Sol),
            network_fee: Money::new(FEE_PER_SIGNATURE, Currency::Sol),
            blockhash: to_base58(&blockhash.hash),
            last_valid_block_height: blockhash.last_valid_block_height,
            expires_at: Timestamp(self.clock.now_ms() + BLOCKHASH_MS),
        })
    }

    /// Lamports for those token accounts of `instructions` that are not there yet, as a node that is not behind `min_slot`
    /// says.
    async fn rent_of_missing(&self, instructions: &[Instruction], min_slot: u64) -> Result<u64, LicensingError> {
        let accounts: Vec<Key> = token_accounts(instructions).into_iter().collect();
        if accounts.is_empty() {
            return Ok(0);
        }
        let found = self.chain.accounts(&accounts, min_slot).await?.value;
        let missing = found.iter().filter(|data| data.as_ref().is_none_or(Vec::is_empty)).count();
        if missing == 0 {
            return Ok(0);
        }
        Ok(self.chain.rent(TOKEN_ACCOUNT_BYTES).await?.saturating_mul(missing as u64))
    }
}

/// What a deposit of `amount` would do to the licence, if the program would take it and `meter` would spend it.
fn effect(licence: &Licence, config: &Config, meter: &Key, amount: u64) -> Result<Effect, LicensingError> {
    if licence.kind != Kind::Usage as u8 {
        return Err(LicensingError::NotPrepaid);
    }
    if licence.meter != *meter {
        return Err(Refusal::WrongProxy.into());
    }
    // Whoever leaves may still pay a debt, also while deposits are paused: he could not leave otherwise.
    let leaves = licence.exit_kind != ExitKind::None as u8;
    if leaves && licence.unbilled() == 0 {
        return Err(Refusal::Closing.into());
    }
    if !leaves && config.is_paused(PauseBits::DEPOSIT) {
        return Err(LicensingError::DepositsPaused);
    }
    let mut after = *licence;
    after.credit.set(add(licence.credit(), amount).map_err(too_much)?);
    let paid = charge(&after, config.fee_bps()).map_err(too_much)?;
    settle(&mut after, &paid, true);
    Ok(Effect { billed: paid.amount, fee: paid.fee, credit: after.credit(), unbilled: after.unbilled() })
}

/// The only reason why sums of valid amounts are refused.
fn too_much(_: ProgramError) -> LicensingError {
    let detail = "with what the licence holds or has paid it is more than 2^63 - 1 base units".to_owned();
    Invalid(vec![FieldError { pointer: "/amount".to_owned(), detail }]).into()
}

#[cfg(test)]
mod tests {
    use clawos_interface::integers::{U16, U64};

    use super::*;

    const METER: Key = [9; 32];

    fn licence(credit: u64, unbilled: u64) -> Licence {
        let mut licence = Licence::blank();
        licence.kind = Kind::Usage as u8;
        licence.meter = METER;
        (licence.credit, licence.unbilled) = (U64::new(credit), U64::new(unbilled));
        licence
    }

    fn config(pause_bits: u16) -> Config {
        let mut config = Config::blank();
        (config.fee_bps, config.pause_bits) = (U16::new(250), U16::new(pause_bits));
        config
    }

    fn told(licence: &Licence, pause_bits: u16, amount: u64) -> Result<Effect, LicensingError> {
        effect(licence, &config(pause_bits), &METER, amount)
    }

    #[test]
    fn a_debt_is_paid_first_and_only_that_costs_a_fee() {
        let plain = told(&licence(5, 0), 0, 7).unwrap();
        assert_eq!(plain, Effect { billed: 0, fee: 0, credit: 12, unbilled: 0 });
        let covered = told(&licence(0, 2_000), 0, 3_000).unwrap();
        assert_eq!(covered, Effect { billed: 2_000, fee: 50, credit: 1_000, unbilled: 0 });
        let short = told(&licence(0, 2_000), 0, 500).unwrap();
        assert_eq!(short, Effect { billed: 500, fee: 12, credit: 0, unbilled: 1_500 });
    }

    #[test]
    fn a_pause_stops_deposits_but_not_the_payment_that_lets_a_buyer_leave() {
        assert!(matches!(told(&licence(0, 5), PauseBits::DEPOSIT, 5), Err(LicensingError::DepositsPaused)));
        assert!(told(&licence(0, 0), PauseBits::PURCHASE | PauseBits::USAGE, 5).is_ok());
        let mut leaving = licence(0, 5);
        leaving.exit_kind = ExitKind::Close as u8;
        assert!(told(&leaving, PauseBits::DEPOSIT, 5).is_ok());
        leaving.unbilled = U64::new(0);
        assert!(matches!(told(&leaving, 0, 5), Err(LicensingError::Refused(Refusal::Closing))));
    }

    #[test]
    fn what_takes_no_credit_or_would_overflow_is_refused() {
        let mut paid_once = licence(0, 0);
        paid_once.kind = Kind::OneTime as u8;
        assert!(matches!(told(&paid_once, 0, 5), Err(LicensingError::NotPrepaid)));
        let other = effect(&licence(0, 0), &config(0), &[8; 32], 5);
        assert!(matches!(other, Err(LicensingError::Refused(Refusal::WrongProxy))));
        assert!(matches!(told(&licence(1, 0), 0, MAX_AMOUNT), Err(LicensingError::Invalid(_))));
        let mut paid_much = licence(0, 5);
        paid_much.billed_total = U64::new(MAX_AMOUNT);
        assert!(matches!(told(&paid_much, 0, 5), Err(LicensingError::Invalid(_))));
    }
}
