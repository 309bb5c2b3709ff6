//! What must happen, worked out from the steps alone: it reads no account and uses none of the program's rules.
//!
//! Amounts are computed anew, in 128 bits, from what the documentation promises: the price of a tier is the base price times its
//! factor, a unit costs what was agreed at the purchase, the fee is what the floor of the growing total adds.

use std::collections::BTreeMap;

use clawos_interface::codes::PauseBits;
use clawos_interface::{Currency, ExitKind, Kind, ProgramError, Tier};
use solana_instruction::error::InstructionError;

use super::{Move, Step, UNIT_PRICE};
use crate::harness::{Refusal, START};

/// Seconds between asking for an exit and executing it, as [`crate::harness::World::config_args`] sets it.
const SETTLE_DELAY: i64 = 600;
/// Most seconds by which pauses put an exit off: 7 days.
const MOST_DELAY: i64 = 7 * 86_400;
/// Seconds of a subscription's period.
const PERIOD: i64 = 30 * 86_400;
/// What Anchor says of a licence account that does not exist.
const NO_ACCOUNT: Refusal = Refusal::Instruction(InstructionError::AccountDataTooSmall);

/// Whose licence of which skill.
type Place = (usize, usize, u8);

/// A licence as it must stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licence {
    factor: u64,
    /// End of a subscription, Unix seconds.
    pub expires_at: i64,
    unit_price: u64,
    /// Prepaid and not spent.
    pub credit: u64,
    /// Recorded and not paid.
    pub owed: u64,
    /// Paid for usage since the account was made.
    pub billed: u64,
    /// Units recorded since the account was made.
    pub units: u64,
    /// Whether the last charge failed because somebody could not receive it.
    pub blocked: bool,
    /// Whether a vault was made for it.
    pub has_vault: bool,
    /// Kind of the pending exit, and when it was asked for.
    pub exit: Option<(ExitKind, i64)>,
}

/// Money that has changed hands in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paid {
    /// By each buyer: prices and deposits, less what came back.
    pub buyers: [u64; 2],
    /// To the seller.
    pub seller: u64,
    /// To the treasury.
    pub treasury: u64,
}

/// The marketplace as it must stand.
#[derive(Debug, Clone)]
pub struct Model {
    now: i64,
    fee_bps: u16,
    paused: u16,
    /// When recording was resumed last.
    resumed_at: i64,
    /// Whether the payout's and the treasury's USDC accounts are frozen.
    frozen: [bool; 2],
    /// Base price by currency and kind.
    prices: BTreeMap<(usize, u8), u64>,
    licences: BTreeMap<Place, Licence>,
    /// By currency.
    pub paid: [Paid; 2],
    /// Purchases and renewals, and what was paid in all, by currency and kind.
    pub sold: BTreeMap<(usize, u8), (u64, u64)>,
}

/// `floor(total × bps / 10,000)`.
fn fee_of(total: u64, bps: u16) -> u64 {
    u64::try_from(u128::from(total) * u128::from(bps) / 10_000).expect("a fee is less than its total")
}

impl Model {
    /// A marketplace with a fee of 2.5 % and a skill per currency and kind at these base prices.
    pub fn new(prices: impl IntoIterator<Item = (Currency, Kind, u64)>) -> Self {
        let prices = prices.into_iter().map(|(currency, kind, price)| ((currency as usize, kind as u8), price));
        Self {
            now: START,
            fee_bps: 250,
            paused: 0,
            resumed_at: 0,
            frozen: [false; 2],
            prices: prices.collect(),
            licences: BTreeMap::new(),
            paid: [Paid::default(); 2],
            sold: BTreeMap::new(),
        }
    }

    /// A buyer's licence of the skill of a currency and kind, where there is one.
    pub fn licence(&self, buyer: usize, currency: Currency, kind: Kind) -> Option<&Licence> {
        self.licences.get(&(buyer, currency as usize, kind as u8))
    }

    /// How many licences of a skill are open.
    pub fn open(&self, currency: Currency, kind: Kind) -> usize {
        let of_skill = |place: &&Place| (place.1, place.2) == (currency as usize, kind as u8);
        self.licences.keys().filter(of_skill).count()
    }

    /// Takes a step.
    ///
    /// # Errors
    /// With what the program must say when it refuses; then nothing has changed.
    pub fn apply(&mut self, step: &Move) -> Result<(), Refusal> {
        let mut after = self.clone();
        after.take(step)?;
        *self = after;
        Ok(())
    }

    fn take(&mut self, &Move { buyer, currency, kind, step }: &Move) -> Result<(), Refusal> {
        let place = (buyer, currency as usize, kind as u8);
        match step {
            Step::Purchase(tier) => self.purchase(place, kind, tier)?,
            Step::Renew => self.renew(place, kind)?,
            Step::Deposit(parts) => self.deposit(place, kind, parts * UNIT_PRICE[currency as usize] * 3 / 2)?,
            Step::Record(units) => self.record(place, units)?,
            Step::Ask(exit) => self.ask(place, exit)?,
            Step::Execute => self.execute(place)?,
            Step::Wait(seconds) => self.now += seconds,
            Step::Reprice(price) => drop(self.prices.insert((place.1, place.2), super::base(currency, kind) + price)),
            Step::Fee(bps) => self.fee_bps = bps,
            Step::Freeze { treasury, frozen } => self.frozen[usize::from(treasury)] = frozen,
            Step::Pause(bits) => self.paused |= bits,
            Step::Unpause => {
                if self.paused & PauseBits::USAGE != 0 {
                    self.resumed_at = self.now;
                }
                self.paused = 0;
            }
        }
        Ok(())
    }

    fn purchase(&mut self, place: Place, kind: Kind, tier: Tier) -> Result<(), Refusal> {
        self.check_pause(PauseBits::PURCHASE)?;
        self.check_recipients(place)?;
        let factor = [1, 2, 5][tier as usize];
        let price = self.prices[&(place.1, place.2)] * factor;
        let mut licence = match self.licences.get(&place) {
            None => Licence::default(),
            Some(licence) if licence.exit.is_some() => return Err(ProgramError::LicenceClosing.into()),
            Some(licence) if licence.owed != 0 => return Err(ProgramError::LicenceUnpaid.into()),
            Some(licence) if licence.expires_at != 0 && self.now >= licence.expires_at => licence.clone(),
            Some(_) => return Err(ProgramError::LicenceActive.into()),
        };
        licence.factor = factor;
        licence.expires_at = if kind == Kind::Subscription { self.now + PERIOD } else { 0 };
        licence.unit_price = if kind == Kind::Usage { price } else { 0 };
        self.licences.insert(place, licence);
        self.sell(place, if kind == Kind::Usage { 0 } else { price });
        Ok(())
    }

    fn renew(&mut self, place: Place, kind: Kind) -> Result<(), Refusal> {
        let licence = self.existing(place)?;
        if licence.exit.is_some() {
            return Err(ProgramError::LicenceClosing.into());
        }
        if kind != Kind::Subscription {
            return Err(ProgramError::NotRenewable.into());
        }
        self.check_pause(PauseBits::PURCHASE)?;
        self.check_recipients(place)?;
        let price = self.prices[&(place.1, place.2)] * licence.factor;
        let expires_at = licence.expires_at.max(self.now) + PERIOD;
        self.licences.insert(place, Licence { expires_at, ..licence });
        self.sell(place, price);
        Ok(())
    }

    fn deposit(&mut self, place: Place, kind: Kind, amount: u64) -> Result<(), Refusal> {
        let mut licence = self.existing(place)?;
        if kind != Kind::Usage {
            return Err(ProgramError::NotUsageLicence.into());
        }
        match (licence.exit, licence.owed) {
            (Some(_), 0) => return Err(ProgramError::LicenceClosing.into()),
            (Some(_), _) => {}
            (None, _) => self.check_pause(PauseBits::DEPOSIT)?,
        }
        licence.credit += amount;
        licence.has_vault = place.1 == Currency::Usdc as usize;
        self.paid[place.1].buyers[place.0] += amount;
        self.bill(place, licence);
        Ok(())
    }

    fn record(&mut self, place: Place, units: u64) -> Result<(), Refusal> {
        let mut licence = self.existing(place)?;
        self.check_pause(PauseBits::USAGE)?;
        licence.units += units;
        licence.owed += units * licence.unit_price;
        self.bill(place, licence);
        Ok(())
    }

    fn ask(&mut self, place: Place, exit: ExitKind) -> Result<(), Refusal> {
        let licence = self.existing(place)?;
        if licence.exit.is_some() {
            return Err(ProgramError::ExitPending.into());
        }
        if exit == ExitKind::Withdraw && licence.credit == 0 {
            return Err(ProgramError::NothingToWithdraw.into());
        }
        self.licences.insert(place, Licence { exit: Some((exit, self.now)), ..licence });
        Ok(())
    }

    fn execute(&mut self, place: Place) -> Result<(), Refusal> {
        let licence = self.existing(place)?;
        let (exit, asked_at) = licence.exit.ok_or(ProgramError::NoExitPending)?;
        if self.now < self.ready_at(asked_at) {
            return Err(ProgramError::ExitNotReady.into());
        }
        let licence = self.bill(place, licence);
        let back = licence.credit - licence.credit.min(licence.owed);
        let closes = exit == ExitKind::Close;
        if closes && licence.owed != 0 && back == 0 {
            return Err(ProgramError::LicenceUnpaid.into());
        }
        self.paid[place.1].buyers[place.0] -= back;
        if closes && licence.owed == 0 {
            self.licences.remove(&place);
        } else {
            self.licences.insert(place, Licence { credit: licence.credit - back, exit: None, ..licence });
        }
        Ok(())
    }

    /// The delay begins again when recording is resumed, for 7 days at most.
    fn ready_at(&self, asked_at: i64) -> i64 {
        let planned = asked_at + SETTLE_DELAY;
        if self.resumed_at <= asked_at {
            return planned;
        }
        planned.max((self.resumed_at + SETTLE_DELAY).min(planned + MOST_DELAY))
    }

    /// Pays what the credit covers of what is owed, unless somebody cannot receive it; gives the licence afterwards.
    fn bill(&mut self, place: Place, mut licence: Licence) -> Licence {
        let due = licence.credit.min(licence.owed);
        licence.blocked = due != 0 && self.check_recipients(place).is_err();
        if !licence.blocked {
            let fee = fee_of(licence.billed + due, self.fee_bps) - fee_of(licence.billed, self.fee_bps);
            licence.credit -= due;
            licence.owed -= due;
            licence.billed += due;
            self.pay(place, due, fee);
        }
        self.licences.insert(place, licence.clone());
        licence
    }

    /// A price leaves the buyer's wallet.
    fn sell(&mut self, place: Place, price: u64) {
        self.paid[place.1].buyers[place.0] += price;
        self.pay(place, price, fee_of(price, self.fee_bps));
        self.sold.entry((place.1, place.2)).or_default().0 += 1;
    }

    /// Seller and treasury receive `amount` together.
    fn pay(&mut self, place: Place, amount: u64, fee: u64) {
        let paid = &mut self.paid[place.1];
        paid.seller += amount - fee;
        paid.treasury += fee;
        self.sold.entry((place.1, place.2)).or_default().1 += amount;
    }

    fn existing(&self, place: Place) -> Result<Licence, Refusal> {
        self.licences.get(&place).cloned().ok_or(NO_ACCOUNT)
    }

    fn check_pause(&self, bit: u16) -> Result<(), Refusal> {
        if self.paused & bit != 0 { Err(ProgramError::Paused.into()) } else { Ok(()) }
    }

    /// Only USDC accounts can be frozen.
    fn check_recipients(&self, place: Place) -> Result<(), Refusal> {
        let frozen = place.1 == Currency::Usdc as usize && self.frozen.contains(&true);
        if frozen { Err(ProgramError::RecipientFrozen.into()) } else { Ok(()) }
    }
}
