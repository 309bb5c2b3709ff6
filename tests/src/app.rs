//! The real server in this process: real router, real socket, a database of its own, a real chain.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clawos_base::ShiftedClock;
use clawos_config::Config;
use clawos_server::Server;
use clawos_server::serve::{self, Listeners};
use clawos_server_api::AppState;
use ed25519_dalek::{Signer, SigningKey};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{chain, documented, postgres};

/// A database that a test runs on.
#[derive(Clone, Debug)]
pub enum TestDatabase {
    /// A file in the test's folder.
    Sqlite,
    /// This URL.
    Postgres(String),
}

/// Both databases, each empty; only SQLite where PostgreSQL is not installed.
pub async fn databases() -> Vec<TestDatabase> {
    let postgres = postgres::database().await.map(TestDatabase::Postgres);
    [Some(TestDatabase::Sqlite), postgres].into_iter().flatten().collect()
}

/// A running server. Dropping it stops it.
pub struct TestApp {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    /// The same of its operations listener.
    pub operations: String,
    /// Its clock, which a test can move.
    pub clock: Arc<ShiftedClock>,
    /// What it was told.
    pub config: Config,
    /// Its inside, for what has no endpoint.
    pub state: AppState,
    /// Sends requests.
    pub http: reqwest::Client,
    folder: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// An enrolled agent.
pub struct TestAgent {
    /// Its name.
    pub name: String,
    /// Its wallet's key.
    pub key: SigningKey,
    /// What enrolment answered.
    pub session: Value,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: header::HeaderMap,
    /// Body.
    pub bytes: Vec<u8>,
}

impl TestApp {
    /// A server with its defaults.
    pub async fn start(database: &TestDatabase) -> TestApp {
        Self::with(database, |_| {}).await
    }

    /// A server whose configuration `change` has changed.
    pub async fn with(database: &TestDatabase, change: impl FnOnce(&mut Config)) -> TestApp {
        let folder = TempDir::new().expect("the system's folder for temporary files can be used");
        Self::in_folder(Arc::new(folder), database, change).await
    }

    /// The same server after an orderly stop and a start: same folder, same database, another process state.
    pub async fn restart(self, database: &TestDatabase) -> TestApp {
        self.restart_with(database, |_| {}).await
    }

    /// An orderly stop.
    pub async fn stop(&mut self) {
        self.stop.take().expect("it runs").send(()).expect("it listens");
        (&mut self.served).await.expect("it ends in order");
    }

    /// The same with a changed configuration.
    pub async fn restart_with(mut self, database: &TestDatabase, change: impl FnOnce(&mut Config)) -> TestApp {
        let folder = Arc::clone(&self.folder);
        self.stop().await;
        drop(self);
        Self::in_folder(folder, database, change).await
    }

    async fn in_folder(folder: Arc<TempDir>, database: &TestDatabase, change: impl FnOnce(&mut Config)) -> TestApp {
        let mut config = Config::for_testing(folder.path());
        let listeners = Listeners::bind(&mut config.listen).await.expect("loopback has free ports");
        let origin = format!("http://{}", config.listen.listen);
        let operations = format!("http://{}", config.listen.operations_listen);
        config.listen.public_url = Some(origin.parse().expect("an origin is a URL"));
        config.chain.rpc_url = chain::shared().rpc_url();
        config.sandbox.compiler = Some(server_program());
        config.sandbox.sandbox_slots = 8;
        if let TestDatabase::Postgres(url) = database {
            config.data.database_url = Some(url.clone());
        }
        change(&mut config);
        let clock = Arc::new(ShiftedClock::default());
        let server = Server::open(config.clone(), clock.clone()).await;
        let server = server.unwrap_or_else(|error| panic!("the server starts: {error}"));
        let state = Arc::clone(&server.app);
        let (stop, stopped) = oneshot::channel();
        let serving = serve::on(listeners, server, async move {
            let _ = stopped.await;
        });
        let served = tokio::spawn(serving);
        TestApp {
            origin,
            operations,
            clock,
            config,
            state,
            http: reqwest::Client::new(),
            folder,
            stop: Some(stop),
            served,
        }
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.origin))
    }

    /// `GET`, without credentials.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// `GET` with a token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// `POST` of a JSON body, without credentials.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// `POST` of a JSON body with a token.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).bearer_auth(token).json(body)).await
    }

    /// `DELETE` with a token.
    pub async fn delete_as(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::DELETE, path).bearer_auth(token)).await
    }

    /// Enrols an agent with a new wallet.
    pub async fn enrol(&self, name: &str) -> TestAgent {
        let key = new_key();
        let request = json!({ "name": name, "wallet": address(&key) });
        let challenge = self.post("/agents/register", &request).await.json(201);
        let path = format!("/agents/register/{}/verify", challenge["challenge"].as_str().expect("an id"));
        let session = self.post(&path, &json!({ "signature": sign(&key, &challenge) })).await.json(201);
        TestAgent { name: name.to_owned(), key, session }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl TestAgent {
    /// Its access token, which may do everything.
    pub fn token(&self) -> &str {
        self.session["access_token"].as_str().expect("enrolment gives a token")
    }

    /// Its first API key.
    pub fn api_key(&self) -> &str {
        self.session["api_key"]["key"].as_str().expect("enrolment gives a key")
    }

    /// Its refresh token.
    pub fn refresh_token(&self) -> &str {
        self.session["refresh_token"].as_str().expect("enrolment gives a refresh token")
    }

    /// `agt_…`
    pub fn id(&self) -> &str {
        self.session["agent"]["id"].as_str().expect("an agent has an id")
    }
}

impl Answer {
    /// The JSON body, after checking the status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The problem, after checking its code, and that it says the same thing everywhere.
    #[track_caller]
    pub fn problem(&self, code: &str) -> Value {
        let problem: Value = serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {}", self.text()));
        assert_eq!(problem["code"], code, "{}", self.text());
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["type"], format!("https://clawos.dev/errors/{code}"));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert!(problem["retryable"].is_boolean() && problem["request_id"].is_string());
        problem
    }

    /// The pointers of a problem's `errors`.
    #[track_caller]
    pub fn pointers(&self, code: &str) -> Vec<String> {
        let problem = self.problem(code);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors: {problem}"));
        errors.iter().map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Sends a request, reads the answer to its end, and checks that the API's document promises such an answer.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.expect("the request is one");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.expect("the server answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let answer = Answer { status, headers, bytes: response.bytes().await.expect("the answer is whole").to_vec() };
    documented::check(&method, &path, &answer);
    answer
}

/// A new wallet key.
pub fn new_key() -> SigningKey {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the operating system gives random bytes");
    SigningKey::from_bytes(&seed)
}

/// A key's address.
pub fn address(key: &SigningKey) -> String {
    bs58::encode(key.verifying_key().as_bytes()).into_string()
}

/// The signature of a challenge's text.
pub fn sign(key: &SigningKey, challenge: &Value) -> String {
    let message = challenge["message"].as_str().expect("a challenge has a message");
    bs58::encode(key.sign(message.as_bytes()).to_bytes()).into_string()
}

/// The server's program, which lies beside the folder of the tests.
///
/// # Panics
/// When it has not been built.
pub fn server_program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    let programs = test.parent().and_then(Path::parent).expect("…/debug/deps/api-…");
    let server = programs.join("clawos-server");
    assert!(server.exists(), "build it first: cargo build -p clawos-server");
    server
}
