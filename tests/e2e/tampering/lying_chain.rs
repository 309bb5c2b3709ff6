//! A chain endpoint that tells the truth about everything but one account.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clawos_interface::accounts::Licence;
use clawos_receipts::Key;
use clawos_receipts::text::{from_base58, to_base58};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The account as the liar will tell it.
pub(super) struct Told {
    pub(super) owner: Key,
    pub(super) data: Vec<u8>,
}

impl Told {
    /// Changes the licence in it.
    pub(super) fn licence(&mut self, change: impl FnOnce(&mut Licence)) {
        let mut licence = Licence::decode(&self.data).expect("the account is a licence");
        change(&mut licence);
        self.data = licence.encode().to_vec();
    }
}

type Lie = Box<dyn Fn(&mut Told) + Send + Sync>;

struct Liar {
    honest: String,
    about: String,
    lie: Lie,
    http: reqwest::Client,
}

/// The endpoint. Dropping it stops it.
pub(super) struct LyingChain {
    pub(super) url: String,
    task: JoinHandle<()>,
}

impl LyingChain {
    /// Passes everything on to `honest`, but changes what is said about the account at `about`.
    pub(super) async fn start(
        honest: &str,
        about: &Key,
        lie: impl Fn(&mut Told) + Send + Sync + 'static,
    ) -> LyingChain {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let liar = Liar {
            honest: honest.to_owned(),
            about: to_base58(about),
            lie: Box::new(lie),
            http: reqwest::Client::new(),
        };
        let router = Router::new().route("/", post(answer)).with_state(Arc::new(liar));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the listener works") });
        LyingChain { url, task }
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
    let asked = question["method"] == "getAccountInfo" && question["params"][0] == liar.about.as_str();
    if let Some(account) = answer.pointer_mut("/result/value").filter(|account| asked && !account.is_null()) {
        let text = account["data"][0].as_str().expect("base64 was asked for");
        let owner = from_base58(account["owner"].as_str().expect("an owner")).expect("an address");
        let mut told = Told { owner, data: BASE64.decode(text).expect("base64") };
        (liar.lie)(&mut told);
        account["data"][0] = json!(BASE64.encode(&told.data));
        account["owner"] = json!(to_base58(&told.owner));
    }
    Json(answer)
}
