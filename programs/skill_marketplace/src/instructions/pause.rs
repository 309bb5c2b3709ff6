//! `pause` and `unpause`: the guardian or the authority stops groups of instructions, the authority alone resumes them.

use interface::codes::PauseBits;
use interface::events::SCHEMA_VERSION;

use super::*;
use crate::errors::ensure;
use crate::events;
use crate::state::{key, Config};

/// Accounts of `pause` and `unpause`.
#[derive(Accounts)]
pub struct ChangePause {
    /// The guardian (pause only) or the authority.
    pub signer: Signer,
    /// Config.
    #[account(mut)]
    pub config: Account<Config>,
}

/// Runs `pause`.
pub fn pause(ctx: &mut Context<ChangePause>, bits: u16) -> Result<()> {
    let signer = *key(ctx.accounts.signer.address());
    let config = ctx.accounts.config.write()?;
    ensure!(signer == config.guardian || signer == config.authority, NotGuardian);
    set(config, config.pause_bits() | bits, bits, &signer)
}

/// Runs `unpause`.
pub fn unpause(ctx: &mut Context<ChangePause>, bits: u16) -> Result<()> {
    let signer = *key(ctx.accounts.signer.address());
    let config = ctx.accounts.config.write()?;
    ensure!(signer == config.authority, NotAuthority);
    // Exits asked for while recording was paused wait again, so that what was metered can be recorded.
    if config.is_paused(PauseBits::USAGE & bits) {
        config.usage_resumed_at.set(Clock::get()?.unix_timestamp);
    }
    set(config, config.pause_bits() & !bits, bits, &signer)
}

fn set(config: &mut interface::accounts::Config, new: u16, bits: u16, by: &interface::Key) -> Result<()> {
    ensure!(bits != 0 && bits & !PauseBits::ALL == 0, PauseBitsInvalid);
    let old = config.pause_bits;
    config.pause_bits.set(new);
    events::log(
        &interface::events::PauseChanged { schema_version: SCHEMA_VERSION, old, new: new.into(), by: *by }.encode(),
    );
    Ok(())
}
