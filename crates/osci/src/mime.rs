//! MIME packaging of a message (facts 6): a streaming reader, tolerant where partners differ and strict where
//! tolerance would let two readers see two messages, and a writer of the frame.
//!
//! The HTTP body begins with the MIME headers; the HTTP header fields say nothing about the parts.

use thiserror::Error;

mod base64;
mod headers;
mod reading;
mod scan;
mod writing;

pub use reading::MimeReader;
pub use writing::{MimeWriter, is_attachment_name};

/// Bounds of a message (facts 17, INTEROP N43).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MimeLimits {
    /// Longest header line including its continuation lines, in bytes.
    pub header_line: usize,
    /// Header lines of the message and of each part.
    pub headers: usize,
    /// Parts including the root part.
    pub parts: usize,
}

impl Default for MimeLimits {
    fn default() -> Self {
        Self { header_line: 16 * 1024, headers: 32, parts: 256 }
    }
}

/// How the octets of a part are encoded for transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferEncoding {
    /// `8bit`, `8-bit` (as the Java library writes it), `7bit`, `binary`: the octets themselves.
    Identity,
    /// `base64`, or `7bit` with the media type `text/base64`: the old form of encrypted data.
    Base64,
}

/// The headers of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHeaders {
    /// Media type, lower case, without parameters.
    pub content_type: String,
    /// Parameters of the media type as written, from the first semicolon on; empty if there are none.
    pub parameters: String,
    /// How the octets are encoded. [`PartSink::data`] gets them decoded.
    pub transfer_encoding: TransferEncoding,
    /// `Content-ID` without `<>`. Always there in the root part; unique in the message.
    pub content_id: Option<String>,
    /// `Content-Length` as announced; a wrong announcement is no error.
    pub length: Option<u64>,
}

/// Takes the parts of a message as they come.
pub trait PartSink {
    /// What can go wrong in the sink.
    type Error;

    /// A part begins; index 0 is the root part.
    ///
    /// # Errors
    /// Whatever the sink refuses; ends the reading.
    fn begin(&mut self, index: usize, headers: &PartHeaders) -> Result<(), Self::Error>;

    /// Octets of the part, transfer encoding undone, in pieces of any length.
    ///
    /// # Errors
    /// Whatever the sink refuses; ends the reading.
    fn data(&mut self, octets: &[u8]) -> Result<(), Self::Error>;

    /// The part is complete.
    ///
    /// # Errors
    /// Whatever the sink refuses; ends the reading.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Why a message is not MIME as OSCI has it (feedback 9100).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MimeError {
    /// Not a MIME message of OSCI.
    #[error("not a MIME message of OSCI: {0}")]
    Malformed(&'static str),
    /// Too large for a limit.
    #[error("the MIME message exceeds a limit: {0}")]
    Limit(&'static str),
}

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReadError<E> {
    /// The message is wrong.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// The sink refused.
    #[error("the parts of the message are refused")]
    Sink(E),
}

#[cfg(test)]
mod tests;
