//! `request_exit`: freezes a licence's spending at once; its credit can leave after the settle delay. Never paused.

use interface::events::SCHEMA_VERSION;
use interface::rules::exit;
use interface::ExitKind;

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::state::{key, Config, Licence};

/// Accounts of `request_exit`.
#[derive(Accounts)]
pub struct RequestExit {
    /// The licence's buyer.
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The licence.
    #[account(mut)]
    pub licence: Account<Licence>,
}

/// Runs `request_exit`.
pub fn run(ctx: &mut Context<RequestExit>, exit: u8) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let licence_key = *key(accounts.licence.address());
    let licence = accounts.licence.write()?;
    ensure!(&licence.buyer == key(accounts.buyer.address()), NotBuyer);
    ensure!(licence.exit_kind == 0, ExitPending);
    match ExitKind::try_from(exit).map_err(fail)? {
        ExitKind::Withdraw => ensure!(licence.credit() != 0, NothingToWithdraw),
        ExitKind::Close => {}
        // No purchase can be held yet, so there is nothing to refund.
        ExitKind::None | ExitKind::Refund => ensure!(false, UnknownExitKind),
    }
    let now = Clock::get()?.unix_timestamp;
    licence.exit_kind = exit;
    licence.exit_requested_at.set(now);
    licence.exit_at.set(exit::eta(config, now).map_err(fail)?);
    events::log(
        &interface::events::ExitRequested {
            schema_version: SCHEMA_VERSION,
            licence: licence_key,
            exit_kind: exit,
            exit_at: licence.exit_at,
        }
        .encode(),
    );
    Ok(())
}
