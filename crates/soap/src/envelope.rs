//! Writing an envelope.

use crate::Version;

/// Writes envelopes.
#[derive(Debug)]
pub struct Envelope;

impl Envelope {
    /// An envelope in UTF-8 around ready-made XML: `header_xml` are the header blocks (empty: no `Header` element),
    /// `body_xml` is the content of `Body`. Both must be well-formed and carry their own namespace declarations.
    #[must_use]
    pub fn build(version: Version, header_xml: &[u8], body_xml: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(header_xml.len() + body_xml.len() + 256);
        bytes.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"");
        bytes.extend_from_slice(version.namespace().as_bytes());
        bytes.extend_from_slice(b"\">");
        if !header_xml.is_empty() {
            bytes.extend_from_slice(b"<soap:Header>");
            bytes.extend_from_slice(header_xml);
            bytes.extend_from_slice(b"</soap:Header>");
        }
        bytes.extend_from_slice(b"<soap:Body>");
        bytes.extend_from_slice(body_xml);
        bytes.extend_from_slice(b"</soap:Body></soap:Envelope>\n");
        bytes
    }

    /// A document as it can stand in a body: without byte order mark, XML declaration and white space around it.
    #[must_use]
    pub fn embeddable(document: &[u8]) -> &[u8] {
        let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii();
        let Some(rest) =
            document.strip_prefix(b"<?xml").filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
        else {
            return document;
        };
        match rest.windows(2).position(|pair| pair == b"?>") {
            Some(end) => rest[end + 2..].trim_ascii_start(),
            None => document,
        }
    }
}
