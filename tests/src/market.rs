//! A server with something to sell on a real chain: an author's skill, registered, and buyers with money.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use clawos_client::Wallet;
use clawos_client::solana::Chain;
use clawos_client::solana::actions::skill_address;
use clawos_client::solana::purchase::{Listing, Order};
use clawos_config::Config;
use clawos_interface::accounts::Licence;
use clawos_interface::instruction::args::RecordArgs;
use clawos_interface::instruction::record_usage;
use clawos_interface::rules::terms::Terms;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Key, Kind, NO_KEY, Tier};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestAgent, TestApp, TestDatabase, new_key, send};
use crate::chain;
use crate::publication::Publication;

/// Lamports each wallet gets: 20 SOL.
const LAMPORTS: u64 = 20_000_000_000;
/// USDC base units each wallet gets: 100 USDC.
const USDC: u64 = 100_000_000;
/// How long a test waits for the chain, at most, in steps of 100 ms.
const ATTEMPTS: u32 = 150;

/// A server, its chain, and one skill on sale.
pub struct Market {
    /// The server.
    pub app: TestApp,
    /// The chain it uses.
    pub chain: Chain,
    /// Who published the skill.
    pub author: TestAgent,
    /// `author.name`
    pub skill: String,
}

/// An agent with money.
pub struct Buyer {
    /// Its account on the server.
    pub agent: TestAgent,
    /// Its wallet.
    pub wallet: Wallet,
}

impl Market {
    /// A server whose meter is the chain's, and a skill of `publication` published and registered on it.
    pub async fn open(database: &TestDatabase, publication: impl FnOnce(&str) -> Publication) -> Market {
        Self::with(database, |_| {}, publication).await
    }

    /// The same with a changed configuration.
    pub async fn with(
        database: &TestDatabase,
        change: impl FnOnce(&mut Config),
        publication: impl FnOnce(&str) -> Publication,
    ) -> Market {
        let app = TestApp::with(database, |config| {
            // In the data folder it is found again after a restart.
            let meter = chain::shared().keys().folder().join("meter.json");
            fs::copy(meter, config.data.data.join("meter.json")).expect("the chain made its meter's key");
            change(config);
        })
        .await;
        let chain = Chain::new(&chain::shared().rpc_url());
        let author = app.enrol("acme").await;
        let publication = publication("acme").signed(&author.key);
        let skill = publication.resolved().skill.id;
        let request = app.request(Method::POST, "/skills").bearer_auth(author.api_key());
        send(request.multipart(publication.form())).await.json(201);
        if let Some(prices) = publication.resolved().prices {
            let wallet = funded(&chain, &author).await;
            let terms = prices.terms(wallet.key(), NO_KEY);
            chain.register_skill(&wallet, &skill, &terms).await.expect("its author registers the skill");
        }
        Market { app, chain, author, skill }
    }

    /// After an orderly stop and a start of the server.
    pub async fn restart(self, database: &TestDatabase) -> Market {
        self.restart_with(database, |_| {}).await
    }

    /// The same with a changed configuration.
    pub async fn restart_with(self, database: &TestDatabase, change: impl FnOnce(&mut Config)) -> Market {
        Market { app: self.app.restart_with(database, change).await, ..self }
    }

    /// An enrolled agent with SOL and USDC.
    pub async fn buyer(&self, name: &str) -> Buyer {
        self.funded(self.app.enrol(name).await).await
    }

    /// Gives an agent's wallet SOL and USDC.
    pub async fn funded(&self, agent: TestAgent) -> Buyer {
        let wallet = funded(&self.chain, &agent).await;
        Buyer { agent, wallet }
    }

    /// The skill's account.
    pub fn skill_account(&self) -> Key {
        skill_address(self.author.key.verifying_key().as_bytes(), &self.skill)
    }

    /// The skill on chain.
    pub async fn listing(&self) -> Listing {
        self.chain.listing(&self.skill_account()).await.expect("it is registered")
    }

    /// Buys a personal licence.
    pub async fn buy(&self, buyer: &Buyer, kind: Kind, caps: Caps) {
        let order = Order { kind, tier: Tier::Personal, caps, meter: None };
        let purchase = self.listing().await.purchase(&buyer.wallet.key(), &order, None, 0).expect("it is for sale");
        self.chain.buy(&buyer.wallet, &purchase).await.expect("the chain sells it");
    }

    /// Buys a usage licence with this much credit, in base units.
    pub async fn buy_usage(&self, buyer: &Buyer, credit: u64) {
        self.buy(buyer, Kind::Usage, Caps::default()).await;
        self.deposit(buyer, credit).await;
    }

    /// Adds credit, in base units.
    pub async fn deposit(&self, buyer: &Buyer, credit: u64) {
        let listing = self.listing().await;
        self.chain.deposit_credit(&buyer.wallet, &listing, credit, None).await.expect("the chain takes credit");
    }

    /// Changes the price of a unit on chain, in base units.
    pub async fn reprice(&self, unit: u64) {
        let listing = self.listing().await;
        let terms = Terms { price_unit: unit, meter: NO_KEY, ..listing.skill.terms(&listing.config.meter) };
        self.chain.update_skill(&wallet(&self.author), &listing, &terms).await.expect("its seller may");
    }

    /// Names another meter on chain, as the seller may.
    pub async fn name_meter(&self, meter: Key) {
        let listing = self.listing().await;
        let terms = Terms { meter, ..listing.skill.terms(&listing.config.meter) };
        self.chain.update_skill(&wallet(&self.author), &listing, &terms).await.expect("its seller may");
    }

    /// Has the meter record the licence's first batch, of so many units that no call used.
    pub async fn record_units(&self, buyer: &Buyer, units: u64) {
        let meter = Wallet::load(&chain::shared().keys().folder().join("meter.json")).expect("the chain made it");
        let route = self.listing().await.route().expect("its currency is known");
        let root = self.licence(buyer).await.chain_root;
        let batch = RecordArgs { seq: 1, prev_root: root, units, root: [1; 32] };
        let recorded = record_usage(&meter.key(), &route, &buyer.wallet.key(), true, &batch);
        self.chain.send(&meter, &[recorded]).await.expect("the meter may");
    }

    /// The licence as the chain has it.
    pub async fn licence(&self, buyer: &Buyer) -> Licence {
        let found = self.chain.licence(&self.skill_account(), &buyer.wallet.key()).await.expect("the chain answers");
        found.value.expect("it was bought")
    }

    /// Calls the skill's `echo`.
    pub async fn call(&self, buyer: &Buyer, text: &str) -> Answer {
        self.execute(buyer, &json!({ "endpoint": "echo", "payload": { "text": text } }), None).await
    }

    /// Calls with this body, and this idempotency key.
    pub async fn execute(&self, buyer: &Buyer, body: &Value, key: Option<&str>) -> Answer {
        let path = format!("/skills/{}/execute", self.skill);
        let mut request = self.app.request(Method::POST, &path).bearer_auth(buyer.agent.token()).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        send(request).await
    }

    /// Repeats a request while the server is too busy for it (503), for as long as a test waits.
    ///
    /// # Panics
    /// When it still is after that.
    pub async fn until_served<F: Future<Output = Answer>>(request: impl Fn() -> F) -> Answer {
        for _ in 0..ATTEMPTS {
            let answer = request().await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server stays too busy");
    }

    /// Waits until the receipt `id` is confirmed on chain; the answer about it.
    pub async fn anchored(&self, buyer: &Buyer, id: &str) -> Value {
        for _ in 0..ATTEMPTS {
            let answer = self.app.get_as(buyer.agent.api_key(), &format!("/receipts/{id}")).await.json(200);
            if answer["anchor"]["status"] == "confirmed" {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the receipt {id} is not anchored: the settler does not settle");
    }
}

/// The wallet of an agent's key, with SOL and USDC.
async fn funded(chain: &Chain, agent: &TestAgent) -> Wallet {
    let wallet = wallet(agent);
    chain.airdrop_sol(&wallet.key(), LAMPORTS).await.expect("the local chain gives SOL");
    chain.airdrop_usdc(&wallet.key(), USDC).await.expect("the local chain gives USDC");
    wallet
}

fn wallet(agent: &TestAgent) -> Wallet {
    let folder = tempfile::tempdir().expect("the system's folder for temporary files can be used");
    let path = folder.path().join("wallet.json");
    let pair = serde_json::to_string(agent.key.to_keypair_bytes().as_slice()).expect("bytes are JSON");
    fs::write(&path, pair).expect("a new folder can be written to");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    Wallet::load(&path).expect("it is a key pair")
}

/// A wallet that nobody knows.
pub fn stranger() -> Key {
    new_key().verifying_key().to_bytes()
}
