//! Attachments that are encrypted on content level, streaming (facts 11).

use zeroize::Zeroizing;

use crate::algorithm::{DataAlgorithm, DigestAlgorithm, IvLength};
use crate::cipher::{CipherError, Decryption, Encryption};
use crate::encryption::{KeyWrap, failure};
use crate::feedback::Refused;
use crate::intake::MultiHasher;
use crate::keys::KeyError;
use crate::random::Random;
use crate::signature::PartDigests;

use super::AttachmentPart;

/// How an attachment is encrypted; comes from the EncryptedData with `ds:MgmtData` beside its Content.
#[derive(Clone)]
pub struct AttachmentCipher {
    /// Data algorithm.
    pub data: DataAlgorithm,
    /// IV length.
    pub iv: IvLength,
    /// The key itself.
    pub key: Zeroizing<Vec<u8>>,
}

impl AttachmentCipher {
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        (self.data, self.iv) == (other.data, other.iv) && self.key == other.key
    }
}

impl std::fmt::Debug for AttachmentCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AttachmentCipher({:?})", self.data)
    }
}

/// Turns the octets of an attachment into its plaintext and computes the digests that signatures over the content wait
/// for, in constant memory.
///
/// Nothing of the plaintext is authentic before [`Self::finish`] returned `Ok`, and nothing is signed before
/// [`Content::settle`](super::Content::settle) was told the digests.
pub struct AttachmentReader {
    content_id: String,
    decryption: Option<Decryption>,
    hasher: MultiHasher,
}

impl AttachmentReader {
    /// Reads an attachment; `None` when it is not encrypted and no signature waits for it.
    ///
    /// # Errors
    /// 9202 when the key has not the length of the algorithm.
    pub fn new(part: &AttachmentPart) -> Option<Result<Self, Refused>> {
        let AttachmentPart { content_id, cipher, digests } = part;
        if cipher.is_none() && digests.is_empty() {
            return None;
        }
        let decryption = cipher.as_ref().map(|cipher| Decryption::new(cipher.data, cipher.iv, &cipher.key));
        let (content_id, hasher) = (content_id.clone(), MultiHasher::new(digests));
        let reader = |decryption| Self { content_id, decryption, hasher };
        Some(decryption.transpose().map(reader).map_err(|_| failure()))
    }

    /// Takes octets of the MIME part, appends plaintext to `out`.
    pub fn update(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        match &mut self.decryption {
            Some(decryption) => decryption.update(octets, out),
            None => out.extend_from_slice(octets),
        }
        self.hasher.update(out.get(before..).unwrap_or_default());
    }

    /// Ends the attachment and returns the digests of its plaintext.
    ///
    /// # Errors
    /// 9202, the same for every reason.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<PartDigests, Refused> {
        let before = out.len();
        if let Some(decryption) = self.decryption {
            decryption.finish(out).map_err(|_| failure())?;
        }
        self.hasher.update(out.get(before..).unwrap_or_default());
        Ok(PartDigests { content_id: self.content_id, digests: self.hasher.finish() })
    }
}

/// Encrypts an attachment for content, in constant memory. Two digests result: of the plaintext for the author's
/// signature, of the octets as transported for the signature of the message. Because the envelope goes before the
/// attachments, encrypt into a store first, or run the same [`KeyWrap`] twice over the same octets (then the ciphertext
/// is the same).
pub struct AttachmentEncryption {
    content_id: String,
    encryption: Encryption,
    plain: MultiHasher,
    cipher: MultiHasher,
}

impl AttachmentEncryption {
    /// AES-256-GCM with a 12-byte IV.
    pub const METHOD: (DataAlgorithm, IvLength) = (DataAlgorithm::Aes256Gcm, IvLength::Twelve);

    /// A fresh key for one attachment.
    #[must_use]
    pub fn key(random: &mut dyn Random) -> KeyWrap {
        KeyWrap::fresh(Self::METHOD.0, Self::METHOD.1, random)
    }

    /// Encrypts with a key of [`Self::key`] and computes the digests by `digest` on both sides.
    ///
    /// # Errors
    /// [`KeyError`] when the key has another length.
    pub fn new(content_id: &str, wrap: &KeyWrap, digest: DigestAlgorithm) -> Result<Self, KeyError> {
        let (data, iv) = Self::METHOD;
        let encryption = Encryption::new(data, iv, &wrap.key, &wrap.iv)
            .map_err(|_| KeyError::Unsuitable("key of an attachment"))?;
        let (plain, cipher) = (MultiHasher::new(&[digest]), MultiHasher::new(&[digest]));
        Ok(Self { content_id: content_id.to_owned(), encryption, plain, cipher })
    }

    /// Takes plaintext, appends octets of the MIME part to `out`.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.plain.update(plaintext);
        self.encryption.update(plaintext, out);
        self.cipher.update(out.get(before..).unwrap_or_default());
    }

    /// Ends the attachment: digests of plaintext and of octets.
    ///
    /// # Errors
    /// [`CipherError`] beyond the 64 GiB one key may cover.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(PartDigests, PartDigests), CipherError> {
        let before = out.len();
        self.encryption.finish(out)?;
        self.cipher.update(out.get(before..).unwrap_or_default());
        let digests = |hasher: MultiHasher| PartDigests {
            content_id: self.content_id.clone(),
            digests: hasher.finish(),
        };
        Ok((digests(self.plain), digests(self.cipher)))
    }
}
