//! Everything an outsider needs to check this proxy without trusting it, as `/.well-known/clawos.json` publishes it.

use clawos_api::market::WellKnown;
use clawos_interface::pda;
use clawos_receipts::text::to_base58;

use crate::{Licensing, LicensingError};

impl Licensing {
    /// Names chain, keys and runtime of this proxy. `origin` is its public origin, `rpc_url` the endpoint clients are told,
    /// `runtime` the sandbox engine and its price list.
    ///
    /// # Errors
    /// When the network is not known yet and the chain cannot be read, or the database fails.
    pub async fn well_known(
        &self,
        origin: String,
        rpc_url: Option<&str>,
        runtime: String,
    ) -> Result<WellKnown, LicensingError> {
        let network = self.network().await?;
        let market = self.market().await.ok();
        Ok(WellKnown {
            name: "clawos-server".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            origin,
            genesis: to_base58(&network.genesis),
            program: to_base58(&network.program),
            rpc_url: rpc_url.map(str::to_owned),
            usdc_mint: market.as_ref().map(|config| to_base58(&config.usdc_mint)),
            treasury: market.as_ref().map(|config| to_base58(&config.treasury)),
            config_account: to_base58(&pda::config().0),
            meter: to_base58(&self.meter()),
            runtime,
            receipt_keys: self.receipt_keys().await?,
        })
    }
}
