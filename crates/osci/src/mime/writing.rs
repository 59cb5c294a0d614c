//! [`MimeWriter`].

use crate::certificate::hex;
use crate::random::Random;

use super::MimeLimits;

/// `Content-ID` of the root part, as the Java library has it.
const ROOT_ID: &str = "osci@message";

/// Whether [`MimeWriter`] can give an attachment this name (`Content-ID` without `<>`), and whoever reads it within the
/// limits finds it under no other: the name is written as it is, in one line, and is not that of the root part.
#[must_use]
pub fn is_attachment_name(name: &str, limits: &MimeLimits) -> bool {
    let illegal = |char: char| char.is_control() || matches!(char, '<' | '>' | ' ');
    !name.is_empty()
        && !name.contains(illegal)
        && name != ROOT_ID
        && "Content-ID: <>".len() + name.len() <= limits.header_line
}

/// Writes the frame of a MIME message in the layout of facts 6; the caller streams the octets of the parts in
/// between: `start`, `root`, octets, then for each attachment `part`, octets, and `close`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MimeWriter {
    boundary: String,
}

impl MimeWriter {
    /// A writer with a fresh boundary: 192 random bits, so that no octets of a part can hold it but by theft. Unlike
    /// the Java library's it is a token of RFC 2045 (hex), which every parser takes unquoted.
    #[must_use]
    pub fn new_boundary(random: &mut dyn Random) -> Self {
        let mut bytes = [0; 24];
        random.fill(&mut bytes);
        Self { boundary: format!("MIME_boundary_{}", hex(&bytes)) }
    }

    /// The boundary, without the hyphens before it.
    #[must_use]
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// The headers of the message. The empty line that ends them belongs to [`root`](Self::root).
    #[must_use]
    pub fn start(&self) -> Vec<u8> {
        let boundary = &self.boundary;
        format!(
            "MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary={boundary}; type=text/xml\r\n"
        )
        .into_bytes()
    }

    /// Head of the root part. The Java library announces its length only in encrypted messages.
    #[must_use]
    pub fn root(&self, length: Option<u64>) -> Vec<u8> {
        self.part("text/xml; charset=UTF-8", "8bit", ROOT_ID, length)
    }

    /// Head of a part; its octets follow in this transfer encoding. Control characters in the arguments are left out,
    /// so that no value can become a header of its own.
    #[must_use]
    pub fn part(
        &self,
        content_type: &str,
        transfer_encoding: &str,
        content_id: &str,
        length: Option<u64>,
    ) -> Vec<u8> {
        let clean = |text: &str| text.chars().filter(|char| !char.is_control()).collect::<String>();
        let mut head = format!(
            "\r\n--{}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\nContent-ID: <{}>\r\n",
            self.boundary,
            clean(content_type),
            clean(transfer_encoding),
            clean(content_id)
        );
        if let Some(length) = length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The closing boundary.
    #[must_use]
    pub fn close(&self) -> Vec<u8> {
        format!("\r\n--{}--\r\n", self.boundary).into_bytes()
    }
}
