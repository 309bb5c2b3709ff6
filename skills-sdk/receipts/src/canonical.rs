//! Canonical JSON (RFC 8785): one value, one text, so that its hash means something.
//!
//! Members are sorted by the UTF-16 code units of their names, numbers are written as ECMAScript writes a double, and
//! strings carry only the escapes they must. An integer that a double cannot hold exactly is refused: it belongs in a string.

use serde_json::{Number, Value};
use thiserror::Error;

/// Integers up to this size (2^53) are exact as a double.
pub const MAX_SAFE_INTEGER: u64 = 1 << 53;
/// Arrays and objects may nest this deep, so that no value exhausts the stack.
pub const MAX_DEPTH: usize = 128;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// An integer beyond ±2^53.
    #[error("the integer {0} is beyond 2^53: write it as a string")]
    UnsafeInteger(String),
    /// A number that is not a finite double.
    #[error("the number {0} is not a finite double")]
    NotFinite(String),
    /// Nested more than [`MAX_DEPTH`] deep.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The canonical text of `value`.
///
/// Errors when it holds an integer beyond ±2^53, or nests deeper than [`MAX_DEPTH`].
pub fn canonical_json(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(value, 0, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, depth: usize, out: &mut String) -> Result<(), CanonicalError> {
    if depth > MAX_DEPTH {
        return Err(CanonicalError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)?),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(member, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// A string with exactly the escapes of RFC 8785, section 3.2.2.2.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn number_text(number: &Number) -> Result<String, CanonicalError> {
    if let Some(integer) = number.as_u64() {
        return safe_integer(integer, number);
    }
    if let Some(integer) = number.as_i64() {
        return safe_integer(integer.unsigned_abs(), number);
    }
    match number.as_f64() {
        Some(double) if double.is_finite() => Ok(double_text(double)),
        _ => Err(CanonicalError::NotFinite(number.to_string())),
    }
}

fn safe_integer(size: u64, number: &Number) -> Result<String, CanonicalError> {
    if size > MAX_SAFE_INTEGER {
        return Err(CanonicalError::UnsafeInteger(number.to_string()));
    }
    Ok(number.to_string())
}

/// `Number::toString` of ECMAScript for a finite double.
fn double_text(double: f64) -> String {
    if double == 0.0 {
        return "0".to_owned();
    }
    let (digits, point) = shortest_digits(double.abs());
    let count = i32::try_from(digits.len()).expect("a double has at most 17 digits");
    // The value is 0.digits × 10^point; the arms are ECMAScript's limits of plain notation.
    let body = match point {
        _ if count <= point && point <= 21 => digits + &"0".repeat(length(point - count)),
        1..=21 => format!("{}.{}", &digits[..length(point)], &digits[length(point)..]),
        -5..=0 => format!("0.{}{digits}", "0".repeat(length(-point))),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{:+}", point - 1)
        }
    };
    if double < 0.0 { format!("-{body}") } else { body }
}

/// The fewest decimal digits that mean exactly this positive double, and `point` so that it is 0.digits × 10^point.
///
/// They come from `serde_json`'s writer, not from `{:e}`: where two candidates are equally near, ECMAScript's engines and
/// the former take the even one, the standard library the larger.
fn shortest_digits(double: f64) -> (String, i32) {
    let written = serde_json::to_string(&double).expect("a double is always written");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let leading_zeros = i32::try_from(all.len() - significant.len()).expect("a double is written in few characters");
    let exponent: i32 = exponent.parse().expect("the exponent of a double is a small integer");
    let whole = i32::try_from(whole.len()).expect("a double is written in few characters");
    (significant.trim_end_matches('0').to_owned(), whole + exponent - leading_zeros)
}

fn length(count: i32) -> usize {
    usize::try_from(count).expect("the match arms leave no negative counts")
}
