//! What can go wrong in the store.

use dds_message::{Code, Problem};

/// Failure of the store; says what became of the operation.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Nothing was done; the same call may succeed later. `DDS-S001`.
    #[error("store not available: {0}")]
    Unavailable(String),
    /// The fate of the commit is not known: repeat with the same key. `DDS-S005`.
    #[error("fate of the commit unknown: {0}")]
    Unknown(String),
    /// No room left; nothing was done. `DDS-S002`.
    #[error("store full: {0}")]
    Full(String),
    /// Stored bytes are not what was written. `DDS-S003`.
    #[error("store damaged: {0}")]
    Corrupt(String),
    /// The database is gone while payload files, closed months or confirmed releases are there. `DDS-S003`.
    #[error(
        "the database of the store {0} is gone, but traces of it are there: restore the backup, or begin anew with \"serve --new-store\""
    )]
    Missing(String),
    /// What was given is no master key. `DDS-S004`.
    #[error("master key: {0}")]
    Key(String),
    /// The store stands under another master key. `DDS-S004`.
    #[error("the store {0} stands under another master key")]
    OtherKey(String),
    /// Another process holds the store. `DDS-S007`.
    #[error("store in use: {0}")]
    InUse(String),
    /// No such message, delivery or blob. `DDS-I007`.
    #[error("not found: {0}")]
    NotFound(String),
    /// The same sender key was used for other content. `DDS-I010`.
    #[error("idempotency key used for other content")]
    KeyReused,
    /// The operation does not fit the state it met; nothing was done. `DDS-X001`.
    #[error("invalid operation: {0}")]
    Invalid(String),
}

impl StoreError {
    /// The code with its page.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) => Code::STORE_UNAVAILABLE,
            Self::Unknown(_) => Code::FATE_UNKNOWN,
            Self::Full(_) => Code::STORE_FULL,
            Self::Corrupt(_) | Self::Missing(_) => Code::STORE_CORRUPT,
            Self::Key(_) | Self::OtherKey(_) => Code::KEY_MISSING,
            Self::InUse(_) => Code::STORE_IN_USE,
            Self::NotFound(_) => Code::NOT_FOUND,
            Self::KeyReused => Code::KEY_REUSED,
            Self::Invalid(_) => Code::INTERNAL,
        }
    }

    /// Whether what was to be read is damaged or gone, so that reading it again does not help.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::NotFound(_))
    }
}

impl StoreError {
    /// What became of the operation, in German; what the engine says stands in its own words.
    fn german(&self) -> String {
        match self {
            Self::Unavailable(why) => format!("die Ablage ist nicht verfügbar (Meldung: „{why}“)"),
            Self::Unknown(why) => format!("der Ausgang der Annahme ist ungewiss (Meldung: „{why}“)"),
            Self::Full(why) => format!("die Ablage ist voll (Meldung: „{why}“)"),
            Self::Corrupt(why) => format!("die Ablage ist beschädigt (Meldung: „{why}“)"),
            Self::Missing(folder) => format!(
                "die Datenbank der Ablage {folder} fehlt, obwohl Spuren von ihr da sind: Sicherung einspielen, oder mit „serve --new-store“ neu beginnen"
            ),
            Self::Key(_) => {
                "der Hauptschlüssel hat nicht 64 Hexziffern; „drehscheibe key“ erzeugt einen".to_owned()
            }
            Self::OtherKey(folder) => {
                format!("die Ablage {folder} steht unter einem anderen Hauptschlüssel")
            }
            Self::InUse(_) => "ein anderer Prozess hat die Ablage geöffnet".to_owned(),
            Self::NotFound(what) => format!("nicht gefunden: {what}"),
            Self::KeyReused => "der Idempotenzschlüssel wurde für anderen Inhalt verwendet".to_owned(),
            Self::Invalid(why) => format!("das geht in diesem Zustand nicht (Meldung: „{why}“)"),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), (error.german(), error.to_string()))
    }
}
