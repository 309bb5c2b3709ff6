//! Who is signed in, by session or API key, and until when; and the end of a session, against a server whose clock the test
//! moves.

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
    home: TempDir,
}

impl SignedIn {
    async fn start() -> SignedIn {
        let app = TestApp::start(&TestDatabase::Sqlite).await;
        let home = TempDir::new().expect("a folder for temporary files");
        let agent = Clawos::new(home.path().join("home"), &app.origin, &chain::shared().rpc_url());
        agent.run(&["wallet", "new"]);
        agent.run(&["login", "--handle", "bob"]);
        let copy = std::fs::read(agent.home().join("session.json")).expect("it is signed in");
        SignedIn { app, agent, copy: serde_json::from_slice(&copy).expect("JSON"), home }
    }

    fn is_forgotten_here(&self) {
        self.agent.refused(&["whoami"], "unauthenticated");
        assert!(!self.agent.home().join("session.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reads_who_it_is_and_until_when_by_session_and_by_key() {
    let SignedIn { app, agent, copy, home } = &SignedIn::start().await;
    let session = agent.run(&["whoami"]);
    assert_eq!((&session["agent"]["name"], &session["credential"]["kind"]), (&json!("bob"), &json!("session")));
    assert_eq!(session["credential"]["expires_at"], copy["access_expires_at"]);
    assert_eq!(session["credential"]["refresh_expires_at"], copy["refresh_expires_at"]);
    let until = copy["refresh_expires_at"].as_str().and_then(|time| time.get(..19)).expect("RFC 3339");
    assert!(agent.for_people(&["whoami"]).contains(&format!("until   {until}Z")));

    // A program has a key and no session, perhaps no wallet.
    let program = Clawos::new(home.path().join("program"), &app.origin, &chain::shared().rpc_url());
    let with = async |scope: &str, end: Option<&str>| {
        let asked = json!({ "name": scope, "scopes": [scope], "expires_at": end });
        let made = app.post_as(&agent.token(), "/agents/me/keys", &asked).await.json(201);
        let file = home.path().join(scope);
        std::fs::write(&file, made["key"].as_str().expect("a secret")).expect("the test's folder can be written");
        (made["id"].clone(), file.display().to_string())
    };
    let (id, file) = with("read", Some("2199-01-02T03:04:05Z")).await;
    let key = program.run(&["whoami", "--api-key-file", &file]);
    assert_eq!((&key["agent"], &key["wallet"]), (&session["agent"], &Value::Null));
    let credential = &key["credential"];
    assert_eq!((&credential["kind"], &credential["id"]), (&json!("api_key"), &id));
    assert_eq!((&credential["expires_at"], &credential["scopes"]), (&json!("2199-01-02T03:04:05Z"), &json!(["read"])));
    let shown = program.for_people(&["whoami", "--api-key-file", &file]);
    assert!(shown.contains("until    2199-01-02T03:04:05Z"), "{shown}");

    let (_, file) = with("invoke", None).await;
    program.refused(&["whoami", "--api-key-file", &file], "scope_missing");
    program.refused(&["whoami"], "unauthenticated");
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
    let SignedIn { app, agent, copy, home: _home } = SignedIn::start().await;
    drop(app);
    let problem = agent.refused(&["logout"], "unreachable");
    let until = copy["refresh_expires_at"].as_str().and_then(|time| time.get(..19)).expect("RFC 3339");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("deleted on this machine") && detail.contains(until), "{detail}");
    agent.refused(&["whoami"], "unauthenticated");
    assert!(!agent.home().join("session.json").exists());
}
