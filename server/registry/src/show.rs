//! One skill in full.

use clawos_api::market::ListingChain;
use clawos_api::registry::{EndpointView, SkillDetail};
use clawos_manifest::Prices;

use crate::{Registry, RegistryError, SkillVersion, store};

impl Registry {
    /// A skill: what its newest version, or `version`, does, may reach, and costs by its manifest; and the chain's prices.
    ///
    /// # Errors
    /// [`RegistryError::SkillNotFound`], [`RegistryError::VersionNotFound`].
    pub async fn show(&self, id: &str, version: Option<&str>) -> Result<SkillDetail, RegistryError> {
        let row = store::skill(&mut *self.ports.db.acquire().await?, id).await?.ok_or(RegistryError::SkillNotFound)?;
        let shown = self.resolve(id, Some(version.unwrap_or(&row.summary.latest_version))).await?;
        let manifest = &shown.manifest;
        let chain = match &manifest.prices {
            None => None,
            Some(prices) => self.on_chain(&shown, prices).await,
        };
        let summary = row.summary;
        Ok(SkillDetail {
            version: shown.version.clone(),
            permissions: shown.permissions.clone(),
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
