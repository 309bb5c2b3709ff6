//! Plain English: words that a reader would have to guess, in names, docs, comments and messages of Rust files.

use crate::fail_with;
use crate::repository::SOURCES;

/// The word, in lower case and with `_` between its parts, and what to say. A word of one part is also found with an
/// ending (`mends`, `wished`); one of several parts only inside a name (`let_go`, `LET_GO`, `LetGo`).
const RIDDLES: &[(&str, &str)] = &[
    ("endure", "log and skip"),
    ("dissolve", "void"),
    ("let_go", "release"),
    ("breath", "a pause, as in ACCEPT_BACKOFF"),
    ("come_back", "retry after"),
    ("mend", "fix"),
    ("fate", "transaction status"),
    ("scene", "purchase context"),
    ("wish", "request"),
];

/// The file with the table.
const THIS_FILE: &str = "tests/tidy/words.rs";

#[test]
fn names_and_texts_are_plain_english() {
    let mut bad = Vec::new();
    for source in SOURCES.iter().filter(|source| source.path != THIS_FILE) {
        for (number, line) in source.text.lines().enumerate() {
            for (riddle, plain) in riddles_in(line) {
                bad.push(format!("{}:{}: `{riddle}`: say {plain}", source.path, number + 1));
            }
        }
    }
    fail_with(bad);
}

#[test]
fn riddles_are_found_in_names_and_texts() {
    let found = |line| riddles_in(line).map(|(riddle, _)| *riddle).collect::<Vec<_>>();
    assert_eq!(found("const COME_BACK: u8; fn let_go_of(x: SceneKind) {}"), ["let_go", "come_back", "scene"]);
    assert_eq!(
        found("/// Mends what was dissolved; breath, enduring wishes."),
        ["endure", "dissolve", "breath", "mend", "wish"]
    );
    assert!(found("/// Recommended: let go and come back; amend the fat module.").is_empty());
}

/// The rows of the table that `line` breaks, each once.
fn riddles_in(line: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let names: Vec<Vec<String>> =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()).map(parts).collect();
    RIDDLES.iter().filter(move |(riddle, _)| {
        let riddle: Vec<&str> = riddle.split('_').collect();
        names.iter().any(|name| match riddle[..] {
            [word] => name.iter().any(|part| is_form(part, word)),
            _ => name.windows(riddle.len()).any(|part| part == riddle),
        })
    })
}

/// The words of a name, in lower case: `SomeName`, `some_name` and `SOME_NAME` alike.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c != '_' {
            parts.last_mut().expect("never empty").extend(c.to_lowercase());
        }
    }
    parts
}

/// Whether `part` is `word` or ends as a verb or a plural of it does.
fn is_form(part: &str, word: &str) -> bool {
    let ended = part.strip_prefix(word).is_some_and(|end| matches!(end, "" | "s" | "es" | "d" | "ed" | "ing"));
    ended || word.strip_suffix('e').is_some_and(|stem| part.strip_prefix(stem) == Some("ing"))
}
