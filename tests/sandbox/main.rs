//! The sandbox against hostile skills: each guarantee of the runtime once kept and once attacked.

mod abi;
mod cache;
mod calls;
mod composed;
mod derived;
mod footprint;
mod gate;
mod host;
mod isolation;
mod kv;
mod kv_server;
mod limits;
mod native;
mod wasi;
