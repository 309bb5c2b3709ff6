//! Handles: an agent's unique, immutable name, and the first half of its skills' ids.

use clawos_base::Problems;
use clawos_manifest::names;

/// Names nobody may have: they would read as the platform, or as a path of this API.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "api",
    "auth",
    "claw",
    "clawos",
    "help",
    "me",
    "moderator",
    "official",
    "owner",
    "root",
    "security",
    "server",
    "staff",
    "support",
    "system",
    "validator",
];

/// Reports what is wrong with a handle.
pub(crate) fn check(pointer: &str, handle: &str, problems: &mut Problems) {
    if !names::is_handle(handle) {
        problems.add(
            pointer,
            "must be 3 to 32 lower-case letters, digits and inner hyphens, beginning with a letter (such as `word-smith`)",
        );
    } else if RESERVED.contains(&handle) {
        problems.add(pointer, "is reserved; choose another name");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        let ok = |handle: &str| {
            let mut problems = Problems::default();
            check("/name", handle, &mut problems);
            problems.into_result().is_ok()
        };
        for good in ["acme", "a1b", "word-smith", "x".repeat(32).as_str()] {
            assert!(ok(good), "{good}");
        }
        for bad in ["", "ab", "Acme", "1st", "-acme", "acme-", "a.b", "аcme", "clawos", &"x".repeat(33), "a b c"] {
            assert!(!ok(bad), "{bad}");
        }
    }
}
