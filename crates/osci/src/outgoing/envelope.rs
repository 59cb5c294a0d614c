//! Signing an envelope.

use std::collections::BTreeMap;

use crate::algorithm::Hasher;
use crate::c14n::canonicalize;
use crate::keys::Signer;
use crate::message::UnsignedEnvelope;
use crate::signature::{PartDigests, Reference, SignatureDraft, SigningError, SigningOptions, sign};
use crate::xml::{Document, NS_DS, NS_OSCI, NS_SOAP, Node, XmlWriter, elements, limits_of_ours};

/// Signs an envelope: one reference for every header block, the Body and every attachment, signature block right after
/// the ControlBlock (facts 8). The digests are taken from the parsed envelope, not from what its writer believes to be
/// canonical.
///
/// `attachments` are all attachments of the message with the digest of their octets as transported.
///
/// # Errors
/// [`SigningError`]; `Malformed` also when the envelope names no certificate element of its signer.
pub fn sign_envelope(
    envelope: &UnsignedEnvelope,
    attachments: &[PartDigests],
    signer: &dyn Signer,
    options: SigningOptions,
) -> Result<Vec<u8>, SigningError> {
    let malformed = |what: &str| SigningError::Malformed(what.to_owned());
    let document = Document::parse(envelope.assemble(None), &limits_of_ours())
        .map_err(|error| SigningError::Malformed(error.to_string()))?;
    let (Some(header), Some(body)) = (document.header(), document.body()) else {
        return Err(malformed("no Header or no Body"));
    };
    let key_id =
        envelope.signer_id.as_deref().ok_or_else(|| malformed("no certificate element of the signer"))?;

    let mut references = Vec::new();
    for part in elements(header).chain([body]) {
        let id = part.attribute("Id").ok_or_else(|| malformed("a header block or the Body has no Id"))?;
        let mut hasher = Hasher::new(options.digest).ok_or(SigningError::Digest)?;
        canonicalize(part, &mut |bytes| hasher.update(bytes));
        references.push(Reference::Element { id: id.to_owned(), digest: hasher.finish() });
    }
    for attachment in attachments {
        let id = attachment.content_id.clone();
        let digest = attachment
            .get(options.digest)
            .ok_or_else(|| SigningError::AttachmentDigest(id.clone()))?
            .to_vec();
        references.push(Reference::Attachment { id, digest });
    }

    let mut namespaces = namespaces_of(header);
    let declarations = missing(&mut namespaces);
    let draft = SignatureDraft { references, key_id, namespaces: &namespaces, objects: b"" };
    let signature = sign(&draft, signer, options)?;
    let element = format!("osci:{}", envelope.signature_element());
    let mut attributes = declarations;
    attributes.extend([
        ("Id", envelope.signature_id.clone()),
        ("soap:actor", "http://schemas.xmlsoap.org/soap/actor/next".to_owned()),
        ("soap:mustUnderstand", "1".to_owned()),
    ]);
    let mut writer = XmlWriter::new();
    writer.start(&element, &attributes).raw(&signature);
    Ok(envelope.assemble(Some(&writer.finish())))
}

/// Prefix and URI of everything in scope.
pub(crate) fn namespaces_of(node: Node<'_>) -> BTreeMap<String, String> {
    node.namespaces().map(|namespace| (namespace.prefix().to_owned(), namespace.uri().to_owned())).collect()
}

/// Declarations the signature block needs and the envelope has not; adds them to what is in scope.
fn missing(namespaces: &mut BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let mut declarations = Vec::new();
    for (prefix, name, uri) in
        [("ds", "xmlns:ds", NS_DS), ("osci", "xmlns:osci", NS_OSCI), ("soap", "xmlns:soap", NS_SOAP)]
    {
        if namespaces.insert(prefix.to_owned(), uri.to_owned()).as_deref() != Some(uri) {
            declarations.push((name, uri.to_owned()));
        }
    }
    declarations
}
