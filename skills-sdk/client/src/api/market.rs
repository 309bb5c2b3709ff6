//! Quotes, offers of purchases and deposits, the proxy's view of a licence, and the server's keys and chain.

pub use clawos_api::market::{
    CapsRequest, DepositOffer, DepositRequest, LicenceView, ListingChain, PricesOnChain, PurchaseOffer,
    PurchaseRequest, Quote, QuoteQuery, Source, WellKnown,
};

use super::{BASE, segment};
use crate::error::Result;
use crate::http::{Call, Client, Retry, json};

impl Client {
    /// `GET /skills/{id}/quote`.
    ///
    /// # Errors
    /// `skill_not_found`; `validation_failed` for a kind the skill is not sold as.
    pub async fn quote(&self, id: &str, query: &QuoteQuery) -> Result<Quote> {
        let call = Call::get(format!("{BASE}/skills/{}/quote", segment(id)?))
            .query("kind", query.kind.as_ref())
            .query("tier", query.tier.as_ref())
            .query("units", Some(query.units));
        self.json(call).await
    }

    /// `POST /marketplace/purchase`: the server's unsigned transaction. The client builds its own and compares.
    ///
    /// # Errors
    /// `not_registered`, `price_above_max`, `rpc_unavailable`, …
    pub async fn purchase_offer(&self, request: &PurchaseRequest) -> Result<PurchaseOffer> {
        self.json(Call::post(format!("{BASE}/marketplace/purchase"), json(request), Retry::Safe)).await
    }

    /// `POST /marketplace/deposit`: the server's unsigned transaction that adds credit to the caller's usage licence, and what
    /// it costs. [`Listing::deposit`](crate::solana::purchase::Listing::deposit) builds the same, to compare.
    ///
    /// # Errors
    /// `licence_required`, `not_prepaid`, `licence_closing`, `deposits_paused`, `rpc_unavailable`, …
    pub async fn deposit_offer(&self, request: &DepositRequest) -> Result<DepositOffer> {
        self.json(Call::post(format!("{BASE}/marketplace/deposit"), json(request), Retry::Safe)).await
    }

    /// `GET /marketplace/verify/{skill}`: the proxy's view of a buyer's licence (the caller's own without `buyer`).
    ///
    /// # Errors
    /// `skill_not_found`, `rpc_unavailable`.
    pub async fn licence_state(&self, skill: &str, buyer: Option<&str>) -> Result<LicenceView> {
        self.json(Call::get(format!("{BASE}/marketplace/verify/{}", segment(skill)?)).query("buyer", buyer)).await
    }

    /// `GET /.well-known/clawos.json`: the server's keys and chain.
    ///
    /// # Errors
    /// `rpc_unavailable` while the server does not know its network.
    pub async fn well_known(&self) -> Result<WellKnown> {
        self.json(Call::get("/.well-known/clawos.json")).await
    }
}
