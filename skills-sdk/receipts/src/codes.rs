//! The words of receipts, manifests and the API for what the program keeps as one byte.

use serde::{Deserialize, Serialize};

/// An enum whose JSON form is a word and whose on-chain form is a number.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant = $code,)* }

        impl $name {
            /// Every value, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The program's number for it.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value with the program's number `code`.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }

            /// The word used in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

codes! {
    /// How a licence was bought.
    Kind {
        /// Paid once, never expires.
        OneTime = 1 "one_time",
        /// Paid per period.
        Subscription = 2 "subscription",
        /// Paid per unit, from credit.
        Usage = 3 "usage",
    }
}

codes! {
    /// What a licence may be used for.
    Tier {
        /// One agent for itself.
        Personal = 0 "personal",
        /// In a business.
        Commercial = 1 "commercial",
        /// Across an organisation.
        Enterprise = 2 "enterprise",
    }
}

codes! {
    /// What is paid in.
    Currency {
        /// Lamports: 9 decimals.
        Sol = 0 "SOL",
        /// USDC: 6 decimals.
        Usdc = 1 "USDC",
    }
}

impl Currency {
    /// Decimals between the base unit and what people write.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Sol => 9,
            Self::Usdc => 6,
        }
    }
}

codes! {
    /// What usage is counted in.
    Unit {
        /// One successful call.
        Call = 0 "call",
        /// A million fuel of a successful call, each begun one counted whole.
        Megafuel = 1 "megafuel",
    }
}
