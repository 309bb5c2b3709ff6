//! `make demo`: killed in the middle and started again it comes to its end, whatever the environment says, and it touches
//! nothing that is not its own.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use clawos_tests::guests::{self, repository};
use clawos_tests::processes::{free_ports, program};

/// The demo with its data in `data`, on ports of its own, under settings that are somebody else's marketplace's.
fn demo(data: &Path, arguments: &[&str]) -> Command {
    let mut demo = Command::new(program("clawos-server"));
    demo.arg("demo").arg("--data").arg(data).arg("--project").arg(repository()).args(arguments);
    for flag in ["--port", "--rpc-port"] {
        demo.args([flag, &free_ports().to_string()]);
    }
    demo.env("CLAWOS_DATABASE_URL", "sqlite:/nowhere/clawos.db").env("CLAWOS_API_KEY", "claw_sk_of_somebody_else");
    demo
}

/// Reads what a demo prints until it opens the step `mark`.
fn until(mark: &str, lines: &mut Lines<BufReader<ChildStdout>>) {
    let reached = lines.map_while(Result::ok).any(|line| line.starts_with(mark));
    assert!(reached, "the demo ended before {mark}");
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `kill -9`, also of a demo that a failed test leaves behind.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_demo_killed_in_the_middle_goes_on_where_it_was() {
    if !guests::available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let data = folder.path().join("demo");
    let mut first = Killed(demo(&data, &["--exit"]).stdout(Stdio::piped()).spawn().expect("the demo starts"));
    let mut lines = BufReader::new(first.0.stdout.take().expect("stdout is a pipe")).lines();
    until("[4/8]", &mut lines);

    let beside = demo(&data, &["--exit", "--fresh"]).output().expect("the demo starts");
    assert!(!beside.status.success(), "{}", said(&beside));
    assert!(said(&beside).contains("another demo is using"), "{}", said(&beside));
    assert!(data.join("chain/keys/meter.json").exists(), "a running demo keeps its data");

    until("[5/8]", &mut lines);
    drop(first);

    let second = demo(&data, &["--exit"]).output().expect("the demo starts");
    assert!(second.status.success(), "{}", said(&second));
    for evidence in ["is published and registered already", "exactly the billed amount", "✓ fuel", "[8/8]"] {
        assert!(said(&second).contains(evidence), "no {evidence:?} in:\n{}", said(&second));
    }
}

#[test]
fn a_demo_refuses_a_folder_that_holds_something_else() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    std::fs::create_dir(folder.path().join("server")).expect("the test's folder can be written");
    let refused = demo(folder.path(), &["--exit", "--fresh"]).output().expect("the demo starts");
    assert!(!refused.status.success());
    assert!(said(&refused).contains("was not made by a demo"), "{}", said(&refused));
    assert!(folder.path().join("server").exists());
}
