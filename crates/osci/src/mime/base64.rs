//! Base64 as a transfer encoding, decoded as it comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MimeError;

/// Octets decoded in one go.
const STRIDE: usize = 32 * 1024;

/// A decoder; line ends are ignored, everything else must be canonical Base64: two encodings of the same octets
/// would let a message change under its digest unnoticed by whoever compares encodings.
#[derive(Debug, Default)]
pub(super) struct Base64Decoder {
    /// Characters without line ends; whole groups of four are decoded at the end of a call.
    text: Vec<u8>,
    octets: Vec<u8>,
    /// Padding was seen.
    complete: bool,
}

impl Base64Decoder {
    /// Decodes a piece; the result borrows the decoder's buffer. Takes at most a stride, advancing `input`.
    pub(super) fn decode(&mut self, input: &mut &[u8]) -> Result<&[u8], MimeError> {
        let (piece, rest) = input.split_at(input.len().min(STRIDE));
        *input = rest;
        let mut start = 0;
        for end in memchr::memchr2_iter(b'\r', b'\n', piece).chain([piece.len()]) {
            self.text.extend_from_slice(&piece[start..end]);
            start = end + 1;
        }
        if self.complete && !self.text.is_empty() {
            return Err(MALFORMED);
        }
        let groups = self.text.len() / 4 * 4;
        self.octets.clear();
        STANDARD.decode_vec(&self.text[..groups], &mut self.octets).map_err(|_| MALFORMED)?;
        self.complete = self.complete || self.text[..groups].ends_with(b"=");
        self.text.drain(..groups);
        Ok(&self.octets)
    }

    /// The part ended.
    pub(super) fn finish(self) -> Result<(), MimeError> {
        if self.text.is_empty() { Ok(()) } else { Err(MALFORMED) }
    }
}

const MALFORMED: MimeError = MimeError::Malformed("a part announced as Base64 is not canonical Base64");
