//! Text statistics: counts, readability scores, and keywords.

mod analysis;
mod keywords;
mod language;
mod readability;
mod syllables;
mod text;

use clawos_skill::{SkillError, skill};

pub use analysis::{Analysis, Counts, LongestSentence, Text};
pub use keywords::{Keyword, Keywords, KeywordsOf};
pub use language::Language;
pub use readability::{Level, Readability};

/// The skill.
pub struct TextStats;

#[skill]
impl TextStats {
    /// Counts what a text is made of and scores how hard it is to read.
    pub fn analyse(input: Text) -> Result<Analysis, SkillError> {
        analysis::analyse(&input)
    }

    /// Finds the phrases that say what a text is about.
    pub fn keywords(input: KeywordsOf) -> Result<Keywords, SkillError> {
        keywords::keywords(&input)
    }
}

/// Two decimals: enough for a score, and the same on every machine.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    //! The committed files say what the code does.

    #[test]
    fn files_match_the_code() {
        clawos_skill::testing::check::<super::TextStats>(env!("CARGO_MANIFEST_DIR"));
    }
}
