//! Base64 text in pieces.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dds_message::{Code, Problem};

/// Letters decoded at once; a multiple of four.
const PIECE: usize = 64 << 10;

/// Decodes `text` (RFC 4648 section 4, white space ignored as in `xsd:base64Binary`) piece by piece, so that only the
/// encoded form ever lies in memory as a whole.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Result<Bytes, Problem>> + Send + '_ {
    let mut letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).peekable();
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || letters.peek().is_none() {
            return None;
        }
        let quads: Vec<u8> = letters.by_ref().take(PIECE).collect();
        let padded_before_end = quads.ends_with(b"=") && letters.peek().is_some();
        let decoded = STANDARD.decode(quads).ok().filter(|_| !padded_before_end);
        failed = decoded.is_none();
        let text = ("kein Base64 (RFC 4648)", "not base64 (RFC 4648)");
        Some(decoded.map(Bytes::from).ok_or_else(|| Problem::new(Code::BAD_REQUEST, text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<Vec<u8>, Problem> {
        Ok(pieces(text).collect::<Result<Vec<_>, _>>()?.concat())
    }

    #[test]
    fn pieces_make_the_whole_wherever_lines_break() {
        let clear: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let encoded = STANDARD.encode(&clear);
        assert_eq!(decode(&encoded), Ok(clear.clone()));
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(77).map(|line| std::str::from_utf8(line).unwrap()).collect();
        assert_eq!(decode(&format!("\n {}\r\n", lines.join("\n\t"))), Ok(clear));
        assert_eq!(decode(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for wrong in
            ["A", "AAA", "A=AA", "AA==AAAA", "ÄÄÄÄ", &format!("{}AAAA", "A".repeat(PIECE - 2) + "==")]
        {
            assert_eq!(decode(wrong).unwrap_err().code, Code::BAD_REQUEST, "{}", wrong.len());
        }
    }
}
