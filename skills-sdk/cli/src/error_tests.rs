//! Exit codes, problems and hints of the errors.

use clawos_api::Code;

use super::*;

fn problem(status: u16, code: &str) -> CliError {
    let problem = Problem { status, code: code.to_owned(), ..Problem::new(Code::Internal, "", "") };
    ClientError::Problem(Box::new(problem)).into()
}

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    let cases = [
        (problem(401, "unauthenticated"), 3),
        (problem(403, "scope_missing"), 3),
        (problem(410, "challenge_expired"), 3),
        (problem(404, "skill_not_found"), 4),
        (problem(422, "manifest_invalid"), 5),
        (problem(409, "version_exists"), 5),
        (problem(413, "payload_too_large"), 5),
        (problem(402, "licence_required"), 6),
        (problem(403, "wrong_proxy"), 6),
        (problem(409, "terms_changed"), 6),
        (problem(429, "rate_limited"), 7),
        (problem(503, "rpc_unavailable"), 8),
        (problem(422, "out_of_fuel"), 8),
        (problem(500, "internal"), 8),
        (CliError::Usage(String::new()), 2),
        (CliError::NotSignedIn(String::new()), 3),
        (CliError::invalid(""), 5),
        (CliError::Unproven { message: String::new(), findings: Vec::new() }, 5),
        (ChainError::Funds("SOL".to_owned()).into(), 6),
        (ChainError::Absent(String::new()).into(), 4),
        (ChainError::NotAWallet(String::new()).into(), 5),
        (ChainError::Expired(String::new()).into(), 8),
        (WalletError::Missing(PathBuf::new()).into(), 3),
        (CliError::Interrupted { idempotency_key: String::new() }, 130),
        (CliError::Unaffordable(ChainError::Funds("SOL".to_owned())), 6),
        (CliError::Unregistered(ChainError::Expired(String::new()).into()), 8),
        (ClientError::Unreachable { url: String::new(), reason: String::new() }.into(), 8),
    ];
    for (error, code) in cases {
        assert_eq!(error.exit_code(), code, "{error:?}");
    }
}

#[test]
fn a_refused_api_key_is_not_answered_with_sign_in() {
    let refused = |api_key| problem(401, "unauthenticated").of_api_key(api_key);
    let hints = [true, false].map(|api_key| refused(api_key).hint().expect("a hint"));
    assert!(hints[0].contains("CLAWOS_API_KEY") && hints[1].contains("clawos login"), "{hints:?}");
    assert_eq!((refused(true).exit_code(), refused(true).problem().status), (3, 401));
}

#[test]
fn a_server_problem_is_passed_on_and_others_become_one() {
    let passed = problem(402, "licence_required").problem();
    assert_eq!((passed.status, passed.code.as_str()), (402, "licence_required"));
    let made = CliError::NotSignedIn("http://x".to_owned()).problem();
    assert_eq!((made.status, made.code.as_str()), (401, "unauthenticated"));
    assert!(made.detail.contains("http://x"));
}
