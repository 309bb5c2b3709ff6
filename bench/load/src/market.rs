//! The marketplace under load: the real chain and server, an author's skill, and a buyer with a licence and credit.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::{LoadError, doing};
use crate::service::{Service, program};

/// The skill that is called: one endpoint of it answers with its payload.
pub(crate) const SKILL: &str = "acme.loops";
/// Where it is in the repository.
const PROJECT: &str = "tests/guests/loops";
/// Credit in USDC: a call costs 0.001, so this is for ten million.
const CREDIT: &str = "10000";
/// What keeps a real server from being loaded like this. All else is as it comes.
const NO_RATE_LIMITS: [&str; 4] = ["--rate-per-minute", "0", "--anonymous-rate-per-minute", "0"];

/// Chain, server and buyer.
pub(crate) struct Market {
    /// `clawos-localnet`.
    pub(crate) chain: Service,
    /// `clawos-server` on SQLite.
    pub(crate) server: Service,
    /// The buyer's access token.
    pub(crate) token: String,
}

/// One agent's `clawos` command.
struct Agent<'a> {
    home: PathBuf,
    server: &'a str,
    rpc: &'a str,
}

impl Market {
    /// Starts everything in `folder`, publishes the skill, sells it, and makes one call to see that it works.
    pub(crate) fn open(folder: &Path) -> Result<Self, LoadError> {
        let text = |path: PathBuf| path.display().to_string();
        let data = text(folder.join("chain"));
        let chain = Service::start("clawos-localnet", &["--data", &data, "--port", "0"], &folder.join("chain.log"))?;
        let (data, meter) = (text(folder.join("server")), text(folder.join("chain/keys/meter.json")));
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"];
        let own = ["--data", &data, "--rpc-url", &chain.origin, "--meter-key", &meter];
        let arguments = [&fixed[..], &own, &NO_RATE_LIMITS].concat();
        let server = Service::start("clawos-server", &arguments, &folder.join("server.log"))?;
        let token = sell(folder, &server.origin, &chain.origin)?;
        Ok(Self { chain, server, token })
    }

    /// The URL that is called.
    pub(crate) fn url(&self) -> String {
        format!("{}/api/v1/skills/{SKILL}/execute", self.server.origin)
    }
}

/// Brings the skill on the market and sells it; gives the buyer's token.
fn sell(folder: &Path, server: &str, rpc: &str) -> Result<String, LoadError> {
    let agent = |name: &str| Agent { home: folder.join(name), server, rpc };
    let (author, buyer) = (agent("author"), agent("buyer"));
    for (agent, handle) in [(&author, "acme"), (&buyer, "bob")] {
        agent.run(&["wallet", "new"])?;
        agent.run(&["wallet", "airdrop", "--sol", "10"])?;
        agent.run(&["login", "--handle", handle])?;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PROJECT);
    author.run(&["publish", &project.display().to_string(), "--no-build"])?;
    buyer.run(&["wallet", "airdrop", "--usdc", CREDIT])?;
    buyer.run(&["buy", SKILL, "--kind", "usage"])?;
    buyer.run(&["credit", "deposit", SKILL, CREDIT])?;
    let answer = buyer.run(&["exec", SKILL, "echo", r#"{"n":1}"#])?;
    let good = answer["result"]["n"] == 1 && answer["receipt"]["outcome"] == "ok" && answer["receipt"]["units"] == "1";
    if !good {
        return Err(LoadError::Answer { program: "clawos exec".to_owned(), said: answer.to_string() });
    }
    let path = buyer.home.join("session.json");
    let session = std::fs::read(&path).map_err(doing(path.display().to_string()))?;
    let session: Value = serde_json::from_slice(&session).unwrap_or_default();
    let token = session["access_token"].as_str().map(str::to_owned);
    token.ok_or_else(|| LoadError::Answer { program: "clawos login".to_owned(), said: "no access token".to_owned() })
}

impl Agent<'_> {
    /// Runs a command; gives its JSON.
    fn run(&self, arguments: &[&str]) -> Result<Value, LoadError> {
        let mut clawos = Command::new(program("clawos")?);
        clawos.args(arguments).arg("--json").args(["--server", self.server, "--rpc", self.rpc]);
        let output = clawos.arg("--home").arg(&self.home).output().map_err(doing("clawos"))?;
        let command = format!("clawos {}", arguments.join(" "));
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(LoadError::Command { command, said });
        }
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            LoadError::Answer { program: command, said }
        })
    }
}
