//! A program under load: started, awaited by its first line, its processor time read, and never left behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::{LoadError, doing};

/// Fields of `/proc/PID/stat` after the program's name: user and system time are the 12th and 13th.
const USER_TIME: usize = 11;
/// How long the kernel's unit of processor time is: `USER_HZ` is 100 on every Linux that Rust knows.
const TICK: Duration = Duration::from_millis(10);

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    /// The origin it serves at, from its first line.
    pub(crate) origin: String,
}

/// One of our programs: they lie beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf, LoadError> {
    let own = std::env::current_exe().map_err(doing("this program's own place"))?;
    Ok(own.with_file_name(name))
}

impl Service {
    /// Starts a program with its log in `log`, and waits for its line `… ready: ORIGIN …`.
    pub(crate) fn start(name: &str, arguments: &[&str], log: &Path) -> Result<Self, LoadError> {
        let file = File::create(log).map_err(doing(log.display().to_string()))?;
        let mut command = Command::new(program(name)?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().map_err(doing(name))?;
        let mut line = String::new();
        // The pipe stays open as long as the child: a program that says more later must not find it closed.
        let output = child.stdout.as_mut().expect("standard output is a pipe");
        let read = BufReader::new(output).read_line(&mut line).map_err(doing(name));
        let mut service = Self { child, origin: String::new() };
        read?;
        let origin = line.split_once("ready: ").and_then(|(_, rest)| rest.split_whitespace().next());
        let not_ready = || LoadError::NotReady { program: name.to_owned(), log: log.to_owned() };
        service.origin = origin.ok_or_else(not_ready)?.trim_end_matches('/').to_owned();
        Ok(service)
    }

    /// Processor time of all its threads so far, to 10 ms.
    pub(crate) fn processor_time(&self) -> Result<Duration, LoadError> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(&path).map_err(doing(path.clone()))?;
        // The name before it stands in parentheses and may hold anything.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let ticks: Vec<u32> = fields.split_whitespace().skip(USER_TIME).take(2).flat_map(str::parse).collect();
        match ticks[..] {
            [user, system] => Ok(TICK * (user + system)),
            _ => Err(LoadError::Answer { program: path, said: stat }),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
