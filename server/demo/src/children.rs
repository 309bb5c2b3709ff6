//! The demo's two child processes, the local chain and the server: started, watched and stopped together.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::show::Show;
use super::{DemoError, system};

/// How long a child may take to become ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a port may stay in use: longer than our services take to end.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// Waits until `port` is free: the services of a demo that was killed may still be ending.
pub(super) fn await_port(port: u16, show: &Show) -> Result<(), DemoError> {
    let started = Instant::now();
    while let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        if started.elapsed() > PORT_PATIENCE {
            let help = "stop what uses it, or choose another with --port and --rpc-port";
            return Err(DemoError::Child(format!("port {port} is not free ({error}): {help}")));
        }
        show.say(&format!("port {port} is in use; waiting for an earlier demo to end"));
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Children in the order of their start; dropped, they are stopped in the reverse order.
#[derive(Default)]
pub(super) struct Children(Vec<Running>);

struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Children {
    /// Starts a program with its log in `logs`, and waits for the one line it prints when it is ready.
    pub(super) fn start(&mut self, name: &'static str, mut command: Command, logs: &Path) -> Result<String, DemoError> {
        let log = logs.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).map_err(system(log.display().to_string()))?;
        // They end with the demo, however it ends, and share its process group.
        command.args(["--exit-with-parent", &std::process::id().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().map_err(system(format!("starting {name}")))?;
        let output = child.stdout.take().expect("stdout is a pipe");
        self.0.push(Running { name, child, log });
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            // The first line is the one we wait for; the rest is drained so that the child never blocks.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        receiver.recv_timeout(PATIENCE).map_err(|_| self.last_words(name))
    }

    /// What a child that did not start has said.
    fn last_words(&mut self, name: &str) -> DemoError {
        let running = self.0.last().expect("one was just started");
        let log = std::fs::read_to_string(&running.log).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(3).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        DemoError::Child(format!(
            "{name} did not start:\n{}\n(the whole log: {})",
            tail.join("\n"),
            running.log.display()
        ))
    }

    /// Waits until a child ends, which is an error: they run until the demo is stopped.
    pub(super) fn watch(&mut self) -> Result<(), DemoError> {
        loop {
            for running in &mut self.0 {
                let ended = running.child.try_wait().map_err(system(running.name))?;
                if let Some(status) = ended {
                    let log = running.log.display();
                    return Err(DemoError::Child(format!("{} ended ({status}); see {log}", running.name)));
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Stops the children in order, and waits for them.
    pub(super) fn stop(&mut self) -> Result<(), DemoError> {
        while let Some(mut running) = self.0.pop() {
            if let Some(pid) = i32::try_from(running.child.id()).ok().and_then(Pid::from_raw) {
                // A child that is gone already is what we want.
                let _ = kill_process(pid, Signal::TERM);
            }
            running.child.wait().map_err(system(running.name))?;
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // The demo is ending with an error of its own, which is the one to show.
        let _ = self.stop();
    }
}
