//! What a failure of the database means: its disk is full, it could not be asked, a value exists already, or nobody can say
//! what became of a transaction.

use sqlx::{Any, Error, Transaction};

/// The database did not answer to a COMMIT.
#[derive(Debug, thiserror::Error)]
#[error("no answer came to COMMIT, so the transaction may have taken place: {0}")]
struct OutcomeUnknown(#[source] Error);

/// Commits a transaction whose outcome its caller is told. When the connection is lost before the database answers, the error
/// is one of [`is_outcome_unknown`], since nothing says then that nothing was done.
///
/// # Errors
/// What the database answers: then nothing was done.
pub async fn commit(tx: Transaction<'_, Any>) -> Result<(), Error> {
    tx.commit()
        .await
        .map_err(|error| if answers(&error) { error } else { Error::AnyDriverError(Box::new(OutcomeUnknown(error))) })
}

/// Whether the error is the database's own word that it has not committed.
fn answers(error: &Error) -> bool {
    // Ending the session it may have committed already; so it may when SQLite could not write (SQLITE_IOERR is 10, and the
    // low byte of its variants).
    let ended = |code: &str| code.starts_with("08") || ["57P01", "57P02"].contains(&code);
    let unwritten = |code: &str| code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 10);
    let code = error.as_database_error().and_then(|error| error.code());
    error.as_database_error().is_some() && !code.is_some_and(|code| ended(&code) || unwritten(&code))
}

/// Whether nobody knows if the transaction took place ([`commit`]).
pub fn is_outcome_unknown(error: &Error) -> bool {
    matches!(error, Error::AnyDriverError(cause) if cause.is::<OutcomeUnknown>())
}

/// Whether the write failed because the disk (or the tablespace) is full.
pub fn is_disk_full(error: &Error) -> bool {
    // SQLITE_FULL is 13; Postgres' disk_full is 53100.
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "13" || code == "53100")
}

/// What Postgres answers when it could not do now what it can do later: too many connections; a server that stops or starts; a
/// lock that was not free in time (`lock_timeout`), a statement that took too long or was cancelled (`statement_timeout`), and a
/// session that it ended because it was idle in a transaction.
const NOT_NOW: &[&str] = &["53300", "57P01", "57P02", "57P03", "55P03", "57014", "25P03"];

/// Whether the database could not be asked now, or was too busy to answer in time, as opposed to having answered with an error.
pub fn is_unavailable(error: &Error) -> bool {
    // A connection that breaks off within a message is a breach of protocol.
    let lost = matches!(
        error,
        Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
    );
    // Of Postgres also the class of broken connections; SQLITE_BUSY is 5.
    let refused = |code: &str| code == "5" || code.starts_with("08") || NOT_NOW.contains(&code);
    lost || error.as_database_error().and_then(|error| error.code()).is_some_and(|code| refused(&code))
}

/// Whether the write failed because a unique value exists already.
pub fn is_unique_violation(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
