//! What one document may contain.

use serde::{Deserialize, Serialize};

/// Grenzen eines Dokuments. A document beyond one of them is refused with [`crate::XmlErrorKind::Limit`]; inbound
/// answers `DDS-I003` for `bytes` and `DDS-I005` for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the whole document. Attachments do not count, they travel beside it.
    pub bytes: usize,
    /// Nesting of elements; the root is at depth 1. libxml2 stops at 256, roxmltree recurses: stay well below.
    pub depth: usize,
    /// Elements in the document.
    pub elements: usize,
    /// Attributes of one element, namespace declarations among them.
    pub attributes: usize,
    /// Bytes of one name as written, prefix included.
    pub name_length: usize,
    /// Bytes of one attribute value as written.
    pub attribute_value: usize,
    /// Bytes of one run of text, CDATA section, comment or processing instruction as written; libxml2 stops at 10 MB.
    pub text: usize,
    /// Entity and character references in the document. They cannot nest, so this bounds time only.
    pub references: usize,
    /// Different namespace bindings in scope at one element; declaring the same again does not count.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 100,
            elements: 500_000,
            attributes: 256,
            name_length: 256,
            attribute_value: 64 << 10,
            text: 8 << 20,
            references: 1_000_000,
            namespaces: 128,
        }
    }
}
