//! The `clawos` command. Everything is in the library, so that tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    clawos_cli::main()
}
