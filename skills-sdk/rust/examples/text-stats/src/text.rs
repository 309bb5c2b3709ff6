//! Paragraphs, sentences and words, by the Unicode rules (UAX 29) with what English prose needs on top.

use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations after which a capital letter does not begin a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "St.", "Sr.", "Jr.", "Gen.", "Sen.", "Rep.", "Fig.", "No.", "vs."];

/// The paragraphs: what blank lines separate, each on one line. A line break inside a paragraph is a space.
pub(crate) fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if !line.is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            paragraphs.push(lines.join(" "));
            lines.clear();
        }
    }
    paragraphs.retain(|paragraph| words(paragraph).next().is_some());
    paragraphs
}

/// The sentences of a paragraph that have words.
pub(crate) fn sentences(paragraph: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for piece in paragraph.unicode_sentences() {
        match sentences.last_mut() {
            Some(last) if ends_with_abbreviation(last) || goes_on(piece) => last.push_str(piece),
            _ => sentences.push(piece.to_owned()),
        }
    }
    sentences
}

/// The words, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.unicode_words()
}

/// Characters as a reader counts them.
pub(crate) fn characters(text: &str) -> usize {
    text.graphemes(true).count()
}

fn ends_with_abbreviation(sentence: &str) -> bool {
    let last = sentence.split_whitespace().next_back().unwrap_or_default();
    ABBREVIATIONS.contains(&last.trim_start_matches(['(', '"', '\'']))
}

/// A lower-case letter goes on with the sentence: "Yes!" she said.
fn goes_on(piece: &str) -> bool {
    piece.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    //! Where prose is cut, and where it is not.

    use super::*;

    #[test]
    fn blank_lines_separate_paragraphs_and_line_breaks_do_not() {
        let text = "One line\nand the next.\r\n\r\n  \nAnother.\n\n---\n";
        assert_eq!(paragraphs(text), ["One line and the next.", "Another."]);
        assert!(paragraphs(" \n\t\n").is_empty());
    }

    #[test]
    fn sentences_end_at_full_stops_but_not_in_abbreviations_or_numbers() {
        let text = "Dr. Smith paid $3.50 to Mrs. Jones. Was it enough? \"Yes!\" she said.";
        assert_eq!(sentences(text).len(), 3, "{:?}", sentences(text));
    }

    #[test]
    fn words_and_characters_are_the_readers() {
        assert_eq!(words("Don't stop, e-mail 日本 42!").count(), 7);
        assert_eq!(characters("ne\u{301}e 👩‍👩‍👧"), 5);
    }
}
