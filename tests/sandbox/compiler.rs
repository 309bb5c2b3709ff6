//! The compile child on its own, so that the sandbox can be tested without building the server.

use std::process::ExitCode;

fn main() -> ExitCode {
    clawos_runtime::wasm::compile::child_main()
}
