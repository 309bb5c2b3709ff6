//! What every domain of the server stands on. Small, and without rules of its own.
//!
//! | module | owns |
//! | --- | --- |
//! | [`database`] | SQLite and Postgres, migrations, locks, how values stand in columns |
//! | [`clock`] | the time, which tests can move |
//! | [`audit`] | the append-only log of every change of state but a call |
//! | [`vault`], [`server_key`], [`secret_file`] | encryption of stored answers, its key, files that hold a secret |
//! | [`idempotency`] | `Idempotency-Key`: a request is done once and its answer replayed |
//! | [`failpoint`] | points at which a test ends the process |
//! | [`check`], [`page`] | collecting what is wrong with a request, pages of lists |
//! | [`server_id`] | what a server calls itself among those that share its database |
//! | [`request_id`] | the id of the request that a task serves |
//! | [`worker`] | what a background worker is; `server/app` starts, watches and stops them |

pub mod audit;
pub mod check;
pub mod clock;
pub mod database;
pub mod failpoint;
pub mod idempotency;
pub mod page;
pub mod request_id;
pub mod secret_file;
pub mod server_id;
pub mod server_key;
pub mod vault;
pub mod worker;

pub use check::{Invalid, Problems};
pub use clock::{Clock, ShiftedClock, SystemClock};
pub use database::Database;
pub use failpoint::Failpoint;
pub use page::{Cursor, PageError};

/// A cause that is kept for the log and never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
