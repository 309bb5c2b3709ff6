//! Schemas for the OpenAPI document (feature `openapi`): the texts of [`crate::text`], the market's words, and the signed
//! receipt. They only stand in for the real types in `#[schema(value_type = …)]`.

use clawos_interface::{Currency, Kind, Tier, Unit};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::{Evidence, Receipt, SignedReceipt};

/// The form of a key or an address on chain, base58.
pub const ADDRESS_PATTERN: &str = "^[1-9A-HJ-NP-Za-km-z]{32,44}$";
/// The form of an Ed25519 signature, base58.
pub const SIGNATURE_PATTERN: &str = "^[1-9A-HJ-NP-Za-km-z]{64,88}$";

/// Declares a text of one form.
macro_rules! text {
    ($(#[doc = $doc:literal] $name:ident $pattern:tt $example:literal;)*) => {
        $(
            #[doc = $doc]
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                    text.description(Some($doc.trim())).examples([$example]).into()
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

text! {
    /// An integer of 64 bits as decimal text, since JavaScript's numbers end at 2^53.
    Decimal "^(0|[1-9][0-9]{0,19})$" "1000";
    /// A SHA-256 hash in lower-case hex.
    Sha256 "^[0-9a-f]{64}$" "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    /// An Ed25519 public key or an address on chain in base58.
    Address ADDRESS_PATTERN "So11111111111111111111111111111111111111112";
    /// An Ed25519 signature in base58.
    SignatureText SIGNATURE_PATTERN "2AFXQySZ3w5wEFzCNSRaGdXbNXt7EfpKGn3WmSUWsgbGk6jB4mPnFRzyqa5hUgPMzJ5Wp6jkuEXEmsDpSXXJmD4P";
    /// A receipt's id: `run_` and 128 random bits in hex.
    ReceiptId "^run_[0-9a-f]{32}$" "run_0f8fad5bd9cb469fa165708867309287";
}

/// Declares the schema of a vocabulary of `clawos_interface`.
macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident $of:ident $as:literal;)*) => {
        $(
            #[doc = $doc]
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let words = ObjectBuilder::new().schema_type(Type::String).description(Some($doc.trim()));
                    words.enum_values(Some($of::ALL.iter().map(|word| word.as_str()))).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> std::borrow::Cow<'static, str> {
                    $as.into()
                }
            }
        )*
    };
}

words! {
    /// How a licence is paid for.
    KindWord Kind "Kind";
    /// Who a licence is for.
    TierWord Tier "Tier";
    /// What is paid in.
    CurrencyWord Currency "Currency";
    /// What usage is counted in.
    UnitWord Unit "Unit";
}

impl PartialSchema for SignedReceipt {
    /// The receipt's members, none else, and the evidence beside them: the derived `allOf` would refuse the latter.
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(receipt)) = Receipt::schema() else { return Receipt::schema() };
        let Object { mut required, mut properties, .. } = receipt.clone();
        properties.insert("evidence".to_owned(), RefOr::Ref(Ref::from_schema_name(Evidence::name())));
        required.push("evidence".to_owned());
        let description =
            Some("One call: who, what, under which terms, with what result, for how much; and its proof.");
        let mut signed = receipt;
        (signed.properties, signed.required) = (properties, required);
        signed.description = description.map(str::to_owned);
        RefOr::T(Schema::Object(signed))
    }
}

impl ToSchema for SignedReceipt {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Evidence::name().into_owned(), Evidence::schema()));
        Evidence::schemas(schemas);
        Receipt::schemas(schemas);
    }
}
