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

/// Value of `Content-Disposition` for a file of this name (RFC 6266 section 4.3 with the coding of RFC 8187): to be
/// saved, never shown as what it claims to be, because it may be a page with scripts.
#[must_use]
pub fn content_disposition(name: &str) -> String {
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename*=UTF-8''{encoded}")
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

/// What a product's stylesheet makes of the Vorgang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// XML, as the stylesheet writes it.
    Xml,
    /// The stylesheet writes the map vocabulary of XPath 3.1, which becomes JSON.
    Json,
    /// As the stylesheet writes it, `xsl:output method="text"`.
    Text,
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
