//! Content digests.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Malformed;

/// SHA-256 of some bytes; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// Computes the [`Digest`] of bytes that come piece by piece, and counts them.
#[derive(Debug, Clone, Default)]
pub struct Digesting {
    hash: Sha256,
    size: u64,
}

impl Digesting {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.size += piece.len() as u64;
    }

    /// The digest of all pieces, and their length in bytes.
    #[must_use]
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.hash.finalize().into()), self.size)
    }
}

impl Digest {
    /// Digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Digest and length of everything that `source` yields; never all of it in memory.
    ///
    /// # Errors
    /// The first error of `source`.
    pub fn of_reader(mut source: impl Read) -> io::Result<(Self, u64)> {
        let (mut digesting, mut piece) = (Digesting::default(), vec![0; 64 << 10]);
        loop {
            match source.read(&mut piece)? {
                0 => return Ok(digesting.finish()),
                length => digesting.update(&piece[..length]),
            }
        }
    }

    /// Reads 64 hex digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("digest", text, ("64 Hexziffern", "64 hex digits"));
        // As `openssl x509 -fingerprint -sha256` prints it.
        let is_paired = text.len() == 95 && text.split(':').all(|pair| pair.len() == 2);
        let plain = if is_paired { Cow::Owned(text.replace(':', "")) } else { Cow::Borrowed(text) };
        let hex = plain.as_bytes();
        if hex.len() != 64 {
            return Err(malformed());
        }
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16).ok_or_else(malformed)?;
            let low = char::from(pair[1]).to_digit(16).ok_or_else(malformed)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(bytes))
    }

    /// The first twelve hex digits: enough for people to compare.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl TryFrom<String> for Digest {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_with_colons_are_read() {
        let digest = Digest::of(b"x");
        let pairs: Vec<_> = digest.0.iter().map(|octet| format!("{octet:02X}")).collect();
        assert_eq!(Digest::parse(&pairs.join(":")).unwrap(), digest);
        assert!(Digest::parse(&pairs[1..].join(":")).is_err());
        assert!(Digest::parse(&pairs.join(":").replacen(':', "0", 1)).is_err());
    }

    #[test]
    fn text_form_reads_back() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.short(), "ba7816bf8f01");
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        assert!(Digest::parse("ba78").is_err());
    }
}
