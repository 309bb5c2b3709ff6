//! What callers read: a receipt with its proof, one's own receipts, the batches of a licence.

mod batches;
mod get;
mod list;
mod proof;
mod store;
