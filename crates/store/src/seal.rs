//! Encryption of payloads under the key of their message (AES-256-GCM, NIST SP 800-38D).
//!
//! Small payloads are sealed whole. Large ones are a stream of chunks (the STREAM construction of Hoang, Reyhanitabar,
//! Rogaway and Vizár, 2015): the nonce counts the chunks and marks the last one, so a chunk left out, repeated, moved
//! or cut off does not open; the key is derived from the blob's id, so neither does a chunk of another blob.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce};
use uuid::Uuid;

use crate::{
    BlobRef, MessageKey, StoreError,
    vault::{self, NONCE},
};

/// Clear bytes per chunk; every chunk but the last is full.
pub(crate) const CHUNK: usize = 65_536;
/// Bytes that the authentication tag adds to a chunk.
pub(crate) const TAG: usize = 16;
/// First bytes of a blob file: name and version of the form.
pub(crate) const HEADER: [u8; 8] = *b"DDSBLOB\x01";

/// What a payload stored whole is; part of what its encryption is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Main document of a message.
    Document = 1,
    /// Prüfbericht of a message.
    Report = 2,
    /// Output of a delivery.
    Output = 3,
    /// List of the attachments of a message.
    Attachments = 4,
}

fn context(place: Place, owner: Uuid) -> [u8; 17] {
    let mut context = [place as u8; 17];
    context[1..].copy_from_slice(owner.as_bytes());
    context
}

/// Encrypts `clear` for this place of the message or delivery `owner`.
pub(crate) fn seal(key: &MessageKey, place: Place, owner: Uuid, clear: &[u8]) -> Result<Vec<u8>, StoreError> {
    vault::seal(&key.derive(&[b"dds inline 1"])?, &context(place, owner), clear)
}

/// Decrypts what [`seal`] made; [`StoreError::Corrupt`] if it was made for another place or changed.
pub(crate) fn open(
    key: &MessageKey,
    place: Place,
    owner: Uuid,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    vault::open(&key.derive(&[b"dds inline 1"])?, &context(place, owner), sealed)
        .ok_or_else(|| StoreError::Corrupt(format!("{place:?} of {owner} does not decrypt")))
}

/// Encrypts and decrypts the chunks of one blob in order.
pub(crate) struct ChunkCipher {
    key: LessSafeKey,
    blob: Uuid,
    next: u64,
}

impl ChunkCipher {
    pub(crate) fn new(key: &MessageKey, blob: &BlobRef) -> Result<Self, StoreError> {
        let key = key.derive(&[b"dds blob 1", &HEADER, blob.0.as_bytes()])?;
        Ok(Self { key, blob: blob.0, next: 0 })
    }

    /// Encrypts the next chunk in place and appends its tag.
    pub(crate) fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), StoreError> {
        let (nonce, aad) = (self.nonce(last), Aad::from(*self.blob.as_bytes()));
        self.key
            .seal_in_place_append_tag(nonce, aad, chunk)
            .map_err(|_| StoreError::Unavailable("cryptographic library failed".into()))
    }

    /// Decrypts the next chunk in place and cuts off its tag.
    pub(crate) fn open(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), StoreError> {
        let number = self.next;
        let (nonce, aad) = (self.nonce(last), Aad::from(*self.blob.as_bytes()));
        let length = self.key.open_in_place(nonce, aad, chunk).map(|clear| clear.len()).map_err(|_| {
            StoreError::Corrupt(format!("chunk {number} of payload {} does not decrypt", self.blob))
        })?;
        chunk.truncate(length);
        Ok(())
    }

    /// 3 zero bytes, 8 bytes chunk number (big endian), 1 byte mark of the last chunk.
    fn nonce(&mut self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(last);
        self.next += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

// The file form is fixed for good; a library that tagged otherwise must not compile.
const _: () = assert!(TAG == 16);

/// Length of the clear bytes in a blob file of `file` bytes, or `None` if no blob file has this length.
pub(crate) fn clear_length(file: u64) -> Option<u64> {
    let sealed = file.checked_sub(HEADER.len() as u64)?;
    let chunks = sealed.div_ceil((CHUNK + TAG) as u64).max(1);
    sealed.checked_sub(chunks * AES_256_GCM.tag_len() as u64)
}

#[cfg(test)]
mod tests {
    use dds_message::MessageId;

    use super::*;
    use crate::{MasterKey, Vault};

    fn key() -> MessageKey {
        Vault::apart(&MasterKey::generate().unwrap()).new_message_key(MessageId(Uuid::nil())).unwrap().0
    }

    fn sealed(key: &MessageKey, blob: &BlobRef, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut cipher = ChunkCipher::new(key, blob).unwrap();
        let seal = |(n, chunk): (usize, &&[u8])| {
            let mut chunk = chunk.to_vec();
            cipher.seal(&mut chunk, n + 1 == chunks.len()).unwrap();
            chunk
        };
        chunks.iter().enumerate().map(seal).collect()
    }

    fn opened(key: &MessageKey, blob: &BlobRef, chunks: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut cipher = ChunkCipher::new(key, blob).unwrap();
        let open = |(n, chunk): (usize, &Vec<u8>)| {
            let mut chunk = chunk.clone();
            cipher.open(&mut chunk, n + 1 == chunks.len()).map(|()| chunk)
        };
        chunks.iter().enumerate().map(open).collect()
    }

    #[test]
    fn chunks_open_only_whole_in_order_and_under_their_own_blob() {
        let (key, blob) = (key(), BlobRef(Uuid::from_u128(1)));
        let chunks = sealed(&key, &blob, &[b"one", b"two", b"three"]);
        assert_eq!(opened(&key, &blob, &chunks).unwrap(), [&b"one"[..], b"two", b"three"]);

        let corrupt = |chunks: &[Vec<u8>], why| {
            assert!(matches!(opened(&key, &blob, chunks), Err(StoreError::Corrupt(_))), "{why}");
        };
        corrupt(&chunks[..2], "cut off after a chunk");
        corrupt(&[chunks[1].clone(), chunks[0].clone(), chunks[2].clone()], "reordered");
        corrupt(&[chunks[0].clone(), chunks[0].clone(), chunks[2].clone()], "repeated");
        corrupt(&[chunks.clone(), vec![Vec::new()]].concat(), "lengthened");
        let other = sealed(&key, &BlobRef(Uuid::from_u128(2)), &[b"one", b"two", b"three"]);
        corrupt(&[chunks[0].clone(), other[1].clone(), chunks[2].clone()], "chunk of another blob");
        for byte in 0..chunks[1].len() {
            let mut changed = chunks.clone();
            changed[1][byte] ^= 1;
            corrupt(&changed, "one bit changed");
        }
    }

    #[test]
    fn a_payload_stored_whole_opens_only_in_its_place() {
        let (key, owner) = (key(), Uuid::from_u128(1));
        let bytes = seal(&key, Place::Document, owner, b"antrag").unwrap();
        assert_eq!(open(&key, Place::Document, owner, &bytes).unwrap(), b"antrag");
        assert!(open(&key, Place::Report, owner, &bytes).is_err());
        assert!(open(&key, Place::Document, Uuid::from_u128(2), &bytes).is_err());
        assert!(open(&self::key(), Place::Document, owner, &bytes).is_err());
        assert!(open(&key, Place::Document, owner, &bytes[..10]).is_err());
    }

    #[test]
    fn the_clear_length_follows_from_the_file_length() {
        let file = |clear: usize| (8 + clear + 16 * clear.div_ceil(CHUNK).max(1)) as u64;
        for clear in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            assert_eq!(clear_length(file(clear)), Some(clear as u64), "{clear}");
        }
        assert_eq!(clear_length(7), None);
        assert_eq!(clear_length(20), None);
    }
}
