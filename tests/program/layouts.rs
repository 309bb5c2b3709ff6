//! `interface` and the IDL say the same: names, discriminators, fields in order and size, errors, and what each builder makes.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

use clawos_interface::accounts::{Channel, Config, Licence, Purchase, Skill};
use clawos_interface::instruction::args::{InitializeArgs, PurchaseArgs, RecordArgs};
use clawos_interface::instruction::{self as build, Instruction, Route, discriminator};
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::Caps;
use clawos_interface::rules::validity::Validity;
use clawos_interface::{Currency, ExitKind, Kind, PROGRAM_ID, ProgramError, SkillStatus, Tier, events, pda, sha256};
use serde_json::Value;

use crate::attack::position;
use crate::idl::{self, IDL, text};

/// Name and discriminator of each entry of an IDL section.
fn named(section: &str) -> BTreeMap<&'static str, [u8; 8]> {
    idl::list(section).iter().map(|entry| (text(entry, "name"), idl::discriminator(entry))).collect()
}

/// The first eight bytes of the hash with which Anchor marks `name`.
fn marked(namespace: &str, name: &str) -> [u8; 8] {
    sha256(&[namespace.as_bytes(), b":", name.as_bytes()])[..8].try_into().expect("eight bytes")
}

#[test]
fn names_and_discriminators_agree() {
    assert_eq!(named("instructions"), discriminator::ALL.iter().copied().collect());
    assert_eq!(named("events"), events::ALL.iter().copied().collect());
    let accounts =
        [("Config", Config::DISCRIMINATOR), ("Skill", Skill::DISCRIMINATOR), ("Licence", Licence::DISCRIMINATOR)];
    assert_eq!(named("accounts"), accounts.into_iter().collect());
    // The two accounts whose instructions come later are not in the IDL yet.
    let all = accounts.into_iter().chain([("Purchase", Purchase::DISCRIMINATOR), ("Channel", Channel::DISCRIMINATOR)]);
    for (name, bytes) in all {
        assert_eq!(bytes, marked("account", name), "{name}");
    }
    for (name, bytes) in discriminator::ALL {
        assert_eq!(*bytes, marked("global", name), "{name}");
    }
    for (name, bytes) in events::ALL {
        assert_eq!(*bytes, marked("event", name), "{name}");
    }
}

#[test]
fn errors_agree() {
    let ours = ProgramError::ALL
        .iter()
        .map(|error| serde_json::json!({"code": error.code(), "name": error.name(), "msg": error.message()}));
    assert_eq!(idl::list("errors"), ours.collect::<Vec<_>>());
    let codes = ProgramError::ALL.iter().map(|error| error.code());
    assert!(codes.eq((6000..).take(ProgramError::ALL.len())), "no code is skipped");
}

/// A struct of `interface`: its name, the offset of each field, its length.
type Layout = (&'static str, Vec<(&'static str, usize)>, usize);

macro_rules! layout {
    ($module:ident::$type:ident: $($field:ident)*) => {{
        use clawos_interface::$module::$type;
        (stringify!($type), vec![$((stringify!($field), offset_of!($type, $field))),*], size_of::<$type>())
    }};
}

fn accounts() -> Vec<Layout> {
    vec![
        layout!(accounts::Config: authority pending_authority treasury guardian arbiter meter usdc_mint authority_eta
            fee_eta usage_resumed_at min_price max_price max_refund_window settle_delay fee_bps pending_fee_bps pause_bits
            version bump reserved),
        layout!(accounts::Skill: creator seller pending_seller payout meter skill_id listing_hash price_once price_period
            price_unit created_slot sales gross created_at updated_at period_secs refund_window terms_version open_licences
            tier_bps unit_kind currency kinds status version bump reserved),
        layout!(accounts::Licence: skill buyer meter mint terms_hash chain_root unit_price created_slot usage_limit
            max_units_per_batch max_units_per_day next_usage_limit next_units_per_batch next_units_per_day day_units
            usage_total usage_seq credit unbilled billed_total exit_amount created_at starts_at expires_at exit_at caps_eta
            period_secs terms_version day purchases kind tier status suspended_reason flags currency unit_kind exit_kind
            vault_bump version bump previous_meter meter_until exit_requested_at reserved),
    ]
}

fn events() -> Vec<Layout> {
    vec![
        layout!(events::ProgramInitialized: schema_version authority treasury meter usdc_mint fee_bps),
        layout!(events::SkillRegistered: schema_version skill seller skill_id),
        layout!(events::SkillUpdated: schema_version skill terms_version terms_hash),
        layout!(events::SkillStatusChanged: schema_version skill old new),
        layout!(events::LicencePurchased: schema_version licence skill buyer n kind tier currency amount fee expires_at
            terms_hash),
        layout!(events::LicenceRenewed: schema_version licence n currency amount fee expires_at terms_hash),
        layout!(events::CreditDeposited: schema_version licence amount credit),
        layout!(events::UsageRecorded: schema_version licence seq units root billed fee credit unbilled),
        layout!(events::UsageBilled: schema_version licence currency amount fee),
        layout!(events::LicenceCapsSet: schema_version licence usage_limit max_units_per_batch max_units_per_day
            effective_at),
        layout!(events::ExitRequested: schema_version licence exit_kind exit_at),
        layout!(events::CreditWithdrawn: schema_version licence currency amount),
        layout!(events::LicenceClosed: schema_version licence skill buyer usage_total chain_root),
        layout!(events::PauseChanged: schema_version old new by),
    ]
}

#[test]
fn fields_agree_in_name_order_and_size() {
    let (accounts, events) = (accounts(), events());
    assert_eq!(accounts.len(), idl::list("accounts").len());
    assert_eq!(events.len(), idl::list("events").len());
    for (name, ours, len) in accounts.into_iter().chain(events) {
        let mut at = 0;
        let theirs = idl::fields(name).iter().map(|field| {
            let start = at;
            at += idl::size(&field["type"]);
            (text(field, "name"), start)
        });
        assert_eq!(ours, theirs.collect::<Vec<_>>(), "{name}");
        assert_eq!(at, len, "{name} has no bytes besides");
    }
    let answer: usize = idl::fields("Access").iter().map(|field| idl::size(&field["type"])).sum();
    assert_eq!(answer, Validity::LEN);
}

/// Names and sizes of the arguments of an instruction, structs taken apart.
fn arguments(fields: &'static [Value], into: &mut Vec<(&'static str, usize)>) {
    for field in fields {
        match field["type"]["defined"]["name"].as_str() {
            Some(name) => arguments(idl::fields(name), into),
            None => into.push((text(field, "name"), idl::size(&field["type"]))),
        }
    }
}

/// Distinct values, so that two swapped arguments show.
const TERMS: Terms = Terms {
    payout: [21; 32],
    meter: [22; 32],
    price_once: 23,
    price_period: 24,
    price_unit: 25,
    period_secs: 26,
    refund_window: 27,
    tier_bps: [28, 29, 30],
    currency: 31,
    kinds: 32,
    unit_kind: 33,
};

const CAPS: Caps = Caps { usage_limit: 41, max_units_per_batch: 42, max_units_per_day: 43 };

const INITIALIZE: InitializeArgs = InitializeArgs {
    authority: [51; 32],
    treasury: [52; 32],
    guardian: [53; 32],
    arbiter: [54; 32],
    meter: [55; 32],
    fee_bps: 56,
    min_price: [57, 58],
    max_price: [59, 60],
    max_refund_window: 61,
    settle_delay: 62,
};

const ORDER: PurchaseArgs =
    PurchaseArgs { kind: Kind::Usage, tier: Tier::Enterprise, max_price: 71, terms_hash: [72; 32], caps: CAPS };

const BATCH: RecordArgs = RecordArgs { seq: 81, prev_root: [82; 32], units: 83, root: [84; 32] };

/// What each argument must be on the wire.
fn values(instruction: &str) -> Vec<(&'static str, Vec<u8>)> {
    let u64s = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let u32s = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let key = |byte| vec![byte; 32];
    let terms = || {
        vec![
            ("payout", key(21)),
            ("meter", key(22)),
            ("price_once", u64s(&[23])),
            ("price_period", u64s(&[24])),
            ("price_unit", u64s(&[25])),
            ("period_secs", u32s(&[26])),
            ("refund_window", u32s(&[27])),
            ("tier_bps", u32s(&[28, 29, 30])),
            ("currency", vec![31]),
            ("kinds", vec![32]),
            ("unit_kind", vec![33]),
        ]
    };
    let caps =
        || vec![("usage_limit", u64s(&[41])), ("max_units_per_batch", u64s(&[42])), ("max_units_per_day", u64s(&[43]))];
    match instruction {
        "initialize" => vec![
            ("authority", key(51)),
            ("treasury", key(52)),
            ("guardian", key(53)),
            ("arbiter", key(54)),
            ("meter", key(55)),
            ("fee_bps", vec![56, 0]),
            ("min_price", u64s(&[57, 58])),
            ("max_price", u64s(&[59, 60])),
            ("max_refund_window", u32s(&[61])),
            ("settle_delay", u32s(&[62])),
        ],
        "register_skill" => [vec![("skill_id", key(1)), ("listing_hash", key(2))], terms()].concat(),
        "update_skill" => [vec![("listing_hash", key(2))], terms()].concat(),
        "set_skill_status" => vec![("status", vec![3])],
        "purchase_sol" | "purchase_usdc" => {
            [vec![("kind", vec![3]), ("tier", vec![2]), ("max_price", u64s(&[71])), ("terms_hash", key(72))], caps()]
                .concat()
        }
        "renew" => vec![("max_price", u64s(&[5])), ("terms_hash", key(6))],
        "deposit_credit" => vec![("amount", u64s(&[7]))],
        "record_usage" => {
            vec![("seq", u64s(&[81])), ("prev_root", key(82)), ("units", u64s(&[83])), ("root", key(84))]
        }
        "pause" | "unpause" => vec![("bits", vec![9, 1])],
        "set_licence_caps" => caps(),
        "request_exit" => vec![("exit", vec![3])],
        _ => vec![],
    }
}

/// Every builder's instruction in one currency, with vaults.
fn built(currency: Currency) -> Vec<Instruction> {
    let who = [5; 32];
    let route = Route { skill: [1; 32], payout: [2; 32], treasury: [3; 32], currency, usdc_mint: [6; 32] };
    vec![
        build::initialize(&who, &[6; 32], &INITIALIZE),
        build::register_skill(&who, &[1; 32], &[2; 32], &TERMS),
        build::update_skill(&who, &[1; 32], &[2; 32], &TERMS),
        build::set_skill_status(&who, &[1; 32], SkillStatus::Retired),
        build::purchase_sol(&who, &route, &ORDER),
        build::purchase_usdc(&who, &route, &ORDER),
        build::renew(&who, &route, 5, &[6; 32]),
        build::verify_access(&[1; 32], &who),
        build::deposit_credit(&who, &route, 7),
        build::record_usage(&who, &route, &[7; 32], true, &BATCH),
        build::pause(&who, 0x0109),
        build::unpause(&who, 0x0109),
        build::set_licence_caps(&who, &[1; 32], &CAPS),
        build::request_exit(&who, &[1; 32], ExitKind::Close),
        build::execute_exit(&who, &route, true),
    ]
}

#[test]
fn builders_write_the_arguments_in_order() {
    let built = built(Currency::Usdc);
    assert_eq!(built.len(), idl::list("instructions").len());
    for ix in built {
        let entry = idl::instruction(&ix);
        let mut expected = Vec::new();
        arguments(entry["args"].as_array().expect("arguments"), &mut expected);
        let values = values(text(entry, "name"));
        let ours: Vec<_> = values.iter().map(|(name, bytes)| (*name, bytes.len())).collect();
        assert_eq!(ours, expected, "{}", entry["name"]);
        let bytes: Vec<u8> = values.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(ix.data[8..], bytes, "{}", entry["name"]);
    }
}

#[test]
fn builders_name_the_accounts_in_order() {
    for ix in [built(Currency::Sol), built(Currency::Usdc)].concat() {
        let entry = idl::instruction(&ix);
        let accounts = entry["accounts"].as_array().expect("accounts");
        assert_eq!((ix.program_id, ix.accounts.len()), (PROGRAM_ID, accounts.len()), "{}", entry["name"]);
        for (account, meta) in accounts.iter().zip(&ix.accounts) {
            let flag = |name: &str| account[name].as_bool().unwrap_or_default();
            let place = format!("{}: {}", entry["name"], account["name"]);
            if meta.key == PROGRAM_ID {
                assert!(flag("optional") && !meta.signer && !meta.writable, "{place}");
                continue;
            }
            assert_eq!((meta.signer, meta.writable), (flag("signer"), flag("writable")), "{place}");
            if let Some(address) = account["address"].as_str() {
                assert_eq!(bs58::encode(meta.key).into_string(), address, "{place}");
            }
        }
    }
}

#[test]
fn builders_derive_the_addresses_from_the_idls_seeds() {
    let mut derived = Vec::new();
    for ix in built(Currency::Usdc) {
        let entry = idl::instruction(&ix);
        let accounts = entry["accounts"].as_array().expect("accounts");
        for (account, meta) in accounts.iter().zip(&ix.accounts).filter(|(account, _)| account["pda"].is_object()) {
            let seed = |seed: &Value| -> Vec<u8> {
                match text(seed, "kind") {
                    "const" => serde_json::from_value(seed["value"].clone()).expect("a constant is bytes"),
                    "account" => ix.accounts[position(&ix, text(seed, "path"))].key.to_vec(),
                    "arg" => {
                        let mut values = values(text(entry, "name")).into_iter();
                        values.find(|(name, _)| *name == text(seed, "path")).expect("the argument is known").1
                    }
                    other => panic!("unknown seed {other}"),
                }
            };
            let seeds: Vec<_> = account["pda"]["seeds"].as_array().expect("seeds").iter().map(seed).collect();
            let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
            let place = format!("{} {}", text(entry, "name"), text(account, "name"));
            assert_eq!(meta.key, pda::find(&seeds, &PROGRAM_ID).0, "{place}");
            derived.push(place);
        }
    }
    let made = ["initialize config", "register_skill skill", "purchase_sol licence", "purchase_usdc licence"];
    assert_eq!(derived, made, "every account that an instruction makes");
}

#[test]
fn the_idl_names_the_program() {
    assert_eq!(text(&IDL, "address"), bs58::encode(PROGRAM_ID).into_string());
}
