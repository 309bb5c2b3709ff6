//! Changed receipts, proofs, inputs, compiled code and accounts: each is caught, and the honest one is not.

mod books;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use clawos_client::solana::actions::skill_address;
use clawos_interface::accounts::Licence;
use clawos_interface::pda;
use clawos_receipts::seal::seal;
use clawos_receipts::signature::public_key;
use clawos_receipts::text::to_base58;
use clawos_receipts::{Key, Receipt, SignedReceipt, SigningKey};
use clawos_tests::app::TestDatabase;
use clawos_tests::guests::LOOPS;
use clawos_tests::lying_chain::LyingChain;
use clawos_tests::processes::Stop;
use clawos_tests::processes::clawos::key;
use clawos_verifier::Account;
use clawos_verifier::licence::verify;
use serde_json::{Value, json};

use crate::world::{SETTLE_LATE, World, on_both_databases};

/// A world with settled calls, and what an outsider gets to see of one of them.
struct Settled {
    world: World,
    licence: Key,
    proof: Value,
    payload: String,
}

async fn settled(database: &TestDatabase) -> Settled {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    let licence = world.sell(LOOPS, &[], "5");
    let payload = world.write("payload.json", r#"{"n": 1}"#);
    let answer = world.buyer.run(&["exec", LOOPS, "echo", &format!("@{payload}")]);
    for n in 2..5 {
        world.buyer.run(&["exec", LOOPS, "echo", &n.to_string()]);
    }
    world.settle_now();
    let id = answer["receipt"]["id"].as_str().expect("a receipt");
    let proof = world.buyer.run(&["receipts", "get", id, "--wait", "30"]);
    assert!(!proof["anchor"]["path"].as_array().expect("a path").is_empty(), "four receipts make a tree");
    Settled { world, licence, proof, payload }
}

/// Another value of the same form.
fn changed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => json!(format!("{text}1")),
        Value::String(text) => {
            let last = if text.ends_with('2') { '3' } else { '2' };
            json!(format!("{}{last}", &text[..text.len() - 1]))
        }
        Value::Number(number) => json!(number.as_u64().expect("a count") + 1),
        other => panic!("not a leaf: {other}"),
    }
}

on_both_databases!(a_changed_receipt_or_proof_is_caught);

async fn a_changed_receipt_or_proof_is_caught(database: &TestDatabase) {
    let Settled { world, proof, payload, .. } = settled(database).await;
    let honest = world.write("honest.json", &proof.to_string());
    let report = world.outsider.run(&["verify", "receipt", &honest, "--replay", "--input", &payload]);
    assert_eq!((&report["verdict"], &report["complete"]), (&json!("verified"), &json!(true)), "{report:#}");
    let places = [
        "/receipt/amount",
        "/receipt/units",
        "/receipt/fuel",
        "/receipt/endpoint",
        "/receipt/output_sha256",
        "/receipt/module_sha256",
        "/receipt/licence_slot",
        "/receipt/evidence/root",
        "/receipt/evidence/signature",
        "/anchor/path/0/hash",
        "/anchor/tree_root",
        "/anchor/anchored_root",
        "/anchor/amount",
        "/anchor/seq",
    ];
    for place in places {
        let mut forged = proof.clone();
        let value = forged.pointer_mut(place).unwrap_or_else(|| panic!("{place} is not in {proof:#}"));
        *value = changed(value);
        let file = world.write("forged.json", &forged.to_string());
        let refused = world.outsider.attempt(&["verify", "receipt", &file]).expect_err(place);
        assert_eq!((refused.exit, refused.code()), (5, "invalid"), "{place}: {refused:#?}");
    }
    let other = world.write("other-payload.json", r#"{"n": 2}"#);
    let refused = world.outsider.refused(&["verify", "receipt", &honest, "--replay", "--input", &other], "invalid");
    assert!(refused["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{refused}");
    let module = fs::read(PathBuf::from(world.project(LOOPS)).join("skill.wasm")).expect("it was published");
    let mut forged = module;
    *forged.last_mut().expect("a module has bytes") ^= 1;
    let path = world.path("forged.wasm");
    fs::write(&path, forged).expect("the test's folder can be written");
    let path = path.display().to_string();
    let line = ["verify", "receipt", &honest, "--replay", "--input", &payload, "--module", &path];
    world.outsider.refused(&line, "invalid");
}

on_both_databases!(a_receipt_that_anybody_could_have_made_proves_nothing);

async fn a_receipt_that_anybody_could_have_made_proves_nothing(database: &TestDatabase) {
    let Settled { world, proof, .. } = settled(database).await;
    let forger = SigningKey::from_bytes(&[9; 32]);
    let verified = |change: &dyn Fn(&mut Receipt)| {
        let honest: SignedReceipt = serde_json::from_value(proof["receipt"].clone()).expect("a receipt");
        let mut receipt = honest.receipt;
        receipt.key = public_key(&forger);
        change(&mut receipt);
        let forged = seal(vec![receipt], &forger).expect("it can be sealed").remove(0);
        let file = world.write("made-up.json", &serde_json::to_string(&forged).expect("JSON"));
        world.outsider.attempt(&["verify", "receipt", &file]).expect_err("it is made up")
    };
    // Where nothing stands, nothing contradicts it; nothing speaks for it either.
    let nowhere = verified(&|receipt| receipt.licence = Some([9; 32]));
    assert_eq!((nowhere.exit, nowhere.code()), (5, "unproven"), "{nowhere:#?}");
    let named = nowhere.problem["errors"].as_array().expect("what is missing").iter();
    assert!(named.map(|error| &error["pointer"]).any(|pointer| pointer == "key"), "{nowhere:#?}");
    let real = verified(&|_| ());
    assert_eq!((real.exit, real.code()), (5, "invalid"), "{real:#?}");
    let claimed = verified(&|receipt| receipt.licence_slot = Some(0));
    assert_eq!((claimed.exit, claimed.code()), (5, "invalid"), "the slot excuses nothing: {claimed:#?}");
    // The honest one with a member twice: another reader sees the other one.
    let twice = proof["receipt"].to_string().replacen('{', r#"{"amount":"0","#, 1);
    world.outsider.refused(&["verify", "receipt", &world.write("twice.json", &twice)], "invalid");
}

on_both_databases!(a_licence_that_the_endpoint_forges_is_caught);

async fn a_licence_that_the_endpoint_forges_is_caught(database: &TestDatabase) {
    let Settled { world, licence, proof, payload } = settled(database).await;
    let honest = world.write("honest.json", &proof.to_string());
    let receipt = ["verify", "receipt", &honest, "--replay", "--input", &payload];
    let buyer = world.buyer.address();
    let judge = ["verify", "licence", LOOPS, &buyer];
    let rpc = world.chain.rpc_url();
    let chain = LyingChain::start(&rpc).await;
    let outsider = world.outsider.with_rpc(chain.url());
    outsider.run(&receipt);
    outsider.run(&judge);
    // Another history of usage: the published batches do not lead to it.
    chain.lie(&licence, |told| told.licence(|licence| licence.chain_root[0] ^= 1));
    outsider.refused(&receipt, "invalid");
    // Somebody else's account, or somebody else's program, in the licence's place.
    chain.lie(&licence, |told| told.licence(|licence| licence.buyer[0] ^= 1));
    outsider.refused(&judge, "invalid");
    chain.lie(&licence, |told| told.owner = [7; 32]);
    outsider.refused(&judge, "invalid");
    outsider.refused(&receipt, "invalid");
}

on_both_databases!(forged_licence_bytes_prove_nothing);

async fn forged_licence_bytes_prove_nothing(database: &TestDatabase) {
    let Settled { world, licence, .. } = settled(database).await;
    let found = world.ledger().account(&licence).await.expect("the chain answers");
    let account = found.value.expect("there is a licence");
    let now = world.ledger().clock().await.expect("the chain answers");
    let skill = skill_address(&key(&Value::from(world.author.address())), LOOPS);
    let buyer = key(&Value::from(world.buyer.address()));
    assert_eq!(pda::licence(&skill, &buyer).0, licence);
    let judge = |address: Key, owner: Key, data: &[u8]| {
        let report = verify(&skill, &buyer, Some(&Account { address, owner, data, slot: found.slot }), now);
        (report.valid, report.reason)
    };
    assert_eq!(judge(licence, account.owner, &account.data), (true, "ok"), "{}", to_base58(&licence));
    assert_eq!(judge(licence, [7; 32], &account.data), (false, "unproven"), "another program's account");
    assert_eq!(judge([7; 32], account.owner, &account.data), (false, "unproven"), "another address");
    assert_eq!(judge(licence, account.owner, &account.data[1..]), (false, "unproven"), "cut off");
    let forge = |change: fn(&mut Licence)| {
        let mut forged = Licence::decode(&account.data).expect("a licence");
        change(&mut forged);
        forged.encode().to_vec()
    };
    for change in [(|l| l.buyer[0] ^= 1) as fn(&mut Licence), |l| l.skill[0] ^= 1] {
        assert_eq!(judge(licence, account.owner, &forge(change)), (false, "unproven"), "another's licence");
    }
    let mut other_kind = account.data.clone();
    other_kind[0] ^= 1;
    assert_eq!(judge(licence, account.owner, &other_kind), (false, "unproven"), "another kind of account");
}

on_both_databases!(compiled_code_that_somebody_changed_is_compiled_again);

async fn compiled_code_that_somebody_changed_is_compiled_again(database: &TestDatabase) {
    let mut world = World::enrolled_on(database, SETTLE_LATE);
    world.sell(LOOPS, &[], "5");
    let line = ["exec", LOOPS, "sleepless", r#"{"times": 1000}"#];
    let before = world.buyer.run(&line);
    let compiled = |world: &World| {
        let folder = fs::read_dir(world.server.folder().join("compiled")).expect("the server keeps compiled code");
        let mut files = folder.map(|entry| entry.expect("an entry").path());
        files.find(|path| path.extension().is_some_and(|ending| ending == "cwasm")).expect("one module")
    };
    let file = compiled(&world);
    let good = fs::read(&file).expect("it can be read");
    for place in [0, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[place] ^= 0x40;
        world.server.stop(Stop::Term);
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
        fs::write(&file, &bad).expect("it is ours");
        world.server.run();
        let after = world.buyer.run(&line);
        assert_eq!(after["result"], before["result"]);
        assert_eq!(after["usage"]["fuel"], before["usage"]["fuel"]);
        assert_eq!(fs::read(&file).expect("it is there again"), good, "compiled again, byte for byte");
    }
}
