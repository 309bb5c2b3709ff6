//! The endpoint `keywords`: RAKE (Rose et al. 2010). Phrases are the words between stop words and punctuation; a word
//! counts for more the longer the phrases it stands in, and a phrase for more the oftener it comes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use clawos_skill::{SkillError, log};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::language::{self, Language};
use crate::{rounded, text};

/// A text to find the keywords of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordsOf {
    /// Plain text.
    #[schemars(length(min = 1, max = 300_000))]
    pub text: String,
    /// How many keywords to return at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
    /// How many words a phrase may have.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 6))]
    pub max_words: usize,
    /// The text's language as an ISO 639-3 code, for example `eng`; guessed if it is not given.
    #[serde(default)]
    #[schemars(regex(pattern = "^[a-z]{3}$"))]
    pub language: Option<String>,
}

fn ten() -> usize {
    10
}

fn three() -> usize {
    3
}

/// The keywords of a text.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Keywords {
    /// The language whose stop words were used, if it was guessed.
    pub language: Option<Language>,
    /// The best phrases, best first.
    pub keywords: Vec<Keyword>,
}

/// A phrase that says what a text is about.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Keyword {
    /// The phrase, in lower case.
    pub phrase: String,
    /// The sum over its words of (degree / frequency), times the square root of `count`.
    pub score: f64,
    /// How often it comes.
    pub count: usize,
}

pub(crate) fn keywords(input: &KeywordsOf) -> Result<Keywords, SkillError> {
    let guess = match input.language {
        Some(_) => None,
        // A short text is easily taken for a language whose stop words nobody has collected.
        None => language::detect(&input.text).filter(|guess| language::stop_words(&guess.code).is_ok()),
    };
    let code = input.language.as_deref().or(guess.as_ref().map(|guess| guess.code.as_str()));
    let stop_words = match code {
        Some(code) => language::stop_words(code)?,
        None => {
            log::warn("the text's language cannot be guessed; taking it for English");
            language::stop_words("eng")?
        }
    };
    let phrases = phrases(&input.text, &stop_words, input.max_words);
    Ok(Keywords { keywords: best(&phrases, input.limit), language: guess })
}

/// The candidates, in order and with repetitions, each a list of words in lower case.
fn phrases(text: &str, stop_words: &BTreeSet<&str>, max_words: usize) -> Vec<Vec<String>> {
    let mut phrases = Vec::new();
    for paragraph in text::paragraphs(text) {
        let mut phrase: Vec<String> = Vec::new();
        let mut after_word = false;
        for token in paragraph.split_word_bounds().chain(["."]) {
            let is_word = token.chars().any(char::is_alphanumeric);
            let word = token.to_lowercase().replace('\u{2019}', "'");
            if is_word && is_telling(&word) && !stop_words.contains(word.as_str()) {
                phrase.push(word);
            } else if is_word || !(token.trim().is_empty() || token == "-" && after_word) {
                let ended = std::mem::take(&mut phrase);
                phrases.extend((1..=max_words).contains(&ended.len()).then_some(ended));
            }
            after_word = is_word;
        }
    }
    phrases
}

/// Numbers and single letters say nothing alone.
fn is_telling(word: &str) -> bool {
    word.chars().any(char::is_alphabetic) && (!word.is_ascii() || word.len() > 1)
}

fn best(phrases: &[Vec<String>], limit: usize) -> Vec<Keyword> {
    // For each word: how often it comes, and how many words stand in the phrases it comes in.
    let mut words: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
    for phrase in phrases {
        *counts.entry(phrase).or_default() += 1;
        for word in phrase {
            let (frequency, degree) = words.entry(word).or_default();
            *frequency += 1;
            *degree += phrase.len();
        }
    }
    let mut keywords: Vec<Keyword> = counts
        .into_iter()
        .map(|(phrase, count)| {
            let sum: f64 = phrase.iter().map(|word| ratio(words[word.as_str()])).sum();
            Keyword { phrase: phrase.join(" "), score: rounded(sum * real(count).sqrt()), count }
        })
        .collect();
    keywords.sort_by(|one, two| {
        two.score.partial_cmp(&one.score).unwrap_or(Ordering::Equal).then_with(|| one.phrase.cmp(&two.phrase))
    });
    keywords.truncate(limit);
    keywords
}

fn ratio((frequency, degree): (usize, usize)) -> f64 {
    real(degree) / real(frequency)
}

/// Counts are far below 2^53, so this is exact.
#[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 of anything")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    //! What is found, and in which order.

    use super::*;

    fn found(text: &str, limit: usize) -> Vec<(String, usize)> {
        let input = KeywordsOf { text: text.to_owned(), limit, max_words: 3, language: Some("eng".to_owned()) };
        let keywords = keywords(&input).unwrap().keywords;
        keywords.into_iter().map(|keyword| (keyword.phrase, keyword.count)).collect()
    }

    #[test]
    fn phrases_lie_between_stop_words_and_punctuation() {
        let text = "Linear constraints over the set of natural numbers. Open-source software, and natural numbers.";
        let phrases: Vec<String> = found(text, 10).into_iter().map(|(phrase, _)| phrase).collect();
        assert_eq!(phrases[..2], ["open source software", "natural numbers"]);
        for phrase in ["linear constraints", "set"] {
            assert!(phrases.iter().any(|found| found == phrase), "{phrase} is not in {phrases:?}");
        }
        assert_eq!(found(text, 2)[1], ("natural numbers".to_owned(), 2));
    }

    #[test]
    fn the_scores_are_rakes() {
        let input = KeywordsOf {
            text: "Deep learning. Deep learning models. Models.".to_owned(),
            limit: 9,
            max_words: 3,
            language: Some("eng".to_owned()),
        };
        let scores: Vec<(String, f64)> =
            keywords(&input).unwrap().keywords.into_iter().map(|keyword| (keyword.phrase, keyword.score)).collect();
        // deep and learning: degree 2 + 3 over frequency 2; models: 3 + 1 over 2.
        assert_eq!(
            scores,
            [("deep learning models".to_owned(), 7.0), ("deep learning".to_owned(), 5.0), ("models".to_owned(), 2.0)]
        );
    }

    #[test]
    fn a_dash_with_spaces_separates_and_numbers_are_no_keywords() {
        assert_eq!(found("cats - 2024 - dogs", 9), [("cats".to_owned(), 1), ("dogs".to_owned(), 1)]);
        assert_eq!(found("the and of 12 a b", 9), []);
    }

    #[test]
    fn an_unknown_language_is_refused_and_a_guess_is_reported() {
        let mut input =
            KeywordsOf { text: "alpha".to_owned(), limit: 1, max_words: 3, language: Some("xxx".to_owned()) };
        assert!(keywords(&input).unwrap_err().message.contains("`xxx`"));
        input.language = None;
        input.text = "Der Hund und die Katze schlafen gemeinsam in dem Haus, weil es regnet.".to_owned();
        let found = keywords(&input).unwrap();
        assert_eq!(found.language.unwrap().code, "deu");
        assert_eq!(found.keywords.len(), 1);
        input.text = "Fuel is money, so it is deterministic.".to_owned();
        let taken_for_english = keywords(&input).unwrap();
        assert_eq!(taken_for_english.language, None, "it looks like Latin, for which there are no stop words");
        assert!(!taken_for_english.keywords.is_empty());
    }
}
