//! The classic readability formulas. They were made for English prose of a hundred words or more.

use schemars::JsonSchema;
use serde::Serialize;

use crate::rounded;

/// Readability scores. Grades are years of American schooling.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Readability {
    /// Flesch reading ease: 100 is very easy, 0 very hard.
    pub flesch_reading_ease: f64,
    /// Flesch-Kincaid grade.
    pub flesch_kincaid_grade: f64,
    /// Gunning Fog index, a grade.
    pub gunning_fog: f64,
    /// SMOG grade.
    pub smog: f64,
    /// Automated readability index, a grade.
    pub automated_readability_index: f64,
    /// Coleman-Liau index, a grade.
    pub coleman_liau: f64,
    /// The mean of the five grades, at least 0.
    pub mean_grade: f64,
    /// The reading ease in words.
    pub level: Level,
}

/// How hard a text is, by its Flesch reading ease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// 90 and above.
    VeryEasy,
    /// 80 to 90.
    Easy,
    /// 70 to 80.
    FairlyEasy,
    /// 60 to 70.
    Standard,
    /// 50 to 60.
    FairlyHard,
    /// 30 to 50.
    Hard,
    /// Below 30.
    VeryHard,
}

/// What the formulas are made of. Words and sentences are at least 1.
pub(crate) struct Measures {
    pub(crate) words: f64,
    pub(crate) sentences: f64,
    pub(crate) letters: f64,
    pub(crate) syllables: f64,
    /// Words of three or more syllables.
    pub(crate) polysyllables: f64,
    /// The same without those that only an ending makes long.
    pub(crate) complex_words: f64,
}

impl Measures {
    pub(crate) fn readability(&self) -> Readability {
        let sentence_length = self.words / self.sentences;
        let word_syllables = self.syllables / self.words;
        let word_letters = self.letters / self.words;

        let ease = 206.835 - 1.015 * sentence_length - 84.6 * word_syllables;
        let kincaid = 0.39 * sentence_length + 11.8 * word_syllables - 15.59;
        let fog = 0.4 * (sentence_length + 100.0 * self.complex_words / self.words);
        let smog = 1.043 * (self.polysyllables * 30.0 / self.sentences).sqrt() + 3.1291;
        let automated = 4.71 * word_letters + 0.5 * sentence_length - 21.43;
        let coleman_liau = 5.88 * word_letters - 29.6 / sentence_length - 15.8;
        let mean = (kincaid + fog + smog + automated + coleman_liau) / 5.0;
        Readability {
            flesch_reading_ease: rounded(ease),
            flesch_kincaid_grade: rounded(kincaid),
            gunning_fog: rounded(fog),
            smog: rounded(smog),
            automated_readability_index: rounded(automated),
            coleman_liau: rounded(coleman_liau),
            mean_grade: rounded(mean.max(0.0)),
            level: Level::of(ease),
        }
    }
}

impl Level {
    fn of(ease: f64) -> Self {
        match ease {
            90.0.. => Self::VeryEasy,
            80.0.. => Self::Easy,
            70.0.. => Self::FairlyEasy,
            60.0.. => Self::Standard,
            50.0.. => Self::FairlyHard,
            30.0.. => Self::Hard,
            _ => Self::VeryHard,
        }
    }
}

#[cfg(test)]
mod tests {
    //! The formulas on numbers worked out by hand.

    use super::*;

    #[test]
    fn the_formulas_give_what_paper_gives() {
        let measures = Measures {
            words: 100.0,
            sentences: 5.0,
            letters: 450.0,
            syllables: 150.0,
            polysyllables: 12.0,
            complex_words: 10.0,
        };
        let scores = measures.readability();
        assert_eq!(scores.flesch_reading_ease, 59.64); // 206.835 - 20.3 - 126.9
        assert_eq!(scores.flesch_kincaid_grade, 9.91); // 7.8 + 17.7 - 15.59
        assert_eq!(scores.gunning_fog, 12.0); // 0.4 × (20 + 10)
        assert_eq!(scores.smog, 11.98); // 1.043 × √72 + 3.1291
        assert_eq!(scores.automated_readability_index, 9.77); // 21.195 + 10 - 21.43, rounded
        assert_eq!(scores.coleman_liau, 9.18); // 26.46 - 1.48 - 15.8
        assert_eq!(scores.level, Level::FairlyHard);
    }

    #[test]
    fn levels_cover_every_number() {
        assert_eq!(Level::of(121.0), Level::VeryEasy);
        assert_eq!(Level::of(60.0), Level::Standard);
        assert_eq!(Level::of(29.99), Level::VeryHard);
        assert_eq!(Level::of(-300.0), Level::VeryHard);
    }
}
