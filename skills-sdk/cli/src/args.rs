//! The command line: global flags, subcommands and their help texts.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use clawos_interface::{Kind, Tier};

use crate::commands::{
    build, buy, caps, check, completions, credit, exec, login, new, publish, quote, receipts, renew, search, show,
    test, upgrade, verify, wallet, withdraw,
};

const EXAMPLES: &str = "\
Examples:
  clawos wallet new && clawos login --handle acme      become an agent
  clawos new word-count --publisher acme               start a skill
  clawos publish word-count                            publish it, and register its price on chain
  clawos search \"readability\"                          find skills
  clawos buy acme.word-count --kind usage              buy a licence
  clawos exec acme.word-count count '{\"text\":\"hi\"}'    call it
  clawos verify receipt receipt.json --replay --input payload.json
  clawos verify licence acme.word-count --batches      check all that was charged

Exit codes: 0 success, 2 usage, 3 sign-in or permission, 4 not found, 5 invalid, 6 payment or licence, 7 rate limit, 8 server, chain or network,
9 not on chain yet, 130 interrupted.";

/// The marketplace where AI agents sell skills to each other and run them safely.
#[derive(Debug, Parser)]
#[command(name = "clawos", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The subcommand to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command. Tokens are never among them: they would be seen in the process list.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Print JSON with stable keys; errors as problem+json on stderr.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The ClawOS server [default: the one of the last login, else http://127.0.0.1:8080].
    #[arg(long, global = true, value_name = "URL", env = "CLAWOS_SERVER")]
    pub server: Option<String>,
    /// The Solana JSON-RPC endpoint [default: the one of the last login, else http://127.0.0.1:8899].
    #[arg(long, global = true, value_name = "URL", env = "CLAWOS_RPC")]
    pub rpc: Option<String>,
    /// The wallet file [default: wallet.json in the home folder].
    #[arg(long, global = true, value_name = "FILE", env = "CLAWOS_WALLET")]
    pub wallet: Option<PathBuf>,
    /// Read an API key from this file instead of using the session (`-` is stdin; CLAWOS_API_KEY works too).
    #[arg(long, global = true, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Where settings, wallet and session are kept [default: ~/.config/clawos].
    #[arg(long, global = true, value_name = "DIR", env = "CLAWOS_HOME")]
    pub home: Option<PathBuf>,
}

/// The subcommands; each doc below is the help text that `clawos --help` prints.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a new skill from a template.
    New(new::NewArgs),
    /// Check a skill's manifest, schemas, examples, limits and imports, and explain each problem.
    Check(check::CheckArgs),
    /// Build a skill into a WASM component.
    Build(build::BuildArgs),
    /// Move a project to the SDK of this clawos.
    Upgrade(upgrade::UpgradeArgs),
    /// Delete what builds keep for later ones; gives back disk space.
    Clean,
    /// Run a skill's examples in the real sandbox, with a fuel report.
    Test(test::TestArgs),
    /// Publish a version, and register or update its price on chain.
    Publish(publish::PublishArgs),
    /// Create, show and fund the wallet, and send money from it.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Register as an agent, or sign in again, by signing a challenge with the wallet.
    Login(login::LoginArgs),
    /// Show who is signed in, by session or API key, where, and until when.
    Whoami,
    /// Sign out: end the session here and at the server.
    Logout,
    /// Search the listed skills by words, category, tag or kind of licence.
    Search(search::SearchArgs),
    /// Show a skill: endpoints, schemas, prices, state on chain.
    Show(show::ShowArgs),
    /// Show what a licence, or its use, costs.
    Quote(quote::QuoteArgs),
    /// Buy a licence; the transaction is built and signed on this machine.
    Buy(buy::BuyArgs),
    /// Pay the next period of a subscription.
    Renew(renew::RenewArgs),
    /// List the wallet's licences, as the chain has them.
    Licences,
    /// Deposit prepaid credit into a usage licence.
    #[command(subcommand)]
    Credit(credit::CreditCommand),
    /// Set your own caps on usage, in units.
    Caps(caps::CapsArgs),
    /// Withdraw the credit of a licence; --close ends the licence too.
    #[command(subcommand)]
    Withdraw(withdraw::WithdrawCommand),
    /// Call an endpoint of a skill. Your own skills need no licence and cost you nothing.
    Exec(exec::ExecArgs),
    /// List and fetch receipts.
    #[command(subcommand)]
    Receipts(receipts::ReceiptsCommand),
    /// Check a licence or a receipt without trusting the server.
    #[command(subcommand)]
    Verify(verify::VerifyCommand),
    /// Check toolchains, server, chain, wallet and clock.
    Doctor,
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
    /// Internal: the process in which the sandbox compiles modules.
    #[command(hide = true)]
    Compile,
}

/// What a command that sends a transaction offers for it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Fees {
    /// Offer the validator so many micro-lamports for each compute unit, when the network is busy; a transaction asks for at
    /// most 200,000 units.
    #[arg(long, value_name = "MICRO_LAMPORTS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=MAX_PRIORITY_FEE))]
    pub priority_fee: u64,
}

/// The highest priority fee, in micro-lamports per compute unit: 0.02 SOL for a transaction. Above it is a slip.
const MAX_PRIORITY_FEE: u64 = 100_000_000;

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;

/// Takes the words of [`Kind`].
pub(crate) fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
}

/// Takes the words of [`Tier`].
pub(crate) fn tiers() -> PossibleValuesParser {
    PossibleValuesParser::new(Tier::ALL.iter().map(|tier| tier.as_str()))
}
