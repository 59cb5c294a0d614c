//! `ds:Signature` as data.

use super::verdict::{Fault, Reason};
use crate::algorithm::{CryptoPolicy, DigestAlgorithm, Hasher, SignatureAlgorithm};
use crate::c14n::canonical_bytes;
use crate::certificate::Certificate;
use crate::xml::{
    C14N_INCLUSIVE, Document, NS_DS, Node, TRANSFORM_BASE64, base64_of, child, elements, is, text_of,
};

/// One `ds:Signature`, read strictly.
pub(super) struct Parsed<'a> {
    pub(super) signed_info: Node<'a>,
    /// `SignatureMethod`, when it is known.
    pub(super) algorithm: Option<SignatureAlgorithm>,
    /// Why canonicalisation or signature method do not count; the value is not compared then, the digests are.
    pub(super) method: Result<(), Fault>,
    pub(super) value: Vec<u8>,
    pub(super) references: Vec<ParsedReference<'a>>,
    /// Fragment of `RetrievalMethod@URI`.
    pub(super) key_id: &'a str,
    pub(super) objects: Vec<Node<'a>>,
}

pub(super) struct ParsedReference<'a> {
    pub(super) uri: &'a str,
    pub(super) transform: Result<Transform, Fault>,
    pub(super) algorithm: Result<DigestAlgorithm, Fault>,
    pub(super) expected: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transform {
    /// No `Transforms`: octets for an attachment, inclusive C14N for an element.
    None,
    Canonical,
    Base64,
}

fn structure(what: &'static str) -> Fault {
    Fault::new(Reason::Structure(what), "")
}

impl<'a> Parsed<'a> {
    /// Reads the one `ds:Signature` of a signature block, or a `ds:Signature` of a container.
    pub(super) fn read(signature: Node<'a>, policy: &CryptoPolicy) -> Result<Self, Fault> {
        let mut parts = elements(signature);
        let signed_info = parts
            .next()
            .filter(|node| is(*node, NS_DS, "SignedInfo"))
            .ok_or_else(|| structure("SignedInfo"))?;
        let value = parts
            .next()
            .filter(|node| is(*node, NS_DS, "SignatureValue"))
            .ok_or_else(|| structure("SignatureValue"))?;
        let key_info =
            parts.next().filter(|node| is(*node, NS_DS, "KeyInfo")).ok_or_else(|| structure("KeyInfo"))?;
        let objects: Vec<_> = parts.collect();
        if objects.iter().any(|node| !is(*node, NS_DS, "Object")) {
            return Err(structure("Signature"));
        }
        let value =
            text_of(value).and_then(|text| base64_of(&text)).ok_or_else(|| structure("SignatureValue"))?;
        let key_id = Self::key_id(key_info)?;

        let mut parts = elements(signed_info);
        let method = parts
            .next()
            .filter(|node| is(*node, NS_DS, "CanonicalizationMethod"))
            .ok_or_else(|| structure("CanonicalizationMethod"))?;
        let canonical =
            method.attribute("Algorithm") == Some(C14N_INCLUSIVE) && elements(method).next().is_none();
        let method = parts
            .next()
            .filter(|node| is(*node, NS_DS, "SignatureMethod"))
            .ok_or_else(|| structure("SignatureMethod"))?;
        if elements(method).next().is_some() {
            return Err(structure("SignatureMethod"));
        }
        let algorithm = method.attribute("Algorithm").and_then(SignatureAlgorithm::from_uri);
        let method = match algorithm {
            _ if !canonical => Err(Fault::new(Reason::Transform, "CanonicalizationMethod")),
            None => Err(Fault::new(Reason::UnknownAlgorithm, "SignatureMethod")),
            Some(algorithm) if !policy.accepts_signature(algorithm) => {
                Err(Fault::new(Reason::RefusedAlgorithm, "SignatureMethod"))
            }
            Some(_) => Ok(()),
        };
        let references =
            parts.map(|node| ParsedReference::read(node, policy)).collect::<Result<Vec<_>, _>>()?;
        if references.is_empty() {
            return Err(structure("Reference"));
        }
        Ok(Self { signed_info, algorithm, method, value, references, key_id, objects })
    }

    /// The first fault of method and value; the value is only compared by a method that counts.
    pub(super) fn check_value(&self, certificate: &Certificate) -> Result<(), Fault> {
        self.method.clone()?;
        let fits = self.algorithm.is_some_and(|algorithm| {
            certificate.verify(algorithm, &canonical_bytes(self.signed_info), &self.value)
        });
        if fits { Ok(()) } else { Err(Fault::new(Reason::Value, "")) }
    }

    /// KeyInfo holds one RetrievalMethod to a certificate header and nothing else (facts 8: X509Data is 9100).
    fn key_id(key_info: Node<'a>) -> Result<&'a str, Fault> {
        let mut parts = elements(key_info);
        let method = parts
            .next()
            .filter(|node| is(*node, NS_DS, "RetrievalMethod"))
            .ok_or_else(|| structure("RetrievalMethod"))?;
        if parts.next().is_some() || elements(method).next().is_some() {
            return Err(structure("KeyInfo"));
        }
        method
            .attribute("URI")
            .and_then(|uri| uri.strip_prefix('#'))
            .filter(|id| !id.is_empty())
            .ok_or_else(|| structure("RetrievalMethod"))
    }
}

impl<'a> ParsedReference<'a> {
    fn read(node: Node<'a>, policy: &CryptoPolicy) -> Result<Self, Fault> {
        if !is(node, NS_DS, "Reference") {
            return Err(structure("SignedInfo"));
        }
        let uri = node.attribute("URI").ok_or_else(|| structure("Reference"))?;
        let mut parts = elements(node).peekable();
        let transforms = parts.next_if(|part| is(*part, NS_DS, "Transforms"));
        let method = parts
            .next()
            .filter(|part| is(*part, NS_DS, "DigestMethod"))
            .ok_or_else(|| structure("DigestMethod"))?;
        let value = parts
            .next()
            .filter(|part| is(*part, NS_DS, "DigestValue"))
            .ok_or_else(|| structure("DigestValue"))?;
        if parts.next().is_some() {
            return Err(structure("Reference"));
        }
        let expected =
            text_of(value).and_then(|text| base64_of(&text)).ok_or_else(|| structure("DigestValue"))?;
        let algorithm = method
            .attribute("Algorithm")
            .and_then(DigestAlgorithm::from_uri)
            .ok_or_else(|| Fault::new(Reason::UnknownAlgorithm, uri))
            .and_then(|known| {
                if policy.accepts_digest(known) {
                    Ok(known)
                } else {
                    Err(Fault::new(Reason::RefusedAlgorithm, uri))
                }
            });
        Ok(Self { uri, transform: Transform::read(transforms, uri), algorithm, expected })
    }
}

impl Transform {
    fn read(transforms: Option<Node<'_>>, uri: &str) -> Result<Self, Fault> {
        let Some(transforms) = transforms else { return Ok(Self::None) };
        let refused = || Fault::new(Reason::Transform, uri);
        let mut list = elements(transforms);
        let only = list.next().filter(|node| is(*node, NS_DS, "Transform")).ok_or_else(refused)?;
        // A chain could digest something else than what is read later: one step, of two known kinds, without
        // parameters.
        if list.next().is_some() || elements(only).next().is_some() {
            return Err(refused());
        }
        match only.attribute("Algorithm") {
            Some(C14N_INCLUSIVE) => Ok(Self::Canonical),
            Some(TRANSFORM_BASE64) => Ok(Self::Base64),
            _ => Err(refused()),
        }
    }
}

/// Digest of the canonical form of an element.
pub(super) fn element_digest(
    node: Node<'_>,
    apex: crate::c14n::Apex,
    algorithm: DigestAlgorithm,
) -> Option<Vec<u8>> {
    let mut hasher = Hasher::new(algorithm)?;
    crate::c14n::canonicalize_as(node, apex, &mut |bytes| hasher.update(bytes));
    Some(hasher.finish())
}

/// The certificate inside `Id`-bearing certificate elements: `ds:X509Data/ds:X509Certificate`, exactly one (facts 10).
pub(crate) fn certificate_in(element: Node<'_>) -> Option<Certificate> {
    let data = child(element, NS_DS, "X509Data")?;
    let certificate = child(data, NS_DS, "X509Certificate")?;
    Certificate::from_base64(&text_of(certificate)?).ok()
}

/// The certificate element with this Id, provided that it stands in a certificate header of the envelope and has one of
/// the names. An element of that Id anywhere else is not the signer's or reader's certificate.
pub(crate) fn certificate_element<'a>(envelope: &'a Document, id: &str, names: &[&str]) -> Option<Node<'a>> {
    use crate::xml::NS_OSCI;
    let element = envelope.by_id(id).filter(|node| node.attribute("Id") == Some(id))?;
    let block = element.parent_element()?;
    let in_header = block.parent_element() == envelope.header();
    let known = ["IntermediaryCertificates", "NonIntermediaryCertificates"]
        .iter()
        .any(|name| is(block, NS_OSCI, name));
    (in_header && known && names.iter().any(|name| is(element, NS_OSCI, name))).then_some(element)
}
