//! Failures inside the engine, before they become a [`StoreError`].

use rusqlite::ErrorCode;

use crate::StoreError;

/// Result of work on the database.
pub(super) type Outcome<T> = Result<T, Fault>;

/// What a piece of work can fail with.
#[derive(Debug)]
pub(super) enum Fault {
    /// Decided by the engine.
    Store(StoreError),
    /// Met by SQLite.
    Db(rusqlite::Error),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Db(error)
    }
}

impl From<Fault> for StoreError {
    /// For everything but the commit itself: nothing was done.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Db(error) => classify(&error),
        }
    }
}

/// An error of SQLite that left everything as it was.
fn classify(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        Some(ErrorCode::ConstraintViolation) => StoreError::Invalid(text),
        Some(_) => StoreError::Unavailable(text),
        // Not from SQLite but from reading a row: the row is not what the engine writes.
        None => StoreError::Corrupt(text),
    }
}

/// An error of the commit itself. When fsync fails, the pages may or may not have reached the disk, so the fate is
/// open; without room the end mark of the transaction was never written, so nothing happened.
pub(super) fn commit_failed(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::Unknown(error.to_string()),
        _ => classify(error),
    }
}

/// An error of a file operation. A folder or file of the store that is gone is trouble of the store, never a matter of
/// what was asked for: see `Files::reader` for what may be missing.
pub(super) fn io(what: &str, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let text = format!("{what}: {error}");
    match error.kind() {
        StorageFull | QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Unavailable(text),
    }
}

/// A stored value that the engine cannot have written.
pub(super) fn damaged(what: &str) -> Fault {
    Fault::Store(StoreError::Corrupt(format!("{what} in the database is not what the store writes")))
}
