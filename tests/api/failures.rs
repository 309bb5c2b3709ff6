//! Calls that end early, each with the code that says why, a receipt over nothing, and no charge. And those that never begin.

use clawos_receipts::receipt::Outcome;
use clawos_tests::app::{TestDatabase, databases};
use clawos_tests::market::{Buyer, Market};
use clawos_tests::publication::Publication;

use crate::execute::{failing, receipt};
use crate::settlement::CALL;

/// A body that ends by this code, the limits it needs, and what its receipt says.
struct Case {
    body: &'static str,
    limits: &'static str,
    code: &'static str,
    outcome: Outcome,
}

const FOREVER: &str = "(loop $on (br $on)) (i32.const 0)";

/// A body that refuses the call with the guest's error of this number, and "no".
macro_rules! refusing {
    ($error:literal) => {
        concat!(
            "(i32.store16 (i32.const 0) (i32.const 0x6f6e)) (call $refuse (i32.const ",
            $error,
            ") (i32.const 0) (i32.const 2))"
        )
    };
}

const CASES: [Case; 9] = [
    Case { body: FOREVER, limits: "wall_ms = 100", code: "deadline", outcome: Outcome::Deadline },
    Case {
        body: "(loop $more (drop (memory.grow (i32.const 1))) (br $more)) (i32.const 0)",
        limits: "memory_mib = 1",
        code: "memory_exceeded",
        outcome: Outcome::Memory,
    },
    Case {
        body: "(call $run (local.get 0) (local.get 1) (local.get 2) (local.get 3))",
        limits: "",
        code: "stack_overflow",
        outcome: Outcome::StackOverflow,
    },
    Case {
        body: "(call $ok (i32.const 0) (i32.const 2048))",
        limits: "output_kib = 1",
        code: "output_too_large",
        outcome: Outcome::OutputTooLarge,
    },
    Case {
        body: "(i32.store8 (i32.const 0) (i32.const 55)) (call $ok (i32.const 0) (i32.const 1))",
        limits: "",
        code: "output_invalid",
        outcome: Outcome::OutputInvalid,
    },
    Case { body: refusing!(0), limits: "", code: "guest_bad_request", outcome: Outcome::GuestError },
    Case { body: refusing!(1), limits: "", code: "guest_not_found", outcome: Outcome::GuestError },
    Case { body: refusing!(2), limits: "", code: "guest_unavailable", outcome: Outcome::GuestError },
    Case { body: refusing!(3), limits: "", code: "guest_internal", outcome: Outcome::GuestError },
];

fn limited(publication: Publication, limits: &str) -> Publication {
    publication.edit("[[endpoints]]\n", &format!("[limits]\n{limits}\n\n[[endpoints]]\n"))
}

async fn credited(database: &TestDatabase, publication: impl FnOnce(&str) -> Publication) -> (Market, Buyer) {
    let market = Market::open(database, publication).await;
    let buyer = market.buyer("buyer").await;
    market.buy_usage(&buyer, CALL).await;
    (market, buyer)
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_code_and_costs_nothing() {
    for case in &CASES {
        for database in databases().await {
            let (market, buyer) = credited(&database, |handle| limited(failing(handle, case.body), case.limits)).await;
            // With one unit of credit, a second try shows that the first took none.
            for _ in 0..2 {
                let signed = receipt(&market.call(&buyer, "not the example").await.problem(case.code));
                let receipt = signed.receipt;
                assert_eq!((receipt.outcome, receipt.units, receipt.amount), (case.outcome, 0, 0), "{}", case.code);
                assert!(receipt.output_sha256.is_none());
            }
        }
    }
}

#[tokio::test]
async fn a_call_beyond_the_sandboxes_is_told_when_to_try_again() {
    for database in databases().await {
        let endless = |handle: &str| limited(failing(handle, FOREVER), "fuel = 500000000");
        let one_at_a_time = |config: &mut clawos_config::Config| config.sandbox.sandbox_slots = 1;
        let market = Market::with(&database, one_at_a_time, endless).await;
        let buyer = market.buyer("buyer").await;
        market.buy_usage(&buyer, 100 * CALL).await;
        let calls = (0..8).map(|_| market.call(&buyer, "not the example"));
        let answers = futures::future::join_all(calls).await;
        let (ran, busy): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 422);
        assert!(!ran.is_empty() && !busy.is_empty(), "{answers:?}");
        for answer in ran {
            answer.problem("out_of_fuel");
        }
        for answer in busy {
            assert_eq!(answer.problem("sandbox_busy")["retryable"], true);
            assert!(answer.headers.contains_key(reqwest::header::RETRY_AFTER));
        }
    }
}

/// As an older version of the server may have stored it, whose rules allowed it.
#[tokio::test]
async fn a_stored_module_that_cannot_run_here_is_named() {
    for database in databases().await {
        let (market, buyer) = credited(&database, crate::settlement::usage).await;
        let artifact = b"this is no component";
        let digest = hex::encode(clawos_receipts::sha256(artifact));
        let folder = market.app.folder().join("artifacts").join(&digest[..2]);
        std::fs::create_dir_all(&folder).expect("the server's folder is the test's");
        std::fs::write(folder.join(&digest), artifact).expect("the server's folder is the test's");
        crate::tampered::tamper(&market, "UPDATE versions SET module_sha256 = $1", &digest).await;
        market.call(&buyer, "hello").await.problem("module_invalid");
        assert_eq!(market.licence(&buyer).await.credit(), CALL);
    }
}
