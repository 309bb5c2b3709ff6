//! Reads CSV: the delimiter, the header, the rows, and which cells are empty.

use std::collections::BTreeSet;

use clawos_skill::SkillError;
use csv::{ReaderBuilder, StringRecord};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Kind;

/// How many records decide which delimiter it is.
const SAMPLE: usize = 20;

/// What separates fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delimiter {
    /// Whichever gives the most columns of equal length.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

/// CSV text and how to read it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Source {
    /// CSV, quoted as in RFC 4180.
    #[schemars(length(min = 1, max = 900_000))]
    pub csv: String,
    /// What separates fields.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// Whether the first record names the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// Cells that count as empty, besides those with nothing in them.
    #[serde(default = "null_values")]
    #[schemars(length(max = 20))]
    pub null_values: Vec<String>,
}

fn yes() -> bool {
    true
}

fn null_values() -> Vec<String> {
    ["NA", "N/A", "null", "NULL", "None"].map(str::to_owned).to_vec()
}

/// What was read.
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) kinds: Vec<Kind>,
    rows: Vec<StringRecord>,
    nulls: BTreeSet<String>,
}

impl Table {
    /// Reads a source.
    ///
    /// # Errors
    /// `BadRequest` that names the line at fault.
    pub(crate) fn read(source: &Source) -> Result<Self, SkillError> {
        let text = source.csv.strip_prefix('\u{feff}').unwrap_or(&source.csv);
        let delimiter = byte(source.delimiter).unwrap_or_else(|| guess(text));
        let mut rows = records(text, delimiter)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| SkillError::bad_request(format!("csv: {error}")))?;
        let Some(first) = rows.first() else { return Err(SkillError::bad_request("csv: there are no records in it")) };
        let names =
            if source.header { unique(first) } else { (1..=first.len()).map(|n| format!("column_{n}")).collect() };
        if source.header {
            rows.remove(0);
        }
        let mut table = Self { kinds: Vec::new(), names, rows, nulls: source.null_values.iter().cloned().collect() };
        table.kinds = (0..table.names.len()).map(|column| Kind::of(table.values(column))).collect();
        Ok(table)
    }

    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// A row's cells, in the order of the names; none for an empty one.
    pub(crate) fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Option<&str>>> {
        self.rows.iter().map(|row| row.iter().map(|cell| self.value(cell)))
    }

    /// A column's values, without the empty cells.
    pub(crate) fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| self.value(row.get(column)?))
    }

    fn value<'a>(&self, cell: &'a str) -> Option<&'a str> {
        let cell = cell.trim();
        (!cell.is_empty() && !self.nulls.contains(cell)).then_some(cell)
    }
}

fn records(text: &str, delimiter: u8) -> impl Iterator<Item = csv::Result<StringRecord>> {
    ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes()).into_records()
}

fn byte(delimiter: Delimiter) -> Option<u8> {
    match delimiter {
        Delimiter::Auto => None,
        Delimiter::Comma => Some(b','),
        Delimiter::Semicolon => Some(b';'),
        Delimiter::Tab => Some(b'\t'),
        Delimiter::Pipe => Some(b'|'),
    }
}

/// The delimiter with the most columns, if all of the first records have that many; a comma if none has two.
fn guess(text: &str) -> u8 {
    let columns = |delimiter| -> usize {
        let sample: Result<Vec<_>, _> = records(text, delimiter).take(SAMPLE).collect();
        sample.ok().and_then(|sample| Some(sample.first()?.len())).unwrap_or(0)
    };
    // Of equally good ones the last.
    let best = *b"|\t;,".iter().max_by_key(|&&delimiter| columns(delimiter)).unwrap_or(&b',');
    if columns(best) > 1 { best } else { b',' }
}

/// The names of the columns: nameless ones by their place, repeated ones with a number.
fn unique(header: &StringRecord) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let name = name.trim();
        let name = if name.is_empty() { format!("column_{}", at + 1) } else { name.to_owned() };
        let mut candidate = name.clone();
        let mut number = 2;
        while !seen.insert(candidate.clone()) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        names.push(candidate);
    }
    names
}

#[cfg(test)]
mod tests {
    //! Delimiters, headers, empty cells, and what cannot be read.

    use super::*;

    fn table(csv: &str) -> Result<Table, SkillError> {
        Table::read(&Source {
            csv: csv.to_owned(),
            delimiter: Delimiter::Auto,
            header: true,
            null_values: null_values(),
        })
    }

    #[test]
    fn delimiters_are_guessed() {
        for text in ["a,b\n\"1;2\",3", "a;b\n1,5;2", "a\tb\n1\t2", "a|b\n1|2", "\u{feff}a,b\r\n1,2\r\n"] {
            assert_eq!(table(text).unwrap().names, ["a", "b"], "{text:?}");
        }
        assert_eq!(table("alone\n1").unwrap().names, ["alone"]);
    }

    #[test]
    fn names_are_unique_and_never_empty() {
        assert_eq!(table("a,,a, a ,a_2\n1,2,3,4,5").unwrap().names, ["a", "column_2", "a_2", "a_3", "a_2_2"]);
    }

    #[test]
    fn empty_cells_are_not_values() {
        let table = table("n,t\n1,x\n,NA\n N/A ,\" \"\n4,null").unwrap();
        assert_eq!(table.kinds, [Kind::Integer, Kind::Text]);
        assert_eq!(table.values(0).collect::<Vec<_>>(), ["1", "4"]);
        assert_eq!((table.row_count(), table.values(1).count()), (4, 1));
    }

    #[test]
    fn a_ragged_row_is_refused_with_its_line() {
        let error = table("a,b\n1,2\n3\n").err().unwrap();
        assert!(error.message.contains("line: 3"), "{error}");
        assert!(table("").is_err() && table("\n\n").is_err());
    }

    #[test]
    fn quotes_hold_delimiters_and_line_breaks() {
        let table = table("a,b\n\"x, \"\"y\"\"\nz\",2").unwrap();
        assert_eq!(table.values(0).next(), Some("x, \"y\"\nz"));
    }
}
