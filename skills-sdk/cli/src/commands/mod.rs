//! The commands, one file each, and the dispatch to them.

pub mod build;
pub mod buy;
pub mod caps;
pub mod check;
pub mod clean;
pub mod completions;
pub mod credit;
pub mod doctor;
pub mod exec;
pub mod licences;
pub mod login;
pub mod logout;
pub mod new;
pub mod publish;
pub mod quote;
pub mod receipts;
pub mod renew;
pub mod search;
pub mod show;
pub mod test;
pub mod upgrade;
pub mod verify;
pub mod wallet;
pub mod whoami;
pub mod withdraw;

use crate::args::Command;
use crate::context::Context;
use crate::error::Result;

/// Runs one command.
///
/// # Errors
/// The command's error, which carries the exit code.
pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::New(args) => new::run(&args, context),
        Command::Check(args) => check::run(&args, context).await,
        Command::Build(args) => build::run(&args, context).await,
        Command::Upgrade(args) => upgrade::run(&args, context),
        Command::Clean => clean::run(context),
        Command::Test(args) => test::run(&args, context).await,
        Command::Publish(args) => publish::run(&args, context).await,
        Command::Wallet(command) => wallet::run(&command, context).await,
        Command::Login(args) => login::run(&args, context).await,
        Command::Whoami => whoami::run(context).await,
        Command::Logout => logout::run(context).await,
        Command::Search(args) => search::run(&args, context).await,
        Command::Show(args) => show::run(&args, context).await,
        Command::Quote(args) => quote::run(&args, context).await,
        Command::Buy(args) => buy::run(&args, context).await,
        Command::Renew(args) => renew::run(&args, context).await,
        Command::Licences => licences::run(context).await,
        Command::Credit(command) => credit::run(&command, context).await,
        Command::Caps(args) => caps::run(&args, context).await,
        Command::Withdraw(command) => withdraw::run(&command, context).await,
        Command::Exec(args) => exec::run(&args, context).await,
        Command::Receipts(command) => receipts::run(&command, context).await,
        Command::Verify(command) => verify::run(&command, context).await,
        Command::Doctor => doctor::run(context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Compile => unreachable!("main runs the compile child before anything else"),
    }
}
