//! The five accounts of the program, byte for byte. All are laid out from the first version on, also those whose
//! instructions come later.

mod channel;
mod config;
mod licence;
mod purchase;
mod skill;

pub use channel::Channel;
pub use config::Config;
pub use licence::Licence;
pub use purchase::Purchase;
pub use skill::Skill;
