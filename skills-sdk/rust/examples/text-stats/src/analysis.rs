//! The endpoint `analyse`: counts, averages and readability of a text.

use std::collections::BTreeSet;

use clawos_skill::SkillError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::language::{self, Language};
use crate::readability::{Measures, Readability};
use crate::{rounded, syllables, text};

/// How fast adults read silently, in words per minute (Brysbaert 2019).
const READING_SPEED: u32 = 238;

/// A text to analyse.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Plain text; a blank line separates paragraphs.
    #[schemars(length(min = 1, max = 300_000))]
    pub text: String,
    /// The reader's speed in words per minute.
    #[serde(default = "reading_speed")]
    #[schemars(range(min = 50, max = 2_000))]
    pub words_per_minute: u32,
}

fn reading_speed() -> u32 {
    READING_SPEED
}

/// What a text is made of.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Analysis {
    /// The language it seems to be in.
    pub language: Option<Language>,
    /// How much of everything there is.
    pub counts: Counts,
    /// Words per sentence.
    pub words_per_sentence: f64,
    /// Syllables per word, by English rules.
    pub syllables_per_word: f64,
    /// Different words per word, from 0 to 1.
    pub lexical_diversity: f64,
    /// The time that reading takes, in seconds.
    pub reading_secs: u64,
    /// The sentence with the most words.
    pub longest_sentence: LongestSentence,
    /// Readability scores. They were made for English and mean little for other languages.
    pub readability: Readability,
}

/// Counts.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Characters as a reader counts them (grapheme clusters).
    pub characters: usize,
    /// Letters and digits.
    pub letters: usize,
    /// Words.
    pub words: usize,
    /// Different words, whatever their case.
    pub unique_words: usize,
    /// Sentences.
    pub sentences: usize,
    /// Paragraphs.
    pub paragraphs: usize,
    /// Syllables, by English rules.
    pub syllables: usize,
    /// Words of three or more syllables.
    pub polysyllables: usize,
}

/// The sentence with the most words.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LongestSentence {
    /// How many words it has.
    pub words: usize,
    /// Its beginning, up to 200 characters.
    pub start: String,
}

pub(crate) fn analyse(input: &Text) -> Result<Analysis, SkillError> {
    let paragraphs = text::paragraphs(&input.text);
    let sentences: Vec<String> = paragraphs.iter().flat_map(|paragraph| text::sentences(paragraph)).collect();
    let words: Vec<&str> = paragraphs.iter().flat_map(|paragraph| text::words(paragraph)).collect();
    if words.is_empty() {
        return Err(SkillError::bad_request("text: there are no words in it"));
    }
    let counts = counts(&input.text, paragraphs.len(), sentences.len(), &words);
    let complex_words = words.iter().filter(|word| syllables::is_complex(word)).count();
    let readability = Measures {
        words: real(counts.words),
        sentences: real(counts.sentences),
        letters: real(counts.letters),
        syllables: real(counts.syllables),
        polysyllables: real(counts.polysyllables),
        complex_words: real(complex_words),
    }
    .readability();
    let speed = u64::from(input.words_per_minute.max(1));
    Ok(Analysis {
        language: language::detect(&input.text),
        words_per_sentence: rounded(real(counts.words) / real(counts.sentences)),
        syllables_per_word: rounded(real(counts.syllables) / real(counts.words)),
        lexical_diversity: rounded(real(counts.unique_words) / real(counts.words)),
        reading_secs: (counts.words as u64 * 60).div_ceil(speed),
        longest_sentence: longest(&sentences),
        counts,
        readability,
    })
}

fn counts(text: &str, paragraphs: usize, sentences: usize, words: &[&str]) -> Counts {
    let unique: BTreeSet<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let per_word: Vec<usize> = words.iter().map(|word| syllables::count(word)).collect();
    Counts {
        characters: text::characters(text),
        letters: words.iter().flat_map(|word| word.chars()).filter(|c| c.is_alphanumeric()).count(),
        words: words.len(),
        unique_words: unique.len(),
        sentences: sentences.max(1),
        paragraphs,
        syllables: per_word.iter().sum(),
        polysyllables: per_word.iter().filter(|&&syllables| syllables >= 3).count(),
    }
}

fn longest(sentences: &[String]) -> LongestSentence {
    let lengths = sentences.iter().map(|sentence| (text::words(sentence).count(), sentence));
    // The first of several equally long ones.
    let (words, sentence) = lengths.rev().max_by_key(|(words, _)| *words).unzip();
    LongestSentence {
        words: words.unwrap_or_default(),
        start: sentence.map(|sentence| sentence.trim().chars().take(200).collect()).unwrap_or_default(),
    }
}

/// Counts are far below 2^53, so this is exact.
#[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 of anything")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    //! Small texts whose numbers can be counted by eye.

    use super::*;

    fn analysis(text: &str) -> Result<Analysis, SkillError> {
        analyse(&Text { text: text.to_owned(), words_per_minute: 60 })
    }

    #[test]
    fn a_small_text_is_counted() {
        let found = analysis("The cat sat on the mat. It was happy!\n\nWas it? Dr. Who knows.").unwrap();
        assert_eq!(
            found.counts,
            Counts {
                characters: 61,
                letters: 42,
                words: 14,
                unique_words: 11,
                sentences: 4,
                paragraphs: 2,
                syllables: 15,
                polysyllables: 0
            }
        );
        assert_eq!(found.words_per_sentence, 3.5);
        assert_eq!(found.reading_secs, 14);
        assert_eq!(found.longest_sentence, LongestSentence { words: 6, start: "The cat sat on the mat.".to_owned() });
    }

    #[test]
    fn easy_prose_scores_easier_than_hard_prose() {
        let easy = analysis("The dog ran. The sun was hot. We had fun at the sea.").unwrap().readability;
        let hard = analysis(
            "Notwithstanding considerable methodological heterogeneity, epidemiological investigations consistently \
             demonstrate statistically significant associations.",
        )
        .unwrap()
        .readability;
        assert!(easy.flesch_reading_ease > 100.0 && hard.flesch_reading_ease < 0.0, "{easy:?} {hard:?}");
        assert!(easy.mean_grade < hard.mean_grade);
    }

    #[test]
    fn odd_texts_are_answered_or_refused() {
        for text in ["", " \n", "... --- !!!"] {
            assert!(analysis(text).is_err(), "{text:?}");
        }
        let endless = "word ".repeat(20_000);
        assert_eq!(analysis(&endless).unwrap().counts.sentences, 1);
        assert!(analysis("日本語のテキストです。").is_ok());
        assert_eq!(analysis("a\u{0}b").unwrap().counts.words, 2);
    }
}
