//! The endpoint `summarise`: what is in each column.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use clawos_skill::SkillError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Kind;
use crate::kind::number;
use crate::table::{Source, Table};

/// CSV to summarise.
#[derive(Debug, Deserialize, JsonSchema)]
// Serde cannot refuse unknown fields beside a flattened one; the schema can, and the host asks it first.
#[schemars(extend("additionalProperties" = false))]
pub struct Summarise {
    /// The CSV.
    #[serde(flatten)]
    pub source: Source,
    /// How many of a column's most frequent values to list.
    #[serde(default = "five")]
    #[schemars(range(max = 50))]
    pub top: usize,
}

fn five() -> usize {
    5
}

/// What is in a table.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// How many rows there are.
    pub row_count: usize,
    /// Each column, in order.
    pub columns: Vec<ColumnSummary>,
}

/// What is in a column.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// How many cells are empty.
    pub nulls: usize,
    /// How many different values there are.
    pub distinct: usize,
    /// For integers and numbers that have values.
    pub numbers: Option<Numbers>,
    /// For dates and times: the earliest and the latest as written; for text: the shortest and the longest.
    pub span: Option<Span>,
    /// The most frequent values, most frequent first.
    pub top: Vec<TopValue>,
}

/// Statistics of a column of numbers.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Numbers {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The sum.
    pub sum: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The middle value, or the mean of the two in the middle.
    pub median: f64,
    /// The population's standard deviation.
    pub std_dev: f64,
}

/// The two ends of a column.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Span {
    /// The earliest, or the shortest.
    pub first: String,
    /// The latest, or the longest.
    pub last: String,
}

/// A value and how often it comes.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopValue {
    /// The value as written.
    pub value: String,
    /// How often it comes.
    pub count: usize,
}

pub(crate) fn summarise(input: &Summarise) -> Result<Summary, SkillError> {
    let table = Table::read(&input.source)?;
    let columns = (0..table.names.len()).map(|column| summary(&table, column, input.top)).collect();
    Ok(Summary { row_count: table.row_count(), columns })
}

fn summary(table: &Table, column: usize, top: usize) -> ColumnSummary {
    let kind = table.kinds[column];
    let values: Vec<&str> = table.values(column).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in &values {
        *counts.entry(value).or_default() += 1;
    }
    let distinct = counts.len();
    let mut frequent: Vec<(&str, usize)> = counts.into_iter().collect();
    frequent.sort_by_key(|&(value, count)| (Reverse(count), value));
    frequent.truncate(top);
    ColumnSummary {
        name: table.names[column].clone(),
        kind,
        nulls: table.row_count() - values.len(),
        distinct,
        numbers: matches!(kind, Kind::Integer | Kind::Number).then(|| numbers(&values)).flatten(),
        span: span(kind, &values),
        top: frequent.into_iter().map(|(value, count)| TopValue { value: value.to_owned(), count }).collect(),
    }
}

fn numbers(values: &[&str]) -> Option<Numbers> {
    let mut numbers: Vec<f64> = values.iter().filter_map(|value| number(value)).collect();
    numbers.sort_by(f64::total_cmp);
    let (&min, &max) = (numbers.first()?, numbers.last()?);
    let count = real(numbers.len());
    let sum: f64 = numbers.iter().sum();
    let mean = sum / count;
    let middle = numbers.len() / 2;
    let median =
        if numbers.len() % 2 == 1 { numbers[middle] } else { f64::midpoint(numbers[middle - 1], numbers[middle]) };
    let variance = numbers.iter().map(|number| (number - mean) * (number - mean)).sum::<f64>() / count;
    let finite = |number: f64| if number.is_finite() { number } else { f64::MAX.copysign(number) };
    Some(Numbers {
        min,
        max,
        sum: finite(sum),
        mean: finite(mean),
        median: finite(median),
        std_dev: finite(variance.sqrt()),
    })
}

fn span(kind: Kind, values: &[&str]) -> Option<Span> {
    let key = |value: &&&str| if kind == Kind::Text { value.chars().count() } else { 0 };
    let (first, last) = match kind {
        Kind::Text => (values.iter().min_by_key(key)?, values.iter().max_by_key(key)?),
        // ISO 8601 in one form sorts as text.
        Kind::Date | Kind::DateTime => (values.iter().min()?, values.iter().max()?),
        Kind::Empty | Kind::Boolean | Kind::Integer | Kind::Number => return None,
    };
    Some(Span { first: (*first).to_owned(), last: (*last).to_owned() })
}

/// Counts are far below 2^53, so this is exact.
#[expect(clippy::cast_precision_loss, reason = "a table has fewer than 2^53 rows")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    //! Columns whose statistics can be worked out by hand.

    use clawos_skill::{Context, Skill};
    use serde_json::{Value, json};

    use crate::CsvJson;

    fn columns(csv: &str) -> Value {
        let answer =
            CsvJson::run("summarise", &json!({"csv": csv, "top": 2}).to_string(), &Context::default()).unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        answer["columns"].take()
    }

    #[test]
    fn numbers_have_statistics() {
        let columns = columns("n\n2\n4\n4\n4\n5\n5\n7\n9\n\"\"\n");
        assert_eq!(
            columns[0]["numbers"],
            json!({"min": 2.0, "max": 9.0, "sum": 40.0, "mean": 5.0, "median": 4.5, "std_dev": 2.0})
        );
        assert_eq!((&columns[0]["nulls"], &columns[0]["distinct"]), (&json!(1), &json!(5)));
        assert_eq!(columns[0]["top"], json!([{"value": "4", "count": 3}, {"value": "5", "count": 2}]));
    }

    #[test]
    fn dates_and_texts_have_a_span() {
        let columns = columns("day,name,nothing\n2026-02-01,Ada,\n2025-12-31,Grace,\n");
        assert_eq!(columns[0]["span"], json!({"first": "2025-12-31", "last": "2026-02-01"}));
        assert_eq!(columns[1]["span"], json!({"first": "Ada", "last": "Grace"}));
        assert_eq!(columns[2]["kind"], "empty");
        assert_eq!((&columns[2]["span"], &columns[2]["numbers"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn the_largest_numbers_stay_numbers() {
        let columns = columns("n\n1.7e308\n1.7e308\n");
        assert_eq!(columns[0]["numbers"]["sum"], json!(f64::MAX));
        assert!(columns[0]["numbers"]["std_dev"].is_number());
    }
}
