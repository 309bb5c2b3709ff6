//! A child process that serves until it is stopped: started, awaited by its first line, and never left behind.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Stop;

/// How long a service may take to become ready, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of its log that a failed test shows.
const LAST_LINES: usize = 25;

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Service {
    child: Child,
    log: PathBuf,
    /// The line it printed when it was ready.
    pub ready: String,
}

impl Service {
    /// Starts `command`, with its log appended to `log`, and waits for its line.
    ///
    /// Errors with its last words when it ends instead.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Service, String> {
        let file = File::options().create(true).append(true).open(log).expect("the test's folder can be written");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = child.stdout.take().expect("stdout is a pipe");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut service = Service { child, log: log.to_owned(), ready: String::new() };
        match receiver.recv_timeout(PATIENCE) {
            Ok(line) => {
                service.ready = line;
                Ok(service)
            }
            Err(error) => {
                service.stop(Stop::Kill);
                Err(format!("{error}\n{}", service.last_words()))
            }
        }
    }

    /// Kills it without waiting.
    pub(super) fn kill_now(&self) {
        // One that has ended already is as good.
        let _ = kill_process(Pid::from_child(&self.child), Signal::KILL);
    }

    /// Stops it and waits until it is gone.
    pub(super) fn stop(&mut self, how: Stop) -> ExitStatus {
        let signal = match how {
            Stop::Term => Signal::TERM,
            Stop::Kill => Signal::KILL,
        };
        // One that has ended already is as good.
        let _ = kill_process(Pid::from_child(&self.child), signal);
        self.wait()
    }

    /// Waits until it has ended.
    pub(super) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end:\n{}", self.last_words());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}\n---", self.log.display(), self.last_words());
        }
    }
}
