//! A manifest that is right, to be made wrong.

/// A complete manifest.
pub(crate) const GOOD: &str = r#"
[skill]
id = "acme.word-count"
version = "1.2.0"
summary = "Counts words"
description = "Counts words, lines and characters."
category = "analysis"
tags = ["text", "count"]
license = "MIT OR Apache-2.0"
repository = "https://git.example/acme/word-count"

[runtime]
kind = "wasm"
artifact = "target/word-count.wasm"

[limits]
fuel = 10_000_000
memory_mib = 16

[permissions]
http = ["api.example.com"]
kv = true
skills = ["acme.other"]

[pricing]
currency = "USDC"
once = "5"
period = { amount = "2.50", every = "monthly" }
usage = { amount = "1", per = "1000-calls" }
tiers = { commercial = 2, enterprise = 10.5 }
free_calls = 3

[[endpoints]]
name = "count"
summary = "Counts"
input = "schemas/in.json"
output = "schemas/out.json"

[[endpoints.examples]]
input = "examples/in.json"
output = "examples/out.json"
"#;
