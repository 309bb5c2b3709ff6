//! What can go wrong in a build, each with what to do about it.

use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder is no Rust project.
    #[error("{0} has no Cargo.toml: run this in a skill's folder, or make one with `clawos new`")]
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
    #[error("{program} does not start: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Cargo does not understand the project.
    #[error("cargo cannot read the project: {0}")]
    Project(String),
    /// The code does not compile; all of cargo's messages were passed on as progress.
    #[error("the skill does not compile ({status}), as cargo's messages say")]
    Compile {
        /// How cargo ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// The project builds no WebAssembly module.
    #[error("the project builds no module: Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]")]
    NoModule,
    /// A file that cargo wrote cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The module is no component and cannot be made one.
    #[error("the module cannot be made a component: {0}")]
    Component(String),
    /// The component is no skill.
    #[error("the component does not export `run`: put #[clawos_skill::skill] on an impl block of the library")]
    NotASkill,
}
