//! The sandbox's compile child on its own, so that the benches need not build the server.

use std::process::ExitCode;

fn main() -> ExitCode {
    clawos_runtime::wasm::compile::child_main()
}
