//! What a test cannot do on this machine, said where nobody overlooks it.
//!
//! The line goes to standard error past the test runner, which keeps to itself what a passing test prints. `scripts/test`
//! names a file in `CLAWOS_TEST_SKIPS` and shows its lines once more at the end. With `CI=true` nothing may be skipped; what
//! was only [`replaced`] may.

use std::fs::File;
use std::io::Write;

/// Says that `what` is not tested here, and what to do so that it is.
///
/// # Panics
/// With `CI=true`, and when the file named in `CLAWOS_TEST_SKIPS` cannot be written.
pub fn skip(what: &str, remedy: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI skips nothing; {what}: {remedy}");
    say(&format!("SKIPPED: {what}: {remedy}\n"));
}

/// Says that a test had to do something else here, as good in its place, so that CI allows it: what it did not do, and why.
///
/// # Panics
/// When the file named in `CLAWOS_TEST_SKIPS` cannot be written.
pub fn replaced(what: &str, why: &str) {
    say(&format!("REPLACED: {what}: {why}\n"));
}

fn say(line: &str) {
    // Unlike `eprintln!`, which the runner catches. Where there is no standard error the file is left.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("CLAWOS_TEST_SKIPS") {
        let file = File::options().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
