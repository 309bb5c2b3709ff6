//! Money is conserved: whatever buyers do in whatever order, what leaves the buyer is with the seller, the treasury or in the licence, to the unit.
//!
//! A state machine over the shipped binary. One skill per currency and kind; random purchases, renewals, deposits, batches, exits and waiting, while
//! prices and the fee change, recipients are frozen and thawed, and instructions are paused and resumed. After every step: sums are constant, seller
//! and treasury have exactly their parts, each licence holds exactly its credit, nobody else's balance moved.

use clawos_interface::accounts::Licence;
use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::{self, Instruction, create_associated_token_idempotent};
use clawos_interface::rules::fee::{fee_delta, fee_of};
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, NO_KEY, ProgramError, SuspendReason, Tier, pda};
use proptest::prelude::*;
use proptest::sample::select;
use solana_keypair::Keypair;

use crate::harness::{Refusal, World};
use crate::people::*;
use crate::sale::money;

/// Where a token account says whether it is frozen, and what it says then and else.
const TOKEN_STATE_AT: usize = 108;
const FROZEN: u8 = 2;
const USABLE: u8 = 1;

/// Odd prices, so that every fee has a remainder: of a licence or period, and of a unit.
const PRICE: [u64; 2] = [123_456_789, 1_234_567];
const UNIT_PRICE: [u64; 2] = [1_000_003, 333];

/// One step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Purchase(Tier),
    Renew,
    Deposit(u64),
    Record(u64),
    Ask(ExitKind),
    Execute,
    Wait(i64),
    /// The seller sets another price.
    Reprice(u64),
    /// The fee changes, basis points.
    Fee(u16),
    /// The payout's (false) or the treasury's (true) USDC account is frozen or thawed.
    Freeze(bool, u8),
    Pause(u16),
    Unpause,
}

/// A step on the skill of one currency and kind.
#[derive(Debug, Clone, Copy)]
struct Move {
    currency: Currency,
    kind: Kind,
    step: Step,
}

fn moves() -> impl Strategy<Value = Move> {
    let step = prop_oneof![
        3 => select(Tier::ALL).prop_map(Step::Purchase),
        2 => Just(Step::Renew),
        4 => (1..60_u64).prop_map(Step::Deposit),
        5 => (1..40_u64).prop_map(Step::Record),
        2 => select(&[ExitKind::Withdraw, ExitKind::Close][..]).prop_map(Step::Ask),
        3 => Just(Step::Execute),
        3 => select(&[1, 599, 600, 600, 86_400, 31 * 86_400][..]).prop_map(Step::Wait),
        1 => (1..1_000_u64).prop_map(Step::Reprice),
        1 => (0..=1_000_u16).prop_map(Step::Fee),
        1 => (any::<bool>(), select(&[FROZEN, USABLE, USABLE][..])).prop_map(|(treasury, state)| Step::Freeze(treasury, state)),
        1 => (1..=PauseBits::ALL).prop_map(Step::Pause),
        2 => Just(Step::Unpause),
    ];
    // Usage moves most.
    let kind = prop_oneof![1 => Just(Kind::OneTime), 2 => Just(Kind::Subscription), 4 => Just(Kind::Usage)];
    (select(Currency::ALL), kind, step).prop_map(|(currency, kind, step)| Move { currency, kind, step })
}

/// A world with its skills, and what must have been paid so far.
struct Market {
    world: World,
    skills: Vec<(Currency, Kind, Key)>,
    /// Per currency: paid so far at purchases and renewals and for usage, and the fee of it.
    paid: [(u64, u64); 2],
    /// Per currency: what everybody involved had at the start.
    start: [Holdings; 2],
    /// Everybody's lamports who has no part in it.
    bystanders: Vec<u64>,
}

/// Money per place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Holdings {
    buyer: u64,
    seller: u64,
    treasury: u64,
    licences: u64,
}

impl Holdings {
    fn total(&self) -> u64 {
        self.buyer + self.seller + self.treasury + self.licences
    }
}

impl Market {
    fn open() -> Self {
        let mut world = World::new();
        let mut skills = Vec::new();
        for currency in Currency::ALL {
            for kind in Kind::ALL {
                let prices = if *kind == Kind::Usage { UNIT_PRICE } else { PRICE };
                let terms = world.terms(*currency, *kind, prices[*currency as usize]);
                skills.push((*currency, *kind, world.register(&format!("acme.{currency}-{kind}"), &terms)));
            }
        }
        let nothing = Holdings { buyer: 0, seller: 0, treasury: 0, licences: 0 };
        let mut market = Self { world, skills, paid: [(0, 0); 2], start: [nothing; 2], bystanders: vec![] };
        market.start = Currency::ALL
            .iter()
            .map(|currency| market.holdings(*currency))
            .collect::<Vec<_>>()
            .try_into()
            .expect("two");
        market.bystanders = market.others();
        market
    }

    fn skill(&self, currency: Currency, kind: Kind) -> Key {
        let found = self.skills.iter().find(|(of, sold, _)| (*of, *sold) == (currency, kind));
        found.expect("one of each").2
    }

    fn licence(&self, skill: &Key) -> Option<Licence> {
        Licence::decode(&self.world.data(&pda::licence(skill, &key(&buyer())).0)).ok()
    }

    /// Lamports count in every licence and vault, since both pay rent in them.
    fn holdings(&self, currency: Currency) -> Holdings {
        let held = |address: &Key| money(&self.world, currency, address);
        let licences = self.skills.iter().map(|(_, _, skill)| {
            let licence = pda::licence(skill, &key(&buyer())).0;
            let vault = if currency == Currency::Sol { self.world.lamports(&self.world.ata(&licence)) } else { 0 };
            held(&licence) + vault
        });
        Holdings {
            buyer: held(&key(&buyer())),
            seller: held(&key(&payout())),
            treasury: held(&key(&treasury())),
            licences: licences.sum(),
        }
    }

    fn others(&self) -> Vec<u64> {
        let people = [deployer(), authority(), guardian(), arbiter(), meter(), seller()];
        let mut addresses: Vec<Key> = people.iter().map(key).collect();
        addresses.extend(self.skills.iter().map(|(_, _, skill)| *skill));
        addresses.push(pda::config().0);
        let tokens = self.world.usdc(&key(&attacker()));
        addresses.iter().map(|address| self.world.lamports(address)).chain([tokens]).collect()
    }

    /// The attacker pays every network fee, so that it shows in nobody's balance.
    fn send(&mut self, ix: &Instruction, signer: &Keypair) -> Result<(), Refusal> {
        self.world.send(ix, &[&attacker(), signer]).map(drop)
    }

    fn apply(&mut self, Move { currency, kind, step }: Move) -> Result<(), Refusal> {
        let (skill, buyer) = (self.skill(currency, kind), buyer());
        let (route, who) = (self.world.route(&skill), key(&buyer));
        let known = self.licence(&skill);
        let has_vault = known.is_some_and(|licence| licence.vault_bump() != 0);
        let price = self.world.skill(&skill).terms(&NO_KEY);
        let mut paid = 0;
        match step {
            Step::Purchase(tier) => {
                self.send(&instruction::purchase(&who, &route, &self.world.order(&skill, kind, tier)), &buyer)?;
                paid = if kind == Kind::Usage { 0 } else { price.price(kind, tier).expect("it was sold") };
            }
            Step::Renew => {
                let ix = instruction::renew(&who, &route, u64::MAX, &self.world.terms_hash(&skill));
                self.send(&ix, &buyer)?;
                let tier = Tier::ALL[known.expect("it was renewed").tier as usize];
                paid = price.price(kind, tier).expect("it was sold");
            }
            Step::Deposit(parts) => {
                let amount = parts * UNIT_PRICE[currency as usize] * 3 / 2;
                let mut ixs = vec![instruction::deposit_credit(&who, &route, amount)];
                if currency == Currency::Usdc {
                    ixs.insert(0, create_associated_token_idempotent(&who, &route.licence(&who), &route.usdc_mint));
                }
                self.world.send_all(&ixs, &[&attacker(), &buyer])?;
            }
            Step::Record(units) => {
                if known.is_some() {
                    let ix = instruction::record_usage(
                        &key(&meter()),
                        &route,
                        &who,
                        has_vault,
                        &self.world.batch(&skill, units),
                    );
                    self.send(&ix, &meter())?;
                }
            }
            Step::Ask(exit) => self.send(&instruction::request_exit(&who, &skill, exit), &buyer)?,
            Step::Execute => self.send(&instruction::execute_exit(&who, &route, has_vault), &buyer)?,
            Step::Wait(seconds) => self.world.pass(seconds),
            _ => self.interfere(&skill, step)?,
        }
        let bps = self.world.config().fee_bps();
        let usage = known.map_or((0, 0), |before| self.billed(&skill, &before, bps));
        let sum = &mut self.paid[currency as usize];
        *sum = (sum.0 + paid + usage.0, sum.1 + fee_of(paid, bps) + usage.1);
        Ok(())
    }

    /// What seller, market and issuer can do meanwhile.
    fn interfere(&mut self, skill: &Key, step: Step) -> Result<(), Refusal> {
        match step {
            Step::Reprice(price) => {
                let mut terms = self.world.skill(skill).terms(&NO_KEY);
                let (offered, at) = (terms, terms.currency as usize);
                terms.price_once = if offered.price_once == 0 { 0 } else { PRICE[at] + price };
                terms.price_period = if offered.price_period == 0 { 0 } else { PRICE[at] + price };
                terms.price_unit = if offered.price_unit == 0 { 0 } else { UNIT_PRICE[at] + price };
                self.send(&instruction::update_skill(&key(&seller()), skill, &[0; 32], &terms), &seller())?;
            }
            Step::Fee(bps) => self.world.change_config(|config| config.fee_bps.set(bps)),
            Step::Freeze(is_treasury, state) => {
                let account = self.world.ata(&key(&if is_treasury { treasury() } else { payout() }));
                self.world.poke(&account, TOKEN_STATE_AT, state);
            }
            Step::Pause(bits) => self.send(&instruction::pause(&key(&guardian()), bits), &guardian())?,
            _ => self.send(&instruction::unpause(&key(&authority()), PauseBits::ALL), &authority())?,
        }
        Ok(())
    }

    /// What a licence has paid for usage since it was `before`, and the fee of it. A licence that is gone has paid all it owed.
    fn billed(&self, skill: &Key, before: &Licence, bps: u16) -> (u64, u64) {
        let all = before.billed_total() + before.unbilled();
        let billed = self.licence(skill).map_or(all, |after| after.billed_total()) - before.billed_total();
        (billed, fee_delta(before.billed_total(), billed, bps).expect("the sums are small"))
    }

    fn check(&self) {
        for currency in Currency::ALL {
            self.check_currency(*currency);
        }
        assert_eq!(self.others(), self.bystanders, "somebody else's balance moved");
    }

    fn check_currency(&self, currency: Currency) {
        let (now, start) = (self.holdings(currency), self.start[currency as usize]);
        assert_eq!(now.total(), start.total(), "{currency} is conserved");
        let (paid, fee) = self.paid[currency as usize];
        for (_, _, skill) in self.skills.iter().filter(|(of, _, _)| *of == currency) {
            if let Some(licence) = self.licence(skill) {
                self.check_licence(currency, skill, &licence);
            }
        }
        assert_eq!((now.seller - start.seller, now.treasury - start.treasury), (paid - fee, fee), "{currency}");
    }

    fn check_licence(&self, currency: Currency, skill: &Key, licence: &Licence) {
        let address = pda::licence(skill, &key(&buyer())).0;
        let rent = self.world.svm.minimum_balance_for_rent_exemption(Licence::LEN);
        let held = match currency {
            Currency::Sol => self.world.lamports(&address) - rent,
            Currency::Usdc => self.world.usdc(&address),
        };
        assert_eq!(held, licence.credit(), "a licence holds its credit and nothing else");
        let owes = licence.unbilled() != 0;
        assert_eq!(licence.status == LicenceStatus::Suspended as u8, owes, "suspended exactly while it owes");
        let blocked = licence.suspended_reason == SuspendReason::Recipient as u8;
        assert!(!owes || licence.credit() == 0 || blocked, "credit pays a debt first");
    }

    /// Pays every debt, closes every licence; what is paused stays paused.
    fn leave(&mut self) {
        for person in [payout(), treasury()] {
            self.world.poke(&self.world.ata(&key(&person)), TOKEN_STATE_AT, USABLE);
        }
        for (currency, kind, skill) in self.skills.clone() {
            let Some(licence) = self.licence(&skill) else { continue };
            let mut act = |step| self.apply(Move { currency, kind, step });
            if licence.exit_kind == ExitKind::Withdraw as u8 {
                act(Step::Wait(600)).expect("waiting works");
                act(Step::Execute).expect("the exit works");
            }
            match act(Step::Ask(ExitKind::Close)) {
                Ok(()) | Err(Refusal::Program(ProgramError::ExitPending)) => (),
                Err(refusal) => panic!("{refusal:?}"),
            }
            let owed = self.licence(&skill).expect("it is not closed yet").unbilled();
            let mut act = |step| self.apply(Move { currency, kind, step });
            if owed != 0 {
                let parts = owed / UNIT_PRICE[currency as usize] + 1;
                act(Step::Deposit(parts)).expect("who leaves can always pay a debt");
            }
            act(Step::Wait(600)).expect("waiting works");
            act(Step::Execute).expect("the exit works");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved(moves in prop::collection::vec(moves(), 60)) {
        let mut market = Market::open();
        for (currency, kind, _) in market.skills.clone() {
            market.apply(Move { currency, kind, step: Step::Purchase(Tier::Commercial) }).expect("the purchase works");
        }
        for step in moves {
            // A refusal is fine; it must change nothing, as `check` sees.
            let _ = market.apply(step);
            market.check();
        }
        market.leave();
        market.check();
        for currency in Currency::ALL {
            let (now, start) = (market.holdings(*currency), market.start[*currency as usize]);
            prop_assert_eq!(now.licences, 0, "no rent and no credit is left behind");
            prop_assert_eq!(start.buyer - now.buyer, now.seller + now.treasury - start.seller - start.treasury);
        }
        for (_, _, skill) in &market.skills {
            prop_assert_eq!(market.world.skill(skill).open_licences(), 0);
        }
    }
}
