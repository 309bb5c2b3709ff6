//! The demo's setup: two services, the home folders of four agents, and the marketplace's treasury.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::children::{self, Children};
use super::command::{Clawos, text, units};
use super::folder::Folder;
use super::show::Show;
use super::{DemoError, system};
use crate::config::{DemoConfig, sister_program, sister_programs};

/// Lamports and USDC base units below which an agent's wallet is topped up.
const LOW_SOL: u64 = 1_000_000_000;
const LOW_USDC: u64 = 20_000_000;

/// The demo's world once both services run.
pub(super) struct World {
    /// Sells skills, handle `acme`.
    pub(super) author: Clawos,
    /// Buys and calls them, handle `bob`.
    pub(super) buyer: Clawos,
    /// Enrolled, but owns no licence.
    pub(super) stranger: Clawos,
    /// Has neither wallet nor account.
    pub(super) outsider: Clawos,
    /// The address that receives the platform's fee, base58.
    pub(super) treasury: String,
    /// The folder with the demo's chain, server, homes and logs.
    pub(super) data: PathBuf,
    /// The repository, where the example skills are.
    pub(super) project: PathBuf,
    server: String,
    _folder: Folder,
}

impl World {
    /// Starts both services and waits until they answer.
    pub(super) fn start(config: &DemoConfig, show: &Show) -> Result<(Self, Children), DemoError> {
        for port in [config.rpc_port, config.port] {
            children::await_port(port, show)?;
        }
        let folder = Folder::open(&config.data)?;
        if config.fresh {
            folder.forget()?;
        }
        let logs = config.data.join("logs");
        std::fs::create_dir_all(&logs).map_err(system(logs.display().to_string()))?;
        let data = absolute(&config.data)?;
        let project = absolute(&config.project)?;
        let programs = sister_programs().map_err(system("finding the programs"))?;
        let mut children = Children::default();
        let chain = data.join("chain");
        let line = children.start("localnet", localnet(&programs, &chain, config), &logs)?;
        show.fact("local chain", line.trim_start_matches("localnet ready: "));
        let rpc = format!("http://127.0.0.1:{}", config.rpc_port);
        let line = children.start("server", server(&programs, &data, &chain, &rpc, config), &logs)?;
        show.fact("server", line.trim_start_matches("clawos-server ready: "));
        show.fact("data and logs", data.display());
        let server = format!("http://127.0.0.1:{}", config.port);
        let agent = |name: &str| Clawos::new(&programs.join("clawos"), data.join(name), &server, &rpc, &project);
        let (author, buyer, stranger, outsider) =
            (agent("author"), agent("buyer"), agent("stranger"), agent("outsider"));
        let treasury = address_of(&chain.join("keys/treasury.json"))?;
        Ok((Self { author, buyer, stranger, outsider, treasury, data, project, server, _folder: folder }, children))
    }

    /// Makes the wallets, funds them and enrols their agents; what is there already stays.
    pub(super) fn enrol(&self, show: &Show) -> Result<(), DemoError> {
        for (agent, handle) in [(&self.author, "acme"), (&self.buyer, "bob")] {
            if !agent.home().join("wallet.json").exists() {
                agent.run(show, &["wallet", "new"])?;
            }
            let wallet = agent.ask(&["wallet", "show"])?;
            if units(&wallet, "/sol")? < LOW_SOL || units(&wallet, "/usdc")? < LOW_USDC {
                agent.run(show, &["wallet", "airdrop", "--sol", "10", "--usdc", "100"])?;
            }
            let session = agent.run(show, &["login", "--handle", handle])?;
            let wallet = agent.ask(&["wallet", "show"])?;
            show.fact(handle, format!("{} {}", text(&session, "/agent/id")?, text(&wallet, "/address")?));
            show.fact("", format!("{} and {}", money(&wallet["sol"]), money(&wallet["usdc"])));
        }
        // The stranger needs no money to be refused.
        if !self.stranger.home().join("wallet.json").exists() {
            self.stranger.ask(&["wallet", "new"])?;
        }
        self.stranger.ask(&["login", "--handle", "stranger"])?;
        Ok(())
    }

    /// Base units of SOL or USDC that an address holds, read from the chain.
    pub(super) fn balance(&self, address: &str, currency: &str) -> Result<u64, DemoError> {
        let wallet = self.buyer.ask(&["wallet", "show", "--address", address])?;
        units(&wallet, &format!("/{currency}"))
    }

    /// The address of an agent's wallet.
    pub(super) fn address(&self, agent: &Clawos) -> Result<String, DemoError> {
        Ok(text(&agent.ask(&["wallet", "show"])?, "/address")?.to_owned())
    }

    /// Writes a file into the demo's folder; gives its path.
    pub(super) fn write(&self, name: &str, contents: &str) -> Result<String, DemoError> {
        let path = self.data.join(name);
        std::fs::write(&path, contents).map_err(system(path.display().to_string()))?;
        Ok(path.display().to_string())
    }

    /// Prints what to try next.
    pub(super) fn farewell(&self, show: &Show, ends: bool) {
        if ends {
            show.say("All data is kept: the next `make demo` continues from here.");
            return;
        }
        show.say(&format!("The server answers on {} (its API: {}/docs).", self.server, self.server));
        show.say("Three commands to try next, in another terminal:");
        let home = self.buyer.home().display();
        show.say(&format!("  export PATH=$PATH:{} CLAWOS_HOME={home}", self.programs_folder()));
        show.command("clawos search text");
        show.command("clawos exec acme.text-stats keywords '{\"text\": \"Fuel is money, so it is deterministic.\"}'");
        show.command("clawos receipts list");
        show.say(
            "Ctrl-C stops everything; the next `make demo` continues from here, `make demo ARGS=--fresh` starts over.",
        );
    }

    fn programs_folder(&self) -> String {
        sister_programs().map_or_else(|_| "target/debug".to_owned(), |folder| folder.display().to_string())
    }
}

fn localnet(programs: &Path, chain: &Path, config: &DemoConfig) -> Command {
    let mut command = sister_program(&programs.join("clawos-localnet"));
    command.arg("--data").arg(chain).arg("--port").arg(config.rpc_port.to_string());
    command
}

fn server(programs: &Path, data: &Path, chain: &Path, rpc: &str, config: &DemoConfig) -> Command {
    let mut command = sister_program(&programs.join("clawos-server"));
    command.arg("serve").arg("--data").arg(data.join("server")).args(["--rpc-url", rpc]);
    command.arg("--listen").arg(format!("127.0.0.1:{}", config.port));
    // Nobody watches a demo, and its port would be one more that has to be free.
    command.args(["--operations-listen", "127.0.0.1:0"]);
    command.arg("--meter-key").arg(chain.join("keys/meter.json"));
    // A newcomer should not wait a minute to see a settlement.
    command.args(["--settle-max-age-ms", "2000", "--anchor-max-age-ms", "2000"]);
    // When the demo is killed, so may be whoever holds a request open.
    command.args(["--shutdown-ms", "2000"]);
    command
}

/// The address in a Solana keypair file: the last 32 of its 64 bytes.
fn address_of(path: &Path) -> Result<String, DemoError> {
    let text = std::fs::read(path).map_err(system(path.display().to_string()))?;
    let bytes: Vec<u8> = serde_json::from_slice(&text).unwrap_or_default();
    let public =
        bytes.get(32..64).ok_or_else(|| DemoError::Unexpected(format!("{} is not a keypair", path.display())))?;
    Ok(bs58::encode(public).into_string())
}

fn absolute(path: &Path) -> Result<PathBuf, DemoError> {
    path.canonicalize().map_err(system(path.display().to_string()))
}

/// Money as people write it.
pub(super) fn money(value: &Value) -> String {
    let amount = value["amount"].as_str().unwrap_or("?");
    let currency = value["currency"].as_str().unwrap_or_default();
    let decimals = value["decimals"].as_u64().and_then(|decimals| usize::try_from(decimals).ok()).unwrap_or(0);
    let digits = format!("{amount:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    format!("{whole}{point}{part} {currency}")
}
