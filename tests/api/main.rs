//! The server's HTTP API, on both databases, through a real socket.

mod audit;
mod caps;
mod enrolment;
mod execute;
mod failures;
mod fraud;
mod http;
mod idempotency;
mod key_caps;
mod keys;
mod licences;
mod openapi;
mod operations;
mod outages;
mod own_calls;
mod publish;
mod publish_together;
mod refusals;
mod sessions;
mod settings;
mod settlement;
mod skills;
mod start;
mod storing;
mod tampered;
