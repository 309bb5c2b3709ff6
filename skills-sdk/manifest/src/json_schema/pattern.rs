//! Bounds what a pattern costs per byte of text, before it runs.
//!
//! The engine is linear in the text, but not in the pattern: where its automaton would explode, it follows every state
//! of the pattern at every byte. So a pattern is cheap when its whole automaton is small, and else weighs its states.

use regex_automata::dfa::dense;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest pattern, in bytes; longer ones are lists of words, for which there is `enum`.
pub const MAX_BYTES: usize = 1_024;
/// States of one pattern with its repetitions written out. `[a-z]{1,255}` has 765; length is `maxLength`'s business.
pub const MAX_STATES: u64 = 1_000;
/// An automaton of up to this many bytes always fits the engine's memory for it, so it takes one step per byte of text.
const MAX_AUTOMATON_BYTES: usize = 64 << 10;
/// Cost of a state that is followed at each byte (about 20 ns), in steps of an automaton (about 2.5 ns).
const STEPS_PER_STATE: u64 = 8;

/// Steps per byte of text, at most; `None` for a pattern that is too large.
///
/// A pattern that cannot be read counts as its length: the compiler of the schema refuses it, or it is only data.
pub fn steps(pattern: &str) -> Option<u64> {
    if pattern.len() > MAX_BYTES {
        return None;
    }
    let unread = pattern.len() as u64;
    let Ok(pattern) = jsonschema_regex::to_rust_regex(pattern) else { return Some(unread) };
    let Ok(hir) = regex_syntax::parse(&pattern) else { return Some(unread) };
    let states = states(&hir);
    if states > MAX_STATES {
        return None;
    }
    // Large automata are cheap to run but not to make, which their size pays for.
    let automaton = automaton_bytes(&pattern).map(|bytes| 1 + bytes as u64 / 1_024);
    Some(automaton.unwrap_or(states.saturating_mul(STEPS_PER_STATE)))
}

/// The size of the whole automaton, when it is small.
fn automaton_bytes(pattern: &str) -> Option<usize> {
    let limits = dense::Config::new()
        .accelerate(false)
        .determinize_size_limit(Some(MAX_AUTOMATON_BYTES))
        .dfa_size_limit(Some(MAX_AUTOMATON_BYTES));
    dense::Builder::new().configure(limits).build(pattern).ok().map(|automaton| automaton.memory_usage())
}

/// States with the repetitions written out.
fn states(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        // A few ranges make one state; many make a tree, of which few are followed at a time but all must be built.
        HirKind::Class(Class::Unicode(class)) => 2 + class.ranges().len() as u64 / 8,
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Repetition(repetition) => {
            let copies = u64::from(repetition.max.unwrap_or(repetition.min.saturating_add(1)));
            states(&repetition.sub).saturating_add(1).saturating_mul(copies).max(1)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(1, |sum, part| sum.saturating_add(states(part)).saturating_add(1))
        }
    }
}
