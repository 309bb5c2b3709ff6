//! Each way in which a skill can be sold, from the price in its manifest to the balances on chain. The whole job (`flow`)
//! has the other two: paid once in SOL, and per call in USDC.

mod megafuel;
mod sol_usage;
mod subscription;
mod tiers;
