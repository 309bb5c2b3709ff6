//! Prints the IDL of an Anchor program: `program-idl CRATE_DIR`. What `anchor idl build` does, without Anchor's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: program-idl CRATE_DIR");
        return ExitCode::FAILURE;
    };
    let idl = anchor_lang_idl::build::IdlBuilder::new().program_path(path.into()).build();
    match idl.map(|idl| serde_json::to_string_pretty(&idl)) {
        Ok(Ok(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("the IDL is not JSON: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("building the IDL failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
