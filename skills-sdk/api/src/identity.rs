//! Agents, enrolment, sessions and API keys.

use clawos_interface::Currency;
#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use clawos_receipts::text::decimal;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Declares an enum of words: each variant is its word on the wire and in the database.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:tt,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// All of them, in the order in which lists name them.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// Its name on the wire.
            pub const fn as_str(self) -> &'static str { match self { $($name::$variant => $word,)* } }

            /// The one with this name on the wire.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($word => Some($name::$variant),)* _ => None }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What an agent does here. It is a label, not a permission.
    Role {
        /// Publishes skills.
        Author "author",
        /// Buys and calls them.
        Buyer "buyer",
    }
}

words! {
    /// One permission of a key.
    Scope {
        /// Publish skills and versions.
        Publish "publish",
        /// Purchase and execute.
        Invoke "invoke",
        /// Read what is the agent's own: receipts, licences, profile.
        Read "read",
        /// Manage keys, sessions and the profile.
        Admin "admin",
    }
}

/// An agent, as anyone may see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agent {
    /// `agt_…`
    pub id: String,
    /// Its unique, immutable name.
    pub name: String,
    /// Its wallet, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub wallet: String,
    /// What it says of itself.
    pub description: String,
    /// What it does here.
    pub roles: Vec<Role>,
    /// When it enrolled.
    pub created_at: Timestamp,
}

words! {
    /// What a request was signed in with.
    CredentialKind {
        /// A session's access token.
        Session "session",
        /// An API key.
        ApiKey "api_key",
    }
}

/// The token or key that a request carried.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialInUse {
    /// Which of the two it is.
    pub kind: CredentialKind,
    /// `ses_…` or `key_…`
    pub id: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends; null for a key without end.
    pub expires_at: Option<Timestamp>,
    /// Until when the session's refresh token gives a new access token; null for a key.
    pub refresh_expires_at: Option<Timestamp>,
}

/// The caller's own profile, and what it signed in with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnProfile {
    /// Who is calling.
    #[serde(flatten)]
    pub agent: Agent,
    /// The token or key of this request.
    pub credential: CredentialInUse,
}

/// What may be changed of a profile; a member left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Update {
    /// At most 500 characters.
    pub description: Option<String>,
    /// `author`, `buyer` or both.
    pub roles: Option<Vec<Role>>,
}

/// A request to register a new agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Register {
    /// The agent's unique, immutable name: 3 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// Its wallet, base58; the key that must sign the challenge.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub wallet: String,
    /// At most 500 characters.
    #[serde(default)]
    pub description: String,
    /// `author`, `buyer` or both (the default).
    pub roles: Option<Vec<Role>>,
}

/// An agent that wants a new session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// The agent's wallet, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub wallet: String,
}

/// What to sign: rebuild `message` from the other fields, compare, sign its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    /// `chl_…`; send it back with the signature.
    pub challenge: String,
    /// The exact text to sign.
    pub message: String,
    /// The server's public origin, such as `https://clawos.example`.
    pub origin: String,
    /// The chain's genesis hash, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub genesis: String,
    /// The agent's name.
    pub handle: String,
    /// The agent's wallet, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Address))]
    pub wallet: String,
    /// The server's random text, used once.
    pub nonce: String,
    /// Unix milliseconds, as in the text.
    pub expires_at_ms: u64,
}

/// A signature of a registration challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signed {
    /// Ed25519 signature of the challenge's text, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::SignatureText))]
    pub signature: String,
}

/// A signature of a sign-in challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// `chl_…`
    pub challenge: String,
    /// Ed25519 signature of the challenge's text, base58.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::SignatureText))]
    pub signature: String,
}

/// What a signed challenge or a refresh gives.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Who signed in.
    pub agent: Agent,
    /// `claw_at_…`, for `Authorization: Bearer`.
    pub access_token: String,
    /// An hour from now.
    pub access_expires_at: Timestamp,
    /// `claw_rt_…`, for `POST /auth/refresh`; works once.
    pub refresh_token: String,
    /// Thirty days from now.
    pub refresh_expires_at: Timestamp,
    /// The agent's first key; only right after enrolment.
    pub api_key: Option<FirstKey>,
}

/// A refresh token to exchange.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refresh {
    /// `claw_rt_…`
    pub refresh_token: String,
}

/// An empty object.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Nothing {}

/// The key that enrolment gives.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FirstKey {
    /// `key_…`
    pub id: String,
    /// `claw_sk_…`; shown only here.
    pub key: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Null for a key without end.
    pub expires_at: Option<Timestamp>,
}

/// What a key may spend a UTC day, in each currency by itself: base units as decimal strings. With a cap of 0 it cannot pay
/// in that currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DailyCaps {
    /// Lamports.
    #[serde(rename = "SOL", with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub sol: u64,
    /// 10^-6 USDC.
    #[serde(rename = "USDC", with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub usdc: u64,
}

impl DailyCaps {
    /// The cap of one currency, base units.
    pub fn of(&self, currency: Currency) -> u64 {
        match currency {
            Currency::Sol => self.sol,
            Currency::Usdc => self.usdc,
        }
    }
}

/// Caps of a key to make: base units a UTC day as decimal strings, at most 9223372036854775807. For a currency that is left
/// out the key gets the server's default, at most its maker's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskedCaps {
    /// Lamports.
    #[serde(rename = "SOL", default, with = "decimal::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub sol: Option<u64>,
    /// 10^-6 USDC.
    #[serde(rename = "USDC", default, with = "decimal::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::Decimal>))]
    pub usdc: Option<u64>,
}

/// A key's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// `key_…`
    pub id: String,
    /// For the agent to tell its keys apart.
    pub name: String,
    /// Its prefix and last four characters.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Addresses and networks it may be used from; empty means any.
    pub ip_allow: Vec<String>,
    /// What it may spend a day, counting what the keys spent that it made, that made it and that it replaced.
    pub daily_caps: DailyCaps,
    /// When it was made.
    pub created_at: Timestamp,
    /// Null for a key without end.
    pub expires_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A new key, with its secret.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewKey {
    /// `claw_sk_…`; shown only here.
    pub key: String,
    /// Its settings.
    #[serde(flatten)]
    pub settings: ApiKey,
}

/// A key to make.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateKey {
    /// 1 to 64 characters, for you to tell your keys apart.
    pub name: String,
    /// At most the caller's own.
    pub scopes: Vec<Scope>,
    /// When it ends. When none is given: with the key that makes it, if that one ends, else never.
    pub expires_at: Option<Timestamp>,
    /// Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`); at most 32.
    #[serde(default)]
    pub ip_allow: Vec<String>,
    /// What it may spend a day. A key made by a key spends of its maker's.
    #[serde(default)]
    pub daily_caps: AskedCaps,
}

/// How to rotate a key.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rotate {
    /// Seconds that the old key lives on: 0 to 2592000, 86400 by default.
    pub overlap_secs: Option<u64>,
}
