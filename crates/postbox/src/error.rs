//! What can go wrong with the postbox.

use dds_osci::intermediary::StoreFailed;

/// The postbox cannot do what was asked. `DDS-O012` for the operator, feedback 9811 or fault 9000 for the partner.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the OSCI postbox cannot be used: {0}")]
pub struct PostboxError(pub String);

impl From<rusqlite::Error> for PostboxError {
    fn from(error: rusqlite::Error) -> Self {
        // SQLite names tables and columns, never values.
        Self(error.to_string())
    }
}

impl From<dds_store::StoreError> for PostboxError {
    fn from(error: dds_store::StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<postcard::Error> for PostboxError {
    fn from(error: postcard::Error) -> Self {
        Self(format!("a record cannot be read or written: {error}"))
    }
}

impl From<PostboxError> for StoreFailed {
    fn from(error: PostboxError) -> Self {
        Self(error.0)
    }
}

impl From<StoreFailed> for PostboxError {
    fn from(failed: StoreFailed) -> Self {
        Self(failed.0)
    }
}
