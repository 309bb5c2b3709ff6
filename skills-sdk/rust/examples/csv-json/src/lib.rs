//! CSV to typed JSON, and summaries of its columns.

mod convert;
mod kind;
mod summarise;
mod table;

use clawos_skill::{SkillError, skill};

pub use convert::{Column, Convert, Rows};
pub use kind::Kind;
pub use summarise::{ColumnSummary, Numbers, Span, Summarise, Summary, TopValue};
pub use table::{Delimiter, Source};

/// The skill.
pub struct CsvJson;

#[skill]
impl CsvJson {
    /// Turns CSV into JSON objects whose values have the type of their column.
    pub fn convert(input: Convert) -> Result<Rows, SkillError> {
        convert::convert(&input)
    }

    /// Says what is in each column.
    pub fn summarise(input: Summarise) -> Result<Summary, SkillError> {
        summarise::summarise(&input)
    }
}

#[cfg(test)]
mod tests {
    //! The committed files say what the code does.

    #[test]
    fn files_match_the_code() {
        clawos_skill::testing::check::<super::CsvJson>(env!("CARGO_MANIFEST_DIR"));
    }
}
