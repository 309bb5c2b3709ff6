//! The errors of a build; each message says what to do.

use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder is not a Rust project.
    #[error("{0} has no Cargo.toml: run this in a skill's folder, or create one with `clawos new`")]
    NotAProject(PathBuf),
    /// No compiler here can target WebAssembly.
    #[error(
        "no Rust compiler here can build for WebAssembly: run `rustup target add wasm32-unknown-unknown`, or on Debian \
         `apt-get install rustc-web cargo-web rust-web-src`"
    )]
    NoCompiler,
    /// Debian's compiler is here, but nothing that links WebAssembly.
    #[error("no linker for WebAssembly: `apt-get install lld`, or install Rust with rustup, which brings rust-lld")]
    NoLinker,
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program as it was called.
        program: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// `cargo metadata` failed.
    #[error("cargo cannot read the project: {0}")]
    Project(String),
    /// The code does not compile; all of cargo's messages were passed on as progress.
    #[error("the skill does not compile ({status}); see cargo's messages")]
    Compile {
        /// Cargo's exit status.
        status: ExitStatus,
        /// The last few KiB of cargo's messages.
        said: String,
    },
    /// The project builds no WebAssembly module.
    #[error("the project builds no module: Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]")]
    NoModule,
    /// A file that cargo wrote cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file that cargo wrote.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of the build cache cannot be read or written.
    #[error("the build cache: {path}: {source}; CLAWOS_CACHE names another folder")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The build cache was to be emptied during a build.
    #[error("a skill is being built: try again when that has ended")]
    CacheInUse,
    /// The module is not a component and cannot be converted to one.
    #[error("the module cannot be converted to a component: {0}")]
    Component(String),
    /// The component does not export what a skill must.
    #[error("the component does not export `run`: put #[clawos_skill::skill] on an impl block of the library")]
    NotASkill,
}
