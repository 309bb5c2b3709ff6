//! `clawos wallet`: creates, shows and funds the wallet, and sends money from it.

use clap::{Args, Subcommand};
use clawos_client::solana::send::Confirmed;
use clawos_client::{Wallet, key};
use clawos_interface::Currency;
use serde_json::json;

use crate::amount;
use crate::args::Fees;
use crate::context::Context;
use crate::error::{CliError, Result};
use crate::table;

/// The subcommands of `clawos wallet`.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Create a new wallet; an existing one is never overwritten.
    New,
    /// Show address and balances.
    Show {
        /// Show this address instead of the wallet's.
        #[arg(long, value_name = "ADDRESS")]
        address: Option<String>,
    },
    /// Get test money: SOL on development networks, USDC on localnet.
    Airdrop {
        /// How much SOL, like 5 or 0.5.
        #[arg(long, value_name = "AMOUNT", required_unless_present = "usdc")]
        sol: Option<String>,
        /// How much USDC, like 100.
        #[arg(long, value_name = "AMOUNT")]
        usdc: Option<String>,
    },
    /// Send SOL or USDC to an address.
    Transfer(TransferArgs),
}

/// Flags of `clawos wallet transfer`.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// Who gets it.
    #[arg(value_name = "ADDRESS")]
    pub to: String,
    /// How much, with its currency: "0.5 SOL" or "5 USDC".
    pub amount: String,
    /// Send even to an address of a program, such as a multisig's vault. If the program cannot spend what it gets, that is
    /// lost.
    #[arg(long)]
    pub allow_non_system_account_recipient: bool,
    /// Show the transfer and what it costs, without signing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    pub yes: bool,
    /// Of the transaction.
    #[command(flatten)]
    pub fees: Fees,
}

/// Runs a subcommand.
///
/// # Errors
/// When the wallet cannot be used, or the chain refuses the airdrop.
pub async fn run(command: &WalletCommand, context: &Context) -> Result<()> {
    match command {
        WalletCommand::New => new(context),
        WalletCommand::Show { address } => show(address.as_deref(), context).await,
        WalletCommand::Transfer(args) => transfer(args, context).await,
        WalletCommand::Airdrop { sol, usdc } => airdrop(sol.as_deref(), usdc.as_deref(), context).await,
    }
}

fn new(context: &Context) -> Result<()> {
    context.home.ensure()?;
    let path = context.wallet_path();
    let wallet = Wallet::create(path)?;
    let value = json!({ "address": wallet.address(), "file": path });
    context.out.result(&value, || wallet.address())?;
    context.out.note(format!(
        "written to {} (readable by you only; whoever has this file controls the money)",
        path.display()
    ));
    context.out.note("next: clawos wallet airdrop --sol 10 --usdc 100 (localnet), then clawos login --handle HANDLE");
    Ok(())
}

async fn show(address: Option<&str>, context: &Context) -> Result<()> {
    let (owner, file) = match address {
        Some(address) => (key::parse(address)?, None),
        None => (context.wallet()?.key(), Some(context.wallet_path())),
    };
    let chain = context.chain();
    let sol = amount::money(chain.sol(&owner).await?, Currency::Sol);
    let mint = chain.config().await?.usdc_mint;
    let usdc = amount::money(chain.tokens(&owner, &mint).await?, Currency::Usdc);
    let value = json!({
        "address": key::to_base58(&owner),
        "file": file,
        "rpc": context.rpc,
        "sol": sol,
        "usdc": usdc,
        "usdc_mint": key::to_base58(&mint),
    });
    context.out.result(&value, || {
        table::fields(&[
            ("address", Some(key::to_base58(&owner))),
            ("file", file.map(|file| file.display().to_string())),
            ("SOL", Some(sol.to_string())),
            ("USDC", Some(usdc.to_string())),
        ])
    })?;
    Ok(())
}

/// Base units of an amount that is not 0.
fn positive(text: &str, currency: Currency) -> Result<u64> {
    match amount::parse(text, currency)? {
        0 => Err(CliError::Usage("the amount must be more than 0".to_owned())),
        amount => Ok(amount),
    }
}

async fn airdrop(sol: Option<&str>, usdc: Option<&str>, context: &Context) -> Result<()> {
    let owner = context.wallet()?.key();
    let chain = context.chain();
    let sol = sol.map(|text| positive(text, Currency::Sol)).transpose()?;
    let usdc = usdc.map(|text| positive(text, Currency::Usdc)).transpose()?;
    let mut transactions = Vec::new();
    let progress = context.out.progress("waiting for the chain");
    if let Some(lamports) = sol {
        transactions.push((amount::money(lamports, Currency::Sol), chain.airdrop_sol(&owner, lamports).await?));
    }
    if let Some(units) = usdc {
        transactions.push((amount::money(units, Currency::Usdc), chain.airdrop_usdc(&owner, units).await?));
    }
    drop(progress);
    let entry = |(money, confirmed): &(_, Confirmed)| json!({ "amount": money, "transaction": confirmed.signature, "slot": confirmed.slot.to_string() });
    let value =
        json!({ "address": key::to_base58(&owner), "airdrops": transactions.iter().map(entry).collect::<Vec<_>>() });
    context.out.result(&value, || {
        transactions.iter().map(|(money, confirmed)| format!("{money}  {}\n", confirmed.signature)).collect()
    })?;
    Ok(())
}

async fn transfer(args: &TransferArgs, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let to = key::parse(&args.to)?;
    if to == wallet.key() {
        return Err(CliError::Usage("that is the wallet's own address".to_owned()));
    }
    let currency = amount::named_currency(&args.amount)
        .ok_or_else(|| CliError::Usage(format!("the amount needs a currency, like \"{} USDC\"", args.amount)))?;
    let units = positive(&args.amount, currency)?;
    let chain = context.paying_chain(args.fees);
    chain.check_recipient(&to, args.allow_non_system_account_recipient).await?;
    let instructions = chain.transfer(&wallet.key(), &to, units, currency).await?;
    let costs = chain.rent_and_fees(&instructions, &[]).await?;
    let (money, more) = (amount::money(units, currency), amount::money(costs, Currency::Sol));
    let mut confirmed = None;
    if !args.dry_run {
        let sent = if currency == Currency::Sol { units } else { 0 };
        chain.check_lamports(&wallet.key(), sent.saturating_add(costs)).await?;
        context.out.confirm(&format!("send {money} to {} (and pay {more} for rent and fees)?", args.to), args.yes)?;
        let _progress = context.out.progress("waiting for the chain");
        confirmed = Some(chain.send(&wallet, &instructions).await?);
    }
    let value = json!({
        "from": wallet.address(),
        "to": args.to,
        "amount": money,
        "rent_and_fees": more,
        "transaction": confirmed.as_ref().map(|confirmed| &confirmed.signature),
        "slot": confirmed.as_ref().map(|confirmed| confirmed.slot.to_string()),
        "dry_run": args.dry_run,
    });
    context.out.result(&value, || {
        table::fields(&[
            (if args.dry_run { "to send" } else { "sent" }, Some(money.to_string())),
            ("to", Some(args.to.clone())),
            ("rent and fees", Some(more.to_string())),
            ("transaction", confirmed.as_ref().map(|confirmed| confirmed.signature.clone())),
        ])
    })?;
    if args.dry_run {
        context.out.note("dry run: nothing was signed");
    }
    Ok(())
}
