//! What each instruction costs in compute units, against the budget in which it must stay. Keys are fixed, so the numbers repeat exactly.

use clawos_interface::codes::PauseBits;
use clawos_interface::instruction::{self, Instruction};
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, ExitKind, Key, Kind, SkillStatus, Tier, skill_id};
use solana_keypair::Keypair;

use crate::harness::World;
use crate::people::*;

/// A scenario, the compute units measured when the binary was frozen, and what the specification aimed at, where it named an aim.
type Row = (&'static str, u64, Option<u64>);

/// The frozen table. A scenario may take 3 % more than this, so that an accidental slowdown shows.
const MEASURED: &[Row] = &[
    ("initialize", 2_454, Some(2_500)),
    ("register_skill", 2_859, Some(3_000)),
    ("update_skill", 1_335, None),
    ("set_skill_status", 602, None),
    ("purchase_sol", 6_627, Some(7_000)),
    ("purchase_usdc", 6_419, Some(9_000)),
    ("renew, SOL", 4_479, Some(7_000)),
    ("renew, USDC", 4_507, Some(7_000)),
    ("verify_access", 564, Some(700)),
    ("verify_access, no licence", 1_035, None),
    ("deposit_credit, SOL", 2_301, None),
    ("deposit_credit, USDC", 2_688, None),
    ("record_usage, nothing to charge", 1_338, Some(900)),
    ("record_usage, SOL", 1_836, Some(4_500)),
    ("record_usage, USDC", 4_460, Some(4_500)),
    ("set_licence_caps", 787, None),
    ("request_exit", 718, None),
    ("execute_exit, SOL", 1_510, None),
    ("execute_exit, USDC", 4_312, None),
    ("pause", 485, None),
    ("unpause", 610, None),
];

#[test]
fn every_instruction_stays_in_its_budget() {
    let now = measure();
    println!("| scenario | compute units | budget | aim |\n| --- | ---: | ---: | ---: |");
    for (name, cu) in &now {
        let (budget, aim) = budget(name);
        let aim = aim.map_or("-".into(), |aim| aim.to_string());
        println!("| {name} | {cu} | {budget} | {aim} |");
    }
    assert_eq!(now.len(), MEASURED.len(), "every frozen scenario was run");
    let over: Vec<_> = now.iter().filter(|(name, cu)| *cu > budget(name).0).collect();
    assert!(over.is_empty(), "over budget: {over:?}");
}

/// The budget of a scenario, and its aim.
fn budget(name: &str) -> (u64, Option<u64>) {
    let found = MEASURED.iter().find(|(known, _, _)| *known == name);
    let (_, measured, aim) = found.unwrap_or_else(|| panic!("{name} is not in the table"));
    (measured * 103 / 100, *aim)
}

/// Runs each instruction once in its plainest scenario.
fn measure() -> Vec<(&'static str, u64)> {
    let mut bench = Bench { world: World::deployed(), table: Vec::new() };
    let ix = instruction::initialize(&key(&deployer()), &bench.world.mint, &bench.world.config_args());
    bench.run("initialize", &ix, &deployer());
    bench.listing();
    bench.one_time();
    for currency in Currency::ALL {
        bench.subscription(*currency);
        bench.usage(*currency);
    }
    bench.run("pause", &instruction::pause(&key(&guardian()), PauseBits::ALL), &guardian());
    bench.run("unpause", &instruction::unpause(&key(&authority()), PauseBits::ALL), &authority());
    bench.table
}

/// A world, and what was measured in it so far.
struct Bench {
    world: World,
    table: Vec<(&'static str, u64)>,
}

impl Bench {
    fn run(&mut self, name: &'static str, ix: &Instruction, signer: &Keypair) {
        let tx = self.world.send(ix, &[signer]).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        self.table.push((name, tx.cu));
    }

    fn listing(&mut self) {
        let terms = self.world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
        let ix = instruction::register_skill(&key(&seller()), &skill_id("acme.budget"), &[1; 32], &terms);
        self.run("register_skill", &ix, &seller());
        let skill = self.world.register("acme.listing", &terms);
        self.run("update_skill", &instruction::update_skill(&key(&seller()), &skill, &[2; 32], &terms), &seller());
        let ix = instruction::set_skill_status(&key(&seller()), &skill, SkillStatus::Paused);
        self.run("set_skill_status", &ix, &seller());
    }

    fn order(&self, skill: &Key, kind: Kind) -> Instruction {
        let order = self.world.order(skill, kind, Tier::Personal);
        instruction::purchase(&key(&buyer()), &self.world.route(skill), &order)
    }

    fn one_time(&mut self) {
        let terms = self.world.terms(Currency::Sol, Kind::OneTime, 1_000_000);
        let skill = self.world.register("acme.once", &terms);
        self.run("purchase_sol", &self.order(&skill, Kind::OneTime), &buyer());
        self.run("verify_access", &instruction::verify_access(&skill, &key(&buyer())), &attacker());
        self.run("verify_access, no licence", &instruction::verify_access(&skill, &key(&attacker())), &attacker());
        let batch = self.batch(&skill, false);
        self.run("record_usage, nothing to charge", &batch, &meter());
    }

    fn batch(&self, skill: &Key, has_vault: bool) -> Instruction {
        let (route, args) = (self.world.route(skill), self.world.batch(skill, 5));
        instruction::record_usage(&key(&meter()), &route, &key(&buyer()), has_vault, &args)
    }

    fn subscription(&mut self, currency: Currency) {
        let terms = self.world.terms(currency, Kind::Subscription, 1_000_000);
        let skill = self.world.register(&format!("acme.monthly{currency}"), &terms);
        let order = self.order(&skill, Kind::Subscription);
        match currency {
            Currency::Sol => drop(self.world.send(&order, &[&buyer()]).expect("subscribing works")),
            Currency::Usdc => self.run("purchase_usdc", &order, &buyer()),
        }
        let (route, terms_hash) = (self.world.route(&skill), self.world.terms_hash(&skill));
        let renew = instruction::renew(&key(&buyer()), &route, 1_000_000, &terms_hash);
        self.run(["renew, SOL", "renew, USDC"][currency as usize], &renew, &buyer());
    }

    fn usage(&mut self, currency: Currency) {
        let terms = self.world.terms(currency, Kind::Usage, 100_000);
        let skill = self.world.register(&format!("acme.usage{currency}"), &terms);
        self.world.purchase(&skill, Kind::Usage).expect("opening works");
        // The first deposit searches the vault's address; those after it are the usual ones.
        self.world.deposit(&skill, 1_000_000).expect("depositing works");
        let (route, has_vault) = (self.world.route(&skill), currency == Currency::Usdc);
        let deposit = instruction::deposit_credit(&key(&buyer()), &route, 1_000_000);
        self.run(["deposit_credit, SOL", "deposit_credit, USDC"][currency as usize], &deposit, &buyer());
        let batch = self.batch(&skill, has_vault);
        self.run(["record_usage, SOL", "record_usage, USDC"][currency as usize], &batch, &meter());
        let close = instruction::request_exit(&key(&buyer()), &skill, ExitKind::Close);
        if has_vault {
            let caps = Caps { usage_limit: 1_000, ..Caps::default() };
            self.run("set_licence_caps", &instruction::set_licence_caps(&key(&buyer()), &skill, &caps), &buyer());
            self.run("request_exit", &close, &buyer());
        } else {
            self.world.send(&close, &[&buyer()]).expect("asking works");
        }
        self.world.pass(600);
        let exit = instruction::execute_exit(&key(&buyer()), &route, has_vault);
        self.run(["execute_exit, SOL", "execute_exit, USDC"][currency as usize], &exit, &buyer());
    }
}
