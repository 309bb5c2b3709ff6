//! Values that look the same in every answer: times, money, pages.

use std::fmt;

use clawos_interface::Currency;
use clawos_interface::money::show;
#[cfg(feature = "openapi")]
use clawos_receipts::schema;
use clawos_receipts::text::decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment: Unix milliseconds inside, RFC 3339 UTC on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(
    /// Unix milliseconds.
    pub i64,
);

impl Timestamp {
    /// Its text; none outside the years 0 to 9999 (UTC).
    fn text(self) -> Option<String> {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).ok()?;
        moment.format(&Rfc3339).ok()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.text().ok_or_else(|| serde::ser::Error::custom("a time outside years 0 to 9999"))?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339)
            .map_err(|_| de::Error::custom("must be a time as in RFC 3339, for example 2026-11-20T18:00:00Z"))?;
        let moment =
            i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map(Timestamp).map_err(de::Error::custom)?;
        // An offset can carry it out of what can be shown again.
        moment.text().map(|_| moment).ok_or_else(|| de::Error::custom("must be in the years 0 to 9999 (UTC)"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Timestamp {}

/// An amount of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    /// Base units (lamports, 10^-6 USDC) as a decimal string.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "openapi", schema(value_type = schema::Decimal))]
    pub amount: u64,
    /// `SOL` or `USDC`.
    #[cfg_attr(feature = "openapi", schema(value_type = schema::CurrencyWord))]
    pub currency: String,
    /// Digits after the decimal point: 9 or 6.
    pub decimals: u8,
}

impl Money {
    /// `amount` base units of `currency`.
    pub fn new(amount: u64, currency: Currency) -> Money {
        Money { amount, currency: currency.to_string(), decimals: currency.decimals() }
    }
}

impl fmt::Display for Money {
    /// `2.5 USDC`: the decimal amount without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", show(self.amount.into(), self.decimals.min(19)), self.currency)
    }
}

/// A list's items and where the next page starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_as_people_write_it() {
        let show = |amount, decimals| Money { amount, currency: "X".to_owned(), decimals }.to_string();
        assert_eq!(show(2_500_000, 6), "2.5 X");
        assert_eq!(show(1, 9), "0.000000001 X");
        assert_eq!(show(0, 6), "0 X");
        assert_eq!(show(u64::MAX, 0), "18446744073709551615 X");
    }

    #[test]
    fn times_are_shown_and_read_as_rfc_3339() {
        let text = serde_json::to_string(&Timestamp(1_767_225_600_123)).unwrap();
        assert_eq!(text, "\"2026-01-01T00:00:00.123Z\"");
        assert_eq!(
            serde_json::from_str::<Timestamp>("\"2026-01-01T01:00:00.123+01:00\"").unwrap().0,
            1_767_225_600_123
        );
        assert_eq!(serde_json::from_str::<Timestamp>("\"9999-12-31T23:59:59Z\"").unwrap().0, 253_402_300_799_000);
        let beyond = ["\"9999-12-31T23:59:59-23:59\"", "\"0000-01-01T00:00:00+23:59\""];
        for bad in ["\"2026-01-01\"", "1767225600", "\"\"", "\"9999999-01-01T00:00:00Z\""].into_iter().chain(beyond) {
            assert!(serde_json::from_str::<Timestamp>(bad).is_err(), "{bad}");
        }
    }
}
