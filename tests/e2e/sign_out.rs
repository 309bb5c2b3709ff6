//! The end of a session, against a server whose clock the test moves.

use clawos_tests::app::{TestApp, TestDatabase};
use clawos_tests::chain;
use clawos_tests::processes::Clawos;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Milliseconds of an hour, which an access token lives for, and one more.
const AFTER_AN_HOUR: i64 = 3_600_000 + 1;
/// Milliseconds of the thirty days that a refresh token lives for, and one more.
const AFTER_THIRTY_DAYS: i64 = 30 * 24 * 3_600_000 + 1;

/// A server, and an agent who is signed in to it.
struct SignedIn {
    app: TestApp,
    agent: Clawos,
    /// What a thief has copied of the agent's session.
    copy: Value,
    _home: TempDir,
}

impl SignedIn {
    async fn start() -> SignedIn {
        let app = TestApp::start(&TestDatabase::Sqlite).await;
        let home = TempDir::new().expect("a folder for temporary files");
        let agent = Clawos::new(home.path().join("home"), &app.origin, &chain::shared().rpc_url());
        agent.run(&["wallet", "new"]);
        agent.run(&["login", "--handle", "bob"]);
        let copy = std::fs::read(agent.home().join("session.json")).expect("it is signed in");
        SignedIn { app, agent, copy: serde_json::from_slice(&copy).expect("JSON"), _home: home }
    }

    fn is_forgotten_here(&self) {
        self.agent.refused(&["whoami"], "unauthenticated");
        assert!(!self.agent.home().join("session.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_refresh_token_though_the_access_token_is_over() {
    let SignedIn { app, agent, copy, .. } = &SignedIn::start().await;
    app.clock.advance(AFTER_AN_HOUR);
    assert_eq!(agent.run(&["logout"])["ended_at_server"], true);
    let refresh = json!({ "refresh_token": copy["refresh_token"] });
    app.post("/auth/refresh", &refresh).await.problem("key_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_at_the_server_is_forgotten_and_said_to_be() {
    let story = SignedIn::start().await;
    story.app.clock.advance(AFTER_THIRTY_DAYS);
    assert_eq!(story.agent.run(&["logout"])["ended_at_server"], false);
    story.is_forgotten_here();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_the_session_is_forgotten_here_and_said_to_live_there() {
    let SignedIn { app, agent, copy, _home } = SignedIn::start().await;
    drop(app);
    let problem = agent.refused(&["logout"], "unreachable");
    let until = copy["refresh_expires_at"].as_str().and_then(|time| time.get(..19)).expect("RFC 3339");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("deleted on this machine") && detail.contains(until), "{detail}");
    agent.refused(&["whoami"], "unauthenticated");
    assert!(!agent.home().join("session.json").exists());
}
