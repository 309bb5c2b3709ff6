//! Pages of lists: how many items, and where the next page starts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clawos_api::Page;
use clawos_api::limits::{DEFAULT_PAGE, MAX_CURSOR, MAX_PAGE};

/// A list cannot be read as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The limit is out of range.
    #[error("limit must be 1 to {MAX_PAGE}.")]
    Limit,
    /// The cursor is not one of ours.
    #[error("cursor must be a next_cursor of an earlier answer.")]
    Cursor,
}

impl PageError {
    /// The parameter that is wrong.
    pub fn parameter(self) -> &'static str {
        match self {
            PageError::Limit => "limit",
            PageError::Cursor => "cursor",
        }
    }
}

/// How many items a page has: `limit`, 20 by default, 1 to 100.
///
/// # Errors
/// [`PageError::Limit`].
pub fn page_limit(limit: Option<u32>) -> Result<u32, PageError> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(PageError::Limit)
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
    ///
    /// # Errors
    /// [`PageError::Cursor`].
    pub fn start(text: Option<&str>) -> Result<Cursor, PageError> {
        text.map_or_else(|| Ok(Cursor { number: i64::MAX, id: String::new() }), Cursor::decode)
    }

    /// Reads a client's cursor.
    ///
    /// # Errors
    /// [`PageError::Cursor`].
    pub fn decode(text: &str) -> Result<Cursor, PageError> {
        let parsed = || {
            if text.len() > MAX_CURSOR {
                return None;
            }
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (number, id) = plain.split_once(':')?;
            Some(Cursor { number: number.parse().ok()?, id: id.to_owned() })
        };
        parsed().filter(|cursor| !cursor.id.contains('\0')).ok_or(PageError::Cursor)
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
