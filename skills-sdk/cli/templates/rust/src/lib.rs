//! Counts the words, lines and characters of a text.

use clawos_skill::{SkillError, skill};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The skill.
pub struct WordCount;

/// A text to count.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The text.
    #[schemars(length(max = 100_000))]
    pub text: String,
}

/// What is in a text.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Counts {
    /// Words: what spaces separate.
    pub words: usize,
    /// Lines.
    pub lines: usize,
    /// Characters (Unicode scalar values).
    pub characters: usize,
}

#[skill]
impl WordCount {
    /// The endpoint `count`.
    pub fn count(input: Text) -> Result<Counts, SkillError> {
        if input.text.contains('\0') {
            return Err(SkillError::bad_request("text: this is not text, it has a NUL character in it"));
        }
        Ok(Counts {
            words: input.text.split_whitespace().count(),
            lines: input.text.lines().count(),
            characters: input.text.chars().count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Result<Counts, SkillError> {
        WordCount::count(Text { text: text.to_owned() })
    }

    #[test]
    fn words_lines_and_characters_are_counted() {
        let counts = Counts { words: 3, lines: 2, characters: 14 };
        assert_eq!(count("Grüße,\nah you.").unwrap(), counts);
        assert_eq!(count("").unwrap(), Counts { words: 0, lines: 0, characters: 0 });
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(count("a\0b").is_err());
    }

    #[test]
    fn files_match_the_code() {
        clawos_skill::testing::check::<WordCount>(env!("CARGO_MANIFEST_DIR"));
    }
}
