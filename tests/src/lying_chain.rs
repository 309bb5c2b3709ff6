//! A chain endpoint that tells the truth about everything but one account.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clawos_interface::Key;
use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_receipts::text::{from_base58, to_base58};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The account as the liar will tell it.
pub struct Told {
    /// The program that owns it.
    pub owner: Key,
    /// Its data.
    pub data: Vec<u8>,
}

impl Told {
    /// Changes the Config in it.
    ///
    /// # Panics
    /// When it is none.
    pub fn config(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::decode(&self.data).expect("the account is Config");
        change(&mut config);
        self.data = config.encode().to_vec();
    }

    /// Changes the licence in it.
    ///
    /// # Panics
    /// When it is none.
    pub fn licence(&mut self, change: impl FnOnce(&mut Licence)) {
        let mut licence = Licence::decode(&self.data).expect("the account is a licence");
        change(&mut licence);
        self.data = licence.encode().to_vec();
    }

    /// Changes the skill in it.
    ///
    /// # Panics
    /// When it is none.
    pub fn skill(&mut self, change: impl FnOnce(&mut Skill)) {
        let mut skill = Skill::decode(&self.data).expect("the account is a skill");
        change(&mut skill);
        self.data = skill.encode().to_vec();
    }
}

type Lie = Box<dyn Fn(&mut Told) + Send + Sync>;

struct Liar {
    honest: String,
    http: reqwest::Client,
    /// The account, and what is changed about it.
    lie: RwLock<Option<(String, Lie)>>,
}

/// The endpoint. Dropping it stops it.
pub struct LyingChain {
    url: String,
    liar: Arc<Liar>,
    task: JoinHandle<()>,
}

impl LyingChain {
    /// Passes everything on to `honest` as it is, until [`LyingChain::lie`] is called.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start(honest: &str) -> LyingChain {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let liar = Arc::new(Liar { honest: honest.to_owned(), http: reqwest::Client::new(), lie: RwLock::new(None) });
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&liar));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the listener works") });
        LyingChain { url, liar, task }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on changes what is said about the account at `about`, and only that.
    pub fn lie(&self, about: &Key, lie: impl Fn(&mut Told) + Send + Sync + 'static) {
        let mut told = self.liar.lie.write().unwrap_or_else(PoisonError::into_inner);
        *told = Some((to_base58(about), Box::new(lie)));
    }
}

impl Drop for LyingChain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(liar): State<Arc<Liar>>, Json(question): Json<Value>) -> Json<Value> {
    let truth = liar.http.post(&liar.honest).json(&question).send().await.expect("the chain answers");
    let mut answer: Value = truth.json().await.expect("JSON");
    let asked = &question["params"][0];
    let lie = liar.lie.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((about, lie)) = &*lie {
        let about_it = |key: &Value| *key == about.as_str();
        let place = match question["method"].as_str() {
            Some("getAccountInfo") if about_it(asked) => Some("/result/value".to_owned()),
            Some("getMultipleAccounts") => {
                let at = asked.as_array().and_then(|keys| keys.iter().position(about_it));
                at.map(|at| format!("/result/value/{at}"))
            }
            _ => None,
        };
        let account = place.and_then(|place| answer.pointer_mut(&place)).filter(|account| !account.is_null());
        if let Some(account) = account {
            retell(account, lie);
        }
    }
    Json(answer)
}

fn retell(account: &mut Value, lie: &Lie) {
    let text = account["data"][0].as_str().expect("base64 was asked for");
    let owner = from_base58(account["owner"].as_str().expect("an owner")).expect("an address");
    let mut told = Told { owner, data: BASE64.decode(text).expect("base64") };
    lie(&mut told);
    account["data"][0] = json!(BASE64.encode(&told.data));
    account["owner"] = json!(to_base58(&told.owner));
}
