//! What can go wrong with the postbox.

use dds_message::{Code, Problem};
use dds_osci::{
    feedback::{FeedbackCode, Refused},
    intermediary::StoreFailed,
};
use dds_store::StoreError;

/// The postbox (Postfachspeicher) cannot do what was asked; nothing was done. `DDS-O012` for the operator, feedback
/// 9811 or fault 9000 for the partner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostboxError {
    /// Folder, file or disk cannot be used now.
    #[error("not available: {0}")]
    Unavailable(String),
    /// A newer version wrote the file; the form of its tables.
    #[error("written by a newer version (form {0})")]
    Newer(i64),
    /// The key of this store does not open it.
    #[error("it was made beside another store; bring both back from one backup")]
    OtherStore,
    /// What is stored is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The step ended unexpectedly, or the thread that does them. Nothing of the step stays.
    #[error("the step ended unexpectedly; nothing of it stays")]
    Lost,
    /// What the protocol, a key or a part that is cut short said, in its words.
    #[error("{0}")]
    Failed(String),
}

impl PostboxError {
    /// The same in German.
    #[must_use]
    pub fn german(&self) -> String {
        match self {
            Self::Unavailable(why) => format!("nicht verfügbar (Meldung: „{why}“)"),
            Self::Newer(form) => format!("von einer neueren Version geschrieben (Form {form})"),
            Self::OtherStore => {
                "gehört zu einer anderen Ablage; beide aus einer Sicherung wiederherstellen".to_owned()
            }
            Self::Damaged(why) => format!("beschädigt (Meldung: „{why}“)"),
            Self::Lost => "der Schritt endete unerwartet; nichts von ihm bleibt".to_owned(),
            Self::Failed(why) => format!("Meldung: „{why}“"),
        }
    }
}

impl From<PostboxError> for Problem {
    fn from(error: PostboxError) -> Self {
        let text = (format!("OSCI-Postfachspeicher: {}", error.german()), format!("OSCI postbox: {error}"));
        Self::new(Code::OSCI_POSTBOX, text)
    }
}

impl From<rusqlite::Error> for PostboxError {
    fn from(error: rusqlite::Error) -> Self {
        // SQLite names tables and columns, never values.
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(text)
            }
            _ => Self::Unavailable(text),
        }
    }
}

impl From<StoreError> for PostboxError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(why) => Self::Damaged(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<postcard::Error> for PostboxError {
    fn from(error: postcard::Error) -> Self {
        Self::Damaged(format!("a record cannot be read: {error}"))
    }
}

/// A task that was to work on the postbox ended by panic or at shutdown.
impl From<tokio::task::JoinError> for PostboxError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Lost
    }
}

impl From<Refused> for PostboxError {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.detail)
    }
}

/// The partner learns only that we cannot work now.
impl From<PostboxError> for Refused {
    fn from(error: PostboxError) -> Self {
        Self::new(FeedbackCode::S9000, error.to_string())
    }
}

impl From<PostboxError> for StoreFailed {
    fn from(error: PostboxError) -> Self {
        Self(error.to_string())
    }
}

impl From<StoreFailed> for PostboxError {
    fn from(failed: StoreFailed) -> Self {
        Self::Failed(failed.0)
    }
}
