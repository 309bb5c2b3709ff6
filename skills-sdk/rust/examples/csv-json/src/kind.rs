//! The type of a column: the narrowest that all of its values have.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The largest integer that every JSON reader keeps exact: 2^53 - 1.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No row has a value.
    Empty,
    /// `true` or `false`, in any case.
    Boolean,
    /// Whole numbers of at most 2^53 - 1. Those with leading zeros are codes and so text.
    Integer,
    /// Decimal numbers.
    Number,
    /// Dates like `2026-11-20`.
    Date,
    /// Dates with a time like `2026-11-20T18:00:00Z`, with or without an offset.
    DateTime,
    /// Everything else.
    Text,
}

impl Kind {
    /// The type of all these values together.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        values.fold(Self::Empty, |kind, value| if kind.has(value) { kind } else { kind.with(Self::of_one(value)) })
    }

    fn of_one(value: &str) -> Self {
        let kinds = [Self::Boolean, Self::Integer, Self::Number, Self::Date, Self::DateTime];
        kinds.into_iter().find(|kind| kind.has(value)).unwrap_or(Self::Text)
    }

    /// The narrowest type that has the values of both.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Empty, kind) | (kind, Self::Empty) => kind,
            (one, two) if one == two => one,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Text,
        }
    }

    fn has(self, value: &str) -> bool {
        match self {
            Self::Empty => false,
            Self::Boolean => boolean(value).is_some(),
            Self::Integer => integer(value).is_some(),
            Self::Number => number(value).is_some(),
            Self::Date => value.parse::<Date>().is_ok() && !value.contains([':', 'T', 't']),
            Self::DateTime => {
                value.contains(':') && (value.parse::<DateTime>().is_ok() || value.parse::<Timestamp>().is_ok())
            }
            Self::Text => true,
        }
    }

    /// A value of this type as JSON.
    pub(crate) fn json(self, value: &str) -> Value {
        let typed = match self {
            Self::Boolean => boolean(value).map(Value::from),
            Self::Integer => integer(value).map(Value::from),
            Self::Number => number(value).map(Value::from),
            Self::Empty | Self::Date | Self::DateTime | Self::Text => None,
        };
        typed.unwrap_or_else(|| Value::from(value))
    }
}

fn boolean(value: &str) -> Option<bool> {
    [(true, "true"), (false, "false")]
        .into_iter()
        .find_map(|(meaning, text)| value.eq_ignore_ascii_case(text).then_some(meaning))
}

fn integer(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    let number: i64 = value.parse().ok()?;
    (plain && number.abs() <= MAX_SAFE_INTEGER).then_some(number)
}

/// A decimal number as people write them: no `inf`, no `nan`, no code with leading zeros, no huge integer.
pub(crate) fn number(value: &str) -> Option<f64> {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let is_code = unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
    let starts_well = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if is_code || !starts_well {
        return None;
    }
    let is_whole = unsigned.bytes().all(|b| b.is_ascii_digit());
    if is_whole && integer(value).is_none() {
        return None;
    }
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    //! One value at a time, then columns.

    use super::*;

    #[test]
    fn values_have_the_narrowest_type() {
        for (value, kind) in [
            ("true", Kind::Boolean),
            ("FALSE", Kind::Boolean),
            ("0", Kind::Integer),
            ("-12", Kind::Integer),
            ("9007199254740991", Kind::Integer),
            ("9007199254740992", Kind::Text),
            ("007", Kind::Text),
            ("-0", Kind::Integer),
            ("1.50", Kind::Number),
            (".5", Kind::Number),
            ("-0.5", Kind::Number),
            ("1e3", Kind::Number),
            ("1e999", Kind::Text),
            ("inf", Kind::Text),
            ("NaN", Kind::Text),
            ("+5", Kind::Text),
            ("1,5", Kind::Text),
            ("00.5", Kind::Text),
            ("-", Kind::Text),
            ("2026-02-28", Kind::Date),
            ("2026-02-30", Kind::Text),
            ("2026-11-20T18:00:00Z", Kind::DateTime),
            ("2026-11-20 18:00", Kind::DateTime),
            ("2026-11-20T18:00:00+02:00", Kind::DateTime),
            ("18:00", Kind::Text),
            ("x", Kind::Text),
        ] {
            assert_eq!(Kind::of([value].into_iter()), kind, "{value}");
        }
    }

    #[test]
    fn columns_widen_as_little_as_possible() {
        let of = |values: &[&str]| Kind::of(values.iter().copied());
        assert_eq!(of(&[]), Kind::Empty);
        assert_eq!(of(&["1", "2.5", "3"]), Kind::Number);
        assert_eq!(of(&["2.5", "007"]), Kind::Text);
        assert_eq!(of(&["true", "1"]), Kind::Text);
        assert_eq!(of(&["2026-01-01", "2026-01-01 10:00"]), Kind::Text);
    }

    #[test]
    fn json_values_keep_their_meaning() {
        assert_eq!(Kind::Integer.json("-3"), Value::from(-3));
        assert_eq!(Kind::Number.json("1.50"), Value::from(1.5));
        assert_eq!(Kind::Boolean.json("True"), Value::from(true));
        assert_eq!(Kind::Text.json("1"), Value::from("1"));
    }
}
