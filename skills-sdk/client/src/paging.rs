//! Reading a list to its end, page by page. A server that lies could make a list that never ends, so what is read of it is
//! bounded: an honest one moves on with each page, and fills every page but the last. The bound is what the caller knows of
//! the list's length from elsewhere, such as the chain.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use clawos_api::Page;

use crate::error::{ClientError, Result};
use crate::http::Client;

/// Items in a page: the most that a server gives.
pub const PAGE: u32 = 100;
/// The longest cursor that is sent back, in bytes.
const MAX_CURSOR_BYTES: usize = 512;

/// The pages that `items` items fill.
pub(crate) const fn pages(items: u64) -> u64 {
    items.div_ceil(PAGE as u64)
}

impl Client {
    /// Reads a list to its end, at most `most_pages` pages of it. `fetch` asks for the page of at most [`PAGE`] items at a
    /// cursor (none for the first one), `take` is given each item until it says that it needs no more.
    ///
    /// # Errors
    /// Those of `fetch`; [`ClientError::Unreadable`] for a list that does not end: too many pages, a page without items
    /// that is not the last one, or a cursor a second time; and for a page or a cursor that is too large.
    pub async fn every_page<T>(
        &self,
        most_pages: u64,
        mut fetch: impl AsyncFnMut(Option<String>) -> Result<Page<T>>,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<()> {
        let endless = |reason: String| Err(ClientError::Unreadable { url: self.origin(), reason });
        let mut seen = BTreeSet::new();
        let mut cursor = None;
        for _ in 0..most_pages {
            let page = fetch(cursor.take()).await?;
            let items = page.items.len();
            if items > PAGE as usize {
                return endless(format!("a page of a list has {items} items where {PAGE} were asked for"));
            }
            if page.items.into_iter().try_for_each(&mut take).is_break() {
                return Ok(());
            }
            let Some(next) = page.next_cursor else { return Ok(()) };
            if items == 0 {
                return endless("a page of a list is empty and yet not the last one".to_owned());
            }
            if next.len() > MAX_CURSOR_BYTES {
                return endless(format!("a cursor is longer than {MAX_CURSOR_BYTES} bytes"));
            }
            if !seen.insert(next.clone()) {
                return endless("a list goes round in a circle: its cursor repeats".to_owned());
            }
            cursor = Some(next);
        }
        endless(format!("a list has more than {most_pages} pages"))
    }
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
