//! Which language a text is in, and that language's stop words.

use std::collections::BTreeSet;

use clawos_skill::SkillError;
use schemars::JsonSchema;
use serde::Serialize;
use whatlang::Lang;

use crate::rounded;

/// How much of a text is looked at, in characters: more would not make the guess better.
const SAMPLE: usize = 4_000;

/// A guess at a text's language.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Language {
    /// Its ISO 639-3 code, for example `eng`.
    pub code: String,
    /// Its English name.
    pub name: String,
    /// How sure the guess is, from 0 to 1.
    pub confidence: f64,
}

/// Guesses the language; none if the text is too short or has no letters.
pub(crate) fn detect(text: &str) -> Option<Language> {
    let sample: String = text.chars().take(SAMPLE).collect();
    whatlang::detect(&sample).map(|found| Language {
        code: found.lang().code().to_owned(),
        name: found.lang().eng_name().to_owned(),
        confidence: rounded(found.confidence()),
    })
}

/// The stop words of a language by its ISO 639-3 code, in lower case.
///
/// # Errors
/// `BadRequest` if there are none for it.
pub(crate) fn stop_words(code: &str) -> Result<BTreeSet<&'static str>, SkillError> {
    Lang::from_code(code)
        .and_then(short_code)
        .and_then(stop_words::lookup)
        .map(|words| words.iter().copied().collect())
        .ok_or_else(|| {
            SkillError::bad_request(format!(
                "language: no stop words for `{code}`; it is an ISO 639-3 code such as `eng`"
            ))
        })
}

/// The two-letter code under which the stop words are kept.
fn short_code(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Cat => "ca",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Heb => "he",
        Lang::Hun => "hu",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "no",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Slv => "sl",
        Lang::Spa => "es",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tur => "tr",
        Lang::Uzb => "uz",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Languages found, and stop words for each that claims to have them.

    use super::*;

    #[test]
    fn languages_are_recognised() {
        for (text, code) in [
            ("The quick brown fox jumps over the lazy dog and runs away from it", "eng"),
            ("Der schnelle braune Fuchs springt über den faulen Hund und läuft davon", "deu"),
            ("Съешь же ещё этих мягких французских булок да выпей чаю", "rus"),
        ] {
            assert_eq!(detect(text).unwrap().code, code);
        }
        assert_eq!(detect("12345 !!"), None);
    }

    #[test]
    fn every_short_code_has_stop_words() {
        for &language in Lang::all() {
            if short_code(language).is_some() {
                assert!(stop_words(language.code()).unwrap().len() > 20, "{language}");
            }
        }
        assert!(stop_words("eng").unwrap().contains("the"));
        assert!(stop_words("tlh").is_err() && stop_words("").is_err());
    }
}
