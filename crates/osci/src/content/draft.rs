//! Building containers: write, sign, encrypt.

use jiff::Timestamp;

use super::AttachmentEncryption;
use crate::algorithm::{DataAlgorithm, Hasher, IvLength, KeyTransport};
use crate::c14n::canonicalize;
use crate::certificate::Certificate;
use crate::cipher::Encryption;
use crate::encryption::{KeyWrap, write_attachment, write_content};
use crate::keys::{KeyError, Signer};
use crate::outgoing::namespaces_of;
use crate::random::Random;
use crate::signature::{PartDigests, Reference, SignatureDraft, SigningError, SigningOptions, sign};
use crate::xml::{Document, ENVELOPE_NAMESPACES, NS_XADES, XmlWriter, base64_lines};

/// Autor: who signs a container.
pub struct Author<'a> {
    /// The key.
    pub signer: &'a dyn Signer,
    /// Id of the certificate element (`SignatureCertificateOriginator` or `…OtherAuthor`) in the envelope.
    pub key_id: &'a str,
    /// Signing time (XAdES `SigningTime`), when it shall be part of what is signed. Only the first author writes one: a
    /// container has one Id for it (facts 11).
    pub time: Option<Timestamp>,
}

/// Entwurf eines ContentContainer. Contents keep their order; write it once all are there.
///
/// A signed container holds no encrypted container: the Java library digests `xenc:EncryptedData` in its own way and
/// would refuse the standard one (facts 11). Sign first, then [`encrypt_container`] the whole.
#[derive(Debug, Clone)]
pub struct ContainerDraft {
    id: String,
    contents: Vec<Draft>,
    encrypted: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Draft {
    Inline { id: String, octets: Vec<u8> },
    Attachment { id: String, plaintext: PartDigests },
    Nested { id: String, container: Vec<u8>, attachments: Vec<PartDigests> },
}

impl ContainerDraft {
    /// An empty container. Ids must be unique in the message; `id` and those of the contents are written as they are.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), contents: Vec::new(), encrypted: Vec::new() }
    }

    /// Octets inside the message.
    #[must_use]
    pub fn inline(mut self, id: &str, octets: &[u8]) -> Self {
        self.contents.push(Draft::Inline { id: id.to_owned(), octets: octets.to_vec() });
        self
    }

    /// An attachment that is not encrypted on content level; `digests` of its octets.
    #[must_use]
    pub fn attachment(mut self, id: &str, digests: PartDigests) -> Self {
        self.contents.push(Draft::Attachment { id: id.to_owned(), plaintext: digests });
        self
    }

    /// An encrypted attachment: digests of its plaintext and the key. The container must be encrypted afterwards,
    /// because the key stands in it in the clear.
    #[must_use]
    pub fn encrypted_attachment(mut self, id: &str, plaintext: PartDigests, wrap: &KeyWrap) -> Self {
        self.encrypted.extend_from_slice(&write_attachment(
            &plaintext.content_id,
            AttachmentEncryption::METHOD,
            &wrap.key,
        ));
        self.contents.push(Draft::Attachment { id: id.to_owned(), plaintext });
        self
    }

    /// A container in the container, as [`Self::write`] made it, and the plaintext digests of all attachments in it:
    /// who signs around them signs them too (facts 11).
    #[must_use]
    pub fn nested(mut self, id: &str, container: Vec<u8>, attachments: &[PartDigests]) -> Self {
        self.contents.push(Draft::Nested { id: id.to_owned(), container, attachments: attachments.to_vec() });
        self
    }

    /// Writes the container with the signatures of its authors. It carries the five declarations of every envelope, so
    /// that its digests hold wherever those five are in scope.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn write(&self, authors: &[Author<'_>], options: SigningOptions) -> Result<Vec<u8>, SigningError> {
        if authors.is_empty() {
            return Ok(self.xml(b""));
        }
        let document = Document::parse(self.xml(b""), &limits()).map_err(malformed)?;
        let namespaces = namespaces_of(document.root());
        let references = self.references(&document, options)?;
        let mut signatures = Vec::new();
        for (number, author) in authors.iter().enumerate() {
            let (mut references, mut objects) = (references.clone(), Vec::new());
            if let (0, Some(time)) = (number, author.time) {
                let id = format!("{}TS{number}", self.id);
                objects = signing_time(&id, time);
                references
                    .push(Reference::Properties { digest: self.object_digest(&objects, &id, options)?, id });
            }
            let draft = SignatureDraft {
                references,
                key_id: author.key_id,
                namespaces: &namespaces,
                objects: &objects,
            };
            signatures.extend_from_slice(&sign(&draft, author.signer, options)?);
        }
        Ok(self.xml(&signatures))
    }

    fn references(
        &self,
        document: &Document,
        options: SigningOptions,
    ) -> Result<Vec<Reference>, SigningError> {
        let mut references = Vec::new();
        for content in &self.contents {
            match content {
                Draft::Inline { id, octets } => {
                    let digest = Hasher::digest(options.digest, octets).ok_or(SigningError::Digest)?;
                    references.push(Reference::Base64 { id: id.clone(), digest });
                }
                Draft::Attachment { id, plaintext } => {
                    references.push(Reference::Element {
                        digest: element_digest(document, id, options)?,
                        id: id.clone(),
                    });
                    references.push(attachment(plaintext, options)?);
                }
                Draft::Nested { id, attachments, .. } => {
                    references.push(Reference::Element {
                        digest: element_digest(document, id, options)?,
                        id: id.clone(),
                    });
                    for plaintext in attachments {
                        references.push(attachment(plaintext, options)?);
                    }
                }
            }
        }
        Ok(references)
    }

    /// Digest of SignedProperties in its place, which has the same declarations in scope as the container.
    fn object_digest(
        &self,
        objects: &[u8],
        id: &str,
        options: SigningOptions,
    ) -> Result<Vec<u8>, SigningError> {
        let mut writer = XmlWriter::new();
        writer.open("ds:Signature").raw(objects);
        let document = Document::parse(self.xml(&writer.finish()), &limits()).map_err(malformed)?;
        element_digest(&document, id, options)
    }

    fn xml(&self, signatures: &[u8]) -> Vec<u8> {
        let mut writer = XmlWriter::new();
        let mut attributes = ENVELOPE_NAMESPACES.to_vec();
        attributes.push(("Id", &self.id));
        writer.start("osci:ContentContainer", &attributes).raw(signatures);
        for content in &self.contents {
            match content {
                Draft::Inline { id, octets } => {
                    writer
                        .open("osci:Content")
                        .start("osci:Base64Content", &[("Id", id)])
                        .text(&base64_lines(octets))
                        .end()
                        .end();
                }
                Draft::Attachment { id, plaintext } => {
                    writer.empty(
                        "osci:Content",
                        &[("Id", id.as_str()), ("href", &format!("cid:{}", plaintext.content_id))],
                    );
                }
                Draft::Nested { id, container, .. } => {
                    writer.start("osci:Content", &[("Id", id)]).raw(container).end();
                }
            }
        }
        writer.raw(&self.encrypted);
        writer.finish()
    }
}

/// Our own content is as large as the caller makes it.
fn limits() -> dds_xml::Limits {
    dds_xml::Limits { bytes: usize::MAX, text: usize::MAX, ..crate::xml::limits() }
}

fn malformed(error: crate::xml::XmlError) -> SigningError {
    SigningError::Malformed(error.to_string())
}

fn attachment(plaintext: &PartDigests, options: SigningOptions) -> Result<Reference, SigningError> {
    let digest = plaintext
        .get(options.digest)
        .ok_or_else(|| SigningError::AttachmentDigest(plaintext.content_id.clone()))?;
    Ok(Reference::Attachment { id: plaintext.content_id.clone(), digest: digest.to_vec() })
}

fn element_digest(document: &Document, id: &str, options: SigningOptions) -> Result<Vec<u8>, SigningError> {
    let node =
        document.by_id(id).ok_or_else(|| SigningError::Malformed(format!("no element with Id {id:?}")))?;
    let mut hasher = Hasher::new(options.digest).ok_or(SigningError::Digest)?;
    canonicalize(node, &mut |bytes| hasher.update(bytes));
    Ok(hasher.finish())
}

/// `ds:Object` with nothing but the signing time, to the second in UTC.
fn signing_time(id: &str, time: Timestamp) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer
        .open("ds:Object")
        .start("xades:QualifyingProperties", &[("xmlns:xades", NS_XADES), ("Target", "")]);
    writer.start("xades:SignedProperties", &[("Id", id)]).open("xades:SignedSignatureProperties");
    writer.element("xades:SigningTime", &time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    writer.finish()
}

/// Encrypts a container for readers: Id of the certificate element in the envelope and certificate, each. Layers are
/// made by putting the result into another container or by encrypting a container that holds it.
///
/// # Errors
/// [`KeyError`] when a certificate cannot wrap the key.
pub fn encrypt_container(
    id: &str,
    container: &[u8],
    readers: &[(&str, &Certificate)],
    transport: KeyTransport,
    random: &mut dyn Random,
) -> Result<Vec<u8>, KeyError> {
    let method = (DataAlgorithm::Aes256Gcm, IvLength::Twelve);
    let wrap = KeyWrap::fresh(method.0, method.1, random);
    let unsuitable = |_| KeyError::Unsuitable("key of a container");
    let mut encryption = Encryption::new(method.0, method.1, &wrap.key, &wrap.iv).map_err(unsuitable)?;
    let mut octets = Vec::with_capacity(container.len() + 28);
    encryption.update(container, &mut octets);
    encryption.finish(&mut octets).map_err(unsuitable)?;
    write_content(id, readers, transport, method, &wrap.key, &octets)
}

/// `osci:ContentPackage` of encrypted and open containers, in the order of the schema.
#[must_use]
pub fn package(encrypted: &[Vec<u8>], containers: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.open("osci:ContentPackage");
    encrypted.iter().chain(containers).for_each(|part| {
        writer.raw(part);
    });
    writer.finish()
}
