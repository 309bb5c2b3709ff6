//! The SDKs and templates that the command carries, as `build.rs` found them.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
