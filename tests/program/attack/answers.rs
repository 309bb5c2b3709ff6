//! The errors with which forgeries are refused, against `forgeries.txt`. `UPDATE_EXPECTED=1` writes it anew; read what changed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::harness::Refusal;

/// Where the list is.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/program/attack/forgeries.txt");

/// The forgeries of one instruction by what was forged and how it was refused.
#[derive(Default)]
pub struct Answers(BTreeMap<(String, String), Vec<String>>);

impl Answers {
    /// Notes a refusal.
    pub fn add(&mut self, what: &str, forgery: &str, refusal: &Refusal) {
        let refusal = match refusal {
            Refusal::Program(error) => format!("{error:?}"),
            Refusal::Instruction(error) => format!("{error:?}"),
            Refusal::Transaction(error) => format!("{error:?}"),
        };
        self.0.entry((what.to_owned(), refusal)).or_default().push(forgery.to_owned());
    }

    /// Compares with what is listed under `title`.
    pub fn check(&self, title: &str) {
        // One file, and tests in parallel.
        static FILE: Mutex<()> = Mutex::new(());
        let _held = FILE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = read();
        let found =
            self.0.iter().map(|((what, refusal), forgeries)| format!("{what}: {refusal}: {}", forgeries.join(", ")));
        let found = found.collect::<Vec<_>>().join("\n");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            listed.insert(title.to_owned(), found);
            write(&listed);
        } else {
            let expected = listed.get(title).map_or("", String::as_str);
            assert_eq!(found, expected, "{title}: forgeries are refused otherwise than {PATH} lists");
        }
    }
}

fn read() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(PATH).unwrap_or_default();
    let sections = text.split("\n\n").filter_map(|section| section.trim().split_once('\n'));
    sections.map(|(title, lines)| (title.trim_matches(['[', ']']).to_owned(), lines.to_owned())).collect()
}

fn write(listed: &BTreeMap<String, String>) {
    let sections = listed.iter().map(|(title, lines)| format!("[{title}]\n{lines}\n"));
    std::fs::write(PATH, sections.collect::<Vec<_>>().join("\n")).expect("the list can be written");
}
