//! The endpoint `convert`: rows as JSON objects.

use clawos_skill::{SkillError, log};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Kind;
use crate::table::{Source, Table};

/// CSV to convert, and which of its rows to return.
#[derive(Debug, Deserialize, JsonSchema)]
// Serde cannot refuse unknown fields beside a flattened one; the schema can, and the host asks it first.
#[schemars(extend("additionalProperties" = false))]
pub struct Convert {
    /// The CSV.
    #[serde(flatten)]
    pub source: Source,
    /// How many rows to leave out at the beginning.
    #[serde(default)]
    pub offset: usize,
    /// How many rows to return at most.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: usize,
}

fn thousand() -> usize {
    1_000
}

/// Rows as JSON.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rows {
    /// The columns in order, with the types of all rows, whether returned or not.
    pub columns: Vec<Column>,
    /// How many rows there are.
    pub row_count: usize,
    /// The rows asked for: an object each, with null for an empty cell.
    pub rows: Vec<Map<String, Value>>,
}

/// A column.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

pub(crate) fn convert(input: &Convert) -> Result<Rows, SkillError> {
    let table = Table::read(&input.source)?;
    let rows: Vec<_> = table.rows().skip(input.offset).take(input.limit).map(|row| object(&table, row)).collect();
    let left = table.row_count().saturating_sub(input.offset + rows.len());
    if left > 0 {
        log::info(format_args!("{left} more rows from offset {}", input.offset + rows.len()));
    }
    let columns = table.names.iter().zip(&table.kinds);
    Ok(Rows {
        columns: columns.map(|(name, &kind)| Column { name: name.clone(), kind }).collect(),
        row_count: table.row_count(),
        rows,
    })
}

fn object<'a>(table: &Table, row: impl Iterator<Item = Option<&'a str>>) -> Map<String, Value> {
    let cells = table.names.iter().zip(&table.kinds).zip(row);
    cells.map(|((name, kind), cell)| (name.clone(), cell.map_or(Value::Null, |cell| kind.json(cell)))).collect()
}

#[cfg(test)]
mod tests {
    //! A table in, objects out, page by page.

    use clawos_skill::{Context, Skill};
    use serde_json::json;

    use super::*;
    use crate::CsvJson;

    fn run(payload: &Value) -> Result<Value, SkillError> {
        let answer = CsvJson::run("convert", &payload.to_string(), &Context::default())?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    #[test]
    fn rows_have_the_types_of_their_columns() {
        let answer = run(&json!({"csv": "id,price,ok,day\n1,2.5,true,2026-01-02\n2,3,,\n"})).unwrap();
        assert_eq!(
            answer["rows"],
            json!([
                {"id": 1, "price": 2.5, "ok": true, "day": "2026-01-02"},
                {"id": 2, "price": 3.0, "ok": null, "day": null}
            ])
        );
        assert_eq!(answer["columns"][3], json!({"name": "day", "kind": "date"}));
    }

    #[test]
    fn pages_together_are_the_table() {
        let csv = "n\n1\n2\n3\n4\n5\n";
        let page = |offset| run(&json!({"csv": csv, "offset": offset, "limit": 2})).unwrap();
        assert_eq!(page(0)["rows"], json!([{"n": 1}, {"n": 2}]));
        assert_eq!(page(4)["rows"], json!([{"n": 5}]));
        assert_eq!(page(9)["rows"], json!([]));
        assert_eq!(page(9)["row_count"], 5);
    }

    #[test]
    fn without_a_header_columns_are_numbered() {
        let answer = run(&json!({"csv": "1;2", "header": false, "delimiter": "semicolon"})).unwrap();
        assert_eq!(answer["rows"], json!([{"column_1": 1, "column_2": 2}]));
    }

    #[test]
    fn bad_options_are_refused() {
        for payload in [json!({}), json!({"csv": "a", "delimiter": "dot"}), json!({"csv": "a", "limit": -1})] {
            assert!(run(&payload).is_err(), "{payload}");
        }
    }
}
