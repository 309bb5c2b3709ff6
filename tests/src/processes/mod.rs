//! The real programs as child processes: the local chain, the server and the `clawos` command, as a user runs them.

pub mod chain;
pub mod clawos;
pub mod server;
mod service;

pub use chain::{ChainMode, ChainProcess};
pub use clawos::Clawos;
pub use server::ServerProcess;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

/// How a program is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `SIGTERM`: it ends in order.
    Term,
    /// `SIGKILL`: it is gone at once.
    Kill,
}

/// Where ports for programs begin: below those that the kernel gives to outgoing connections, so that a program that was
/// stopped finds its port free again.
const FIRST_PORT: u16 = 20_000;
/// Ports of one test process, so that processes that run side by side seldom try the same.
const PORTS_PER_PROCESS: u16 = 50;
/// How many processes' ranges there are.
const RANGES: u32 = 200;

/// One of our programs, which lie beside the folder of the tests.
///
/// # Panics
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    let programs = test.ancestors().nth(2).expect("…/debug/deps/e2e-…");
    let file = programs.join(name);
    assert!(file.exists(), "{} is not there: run scripts/build first", file.display());
    file
}

/// The one setting of whoever runs the tests that stays: where builds of skills are kept, which every test shares.
const BUILD_CACHE: &str = "CLAWOS_CACHE";

/// A command without the settings of whoever runs the tests.
fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("CLAWOS_") && key != BUILD_CACHE {
            command.env_remove(key);
        }
    }
    // A failed test shows the end of the logs: what matters must not drown in requests.
    command.env("RUST_LOG", "warn").env("NO_COLOR", "1");
    // Tests read what Cargo says of a build.
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_QUIET", "false").env("CARGO_TERM_VERBOSE", "false");
    command
}

/// A port that is free, as is the next one.
///
/// # Panics
/// When none is.
pub fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let range = u16::try_from(std::process::id() % RANGES).expect("it is small");
    for _ in 0..1_000 {
        let step = NEXT.fetch_add(2, Ordering::Relaxed);
        let port = FIRST_PORT + (range * PORTS_PER_PROCESS + step) % 10_000;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 1) {
            return port;
        }
    }
    panic!("no two ports in a row are free");
}
