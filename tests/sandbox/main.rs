//! The sandbox against hostile skills: each guarantee of the runtime once kept and once attacked.

mod abi;
mod cache;
mod derived;
mod gate;
mod host;
mod isolation;
mod limits;
mod wasi;
