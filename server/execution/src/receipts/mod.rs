//! What callers read: a receipt with its proof, one's own receipts, the batches of a licence, what the
//! audit log says of it.

mod batches;
mod entries;
mod get;
mod list;
mod proof;
mod store;
