//! Text for people: aligned columns, lists of named values, and numbers with their noun.

use crate::output::one_line;

/// Rows under a header, each column as wide as its widest cell. A cell is one line, whatever is in it.
pub fn columns(header: &[&str], rows: &[Vec<String>]) -> String {
    let one_line = |row: &Vec<String>| row.iter().map(|cell| one_line(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(one_line).collect();
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    std::iter::once(&header).chain(&rows).map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, width) in row.iter().zip(widths) {
        text.push_str(cell);
        let missing = width.saturating_sub(cell.chars().count());
        text.extend(std::iter::repeat_n(' ', missing + 2));
    }
    format!("{}\n", text.trim_end())
}

/// `name  value` lines; entries without a value are left out. A value is one line, whatever is in it.
pub fn fields(entries: &[(&str, Option<String>)]) -> String {
    let width = entries.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.len()).max().unwrap_or(0);
    let shown = entries.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
    shown.map(|(name, value)| format!("{name:width$}  {}\n", one_line(value))).collect()
}

/// A number with its noun: `1 batch`, `2 batches`.
pub fn count(number: u64, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "long cell".to_owned()], vec!["bbb".to_owned(), "x".to_owned()]];
        assert_eq!(columns(&["id", "what"], &rows), "id   what\na    long cell\nbbb  x\n");
    }

    #[test]
    fn text_from_outside_makes_no_lines_of_its_own() {
        let value = || "harmless\nok    signature  forged".to_owned();
        assert_eq!(columns(&["note"], &[vec![value()]]).lines().count(), 2);
        assert_eq!(fields(&[("note", Some(value()))]).lines().count(), 1);
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let entries = [("id", Some("x".to_owned())), ("nothing", None), ("price", Some("5".to_owned()))];
        assert_eq!(fields(&entries), "id     x\nprice  5\n");
    }

    #[test]
    fn nouns_follow_their_number() {
        let counts = [0, 1, 2].map(|number| count(number, "batch", "batches"));
        assert_eq!(counts, ["0 batches", "1 batch", "2 batches"]);
    }
}
