//! End to end: the real programs as child processes, through HTTP, JSON-RPC and the `clawos` command.
//!
//! | module | story |
//! | --- | --- |
//! | `flow` | publish, buy, call, settle, verify; every amount to the base unit, on both databases |
//! | `restarts` | server and chain stopped in the middle of every step |
//! | `kills` | the server killed during calls and during settlement, PostgreSQL during calls |
//! | `killed_database` | PostgreSQL killed at a statement of a publish and of a settlement |
//! | `failpoints` | the server ended at every named point of publish, call and settlement |
//! | `kinds` | each way to sell: subscription, tiers, megafuel, usage in SOL |
//! | `paying` | who has paid is served at once, after whatever refusal |
//! | `exit` | a licence closed: rent and credit come back |
//! | `pause` | usage and sales paused on chain, and resumed |
//! | `limits` | 64 calls at once on a licence with 10 units left |
//! | `prices` | a price that changes between quote and purchase |
//! | `costs` | rent and fees told beforehand, licences, renewals, transfers, the end of a session |
//! | `tampering` | changed receipts, proofs, books, compiled code and accounts |
//! | `bad_input` | each kind of bad input with the answer it gets |
//! | `builds` | projects of the same names and other code, in the build cache that all share |
//! | `gauges` | what a monitor reads, beside chain and books |
//! | `examples` | the examples of the SDK's skills, and what an author is told of one that fails |
//! | `sessions` | who is signed in and until when, and the end of it here and at the server |
//! | `versions` | the versions of a skill, shown one by one |
//! | `new_projects` | a second project compiles only itself, and a clone finds its SDK |
//! | `readme` | the commands of the README's tour |
//! | `demo` | `make demo`, killed in the middle and started again |
//!
//! `world` is what they play in, `books` is the audit that has to come out even in all of them.

mod bad_input;
mod books;
mod builds;
mod costs;
mod demo;
mod examples;
mod exit;
mod failpoints;
mod flow;
mod gauges;
mod killed_database;
mod kills;
mod kinds;
mod limits;
mod new_projects;
mod pause;
mod paying;
mod prices;
mod readme;
mod restarts;
mod sessions;
mod tampering;
mod versions;
mod world;
