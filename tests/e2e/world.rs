//! A marketplace of one's own for each test: chain, server and four agents, in a folder that is gone afterwards.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clawos_client::solana::Chain;
use clawos_interface::accounts::Licence;
use clawos_receipts::Key;
use clawos_tests::app::{Answer, TestDatabase, send};
use clawos_tests::guests;
use clawos_tests::processes::clawos::{key, units};
use clawos_tests::processes::{ChainProcess, Clawos, ServerProcess, Stop};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Flags under which usage reaches the chain at once.
pub(crate) const SETTLE_AT_ONCE: &[&str] = &["--settle-max-age-ms", "200", "--anchor-max-age-ms", "200"];
/// Flags under which usage reaches the chain as late as the marketplace's settle delay of 300 s allows: a test is over by then.
pub(crate) const SETTLE_LATE: &[&str] = &[
    "--settle-max-age-ms",
    "110000",
    "--anchor-max-age-ms",
    "3600000",
    "--grace-secs",
    "10",
    "--licence-ttl-secs",
    "10",
];
/// Flags under which the server asks the chain about the licence before each call, and settles at once.
pub(crate) const ALWAYS_ASK: &[&str] =
    &["--licence-ttl-secs", "0", "--settle-max-age-ms", "200", "--anchor-max-age-ms", "200"];
/// Lamports of a transaction with one signature.
pub(crate) const TRANSACTION_FEE: u64 = 5_000;
/// How long anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The marketplace.
pub(crate) struct World {
    pub(crate) server: ServerProcess,
    pub(crate) chain: ChainProcess,
    /// Sells skills, handle `acme`.
    pub(crate) author: Clawos,
    /// Buys and calls them, handle `bob`.
    pub(crate) buyer: Clawos,
    /// Enrolled, without a licence or money.
    pub(crate) stranger: Clawos,
    /// Neither wallet nor account.
    pub(crate) outsider: Clawos,
    http: reqwest::Client,
    folder: TempDir,
}

impl World {
    /// Both services, the server on SQLite; nobody is enrolled.
    pub(crate) fn start(flags: &[&str]) -> World {
        World::start_on(&TestDatabase::Sqlite, flags)
    }

    /// Both services, the server on this database; nobody is enrolled.
    pub(crate) fn start_on(database: &TestDatabase, flags: &[&str]) -> World {
        let folder = tempfile::Builder::new().prefix("clawos-e2e-").tempdir().expect("a folder for temporary files");
        let chain = ChainProcess::start(&folder.path().join("chain"));
        let server = ServerProcess::start(&folder.path().join("server"), &chain, database, flags);
        let agent = |name: &str| Clawos::new(folder.path().join(name), &server.origin(), &chain.rpc_url());
        let (author, buyer, stranger, outsider) =
            (agent("author"), agent("buyer"), agent("stranger"), agent("outsider"));
        World { server, chain, author, buyer, stranger, outsider, http: reqwest::Client::new(), folder }
    }

    /// Both services, the server on SQLite, and the agents with wallets, money and sessions. The author has no USDC and the
    /// stranger nothing.
    pub(crate) fn enrolled(flags: &[&str]) -> World {
        World::enrolled_on(&TestDatabase::Sqlite, flags)
    }

    /// [`World::enrolled`], the server on this database.
    pub(crate) fn enrolled_on(database: &TestDatabase, flags: &[&str]) -> World {
        let world = World::start_on(database, flags);
        for (agent, handle) in [(&world.author, "acme"), (&world.buyer, "bob"), (&world.stranger, "mallory")] {
            agent.run(&["wallet", "new"]);
            agent.run(&["login", "--handle", handle]);
        }
        world.author.run(&["wallet", "airdrop", "--sol", "10"]);
        world.buyer.run(&["wallet", "airdrop", "--sol", "10", "--usdc", "100"]);
        world
    }

    /// A folder of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; gives its path.
    pub(crate) fn write(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("the test's folder can be written");
        path.display().to_string()
    }

    /// The folder of a skill, ready to be published.
    pub(crate) fn project(&self, skill: &str) -> String {
        let folder = self.path("projects");
        if !folder.join(skill).exists() {
            guests::copy(skill, &folder);
        }
        folder.join(skill).display().to_string()
    }

    /// Publishes and registers a skill.
    pub(crate) fn publish(&self, skill: &str) -> Value {
        self.author.run(&["publish", &self.project(skill), "--no-build"])
    }

    /// Publishes a usage-priced skill, buys it and deposits credit; gives the licence's address.
    pub(crate) fn sell(&self, skill: &str, buy: &[&str], deposit: &str) -> Key {
        self.publish(skill);
        self.buy_usage(skill, buy, deposit)
    }

    /// Buys a usage-priced skill and deposits credit; gives the licence's address.
    pub(crate) fn buy_usage(&self, skill: &str, buy: &[&str], deposit: &str) -> Key {
        let bought = self.buyer.run(&[&["buy", skill, "--kind", "usage"], buy].concat());
        self.buyer.run(&["credit", "deposit", skill, deposit]);
        key(&bought["licence"])
    }

    /// Replaces text in the manifest of a skill's folder.
    pub(crate) fn edit(&self, skill: &str, from: &str, to: &str) {
        let path = PathBuf::from(self.project(skill)).join("skill.toml");
        let manifest = std::fs::read_to_string(&path).expect("a project has a manifest");
        assert!(manifest.contains(from), "{from} is not in the manifest of {skill}");
        std::fs::write(path, manifest.replace(from, to)).expect("the test's folder can be written");
    }

    /// Gives the manifest of a skill's folder other prices: the lines below its `[pricing]`.
    pub(crate) fn price(&self, skill: &str, prices: &str) {
        let path = PathBuf::from(self.project(skill)).join("skill.toml");
        let manifest = std::fs::read_to_string(&path).expect("a project has a manifest");
        let (before, rest) = manifest.split_once("[pricing]\n").expect("the skill costs something");
        let (_, after) = rest.split_once("\n[[").expect("endpoints follow");
        let manifest = format!("{before}[pricing]\n{prices}\n[[{after}");
        std::fs::write(path, manifest).expect("the test's folder can be written");
    }

    /// Moves the chain's clock ahead by so many seconds.
    pub(crate) async fn advance(&self, secs: i64) {
        self.rpc("advanceClock", json!([secs])).await.expect("the chain's clock can be moved");
    }

    /// Restarts a server that began with [`SETTLE_LATE`], so that it settles at once.
    pub(crate) fn settle_now(&mut self) {
        self.settle_at_once();
        self.server.restart(Stop::Term);
    }

    /// Lets a server that began with [`SETTLE_LATE`] settle at once from its next start on.
    pub(crate) fn settle_at_once(&mut self) {
        for flag in &mut self.server.flags {
            if flag == SETTLE_LATE[1] || flag == SETTLE_LATE[3] {
                *flag = SETTLE_AT_ONCE[1].to_owned();
            }
        }
    }

    /// The chain, to be read past the server.
    pub(crate) fn ledger(&self) -> Chain {
        Chain::new(&self.chain.rpc_url())
    }

    /// Base units of USDC of an address.
    pub(crate) async fn usdc(&self, owner: &Key) -> u64 {
        let mint = self.ledger().config().await.expect("the chain answers").usdc_mint;
        self.ledger().tokens(owner, &mint).await.expect("the chain answers")
    }

    /// Lamports of an address.
    pub(crate) async fn sol(&self, owner: &Key) -> u64 {
        self.ledger().sol(owner).await.expect("the chain answers")
    }

    /// Lamports that a licence's account keeps as long as it exists.
    pub(crate) async fn licence_rent(&self) -> u64 {
        self.ledger().rent(Licence::LEN).await.expect("the chain answers")
    }

    /// Units that the chain has recorded on a licence.
    pub(crate) async fn recorded(&self, licence: &Key) -> u64 {
        let found = self.ledger().licence_at(licence).await.expect("the chain answers");
        found.value.expect("there is a licence").usage_total()
    }

    /// A request below `/api/v1`.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.server.origin()))
    }

    /// `GET` as an agent.
    pub(crate) async fn get(&self, agent: &Clawos, path: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(agent.token())).await
    }

    /// `POST` as an agent.
    pub(crate) async fn post(&self, agent: &Clawos, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).bearer_auth(agent.token()).json(body)).await
    }

    /// Calls a skill as the buyer; `None` when the connection broke.
    pub(crate) async fn call(&self, skill: &str, endpoint: &str, payload: Value, key: &str) -> Option<Answer> {
        let request = self.request(Method::POST, &format!("/skills/{skill}/execute")).bearer_auth(self.buyer.token());
        let request = request.header("idempotency-key", key).json(&json!({ "endpoint": endpoint, "payload": payload }));
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some(Answer { status, headers, bytes: response.bytes().await.ok()?.to_vec() })
    }

    /// Waits until a call of `acme.loops` by the buyer would be refused with this code: what allowed it the server may remember
    /// for a while. Who may call again is never kept waiting.
    pub(crate) async fn until_refused(&self, code: &str) {
        until(&format!("a call is refused with {code}"), async || {
            let outcome = self.buyer.attempt(&["exec", guests::LOOPS, "echo", "1", "--dry-run"]);
            outcome.is_err_and(|refusal| refusal.code() == code)
        })
        .await;
    }

    /// A call as it stands in JSON-RPC; gives its result or its error.
    pub(crate) async fn rpc(&self, method: &str, parameters: Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let answer = self.http.post(self.chain.rpc_url()).json(&body).send().await.expect("the chain answers");
        let mut answer: Value = answer.json().await.expect("JSON");
        if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"].take()) }
    }
}

/// A story as two tests, `STORY::on_sqlite` and `STORY::on_postgres`: an `async fn(&TestDatabase)` of the module. Skipped, with
/// a line that says so, where no PostgreSQL is installed, or no compiler for guests unless it is a story `without guests`.
macro_rules! on_both_databases {
    ($story:ident) => {
        $crate::world::on_both_databases!($story, clawos_tests::guests::available());
    };
    ($story:ident, without guests) => {
        $crate::world::on_both_databases!($story, true);
    };
    ($story:ident, $ready:expr) => {
        mod $story {
            use clawos_tests::app::TestDatabase;
            use clawos_tests::postgres;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                if $ready {
                    super::$story(&TestDatabase::Sqlite).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                if $ready && let Some(url) = postgres::database().await {
                    super::$story(&TestDatabase::Postgres(url)).await;
                }
            }
        }
    };
}

pub(crate) use on_both_databases;

/// What a `wallet show` says of a currency.
pub(crate) fn balance(agent: &Clawos, currency: &str) -> u64 {
    units(&agent.run(&["wallet", "show"])[currency])
}

/// Asks again until the answer is yes.
pub(crate) async fn until(what: &str, mut question: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !question().await {
        assert!(started.elapsed() < PATIENCE, "this does not happen: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
