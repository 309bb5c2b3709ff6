//! How many syllables an English word has: vowel groups, corrected for what is silent and what is split.

/// The number of syllables, at least 1.
pub(crate) fn count(word: &str) -> usize {
    let word: String = word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let letters: Vec<char> = word.chars().collect();
    let groups =
        letters.iter().enumerate().filter(|&(at, &c)| is_vowel(c) && (at == 0 || !is_vowel(letters[at - 1]))).count();
    let count = groups + splits(&letters) + usize::from(word.ends_with("sm") && groups > 0);
    count.saturating_sub(usize::from(ends_silently(&letters))).max(1)
}

/// Whether Gunning Fog counts the word as complex: three syllables without the common endings.
pub(crate) fn is_complex(word: &str) -> bool {
    let stem = ["es", "ed", "ing"].iter().find_map(|ending| word.strip_suffix(ending));
    count(word) >= 3 && count(stem.unwrap_or(word)) >= 3
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'à'..='æ' | 'è'..='ï' | 'ò'..='ö' | 'ø'..='ý')
}

/// A last `e`, `es` or `ed` that is not heard.
fn ends_silently(letters: &[char]) -> bool {
    match *letters {
        // table, apple: heard.
        [.., before, 'l', 'e'] if !is_vowel(before) => false,
        [.., before, 'e'] => !is_vowel(before) && has_vowel(letters, 1),
        // wanted, faded: heard.
        [.., 't' | 'd', 'e', 'd'] => false,
        [.., before, 'e', 'd'] => !is_vowel(before) && has_vowel(letters, 2),
        // boxes, dishes, pages: heard.
        [.., 's' | 'x' | 'z' | 'c' | 'g' | 'h', 'e', 's'] => false,
        [.., before, 'l', 'e', 's'] if !is_vowel(before) => false,
        [.., before, 'e', 's'] => !is_vowel(before) && has_vowel(letters, 2),
        _ => false,
    }
}

fn has_vowel(letters: &[char], ending: usize) -> bool {
    letters[..letters.len() - ending].iter().any(|&c| is_vowel(c))
}

/// Vowels that stand together but are heard apart: i-o in `radio`, e-a in `idea`, but not i-o in `nation`.
fn splits(letters: &[char]) -> usize {
    letters
        .windows(2)
        .enumerate()
        .filter(|&(at, pair)| {
            let before = at.checked_sub(1).map_or(' ', |at| letters[at]);
            let last = at + 2 == letters.len();
            match (pair[0], pair[1]) {
                ('i', 'a' | 'o' | 'u') => !matches!(before, 't' | 's' | 'c' | 'g' | 'x' | 'l' | 'q'),
                ('e', 'o') => !matches!(before, 'g' | 'p'),
                ('e', 'a') => last && at > 1,
                ('o', 'e') => matches!(letters.get(at + 2), Some('t' | 'm')),
                ('u', 'a') => !matches!(before, 'q' | 'g'),
                ('y', 'i') | ('u', 'i') => letters[at + 1..] == ['i', 'n', 'g'],
                _ => false,
            }
        })
        .count()
}

#[cfg(test)]
mod tests {
    //! Words whose syllables a dictionary knows.

    use super::*;

    #[test]
    fn words_of_every_length() {
        for (word, syllables) in [
            ("the", 1),
            ("rhythm", 1),
            ("make", 1),
            ("tree", 1),
            ("walked", 1),
            ("times", 1),
            ("nth", 1),
            ("one", 1),
            ("table", 2),
            ("wanted", 2),
            ("boxes", 2),
            ("playing", 2),
            ("nation", 2),
            ("people", 2),
            ("café", 2),
            ("radio", 3),
            ("idea", 3),
            ("banana", 3),
            ("poetry", 3),
            ("studying", 3),
            ("video", 3),
            ("information", 4),
            ("readability", 5),
            ("capitalism", 5),
        ] {
            assert_eq!(count(word), syllables, "{word}");
        }
    }

    #[test]
    fn common_endings_do_not_make_a_word_complex() {
        assert!(is_complex("readability") && is_complex("banana"));
        assert!(!is_complex("expanded") && !is_complex("reading") && !is_complex("processes"));
    }

    #[test]
    fn what_is_no_word_has_one_syllable() {
        for text in ["", "42", "日本", "'"] {
            assert_eq!(count(text), 1, "{text:?}");
        }
    }
}
