//! What an agent pays beside the price: told before anything is stored or signed, and to the lamport. And what of it a
//! wallet can do and see afterwards.

use clawos_api::Money;
use clawos_client::solana::actions::skill_address;
use clawos_client::solana::read::TOKEN_ACCOUNT_BYTES;
use clawos_interface::instruction::{AccountMeta, Instruction, set_compute_unit_limit};
use clawos_interface::known::TOKEN_PROGRAM;
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, pda};
use clawos_receipts::Key;
use clawos_receipts::text::to_base58;
use clawos_solana::COMPUTE_UNITS;
use clawos_tests::guests::{self, CSV_JSON, TEXT_STATS};
use clawos_tests::processes::Clawos;
use clawos_tests::processes::clawos::{key, units};
use serde_json::{Value, json};

use crate::world::{TRANSACTION_FEE, World};

/// Seconds between the request of a withdrawal and its execution.
const SETTLE_DELAY: i64 = 300;
/// The Token program's instruction `CloseAccount`.
const TOKEN_CLOSE_ACCOUNT: u8 = 9;

/// Lamports of an agent, as the chain has them.
async fn lamports(world: &World, agent: &Clawos) -> u64 {
    world.ledger().sol(&agent.wallet().key()).await.expect("the chain answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_cannot_be_registered_keeps_the_version_from_being_stored() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    let (poor, id) = (&world.stranger, "mallory.text-stats");
    let folder = guests::copy(TEXT_STATS, &world.path("theirs"));
    let manifest = folder.join("skill.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest").replace("\"acme.", "\"mallory.");
    std::fs::write(&manifest, text).expect("the test's folder can be written");
    let folder = folder.display().to_string();
    let (publish, trial) = (["publish", &folder, "--no-build"], ["publish", &folder, "--no-build", "--dry-run"]);

    for line in [&publish[..], &trial] {
        let refused = poor.refused(line, "insufficient_funds");
        assert!(refused["detail"].as_str().is_some_and(|text| text.contains("need") && text.contains("have 0 SOL")));
        poor.refused(&["show", id], "skill_not_found");
    }
    // The dry run has said all the same what it found, and what is missing.
    let report: Value = serde_json::from_slice(&poor.output(&trial).stdout).expect("a report");
    assert_eq!((&report["published"]["skill"], &report["registration"]["affordable"]), (&json!(id), &json!(false)));
    let cost = units(&report["registration"]["cost"]);

    // One lamport less than said is too little; exactly that is enough, the first USDC account included.
    let fund = |lamports: u64| {
        let sol = format!("{}.{:09} SOL", lamports / 1_000_000_000, lamports % 1_000_000_000);
        world.buyer.run(&["wallet", "transfer", &poor.address(), &sol]);
    };
    fund(cost - 1);
    poor.refused(&publish, "insufficient_funds");
    fund(1);
    let published = poor.run(&publish);
    assert_eq!(published["registration"]["action"], "register", "{published}");
    assert_eq!(lamports(&world, poor).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_costs_what_its_dry_run_says_and_a_priority_fee_on_top() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(TEXT_STATS);
    let buy = ["buy", TEXT_STATS, "--kind", "usage"];
    let planned = world.buyer.run(&[&buy[..], &["--dry-run"]].concat());
    let before = lamports(&world, &world.buyer).await;
    let bought = world.buyer.run(&buy);
    assert_eq!(planned["rent_and_fees"], bought["rent_and_fees"]);
    assert_eq!(before - lamports(&world, &world.buyer).await, units(&planned["rent_and_fees"]));

    let licences = world.buyer.run(&["licences"])["licences"].clone();
    assert_eq!(licences.as_array().map(Vec::len), Some(1), "{licences}");
    let listed = &licences[0];
    assert_eq!((&listed["skill"], &listed["licence"]), (&json!(TEXT_STATS), &bought["licence"]));
    assert_eq!((&listed["kind"], &listed["state"]), (&json!("usage"), &json!("active")));
    assert_eq!(world.author.run(&["licences"])["licences"], json!([]));

    let verified = world.buyer.for_people(&["verify", "licence", TEXT_STATS]);
    assert!(verified.contains("\ncredit      0 USDC\n"), "money has its currency: {verified}");

    // A dear transaction asks for few units: far fewer than what a simulation is allowed.
    let before = lamports(&world, &world.buyer).await;
    world.buyer.run(&["caps", TEXT_STATS, "--per-day", "500", "--priority-fee", "1000000"]);
    let fee = before - lamports(&world, &world.buyer).await;
    assert!((5_001..5_000 + 200_000).contains(&fee), "a lamport a unit, beside the base fee: {fee}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_renewed_and_what_has_no_periods_is_not() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(CSV_JSON);
    world.publish(TEXT_STATS);
    world.buyer.refused(&["renew", CSV_JSON], "not_found");
    let bought = world.buyer.run(&["buy", CSV_JSON, "--kind", "subscription"]);
    let planned = world.buyer.run(&["renew", CSV_JSON, "--dry-run"]);
    assert_eq!((&planned["renewal"], &planned["price"]), (&json!(true), &bought["price"]));
    let renewed = world.buyer.run(&["renew", CSV_JSON]);
    assert!(renewed["expires_at"].as_str() > bought["expires_at"].as_str(), "{renewed}");
    world.buyer.refused(&["renew", CSV_JSON, "--max-price", "0.01"], "price_above_max");
    world.buyer.run(&["buy", TEXT_STATS, "--kind", "usage"]);
    world.buyer.refused(&["renew", TEXT_STATS], "invalid");

    let asked = world.buyer.run(&["withdraw", "request", CSV_JSON, "--close"]);
    assert_eq!(asked["withdrawal"], "close", "{asked}");
    world.buyer.refused(&["withdraw", "execute", CSV_JSON], "ExitNotReady");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_keeps_the_buyer_s_caps_also_after_the_end() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(CSV_JSON);
    let caps = ["--limit", "900", "--per-batch", "80", "--per-day", "70"];
    let bought = world.buyer.run(&[&["buy", CSV_JSON, "--kind", "subscription"], &caps[..]].concat());
    let licence = key(&bought["licence"]);
    let on_chain = async || {
        let found = world.ledger().licence_at(&licence).await.expect("the chain answers").value.expect("a licence");
        (Caps::for_spending(&found), found.expires_at())
    };
    let (set, first_end) = on_chain().await;
    assert_eq!(set, Caps { usage_limit: 900, max_units_per_batch: 80, max_units_per_day: 70 });

    // Before its end; and what would set others is refused, since the program's renewal does not.
    world.buyer.refused(&["buy", CSV_JSON, "--kind", "subscription", "--per-day", "7"], "usage");
    let renewed = world.buyer.run(&["renew", CSV_JSON]);
    assert_eq!((&renewed["renewal"], &renewed["caps"]["max_units_per_day"]), (&json!(true), &json!("70")));
    let (kept, second_end) = on_chain().await;
    assert!(kept == set && second_end > first_end, "{kept:?}");

    // After it; where it is bought and not renewed, the buyer may name others.
    let lapse = async || world.advance(on_chain().await.1 - world.ledger().clock().await.expect("a clock") + 1).await;
    lapse().await;
    let renewed = world.buyer.run(&["renew", CSV_JSON]);
    assert_eq!((&renewed["renewal"], &renewed["caps"]["usage_limit"]), (&json!(false), &json!("900")));
    assert_eq!(on_chain().await.0, set);
    lapse().await;
    world.buyer.run(&["buy", CSV_JSON, "--kind", "subscription", "--per-day", "0"]);
    assert_eq!(on_chain().await.0, Caps { max_units_per_day: 0, ..set });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meter_that_is_not_the_marketplace_s_is_named_at_each_renewal() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    world.publish(CSV_JSON);
    let bought = world.buyer.run(&["buy", CSV_JSON, "--kind", "subscription"]);
    let (licence, other) = (key(&bought["licence"]), world.stranger.address());
    let (chain, wallet) = (world.ledger(), world.author.wallet());
    let listing = chain.listing(&skill_address(&wallet.key(), CSV_JSON)).await.expect("it is registered");
    let terms = Terms { meter: key(&json!(other)), ..listing.skill.terms(&listing.config.meter) };
    chain.update_skill(&wallet, &listing, &terms).await.expect("its seller may");

    world.buyer.refused(&["renew", CSV_JSON], "wrong_proxy");
    world.buyer.refused(&["renew", CSV_JSON, "--meter", &world.buyer.address()], "wrong_proxy");
    let renewed = world.buyer.run(&["renew", CSV_JSON, "--meter", &other]);
    assert_eq!((&renewed["renewal"], &renewed["meter"]), (&json!(true), &json!(other)));
    let found = chain.licence_at(&licence).await.expect("the chain answers").value.expect("a licence");
    assert_eq!(found.meter, terms.meter);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_sent_to_whoever_and_no_more_than_there_is() {
    let world = World::enrolled(&[]);
    let receiver: Key = key(&json!(world.author.address()));
    let mint = world.ledger().config().await.expect("a marketplace").usdc_mint;
    let to = world.author.address();
    let planned = world.buyer.run(&["wallet", "transfer", &to, "2.5 USDC", "--dry-run"]);
    let before = lamports(&world, &world.buyer).await;
    let sent = world.buyer.run(&["wallet", "transfer", &to, "2.5 USDC"]);
    assert_eq!(before - lamports(&world, &world.buyer).await, units(&planned["rent_and_fees"]), "{sent}");
    assert_eq!(world.ledger().tokens(&receiver, &mint).await, Ok(2_500_000));

    world.buyer.refused(&["wallet", "transfer", &to, "1000 SOL"], "insufficient_funds");
    world.buyer.refused(&["wallet", "transfer", &to, "1000 USDC"], "insufficient_funds");
    world.buyer.refused(&["wallet", "transfer", &to, "5"], "usage");
    world.buyer.refused(&["wallet", "transfer", &world.buyer.address(), "1 SOL"], "usage");
}

/// Sends all of an agent's SOL away.
async fn empty(world: &World, agent: &Clawos) {
    let all = lamports(world, agent).await - TRANSACTION_FEE;
    agent.run(&["wallet", "transfer", &world.author.address(), &sol(all)]);
    assert_eq!(lamports(world, agent).await, 0);
}

/// Lamports as an amount on the command line.
fn sol(lamports: u64) -> String {
    Money::new(lamports, Currency::Sol).to_string()
}

/// Runs `line` as an agent without SOL, which must need exactly `cost` lamports: one less is refused.
async fn costs_exactly(world: &World, agent: &Clawos, line: &[&str], cost: u64) -> Value {
    let lacking = |present: u64| {
        let refused = agent.refused(line, "insufficient_funds");
        let text = format!("insufficient SOL: need {}, have {}", sol(cost), sol(present));
        assert_eq!(refused["detail"], text.as_str());
    };
    let fund = |lamports| world.author.run(&["wallet", "transfer", &agent.address(), &sol(lamports)]);
    lacking(0);
    fund(cost - 1);
    lacking(cost - 1);
    fund(1);
    let done = agent.run(line);
    assert_eq!((units(&done["rent_and_fees"]), lamports(world, agent).await), (cost, 0), "{done}");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_goes_in_and_out_for_what_is_said_before() {
    if !guests::available() {
        return;
    }
    let world = World::enrolled(&[]);
    let (buyer, ledger) = (&world.buyer, world.ledger());
    let rent = ledger.rent(TOKEN_ACCOUNT_BYTES).await.expect("the chain answers");
    assert_eq!(rent, 2_039_280);
    world.publish(TEXT_STATS);
    buyer.run(&["buy", TEXT_STATS, "--kind", "usage"]);

    // The first deposit makes the licence's token account.
    let deposit = ["credit", "deposit", TEXT_STATS, "1"];
    let trial = [&deposit[..], &["--dry-run"]].concat();
    assert_eq!(units(&buyer.run(&trial)["rent_and_fees"]), rent + TRANSACTION_FEE);
    empty(&world, buyer).await;
    costs_exactly(&world, buyer, &deposit, rent + TRANSACTION_FEE).await;
    assert_eq!(units(&buyer.run(&trial)["rent_and_fees"]), TRANSACTION_FEE, "it is there now");

    // The withdrawal makes the buyer's own again, who has closed it meanwhile.
    world.author.run(&["wallet", "transfer", &buyer.address(), "1 SOL"]);
    buyer.run(&["withdraw", "request", TEXT_STATS]);
    buyer.run(&["wallet", "transfer", &world.author.address(), "99 USDC"]);
    let (owner, mint) = (buyer.wallet().key(), ledger.config().await.expect("a marketplace").usdc_mint);
    let accounts = vec![
        AccountMeta::writable(pda::ata(&owner, &mint).0),
        AccountMeta::writable(owner),
        AccountMeta::signer(owner),
    ];
    let close = Instruction { program_id: TOKEN_PROGRAM, accounts, data: vec![TOKEN_CLOSE_ACCOUNT] };
    ledger.send(&buyer.wallet(), &[set_compute_unit_limit(COMPUTE_UNITS), close]).await.expect("it is empty");
    world.advance(SETTLE_DELAY).await;
    empty(&world, buyer).await;
    costs_exactly(&world, buyer, &["withdraw", "execute", TEXT_STATS], rent + TRANSACTION_FEE).await;
    assert_eq!(ledger.tokens(&owner, &mint).await, Ok(1_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_not_sent_where_nobody_can_spend_it() {
    const ANYWAY: &str = "--allow-non-system-account-recipient";
    let world = World::enrolled(&[]);
    let (buyer, ledger) = (&world.buyer, world.ledger());
    let (owner, mint) = (buyer.wallet().key(), ledger.config().await.expect("a marketplace").usdc_mint);
    let (own_account, config, unmade) = (pda::ata(&owner, &mint).0, pda::config().0, pda::licence(&owner, &owner).0);
    let refused_of = |amount: &str, to: &Key, more: &[&str], code: &str| {
        let (to, before) = (to_base58(to), buyer.run(&["wallet", "show"]));
        let line = [&["wallet", "transfer", &to, amount], more].concat();
        buyer.refused(&[&line[..], &["--dry-run"]].concat(), code);
        let problem = buyer.refused(&line, code);
        assert_eq!(problem["status"], 422);
        assert_eq!(buyer.run(&["wallet", "show"]), before, "nothing was paid");
        let detail = problem["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(&to), "{detail}");
        detail
    };
    let refused = |to: &Key, more: &[&str], code: &str| {
        refused_of("1 SOL", to, more, code);
        refused_of("1 USDC", to, more, code)
    };
    // A token account, or the mint: what is sent to an account of theirs stays there for ever.
    for more in [&[][..], &[ANYWAY]] {
        let told = refused(&own_account, more, "recipient_invalid");
        assert!(told.contains(&format!("send to its owner {}", buyer.address())), "{told}");
        refused(&mint, more, "recipient_invalid");
    }
    // An address of a program, which there is or is not: a program may have a use for it, such as a multisig's.
    for to in [&config, &unmade] {
        refused(to, &[], "recipient_not_wallet");
        buyer.run(&["wallet", "transfer", &to_base58(to), "1 USDC", ANYWAY]);
        assert_eq!(ledger.tokens(to, &mint).await, Ok(1_000_000));
    }
    let before = world.sol(&unmade).await;
    buyer.run(&["wallet", "transfer", &to_base58(&unmade), "1 SOL", ANYWAY]);
    assert_eq!(world.sol(&unmade).await - before, 1_000_000_000);
    // And nobody's wallet is refused, be it new.
    let nobody = clawos_client::Wallet::create(&world.path("new.json")).expect("a wallet").key();
    buyer.run(&["wallet", "transfer", &to_base58(&nobody), "1 USDC"]);
    assert_eq!(ledger.tokens(&nobody, &mint).await, Ok(1_000_000));
    buyer.run(&["wallet", "transfer", &to_base58(&nobody), "1 SOL"]);
    assert_eq!(world.sol(&nobody).await, 1_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_here_and_at_the_server() {
    let world = World::enrolled(&[]);
    let buyer = &world.buyer;
    assert_eq!(buyer.run(&["whoami"])["agent"]["name"], "bob");
    let token = buyer.token();
    assert_eq!(buyer.run(&["logout"])["ended_at_server"], true);
    for line in [&["whoami"][..], &["receipts", "list"], &["logout"]] {
        buyer.refused(line, "unauthenticated");
    }
    // Who kept the token has nothing of it.
    let key_file = world.write("kept", &token);
    buyer.refused(&["receipts", "list", "--api-key-file", &key_file], "key_revoked");
    buyer.run(&["login", "--handle", "bob"]);
    assert_eq!(buyer.run(&["whoami"])["agent"]["name"], "bob");
}
