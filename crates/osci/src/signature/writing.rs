//! Making a `ds:Signature`.

use std::collections::BTreeMap;

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::keys::{KeyError, Signer};
use crate::xml::{C14N_INCLUSIVE, TRANSFORM_BASE64, XmlWriter, base64_lines, escape_attribute};

/// Why a signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The key refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A digest that is not computed (RIPEMD-160).
    #[error("the digest algorithm cannot be used")]
    Digest,
    /// The digest of an attachment in the algorithm of the signature was not given.
    #[error("the digest of attachment {0:?} is missing")]
    AttachmentDigest(String),
    /// The envelope or container to be signed is not what it should be; a defect on our side.
    #[error("what is to be signed is not well-formed: {0}")]
    Malformed(String),
}

/// Algorithms of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningOptions {
    /// Digest of the references; SHA-256 unless asked for otherwise.
    pub digest: DigestAlgorithm,
    /// Signature algorithm; `None`: what the key prefers.
    pub signature: Option<SignatureAlgorithm>,
}

impl Default for SigningOptions {
    fn default() -> Self {
        Self { digest: DigestAlgorithm::Sha256, signature: None }
    }
}

/// One reference to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `#id` with inclusive C14N.
    Element {
        /// Id of the element.
        id: String,
        /// Digest of its canonical form.
        digest: Vec<u8>,
    },
    /// `#id` of a Base64Content with the Base64 transformation.
    Base64 {
        /// Id of the element.
        id: String,
        /// Digest of the decoded octets.
        digest: Vec<u8>,
    },
    /// `cid:id` without transformations.
    Attachment {
        /// `Content-ID`.
        id: String,
        /// Digest of the octets.
        digest: Vec<u8>,
    },
    /// `#id` of SignedProperties: without transformations, as the library writes it (facts 11).
    Properties {
        /// Id of the element.
        id: String,
        /// Digest of its canonical form.
        digest: Vec<u8>,
    },
}

/// What goes into a `ds:Signature`.
#[derive(Debug, Clone)]
pub struct SignatureDraft<'a> {
    /// References in the order they are written.
    pub references: Vec<Reference>,
    /// Id of the signer's certificate element.
    pub key_id: &'a str,
    /// Namespaces in scope where the signature will stand: prefix (`""` for the default) and URI. `ds` must be among
    /// them.
    pub namespaces: &'a BTreeMap<String, String>,
    /// `ds:Object` elements, written as they are.
    pub objects: &'a [u8],
}

/// Signs and writes the `ds:Signature` element. Its bytes rely on the namespaces in scope that the draft names:
/// SignedInfo is digested with all of them and written without (facts 9).
///
/// # Errors
/// [`SigningError`].
pub fn sign(
    draft: &SignatureDraft<'_>,
    signer: &dyn Signer,
    options: SigningOptions,
) -> Result<Vec<u8>, SigningError> {
    let algorithm = options.signature.unwrap_or_else(|| signer.default_algorithm());
    let inside = signed_info(&draft.references, algorithm, options.digest);
    let mut canonical = b"<ds:SignedInfo".to_vec();
    for (prefix, uri) in
        draft.namespaces.iter().filter(|(prefix, uri)| !(prefix.is_empty() && uri.is_empty()))
    {
        canonical.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
        canonical.extend_from_slice(prefix.as_bytes());
        canonical.extend_from_slice(b"=\"");
        escape_attribute(uri, &mut |bytes| canonical.extend_from_slice(bytes));
        canonical.push(b'"');
    }
    canonical.push(b'>');
    canonical.extend_from_slice(&inside);
    canonical.extend_from_slice(b"</ds:SignedInfo>");
    let value = signer.sign(algorithm, &canonical)?;

    let mut writer = XmlWriter::new();
    writer.open("ds:Signature").open("ds:SignedInfo").raw(&inside).end();
    writer.element("ds:SignatureValue", &base64_lines(&value));
    writer.open("ds:KeyInfo").empty("ds:RetrievalMethod", &[("URI", format!("#{}", draft.key_id))]).end();
    writer.raw(draft.objects);
    Ok(writer.finish())
}

/// The inside of SignedInfo, which is its own canonical form.
fn signed_info(references: &[Reference], signature: SignatureAlgorithm, digest: DigestAlgorithm) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.text("\n").empty("ds:CanonicalizationMethod", &[("Algorithm", C14N_INCLUSIVE)]);
    writer.text("\n").empty("ds:SignatureMethod", &[("Algorithm", signature.uri())]).text("\n");
    for reference in references {
        let (uri, transform, value) = match reference {
            Reference::Element { id, digest } => (format!("#{id}"), Some(C14N_INCLUSIVE), digest),
            Reference::Base64 { id, digest } => (format!("#{id}"), Some(TRANSFORM_BASE64), digest),
            Reference::Attachment { id, digest } => (format!("cid:{id}"), None, digest),
            Reference::Properties { id, digest } => (format!("#{id}"), None, digest),
        };
        writer.start("ds:Reference", &[("URI", uri)]).text("\n");
        if let Some(transform) = transform {
            writer
                .open("ds:Transforms")
                .text("\n")
                .empty("ds:Transform", &[("Algorithm", transform)])
                .text("\n")
                .end()
                .text("\n");
        }
        writer.empty("ds:DigestMethod", &[("Algorithm", digest.uri())]).text("\n");
        writer.element("ds:DigestValue", &base64_lines(value)).text("\n").end().text("\n");
    }
    writer.finish()
}
