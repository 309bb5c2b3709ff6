//! What the program writes to its log for every change of money or rights: one line `Program data: BASE64` per event.
//! The first field is always the schema version; times are Unix seconds, amounts base units. What an account or the
//! instruction's arguments show is not repeated.

use crate::integers::{I64, U16, U32, U64};
use crate::layout::layout;
use crate::{DecodeError, Key};

/// The schema version of every event here. It grows when an event that was deployed changes in any way: readers refuse
/// a version that they do not know, so a field never changes its meaning under them.
pub const SCHEMA_VERSION: u8 = 1;

layout! {
    /// The marketplace was set up.
    ProgramInitialized = [43, 70, 110, 241, 199, 218, 221, 245], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// Who may change Config.
        authority: Key,
        /// Who receives the fee.
        treasury: Key,
        /// Who records usage where a skill names nobody.
        meter: Key,
        /// The accepted USDC mint.
        usdc_mint: Key,
        /// The fee in basis points.
        fee_bps: U16,
    }
}

layout! {
    /// A skill was registered.
    SkillRegistered = [222, 131, 204, 34, 182, 68, 239, 64], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The skill's account.
        skill: Key,
        /// Who registered it and sells it.
        seller: Key,
        /// SHA-256 of the listing's id.
        skill_id: Key,
    }
}

layout! {
    /// A skill's terms or listing changed.
    SkillUpdated = [168, 10, 44, 211, 219, 5, 98, 98], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The skill's account.
        skill: Key,
        /// Its terms version now.
        terms_version: U32,
        /// Hash of its terms now.
        terms_hash: Key,
    }
}

layout! {
    /// A skill went on or off sale.
    SkillStatusChanged = [176, 70, 175, 51, 148, 21, 166, 181], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The skill's account.
        skill: Key,
        /// [`SkillStatus`](crate::SkillStatus) before.
        old: u8,
        /// [`SkillStatus`](crate::SkillStatus) now.
        new: u8,
    }
}

layout! {
    /// A licence was purchased.
    LicencePurchased = [150, 10, 37, 134, 105, 114, 77, 80], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// The skill's account.
        skill: Key,
        /// Who bought.
        buyer: Key,
        /// Number of this purchase or renewal of the licence, from 1.
        n: U32,
        /// [`Kind`](crate::Kind).
        kind: u8,
        /// [`Tier`](crate::Tier).
        tier: u8,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// Paid by the buyer; 0 for a usage licence.
        amount: U64,
        /// Of it, for the treasury.
        fee: U64,
        /// End of the right; 0 = never.
        expires_at: I64,
        /// Hash of the terms agreed to.
        terms_hash: Key,
    }
}

layout! {
    /// A subscription was extended.
    LicenceRenewed = [142, 144, 203, 127, 197, 103, 102, 84], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// Number of this purchase or renewal of the licence.
        n: U32,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// Paid by the buyer.
        amount: U64,
        /// Of it, for the treasury.
        fee: U64,
        /// End of the right.
        expires_at: I64,
        /// Hash of the terms agreed to.
        terms_hash: Key,
    }
}

layout! {
    /// A buyer paid credit in.
    CreditDeposited = [249, 87, 223, 209, 9, 119, 31, 117], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// Base units paid in.
        amount: U64,
        /// Credit afterwards, before anything unbilled is charged.
        credit: U64,
    }
}

layout! {
    /// A batch of usage was recorded.
    UsageRecorded = [166, 48, 40, 58, 58, 110, 192, 89], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// Number of the batch.
        seq: U64,
        /// Units in it.
        units: U64,
        /// The batch's anchored root.
        root: [u8; 32],
        /// Taken from the credit, for this batch and what was unpaid before.
        billed: U64,
        /// Of it, for the treasury.
        fee: U64,
        /// Credit left.
        credit: U64,
        /// Usage not paid.
        unbilled: U64,
    }
}

layout! {
    /// Usage recorded before was paid out of credit, by a deposit or at an exit.
    UsageBilled = [218, 166, 5, 220, 227, 141, 205, 129], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// Taken from the credit.
        amount: U64,
        /// Of it, for the treasury.
        fee: U64,
    }
}

layout! {
    /// A buyer set the caps of a licence.
    LicenceCapsSet = [7, 152, 113, 148, 204, 149, 144, 47], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// Units it may ever use; 0 = no limit.
        usage_limit: U64,
        /// Units per batch; 0 = no limit.
        max_units_per_batch: U64,
        /// Units per UTC day; 0 = no limit.
        max_units_per_day: U64,
        /// When they bind recording; 0 = at once.
        effective_at: I64,
    }
}

layout! {
    /// A buyer asked for an exit; spending is frozen.
    ExitRequested = [92, 125, 6, 23, 233, 196, 149, 70], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// [`ExitKind`](crate::ExitKind).
        exit_kind: u8,
        /// When it may be executed.
        exit_at: I64,
    }
}

layout! {
    /// Credit went back to the buyer.
    CreditWithdrawn = [139, 168, 232, 108, 145, 249, 85, 58], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// Base units paid back.
        amount: U64,
    }
}

layout! {
    /// A licence account was closed.
    LicenceClosed = [244, 186, 84, 39, 22, 216, 250, 194], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// The licence's account.
        licence: Key,
        /// The skill's account.
        skill: Key,
        /// Its buyer.
        buyer: Key,
        /// Units it recorded in all.
        usage_total: U64,
        /// Its last chain root.
        chain_root: [u8; 32],
    }
}

layout! {
    /// Instructions were paused or resumed.
    PauseChanged = [238, 188, 213, 78, 134, 209, 178, 218], version SCHEMA_VERSION, at schema_version {
        /// Schema version.
        schema_version: u8,
        /// Pause bits before.
        old: U16,
        /// Pause bits now.
        new: U16,
        /// Who changed them.
        by: Key,
    }
}

macro_rules! any_event {
    ($($name:ident,)*) => {
        /// Any event of the program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is its event")]
        pub enum Event { $($name($name),)* }

        impl Event {
            /// Reads an event from the decoded bytes of one `Program data:` line.
            ///
            /// # Errors
            /// [`DecodeError::Discriminator`] when it is none of ours, otherwise that of its layout.
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                let head = bytes.get(..8).ok_or(DecodeError::Length { expected: 8, found: bytes.len() })?;
                $(if head == $name::DISCRIMINATOR {
                    return $name::decode(bytes).map(Self::$name);
                })*
                Err(DecodeError::Discriminator)
            }

            /// The event's name, as in the IDL.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }
        }

        /// Names and discriminators of all events, to compare with the IDL.
        pub const ALL: &[(&str, [u8; 8])] = &[$((stringify!($name), $name::DISCRIMINATOR),)*];
    };
}

any_event! {
    ProgramInitialized, SkillRegistered, SkillUpdated, SkillStatusChanged, LicencePurchased, LicenceRenewed, CreditDeposited,
    UsageRecorded, UsageBilled, LicenceCapsSet, ExitRequested, CreditWithdrawn, LicenceClosed, PauseChanged,
}
