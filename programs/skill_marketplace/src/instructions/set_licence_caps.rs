//! `set_licence_caps`: how much the buyer lets a licence use.

use interface::events::SCHEMA_VERSION;

use super::*;
use crate::errors::{ensure, fail};
use crate::events;
use crate::state::{key, Config, Licence};

/// Accounts of `set_licence_caps`.
#[derive(Accounts)]
pub struct SetLicenceCaps {
    /// The licence's buyer.
    pub buyer: Signer,
    /// Config.
    pub config: Account<Config>,
    /// The licence.
    #[account(mut)]
    pub licence: Account<Licence>,
}

/// Runs `set_licence_caps`.
pub fn run(ctx: &mut Context<SetLicenceCaps>, caps: &LicenceCaps) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let config = accounts.config.read()?;
    let licence_key = *key(accounts.licence.address());
    let licence = accounts.licence.write()?;
    ensure!(&licence.buyer == key(accounts.buyer.address()), NotBuyer);
    let now = Clock::get()?.unix_timestamp;
    caps.rules().set(licence, config, now).map_err(fail)?;
    events::log(
        &interface::events::LicenceCapsSet {
            schema_version: SCHEMA_VERSION,
            licence: licence_key,
            usage_limit: caps.usage_limit.into(),
            max_units_per_batch: caps.max_units_per_batch.into(),
            max_units_per_day: caps.max_units_per_day.into(),
            effective_at: licence.caps_eta,
        }
        .encode(),
    );
    Ok(())
}
