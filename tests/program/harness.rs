//! A world for one test: the program's binary in litesvm behind the upgradeable loader, fixed keys, a USDC mint, and short ways to do the usual things.
//!
//! Time stands still unless a test moves it ([`World::pass`]).

use std::borrow::Cow;
use std::sync::LazyLock;

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::instruction::args::{InitializeArgs, PurchaseArgs, RecordArgs};
use clawos_interface::instruction::{self, Instruction, Route};
use clawos_interface::known::{PROGRAM_DATA, PROGRAM_ID};
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, Key, Kind, ProgramError, Tier, Unit, events::Event, pda, sha256, skill_id};
use clawos_solana::failure::program_error;
use clawos_solana::transaction::message;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::{Transaction, TransactionError};

use crate::people::*;

/// The committed binary.
pub const COMMITTED: &[u8] = include_bytes!("../../programs/artifacts/skill_marketplace.so");

/// Names another binary for the tests to run on: the one that `artifacts.rs` has just built.
pub const OTHER_BINARY: &str = "CLAWOS_TEST_PROGRAM";

/// The binary that the worlds run.
static BINARY: LazyLock<Cow<'static, [u8]>> = LazyLock::new(|| match std::env::var_os(OTHER_BINARY) {
    Some(path) => std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into(),
    None => COMMITTED.into(),
});

/// Lamports every wallet begins with: 1,000 SOL.
pub const WALLET_LAMPORTS: u64 = 1_000_000_000_000;

/// USDC base units that buyers begin with: 1,000 USDC.
pub const WALLET_USDC: u64 = 1_000_000_000;

/// The Unix time at which every world begins.
pub const START: i64 = 1_800_000_000;

/// What a transaction that went through left behind.
#[derive(Debug)]
pub struct Tx {
    /// Compute units of the whole transaction.
    pub cu: u64,
    /// What the last instruction returned.
    pub return_data: Vec<u8>,
    /// The program's events, in order.
    pub events: Vec<Event>,
}

/// Why a transaction was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By our program, with its own code.
    Program(ProgramError),
    /// By Anchor's account checks, another program or the runtime.
    Instruction(InstructionError),
    /// Before any instruction ran.
    Transaction(TransactionError),
}

impl From<ProgramError> for Refusal {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}

impl From<InstructionError> for Refusal {
    fn from(error: InstructionError) -> Self {
        Self::Instruction(error)
    }
}

/// Asserts that a transaction was refused with exactly this error.
#[track_caller]
pub fn refused(result: Result<Tx, Refusal>, error: impl Into<Refusal>) {
    let error = error.into();
    match result {
        Err(refusal) => assert_eq!(refusal, error),
        Ok(tx) => panic!("it went through instead of {error:?}: {:?}", tx.events),
    }
}

/// One world.
pub struct World {
    /// The virtual machine.
    pub svm: LiteSVM,
    /// The accepted USDC mint.
    pub mint: Key,
}

impl World {
    /// The program is deployed and everybody has lamports and USDC; Config does not exist yet.
    pub fn deployed() -> Self {
        let mint = key(&keypair(11));
        let mut world = Self { svm: LiteSVM::new(), mint };
        world.svm.add_program(Pubkey::from(PROGRAM_ID), &BINARY).expect("the binary loads");
        world.own_program();
        world.set_time(START);
        world.make_mint(mint, 6);
        for n in PEOPLE {
            world.svm.airdrop(&keypair(n).pubkey(), WALLET_LAMPORTS).expect("an airdrop works");
        }
        for person in [treasury(), payout(), buyer(), attacker()] {
            world.make_ata(&key(&person));
        }
        for person in [buyer(), attacker()] {
            world.mint_usdc(&key(&person), WALLET_USDC);
        }
        world
    }

    /// As [`World::deployed`], with Config as [`World::config_args`] says.
    pub fn new() -> Self {
        let mut world = Self::deployed();
        let ix = instruction::initialize(&key(&deployer()), &world.mint, &world.config_args());
        world.send(&ix, &[&deployer()]).expect("initialize works");
        world
    }

    /// The arguments with which worlds are initialised: 2.5 % fee, settle delay 600 s.
    pub fn config_args(&self) -> InitializeArgs {
        InitializeArgs {
            authority: key(&authority()),
            treasury: key(&treasury()),
            guardian: key(&guardian()),
            arbiter: key(&arbiter()),
            meter: key(&meter()),
            fee_bps: 250,
            min_price: [1_000, 40],
            max_price: [1_000_000_000_000_000, 1_000_000_000_000],
            max_refund_window: 0,
            settle_delay: 600,
        }
    }

    /// Names the deployer as the program's upgrade authority, as a real deployment does.
    fn own_program(&mut self) {
        let address = Pubkey::from(PROGRAM_DATA);
        let mut account = self.svm.get_account(&address).expect("the loader made ProgramData");
        account.data[12] = 1;
        account.data[13..45].copy_from_slice(&key(&deployer()));
        self.svm.set_account(address, account).expect("ProgramData can be set");
    }

    // Time and raw accounts

    /// Unix time of the chain's clock.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the chain's clock.
    pub fn set_time(&mut self, unix: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = unix;
        self.svm.set_sysvar(&clock);
    }

    /// Lets seconds pass.
    pub fn pass(&mut self, seconds: i64) {
        self.set_time(self.now() + seconds);
    }

    /// An account's data, empty when there is none.
    pub fn data(&self, address: &Key) -> Vec<u8> {
        self.svm.get_account(&Pubkey::from(*address)).map(|account| account.data).unwrap_or_default()
    }

    /// An account's lamports.
    pub fn lamports(&self, address: &Key) -> u64 {
        self.svm.get_balance(&Pubkey::from(*address)).unwrap_or_default()
    }

    /// Replaces an account.
    pub fn set_account(&mut self, address: &Key, account: Account) {
        self.svm.set_account(Pubkey::from(*address), account).expect("the account can be set");
    }

    // Transactions

    /// Sends one instruction, signed by `signers`; the first pays the fee.
    pub fn send(&mut self, ix: &Instruction, signers: &[&Keypair]) -> Result<Tx, Refusal> {
        self.send_all(std::slice::from_ref(ix), signers)
    }

    /// Sends several instructions as one transaction, signed by `signers`; the first pays the fee.
    pub fn send_all(&mut self, ixs: &[Instruction], signers: &[&Keypair]) -> Result<Tx, Refusal> {
        self.svm.expire_blockhash();
        let blockhash = self.svm.latest_blockhash();
        let tx = Transaction::new(signers, message(&key(signers[0]), ixs, &blockhash.to_bytes()), blockhash);
        match self.svm.send_transaction(tx) {
            Ok(meta) => Ok(Tx {
                cu: meta.compute_units_consumed,
                events: events(&meta.logs),
                return_data: meta.return_data.data,
            }),
            Err(failed) => Err(match (program_error(&failed.err), failed.err) {
                (Some(error), _) => Refusal::Program(error),
                (None, TransactionError::InstructionError(_, error)) => Refusal::Instruction(error),
                (None, error) => Refusal::Transaction(error),
            }),
        }
    }

    // Our accounts

    /// Config as it stands.
    pub fn config(&self) -> Config {
        Config::decode(&self.data(&pda::config().0)).expect("Config exists")
    }

    /// A skill as it stands.
    pub fn skill(&self, address: &Key) -> Skill {
        Skill::decode(&self.data(address)).expect("the skill exists")
    }

    /// The buyer's licence of a skill as it stands.
    pub fn licence(&self, skill: &Key) -> Licence {
        self.licence_of(skill, &key(&buyer()))
    }

    /// Anybody's licence of a skill as it stands.
    pub fn licence_of(&self, skill: &Key, buyer: &Key) -> Licence {
        Licence::decode(&self.data(&pda::licence(skill, buyer).0)).expect("the licence exists")
    }

    /// Where the money of a skill goes.
    pub fn route(&self, skill: &Key) -> Route {
        Route::new(&self.config(), *skill, &self.skill(skill)).expect("the currency is known")
    }

    /// The hash of a skill's present terms.
    pub fn terms_hash(&self, skill: &Key) -> [u8; 32] {
        let account = self.skill(skill);
        account.terms(&self.config().meter).hash(sha256, account.created_slot())
    }

    // The usual steps

    /// Terms that offer one kind at `price` in `currency`; multipliers 1, 2 and 5, period 30 days.
    pub fn terms(&self, currency: Currency, kind: Kind, price: u64) -> Terms {
        let of = |wanted: Kind| if wanted == kind { price } else { 0 };
        Terms {
            payout: key(&payout()),
            meter: [0; 32],
            price_once: of(Kind::OneTime),
            price_period: of(Kind::Subscription),
            price_unit: of(Kind::Usage),
            period_secs: if kind == Kind::Subscription { 30 * 86_400 } else { 0 },
            refund_window: 0,
            tier_bps: [10_000, 20_000, 50_000],
            currency: currency as u8,
            kinds: kind.bit(),
            unit_kind: Unit::Call as u8,
        }
    }

    /// Registers the seller's skill `name` and returns its address.
    pub fn register(&mut self, name: &str, terms: &Terms) -> Key {
        let seller = seller();
        let id = skill_id(name);
        let ix = instruction::register_skill(&key(&seller), &id, &[9; 32], terms);
        self.send(&ix, &[&seller]).expect("registering works");
        pda::skill(&key(&seller), &id).0
    }

    /// What a buyer sends who accepts the present terms at any price.
    pub fn order(&self, skill: &Key, kind: Kind, tier: Tier) -> PurchaseArgs {
        PurchaseArgs { kind, tier, max_price: u64::MAX, terms_hash: self.terms_hash(skill), caps: Caps::default() }
    }

    /// The buyer purchases a personal licence at the present terms.
    pub fn purchase(&mut self, skill: &Key, kind: Kind) -> Result<Tx, Refusal> {
        let buyer = buyer();
        let ix = instruction::purchase(&key(&buyer), &self.route(skill), &self.order(skill, kind, Tier::Personal));
        self.send(&ix, &[&buyer])
    }

    /// The buyer deposits credit, making the vault first where one is needed.
    pub fn deposit(&mut self, skill: &Key, amount: u64) -> Result<Tx, Refusal> {
        let buyer = buyer();
        let route = self.route(skill);
        if route.currency == Currency::Usdc {
            self.make_ata(&route.licence(&key(&buyer)));
        }
        self.send(&instruction::deposit_credit(&key(&buyer), &route, amount), &[&buyer])
    }

    /// The arguments of the next batch of the buyer's licence.
    pub fn batch(&self, skill: &Key, units: u64) -> RecordArgs {
        let licence = self.licence(skill);
        RecordArgs { seq: licence.usage_seq() + 1, prev_root: licence.chain_root, units, root: [units as u8; 32] }
    }

    /// Config's meter records the next batch of the buyer's licence.
    pub fn record(&mut self, skill: &Key, units: u64) -> Result<Tx, Refusal> {
        let meter = meter();
        let has_vault = self.licence(skill).vault_bump() != 0;
        let args = self.batch(skill, units);
        let ix = instruction::record_usage(&key(&meter), &self.route(skill), &key(&buyer()), has_vault, &args);
        self.send(&ix, &[&meter])
    }
}

/// Our events among the log lines.
fn events(logs: &[String]) -> Vec<Event> {
    use base64::Engine;
    let ours = logs.iter().filter_map(|line| line.strip_prefix("Program data: "));
    ours.map(|text| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("log data is base64");
        Event::decode(&bytes).expect("every event is one of ours")
    })
    .collect()
}
