//! From a skill's id to its listing on chain.

use clap::Args;
use clawos_client::key;
use clawos_client::solana::actions::skill_address;
use clawos_client::solana::purchase::Listing;
use clawos_interface::{Key, skill_id};

use crate::context::Context;
use crate::error::{CliError, Result};

/// The skill, by id. The server says who published it, unless `--creator` does.
#[derive(Debug, Clone, Args)]
pub struct SkillArg {
    /// The skill, like acme.word-count.
    #[arg(value_name = "SKILL")]
    pub id: String,
    /// The wallet that registered it, instead of the one the server names.
    #[arg(long, value_name = "ADDRESS")]
    pub creator: Option<String>,
}

impl SkillArg {
    /// The address of its account on chain.
    async fn address(&self, context: &Context) -> Result<Key> {
        if let Some(creator) = &self.creator {
            return Ok(skill_address(&key::parse(creator)?, &self.id));
        }
        let detail = context.public()?.skill(&self.id).await?;
        if detail.prices.is_none() {
            let id = &self.id;
            return Err(CliError::invalid(format!(
                "{id} is free: it needs no licence, call it with `clawos exec {id}`"
            )));
        }
        let account = detail.chain.map(|chain| chain.skill_account);
        let account = account.ok_or_else(|| CliError::NotFound(format!("{} is not registered on chain", self.id)))?;
        Ok(key::parse(&account)?)
    }

    /// Its listing on chain.
    ///
    /// # Errors
    /// [`CliError::NotFound`] when it is not registered on chain; [`CliError::Invalid`] for a free skill, and when the
    /// account the server names belongs to another skill.
    pub async fn listing(&self, context: &Context) -> Result<Listing> {
        let listing = context.chain().listing(&self.address(context).await?).await?;
        if listing.skill.skill_id != skill_id(&self.id) {
            return Err(CliError::invalid(format!(
                "the account the server names for {} belongs to another skill; do not trust this server",
                self.id
            )));
        }
        Ok(listing)
    }

    /// The listing's creator, and who says that it is the one that was meant: anybody may register any id.
    pub fn creator_of(&self, listing: &Listing) -> String {
        let creator = key::to_base58(&listing.skill.creator);
        match self.creator {
            Some(_) => creator,
            None => format!("{creator}, according to the server (--creator ADDRESS uses your own)"),
        }
    }
}
