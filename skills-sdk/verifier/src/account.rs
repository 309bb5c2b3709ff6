//! An account as it was read from the chain, and the checks that make its bytes mean something.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{Key, PROGRAM_ID, pda};
use clawos_receipts::text::to_base58;

/// An account as an RPC node gave it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The address that was asked for.
    pub address: Key,
    /// The program that owns it.
    pub owner: Key,
    /// Its bytes, discriminator included.
    pub data: &'a [u8],
    /// The slot of the answer.
    pub slot: u64,
}

impl Account<'_> {
    /// The Config account: owned by the program, at the one address.
    ///
    /// Errors with why the bytes are not it.
    pub fn config(&self) -> Result<Config, String> {
        self.owned_at(pda::config().0)?;
        Config::decode(self.data).map_err(|error| error.to_string())
    }

    /// A Licence account: owned by the program, at the address that its skill and buyer give.
    ///
    /// Errors with why the bytes are not one.
    pub fn licence(&self) -> Result<Licence, String> {
        let licence = Licence::decode(self.data).map_err(|error| error.to_string())?;
        self.owned_at(pda::licence(&licence.skill, &licence.buyer).0)?;
        Ok(licence)
    }

    /// A Skill account: owned by the program, at the address that its creator and id give.
    ///
    /// Errors with why the bytes are not one.
    pub fn skill(&self) -> Result<Skill, String> {
        let skill = Skill::decode(self.data).map_err(|error| error.to_string())?;
        self.owned_at(pda::skill(&skill.creator, &skill.skill_id).0)?;
        Ok(skill)
    }

    fn owned_at(&self, address: Key) -> Result<(), String> {
        if self.owner != PROGRAM_ID {
            return Err(format!("{} belongs to {}, not to the program", shown(&self.address), shown(&self.owner)));
        }
        if self.address != address {
            return Err(format!(
                "an account with this content belongs at {}, not at {}",
                shown(&address),
                shown(&self.address)
            ));
        }
        Ok(())
    }
}

pub(crate) fn shown(key: &Key) -> String {
    to_base58(key)
}
