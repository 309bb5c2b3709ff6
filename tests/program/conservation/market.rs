//! The program's side: takes a step on the shipped binary, and compares the chain with the model.

use clawos_interface::accounts::Licence;
use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::args::RecordArgs;
use clawos_interface::instruction::{self, Instruction, create_associated_token_idempotent};
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, NO_KEY, SuspendReason, Tier, pda};
use solana_keypair::Keypair;

use super::model::{self, Model};
use super::{Move, Step, UNIT_PRICE, base};
use crate::harness::{Refusal, WALLET_LAMPORTS, WALLET_USDC, World};
use crate::people::*;
use crate::sale::money;

/// Where a token account says whether it is frozen, and what it says then and else.
const TOKEN_STATE_AT: usize = 108;
const FROZEN: u8 = 2;
const USABLE: u8 = 1;

/// Length of a token account's data.
const TOKEN_ACCOUNT_LEN: usize = 165;

/// Money of everybody involved, in one currency.
#[derive(Debug, PartialEq, Eq)]
struct Balances {
    buyers: [u64; 2],
    seller: u64,
    treasury: u64,
}

/// A world with its skills, and the model of it.
pub struct Market {
    world: World,
    model: Model,
    skills: Vec<(Currency, Kind, Key)>,
    /// By currency, before anything was bought.
    start: [Balances; 2],
    /// Everybody's money who has no part in it.
    bystanders: Vec<u64>,
}

fn buyers() -> [Keypair; 2] {
    [buyer(), second_buyer()]
}

impl Market {
    /// A skill per currency and kind, and two buyers with money.
    pub fn open() -> Self {
        let mut world = World::new();
        world.svm.airdrop(&key(&second_buyer()).into(), WALLET_LAMPORTS).expect("an airdrop works");
        world.make_ata(&key(&second_buyer()));
        world.mint_usdc(&key(&second_buyer()), WALLET_USDC);
        let mut skills = Vec::new();
        for currency in Currency::ALL {
            for kind in Kind::ALL {
                let terms = world.terms(*currency, *kind, base(*currency, *kind));
                skills.push((*currency, *kind, world.register(&format!("acme.{currency}-{kind}"), &terms)));
            }
        }
        let model = Model::new(skills.iter().map(|(currency, kind, _)| (*currency, *kind, base(*currency, *kind))));
        let start = [Currency::Sol, Currency::Usdc].map(|currency| balances(&world, currency));
        let mut market = Self { world, model, skills, start, bystanders: vec![] };
        market.bystanders = market.others();
        market
    }

    /// Takes a step, which must end as the model says and leave everything as the model has it.
    pub fn take(&mut self, step: &Move) -> Result<(), Refusal> {
        let expected = self.model.clone().apply(step);
        let outcome = self.send(step);
        assert_eq!(outcome, expected, "{step:?}");
        // A refusal changes nothing, in the model and on chain.
        let _ = self.model.apply(step);
        self.check();
        outcome
    }

    /// Every buyer gets every licence.
    pub fn everybody_buys(&mut self) {
        for (currency, kind, _) in self.skills.clone() {
            for buyer in 0..2 {
                let step = Step::Purchase(Tier::Commercial);
                self.take(&Move { buyer, currency, kind, step }).expect("the purchase works");
            }
        }
    }

    /// Pays every debt and closes every licence; what is paused stays paused. Then nothing is left behind.
    pub fn everybody_leaves(&mut self) {
        for (currency, kind, _) in self.skills.clone() {
            for buyer in 0..2 {
                self.leave(Move { buyer, currency, kind, step: Step::Wait(600) });
            }
        }
        for currency in [Currency::Sol, Currency::Usdc] {
            let (now, start) = (balances(&self.world, currency), &self.start[currency as usize]);
            let spent: u64 = (0..2).map(|buyer| start.buyers[buyer] - now.buyers[buyer]).sum();
            assert_eq!(spent, now.seller + now.treasury - start.seller - start.treasury, "{currency}");
        }
    }

    fn leave(&mut self, wait: Move) {
        let Move { buyer, currency, kind, .. } = wait;
        let held = |market: &Self| market.model.licence(buyer, currency, kind).cloned();
        let Some(licence) = held(self) else { return };
        let mut act =
            |step| self.take(&Move { step, ..wait }).unwrap_or_else(|refusal| panic!("{step:?}: {refusal:?}"));
        for treasury in [false, true] {
            act(Step::Freeze { treasury, frozen: false });
        }
        if matches!(licence.exit, Some((ExitKind::Withdraw, _))) {
            act(Step::Wait(600));
            act(Step::Execute);
        }
        if !matches!(licence.exit, Some((ExitKind::Close, _))) {
            act(Step::Ask(ExitKind::Close));
        }
        let owed = held(self).expect("it is not closed yet").owed;
        let mut act =
            |step| self.take(&Move { step, ..wait }).unwrap_or_else(|refusal| panic!("{step:?}: {refusal:?}"));
        if owed != 0 {
            act(Step::Deposit(owed / UNIT_PRICE[currency as usize] + 1));
        }
        act(Step::Wait(600));
        act(Step::Execute);
        assert_eq!(held(self), None, "the licence is closed");
    }

    /// The attacker pays every network fee, so that it shows in nobody's balance.
    fn send_signed(&mut self, ixs: &[Instruction], signer: &Keypair) -> Result<(), Refusal> {
        self.world.send_all(ixs, &[&attacker(), signer]).map(drop)
    }

    fn send(&mut self, &Move { buyer, currency, kind, step }: &Move) -> Result<(), Refusal> {
        let (skill, buyer) = (self.skill(currency, kind), &buyers()[buyer]);
        let (route, who) = (self.world.route(&skill), key(buyer));
        let known = self.licence(&skill, &who);
        let has_vault = known.is_some_and(|licence| licence.vault_bump() != 0);
        match step {
            Step::Purchase(tier) => {
                let order = self.world.order(&skill, kind, tier);
                self.send_signed(&[instruction::purchase(&who, &route, &order)], buyer)
            }
            Step::Renew => {
                let terms_hash = self.world.terms_hash(&skill);
                self.send_signed(&[instruction::renew(&who, &route, u64::MAX, &terms_hash)], buyer)
            }
            Step::Deposit(parts) => {
                let amount = parts * UNIT_PRICE[currency as usize] * 3 / 2;
                let mut ixs = vec![instruction::deposit_credit(&who, &route, amount)];
                if currency == Currency::Usdc {
                    ixs.insert(0, create_associated_token_idempotent(&who, &route.licence(&who), &route.usdc_mint));
                }
                self.send_signed(&ixs, buyer)
            }
            Step::Record(units) => {
                let (seq, prev_root) = known.map_or((1, [0; 32]), |held| (held.usage_seq() + 1, held.chain_root));
                let batch = RecordArgs { seq, prev_root, units, root: [7; 32] };
                let ix = instruction::record_usage(&key(&meter()), &route, &who, has_vault, &batch);
                self.send_signed(&[ix], &meter())
            }
            Step::Ask(exit) => self.send_signed(&[instruction::request_exit(&who, &skill, exit)], buyer),
            Step::Execute => self.send_signed(&[instruction::execute_exit(&who, &route, has_vault)], buyer),
            _ => self.interfere(&skill, kind, step),
        }
    }

    /// What time, seller, market and issuer do meanwhile.
    fn interfere(&mut self, skill: &Key, kind: Kind, step: Step) -> Result<(), Refusal> {
        match step {
            Step::Wait(seconds) => self.world.pass(seconds),
            Step::Reprice(price) => {
                let now = self.world.skill(skill).terms(&NO_KEY);
                let currency = Currency::try_from(now.currency).expect("the currency is known");
                let terms = self.world.terms(currency, kind, base(currency, kind) + price);
                self.send_signed(&[instruction::update_skill(&key(&seller()), skill, &[0; 32], &terms)], &seller())?;
            }
            Step::Fee(bps) => self.world.change_config(|config| config.fee_bps.set(bps)),
            Step::Freeze { treasury: is_treasury, frozen } => {
                let account = self.world.ata(&key(&if is_treasury { treasury() } else { payout() }));
                self.world.poke(&account, TOKEN_STATE_AT, if frozen { FROZEN } else { USABLE });
            }
            Step::Pause(bits) => self.send_signed(&[instruction::pause(&key(&guardian()), bits)], &guardian())?,
            _ => self.send_signed(&[instruction::unpause(&key(&authority()), PauseBits::ALL)], &authority())?,
        }
        Ok(())
    }

    fn skill(&self, currency: Currency, kind: Kind) -> Key {
        let found = self.skills.iter().find(|(of, sold, _)| (*of, *sold) == (currency, kind));
        found.expect("one of each").2
    }

    fn licence(&self, skill: &Key, buyer: &Key) -> Option<Licence> {
        Licence::decode(&self.world.data(&pda::licence(skill, buyer).0)).ok()
    }

    fn others(&self) -> Vec<u64> {
        let people = [deployer(), authority(), guardian(), arbiter(), meter(), seller()];
        let mut addresses: Vec<Key> = people.iter().map(key).collect();
        addresses.extend(self.skills.iter().map(|(_, _, skill)| *skill));
        addresses.push(pda::config().0);
        let tokens = self.world.usdc(&key(&attacker()));
        addresses.iter().map(|address| self.world.lamports(address)).chain([tokens]).collect()
    }

    /// Compares the chain with the model.
    fn check(&self) {
        let mut rent = [0; 2];
        for (currency, kind, skill) in &self.skills {
            for (n, buyer) in buyers().iter().enumerate() {
                let licence = self.model.licence(n, *currency, *kind);
                rent[n] += self.check_licence(*currency, skill, &key(buyer), licence);
            }
            let account = self.world.skill(skill);
            let (sales, gross) = self.model.sold.get(&(*currency as usize, *kind as u8)).copied().unwrap_or_default();
            assert_eq!((account.sales(), account.gross()), (sales, gross), "{currency} {kind}");
            assert_eq!(account.open_licences() as usize, self.model.open(*currency, *kind), "{currency} {kind}");
        }
        for currency in [Currency::Sol, Currency::Usdc] {
            let (start, paid) = (&self.start[currency as usize], &self.model.paid[currency as usize]);
            let rent = if currency == Currency::Sol { rent } else { [0; 2] };
            let expected = Balances {
                buyers: [0, 1].map(|n| start.buyers[n] - paid.buyers[n] - rent[n]),
                seller: start.seller + paid.seller,
                treasury: start.treasury + paid.treasury,
            };
            assert_eq!(balances(&self.world, currency), expected, "{currency}");
        }
        assert_eq!(self.others(), self.bystanders, "somebody else's balance moved");
    }

    /// Compares a licence with the model's; gives the rent that its buyer has in it.
    fn check_licence(&self, currency: Currency, skill: &Key, buyer: &Key, expected: Option<&model::Licence>) -> u64 {
        let address = pda::licence(skill, buyer).0;
        let vault = self.world.ata(&address);
        let (lamports, vault_lamports) = (self.world.lamports(&address), self.world.lamports(&vault));
        let Some(expected) = expected else {
            assert_eq!((lamports, vault_lamports), (0, 0), "nothing is left of a closed licence");
            return 0;
        };
        let minimum = |length| self.world.svm.minimum_balance_for_rent_exemption(length);
        let rent = minimum(Licence::LEN);
        let vault_rent = if expected.has_vault { minimum(TOKEN_ACCOUNT_LEN) } else { 0 };
        assert_eq!(vault_lamports, vault_rent);
        let held = match currency {
            Currency::Sol => lamports - rent,
            Currency::Usdc => self.world.tokens(&vault),
        };
        assert_eq!(held, expected.credit, "a licence holds its credit and nothing else");
        let licence = self.licence(skill, buyer).expect("the licence exists");
        assert_eq!((licence.credit(), licence.unbilled()), (expected.credit, expected.owed));
        assert_eq!((licence.billed_total(), licence.usage_total()), (expected.billed, expected.units));
        assert_eq!(licence.expires_at(), expected.expires_at);
        let (status, reason) = match (expected.owed, expected.blocked) {
            (0, _) => (LicenceStatus::Active, SuspendReason::None),
            (_, false) => (LicenceStatus::Suspended, SuspendReason::Unpaid),
            (_, true) => (LicenceStatus::Suspended, SuspendReason::Recipient),
        };
        assert_eq!((licence.status, licence.suspended_reason), (status as u8, reason as u8), "suspended while it owes");
        rent + vault_rent
    }
}

fn balances(world: &World, currency: Currency) -> Balances {
    let held = |person: &Keypair| money(world, currency, &key(person));
    Balances { buyers: buyers().each_ref().map(held), seller: held(&payout()), treasury: held(&treasury()) }
}
