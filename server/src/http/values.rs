//! Values that look the same in every answer: times, money, pages.

use crate::error::{ApiError, Code};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clawos_interface::Currency;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{PartialSchema, ToSchema};

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

impl PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Timestamp {}

/// An amount of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// Base units (lamports, 10^-6 USDC) as a decimal string.
    pub amount: String,
    /// `SOL` or `USDC`.
    pub currency: String,
    /// Digits after the decimal point: 9 or 6.
    pub decimals: u8,
}

impl Money {
    /// `amount` base units of `currency`.
    pub fn new(amount: u64, currency: Currency) -> Money {
        Money { amount: amount.to_string(), currency: currency.to_string(), decimals: currency.decimals() }
    }
}

/// A list's items and where the next page starts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Items of a page when none is asked for, and at most.
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// How many items a page has: `limit`, 20 by default, 1 to 100.
pub fn page_limit(limit: Option<u32>) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::new(Code::ValidationFailed, format!("limit must be 1 to {MAX_LIMIT}.")))
}

/// A place in a list ordered by a number and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the last item seen (a time, a count).
    pub number: i64,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// The opaque text for clients.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.number, self.id))
    }

    /// Where a list goes on: at a client's cursor, else before its first item.
    pub fn start(text: Option<&str>) -> Result<Cursor, ApiError> {
        text.map_or_else(|| Ok(Cursor { number: i64::MAX, id: String::new() }), Cursor::decode)
    }

    /// Reads a client's cursor.
    pub fn decode(text: &str) -> Result<Cursor, ApiError> {
        let parsed = || {
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (number, id) = plain.split_once(':')?;
            Some(Cursor { number: number.parse().ok()?, id: id.to_owned() })
        };
        let bad = || ApiError::new(Code::ValidationFailed, "cursor must be a next_cursor of an earlier answer.");
        parsed().filter(|cursor| !cursor.id.contains('\0')).ok_or_else(bad)
    }
}

/// Cuts rows read with `limit + 1` to a page.
pub fn page<R, T>(mut rows: Vec<R>, limit: u32, cursor: impl Fn(&R) -> Cursor, item: impl Fn(R) -> T) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = if more { rows.last().map(|row| cursor(row).encode()) } else { None };
    Page { items: rows.into_iter().map(item).collect(), next_cursor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn a_page_names_the_next_one_only_when_there_is_one() {
        let cursor = |n: &i64| Cursor { number: *n, id: "x".to_owned() };
        let full = page(vec![3, 2, 1], 2, cursor, |n| n);
        assert_eq!((full.items, full.next_cursor), (vec![3, 2], Some(cursor(&2).encode())));
        assert_eq!(page(vec![2, 1], 2, cursor, |n| n).next_cursor, None);
    }

    proptest! {
        #[test]
        fn cursors_round_trip(number: i64, id in "[a-z0-9_.:-]{0,80}") {
            let cursor = Cursor { number, id };
            prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in ".{0,200}") {
            if let Ok(cursor) = Cursor::decode(&text) {
                prop_assert!(!cursor.id.contains('\0'));
            }
        }
    }
}
