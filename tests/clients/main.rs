//! Other people's client libraries against our programs, as their users have them from npm: each folder here is a project
//! with pinned versions, and its tests are run by Node.
//!
//! | folder | library |
//! | --- | --- |
//! | `web3js` | `@solana/web3.js` 1 with `@solana/spl-token` and Anchor's client for the IDL |
//! | `kit` | `@solana/kit` 8 with the programs' generated clients |

mod node;
mod solana;
