//! The README's tour: its commands, as they are written there, run in their order against live services.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use clawos_tests::guests::{self, repository};
use clawos_tests::processes::program;

use crate::world::World;

/// What the heading of the tour says.
const TOUR: &str = "five-minute tour";
/// The command line that starts the services; here they run already.
const START: &str = "make demo";
/// What may stand in a tour beside our own commands.
const SHELL: [&str; 3] = ["cd ", "export ", "#"];

/// The lines of the shell blocks of the tour; a backslash at the end joins a line with the next.
fn tour(readme: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut in_tour, mut in_block, mut goes_on) = (false, false, false);
    for line in readme.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block && line.starts_with('#') {
            in_tour = line.to_lowercase().contains(TOUR);
        } else if in_tour && in_block && !line.trim().is_empty() {
            let text = line.trim().trim_end_matches('\\').trim_end();
            match lines.last_mut().filter(|_| goes_on) {
                Some(last) => *last = format!("{last} {text}"),
                None => lines.push(text.to_owned()),
            }
            goes_on = line.trim_end().ends_with('\\');
        }
    }
    lines
}

fn targets(makefile: &str) -> Vec<&str> {
    makefile.lines().filter_map(|line| line.split_once(':')).map(|(target, _)| target).collect()
}

#[test]
fn a_tour_is_read_line_by_line() {
    let readme = "# X\n```\nclawos no\n```\n## Five-minute tour\ntext\n```sh\nmake demo\n\nclawos a \\\n  --b\n```\n## Y\n```\nno\n```\n";
    assert_eq!(tour(readme), ["make demo", "clawos a --b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_tour_works() {
    if !guests::available() {
        return;
    }
    let readme = fs::read_to_string(repository().join("README.md")).expect("the repository has a README");
    let makefile = fs::read_to_string(repository().join("Makefile")).expect("the repository has a Makefile");
    let lines = tour(&readme);
    assert!(lines.iter().filter(|line| line.starts_with("clawos ")).count() >= 5, "the README has a {TOUR}: {lines:?}");
    let mut script = String::from("set -eux\n");
    for line in &lines {
        if let Some(target) = line.strip_prefix("make ") {
            let target = target.split_whitespace().next().expect("a target");
            assert!(targets(&makefile).contains(&target), "`{line}`: the Makefile has no such target");
            assert!(line.starts_with(START), "`{line}` cannot be run here");
            continue;
        }
        let known = line.starts_with("clawos ") || SHELL.iter().any(|start| line.starts_with(start));
        assert!(known, "`{line}` is not run by any test");
        script.push_str(line);
        script.push('\n');
    }
    run(&script);
}

/// Runs the script in a folder that holds what a built clone does, with live services behind the commands.
fn run(script: &str) {
    let world = World::enrolled(crate::world::SETTLE_AT_ONCE);
    for skill in [guests::TEXT_STATS, guests::MARKDOWN_HTML, guests::LOOPS] {
        world.publish(skill);
    }
    let clone = world.path("clone");
    fs::create_dir_all(clone.join("target")).expect("the test's folder can be written");
    let programs = program("clawos").parent().expect("a program is in a folder").to_owned();
    symlink(programs, clone.join("target/debug")).expect("the test's folder can be written");
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(&clone)
        .env("CLAWOS_SERVER", world.server.origin())
        .env("CLAWOS_RPC", world.chain.rpc_url())
        .output()
        .expect("bash can be started");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
}
