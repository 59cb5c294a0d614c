//! Octets of the HTTP body, piece by piece.

use crate::algorithm::DigestAlgorithm;
use crate::cipher::{CipherError, Encryption};
use crate::encryption::{KeyWrap, TransportTarget, write_transport};
use crate::intake::MultiHasher;
use crate::keys::KeyError;
use crate::mime::MimeWriter;
use crate::random::Random;
use crate::signature::PartDigests;

/// Content-ID of the encrypted part, as the library writes it (facts 6).
const CIPHER_ID: &str = "osci_enc";

/// What is said about an attachment in front of its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentHead {
    /// `Content-ID` without `<>`.
    pub content_id: String,
    /// Media type; `application/octet-stream` for ciphertext.
    pub media_type: String,
    /// Octets, when they are known.
    pub length: Option<u64>,
}

/// A message on its way out. Call in this order: [`Self::start`], for each attachment [`Self::attachment`] and any
/// number of [`Self::data`], then [`Self::finish`]. Octets are appended to `out`; send them and clear it between the
/// calls.
pub struct Outgoing {
    inner: MimeWriter,
    envelope: Vec<u8>,
    transport: Option<Transport>,
}

struct Transport {
    outer: MimeWriter,
    envelope: Vec<u8>,
    encryption: Encryption,
    iv: u64,
}

impl Outgoing {
    /// A message without transport encryption.
    #[must_use]
    pub fn plain(envelope: Vec<u8>, random: &mut dyn Random) -> Self {
        Self { inner: MimeWriter::new_boundary(random), envelope, transport: None }
    }

    /// A message encrypted for a certificate.
    ///
    /// # Errors
    /// [`KeyError`] when the certificate cannot wrap the key or the algorithm is none that is written.
    pub fn encrypted(
        envelope: Vec<u8>,
        target: &TransportTarget,
        random: &mut dyn Random,
    ) -> Result<Self, KeyError> {
        let wrap = KeyWrap::fresh(target.data, target.iv, random);
        let encryption = Encryption::new(target.data, target.iv, &wrap.key, &wrap.iv)
            .map_err(|_| KeyError::Unsuitable("only AES-GCM is written"))?;
        let outer_envelope = write_transport(target, &wrap.key, CIPHER_ID)?;
        let outer = MimeWriter::new_boundary(random);
        let mut outgoing = Self::plain(envelope, random);
        outgoing.transport =
            Some(Transport { outer, envelope: outer_envelope, encryption, iv: wrap.iv.len() as u64 });
        Ok(outgoing)
    }

    /// Length of the whole HTTP body when the length of every attachment is known; to announce `Content-Length`.
    #[must_use]
    pub fn length(&self, attachments: &[AttachmentHead]) -> Option<u64> {
        let mut inner = (self.inner.start().len()
            + self.inner.root(None).len()
            + self.envelope.len()
            + self.inner.close().len()) as u64;
        for head in attachments {
            inner += part(&self.inner, head).len() as u64 + head.length?;
        }
        let Some(transport) = &self.transport else { return Some(inner) };
        let frame = transport.frame().len() + transport.outer.close().len();
        Some(frame as u64 + transport.iv + inner + TAG)
    }

    /// Writes heads and envelope.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        if let Some(transport) = &self.transport {
            out.extend_from_slice(&transport.frame());
        }
        let mut head = self.inner.start();
        head.extend_from_slice(&self.inner.root(None));
        head.append(&mut self.envelope);
        self.put(&head, out);
    }

    /// Begins the next attachment.
    pub fn attachment(&mut self, head: &AttachmentHead, out: &mut Vec<u8>) {
        let head = part(&self.inner, head);
        self.put(&head, out);
    }

    /// Octets of the attachment.
    pub fn data(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.put(octets, out);
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`CipherError`] beyond the 64 GiB one key may cover; what was written is then worthless.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CipherError> {
        let close = self.inner.close();
        self.put(&close, out);
        if let Some(transport) = self.transport {
            transport.encryption.finish(out)?;
            out.extend_from_slice(&transport.outer.close());
        }
        Ok(())
    }

    fn put(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match &mut self.transport {
            Some(transport) => transport.encryption.update(octets, out),
            None => out.extend_from_slice(octets),
        }
    }
}

/// Octets of the authentication tag of AES-GCM.
const TAG: u64 = 16;

impl Transport {
    fn frame(&self) -> Vec<u8> {
        let mut frame = self.outer.start();
        frame.extend_from_slice(&self.outer.root(Some(self.envelope.len() as u64)));
        frame.extend_from_slice(&self.envelope);
        frame.extend_from_slice(&self.outer.part("application/octet-stream", "binary", CIPHER_ID, None));
        frame
    }
}

fn part(writer: &MimeWriter, head: &AttachmentHead) -> Vec<u8> {
    writer.part(&head.media_type, "8-bit", &head.content_id, head.length)
}

/// Digests of an attachment before it is sent.
pub struct PartHasher {
    content_id: String,
    hasher: MultiHasher,
}

impl PartHasher {
    /// Computes the digests by these algorithms.
    #[must_use]
    pub fn new(content_id: &str, algorithms: &[DigestAlgorithm]) -> Self {
        Self { content_id: content_id.to_owned(), hasher: MultiHasher::new(algorithms) }
    }

    /// Takes octets.
    pub fn update(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
    }

    /// The digests.
    #[must_use]
    pub fn finish(self) -> PartDigests {
        PartDigests { content_id: self.content_id, digests: self.hasher.finish() }
    }
}

/// A whole message in memory, for small ones: heads and octets of its attachments.
///
/// # Errors
/// As [`Outgoing::finish`].
pub fn message_bytes(
    mut outgoing: Outgoing,
    attachments: &[(AttachmentHead, &[u8])],
) -> Result<Vec<u8>, CipherError> {
    let mut out = Vec::new();
    outgoing.start(&mut out);
    for (head, octets) in attachments {
        outgoing.attachment(head, &mut out);
        outgoing.data(octets, &mut out);
    }
    outgoing.finish(&mut out)?;
    Ok(out)
}
