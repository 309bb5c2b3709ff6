//! `clawos-server serve` as a child process: its port, folder, database and flags stay when it is stopped, or ends by itself,
//! and is started again.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::service::Service;
use super::{ChainProcess, Stop, command, free_ports};
use crate::app::TestDatabase;

/// More requests a minute than any test sends; they are counted all the same, as answers say.
const MANY: &str = "1000000";

/// The server.
#[derive(Debug)]
pub struct ServerProcess {
    folder: PathBuf,
    /// Of its listener; the next one is that of operations.
    port: u16,
    fixed: Vec<String>,
    /// Flags of `serve` that a test may change before it runs the server again.
    pub flags: Vec<String>,
    /// Environment variables that a test may change before it runs the server again. None at first.
    pub environment: Vec<(String, String)>,
    service: Option<Service>,
}

impl ServerProcess {
    /// A server on `chain` and `database` with its data and log in `folder`.
    pub fn start(folder: &Path, chain: &ChainProcess, database: &TestDatabase, flags: &[&str]) -> ServerProcess {
        std::fs::create_dir_all(folder).expect("the test's folder can be written");
        let meter = chain.key_file("meter").display().to_string();
        let mut fixed = ["--rpc-url", &chain.rpc_url(), "--meter-key", &meter].map(str::to_owned).to_vec();
        if let TestDatabase::Postgres(url) = database {
            fixed.extend(["--database-url".to_owned(), url.clone()]);
        }
        let mut server = ServerProcess {
            folder: folder.to_owned(),
            port: free_ports(),
            fixed,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            environment: Vec::new(),
            service: None,
        };
        server.run();
        server
    }

    /// Runs it, if it does not run.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn run(&mut self) {
        if self.service.is_some() {
            return;
        }
        let started = Service::start(&mut self.command(self.port, &self.folder), &self.folder.with_extension("log"));
        let service = started.unwrap_or_else(|words| panic!("the server does not start: {words}"));
        let here = format!("127.0.0.1:{}", self.port);
        assert!(
            service.ready.starts_with("clawos-server ready: ") && service.ready.contains(&here),
            "{}",
            service.ready
        );
        self.service = Some(service);
    }

    /// Tries to run a second server with the same flags and its data in `folder`; gives its last words when it refuses.
    pub fn second(&self, folder: &Path, flags: &[&str]) -> Result<(), String> {
        let mut command = self.command(free_ports(), folder);
        Service::start(command.args(flags), &folder.with_extension("second.log")).map(drop)
    }

    fn command(&self, port: u16, folder: &Path) -> Command {
        let mut server = command("clawos-server");
        server.arg("serve").arg("--data").arg(folder).args(["--listen", &format!("127.0.0.1:{port}")]);
        server.args(&self.fixed).args(&self.flags);
        server.envs(self.environment.iter().map(|(name, value)| (name, value)));
        server.args(["--operations-listen", &format!("127.0.0.1:{}", port + 1)]);
        // A test's many requests come from one address; and one that hangs must not hold up an orderly end for long.
        server.args(["--rate-per-minute", MANY, "--anonymous-rate-per-minute", MANY, "--shutdown-ms", "15000"]);
        server
    }

    /// Stops it, if it runs.
    pub fn stop(&mut self, how: Stop) {
        if let Some(mut service) = self.service.take() {
            let status = service.stop(how);
            assert!(how == Stop::Kill || status.success(), "the server ended with {status}: {}", service.last_words());
        }
    }

    /// Waits until it has ended by itself; gives its exit status, or the signal that ended it.
    ///
    /// # Panics
    /// When it does not run, or goes on for more than a minute.
    pub fn wait(&mut self) -> ExitStatus {
        self.service.take().expect("it runs").wait()
    }

    /// Kills it without waiting until it is gone, for whoever has requests on their way; [`Self::stop`] waits.
    pub fn kill_now(&self) {
        if let Some(service) = &self.service {
            service.kill_now();
        }
    }

    /// Stops and runs it.
    pub fn restart(&mut self, how: Stop) {
        self.stop(how);
        self.run();
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same of its operations listener.
    pub fn operations(&self) -> String {
        format!("http://127.0.0.1:{}", self.port + 1)
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
