//! Finds a compiler that can build for WebAssembly: rustup's with the target installed, else Debian's, which
//! compiles the standard library from source and so needs nothing that is not in a package.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::BuildError;

/// The target without a system interface: its components import nothing but what the skill uses.
const PURE: &str = "wasm32-unknown-unknown";

/// The usual target for components. Its standard library imports parts of WASI, so it comes second.
const WASI: &str = "wasm32-wasip2";

/// Where Debian's packages `rustc-web`, `cargo-web` and `rust-web-src` install their files.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SYSROOT: &str = "/usr";

/// A way to compile a guest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compiler {
    /// The project's own compiler (rustup's, honouring `rust-toolchain.toml`), for an installed target.
    Installed { target: &'static str },
    /// Debian's compiler with `-Zbuild-std`.
    Debian {
        /// What links: `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
}

impl Compiler {
    /// The first way that works for the project in `folder`.
    ///
    /// # Errors
    /// [`BuildError::NoCompiler`] or [`BuildError::NoLinker`].
    pub(super) fn find(folder: &Path) -> Result<Self, BuildError> {
        for target in [PURE, WASI] {
            let libraries = print(folder, "rustc", &["--print", "target-libdir", "--target", target]);
            if libraries.is_some_and(|libraries| Path::new(&libraries).is_dir()) {
                return Ok(Self::Installed { target });
            }
        }
        let source = Path::new(DEBIAN_SYSROOT).join("lib/rustlib/src/rust/library/std");
        let complete = [Path::new(DEBIAN_RUSTC), Path::new(DEBIAN_CARGO), &source].iter().all(|path| path.exists());
        if !complete {
            return Err(BuildError::NoCompiler);
        }
        let linker = linker(folder).ok_or(BuildError::NoLinker)?;
        Ok(Self::Debian { linker })
    }

    pub(super) fn target(&self) -> &'static str {
        match self {
            Self::Installed { target } => target,
            Self::Debian { .. } => PURE,
        }
    }

    /// For a progress line.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Installed { target } => format!("rustc for {target}"),
            Self::Debian { .. } => format!("{DEBIAN_RUSTC} for {PURE}, with the standard library from source"),
        }
    }

    /// What this compiler says of itself: its version, commit and host.
    ///
    /// # Errors
    /// [`BuildError::NoCompiler`] when it says nothing.
    pub(super) fn version(&self, folder: &Path) -> Result<String, BuildError> {
        let rustc = match self {
            Self::Installed { .. } => "rustc",
            Self::Debian { .. } => DEBIAN_RUSTC,
        };
        print(folder, rustc, &["--version", "--verbose"]).ok_or(BuildError::NoCompiler)
    }

    /// Cargo, with this compiler behind it.
    pub(super) fn cargo(&self) -> Command {
        match self {
            Self::Installed { .. } => Command::new("cargo"),
            Self::Debian { .. } => {
                let mut cargo = Command::new(DEBIAN_CARGO);
                cargo
                    .env("RUSTC", DEBIAN_RUSTC)
                    // `-Zbuild-std` is not stable yet; this makes a release compiler accept it.
                    .env("RUSTC_BOOTSTRAP", "1")
                    // Under `cargo run` these lead to rustup's compiler.
                    .env_remove("LD_LIBRARY_PATH")
                    .env_remove("RUSTC_WRAPPER");
                cargo
            }
        }
    }

    /// Arguments of `cargo build` beside the usual ones.
    pub(super) fn arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Installed { .. } => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }

    pub(super) fn flags(&self) -> Vec<String> {
        match self {
            Self::Installed { .. } => Vec::new(),
            Self::Debian { linker } => vec![format!("-Clinker={}", linker.display())],
        }
    }
}

/// What a build in `folder` would use, in words.
///
/// # Errors
/// [`BuildError`], with what to install.
pub fn available(folder: &Path) -> Result<String, BuildError> {
    let compiler = Compiler::find(folder)?;
    let mut cargo = compiler.cargo();
    let started = cargo.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match started {
        Ok(_) => Ok(compiler.description()),
        Err(source) => Err(BuildError::Start { program: cargo.get_program().into(), source }),
    }
}

/// `rust-lld` of the rustup toolchain or of Debian's, else `wasm-ld`. Debian's `rustc-web` brings none itself.
fn linker(folder: &Path) -> Option<PathBuf> {
    let host = print(folder, DEBIAN_RUSTC, &["--print", "host-tuple"])?;
    let rustup = print(folder, "rustc", &["--print", "sysroot"]);
    rustup
        .iter()
        .map(String::as_str)
        .chain([DEBIAN_SYSROOT])
        .map(|sysroot| Path::new(sysroot).join("lib/rustlib").join(&host).join("bin/rust-lld"))
        .find(|lld| lld.is_file())
        .or_else(|| print(folder, "wasm-ld", &["--version"]).map(|_| PathBuf::from("wasm-ld")))
}

/// What a program prints, if it can be started and succeeds.
fn print(folder: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    //! The choice depends on the machine; what follows from it does not.

    use super::*;

    #[test]
    fn debians_compiler_builds_the_standard_library_for_the_pure_target() {
        let compiler = Compiler::Debian { linker: PathBuf::from("/opt/rust-lld") };
        assert_eq!(compiler.target(), "wasm32-unknown-unknown");
        assert_eq!(compiler.arguments(), ["-Zbuild-std=std,panic_abort"]);
        assert_eq!(compiler.flags(), ["-Clinker=/opt/rust-lld"]);
        assert_eq!(compiler.cargo().get_program(), "/usr/bin/cargo");
    }

    #[test]
    fn an_installed_target_needs_nothing_special() {
        let compiler = Compiler::Installed { target: WASI };
        assert_eq!(compiler.cargo().get_program(), "cargo");
        assert!(compiler.arguments().is_empty() && compiler.flags().is_empty());
    }

    #[test]
    fn a_program_that_is_not_there_or_fails_prints_nothing() {
        assert_eq!(print(Path::new("/"), "clawos-no-such-program", &[]), None);
        assert_eq!(print(Path::new("/"), "false", &[]), None);
    }
}
