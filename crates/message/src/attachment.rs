//! What travels with a message.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Anlage: described here, its bytes lie in the blob store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name as sent, without any path.
    pub name: String,
    /// Media type (RFC 6838), such as `application/pdf`.
    pub media_type: String,
    /// Length in bytes before compression and encryption.
    pub size: u64,
    /// Digest of the bytes as sent.
    pub digest: Digest,
}

/// Form of the main document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// XML 1.0 in UTF-8.
    Xml,
    /// JSON (RFC 8259), read as XML by `dds_xml::json`.
    Json,
}

impl Format {
    /// Media type of the form.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Json => "application/json",
        }
    }

    /// Name in journal and interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Json => "json",
        }
    }
}
