//! The vocabulary: what a licence, price or listing can be, as the one-byte code on chain and as the word that JSON,
//! manifests and the command line use. Also the bits of the masks.
//!
//! `value as u8` gives the code and `TryFrom<u8>` reads it; `as_str` and `from_name` do the same for the word. With the
//! feature `serde` the word is also the serialised form; an unknown one is refused with an error that lists the known
//! ones.

use crate::errors::ProgramError;

/// Declares an enum whose values have a code and a word; `$error` refuses an unknown code.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $error:ident { $($(#[$variant_doc:meta])* $variant:ident = $value:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $value,)* }

        impl $name {
            /// Every value, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in JSON, manifests and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of exactly that word.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = ProgramError;
            fn try_from(code: u8) -> Result<Self, ProgramError> {
                match code { $($value => Ok(Self::$variant),)* _ => Err(ProgramError::$error) }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Word;
                impl serde::de::Visitor<'_> for Word {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(concat!("one of", $(" `", $text, "`"),*))
                    }

                    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<$name, E> {
                        $name::from_name(word).ok_or_else(|| E::unknown_variant(word, &[$($text),*]))
                    }
                }
                deserializer.deserialize_str(Word)
            }
        }
    };
}
pub(crate) use code;

code! {
    /// How a licence is paid for.
    Kind, UnknownKind {
        /// Paid once, never expires.
        OneTime = 1 "one_time",
        /// Paid per period.
        Subscription = 2 "subscription",
        /// Paid per unit out of prepaid credit.
        Usage = 3 "usage",
    }
}

impl Kind {
    /// This kind's bit in a skill's `kinds` mask.
    pub const fn bit(self) -> u8 {
        match self {
            Self::OneTime => 1,
            Self::Subscription => 2,
            Self::Usage => 4,
        }
    }

    /// All kinds' bits.
    pub const MASK: u8 = 7;
}

code! {
    /// What the buyer may do with the results; each multiplies the base price.
    Tier, UnknownTier {
        /// For oneself: the base price.
        Personal = 0 "personal",
        /// For a business.
        Commercial = 1 "commercial",
        /// For an organisation as a whole.
        Enterprise = 2 "enterprise",
    }
}

code! {
    /// What a skill is priced in.
    Currency, UnknownCurrency {
        /// Lamports, 9 decimals.
        Sol = 0 "SOL",
        /// Base units of the pinned USDC mint, 6 decimals.
        Usdc = 1 "USDC",
    }
}

impl Currency {
    /// Digits after the decimal point.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Sol => 9,
            Self::Usdc => 6,
        }
    }
}

code! {
    /// What usage is counted in.
    Unit, UnknownUnitKind {
        /// One successful call.
        Call = 0 "call",
        /// One million fuel of a successful call, rounded up per call.
        Megafuel = 1 "megafuel",
    }
}

code! {
    /// Whether a skill can be bought. Licences already sold are not touched by it.
    SkillStatus, UnknownStatus {
        /// On sale.
        Active = 1 "active",
        /// Not on sale for now.
        Paused = 2 "paused",
        /// Never on sale again.
        Retired = 3 "retired",
    }
}

code! {
    /// Whether a licence is usable.
    LicenceStatus, UnknownStatus {
        /// Yes, as far as time, limits and exits allow.
        Active = 1 "active",
        /// No: usage is unpaid; a deposit lifts this.
        Suspended = 2 "suspended",
        /// No: the price was given back.
        Refunded = 3 "refunded",
    }
}

code! {
    /// Why a licence is suspended.
    SuspendReason, UnknownStatus {
        /// It is not.
        None = 0 "none",
        /// Recorded usage was worth more than the credit.
        Unpaid = 1 "unpaid",
        /// The seller's or the treasury's account could not receive the money.
        Recipient = 2 "recipient",
    }
}

code! {
    /// A two-step way out of a licence.
    ExitKind, UnknownExitKind {
        /// None pending.
        None = 0 "none",
        /// Take the credit back; the licence stays.
        Withdraw = 1 "withdraw",
        /// Take an unused purchase back inside its window.
        Refund = 2 "refund",
        /// Take the credit back and close the licence account.
        Close = 3 "close",
    }
}

/// Bits of Config's pause mask; each stops one group of instructions, and none stops an exit.
pub struct PauseBits;

impl PauseBits {
    /// `register_skill`.
    pub const REGISTER: u16 = 1;
    /// `purchase_sol`, `purchase_usdc`, `renew`.
    pub const PURCHASE: u16 = 2;
    /// `deposit_credit`, and later opening and topping up channels.
    pub const DEPOSIT: u16 = 4;
    /// `record_usage`.
    pub const USAGE: u16 = 8;
    /// Every bit that means something.
    pub const ALL: u16 = 15;
}
