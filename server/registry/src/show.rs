//! One skill in full.

use clawos_api::market::ListingChain;
use clawos_api::registry::{EndpointView, SkillDetail};
use clawos_manifest::Prices;

use crate::{Registry, RegistryError, SkillVersion, store};

impl Registry {
    /// A skill: what it does, what it may reach, what it costs by its manifest and by the chain.
    ///
    /// # Errors
    /// [`RegistryError::SkillNotFound`].
    pub async fn show(&self, id: &str) -> Result<SkillDetail, RegistryError> {
        let row = store::skill(&mut *self.ports.db.acquire().await?, id).await?.ok_or(RegistryError::SkillNotFound)?;
        let newest = self.resolve(id, Some(&row.summary.latest_version)).await?;
        let manifest = &newest.manifest;
        let chain = match &manifest.prices {
            None => None,
            Some(prices) => self.on_chain(&newest, prices).await,
        };
        let summary = row.summary;
        Ok(SkillDetail {
            permissions: newest.permissions.clone(),
            limits: manifest.limits.into(),
            prices: manifest.prices.clone(),
            chain,
            endpoints: manifest.endpoints.iter().cloned().map(EndpointView::from).collect(),
            id: summary.id,
            publisher: summary.publisher,
            publisher_wallet: row.publisher_wallet,
            summary: summary.summary,
            description: row.description,
            category: summary.category,
            tags: summary.tags,
            license: row.licence,
            latest_version: summary.latest_version,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
        })
    }

    /// None while the chain cannot be read.
    async fn on_chain(&self, version: &SkillVersion, prices: &Prices) -> Option<ListingChain> {
        let listings = &self.ports.listings;
        match listings.listing_on_chain(&version.publisher_wallet, &version.skill, prices).await {
            Ok(listing) => Some(listing),
            Err(error) => {
                tracing::warn!(%error, skill = %version.skill, "shown without what the chain says");
                None
            }
        }
    }
}
