//! Signatures of content containers by their authors (facts 11, Inhaltssignatur).

use std::collections::HashMap;

use roxmltree::{Node, NodeId};

use super::reading::{
    Parsed, ParsedReference, Transform, certificate_element, certificate_in, element_digest,
};
use super::verdict::{Fault, PartDigests, Reason, ReferenceVerdict, Target, Verdict, attachment_place};
use crate::algorithm::{CryptoPolicy, Hasher, SignatureAlgorithm};
use crate::c14n::Apex;
use crate::certificate::Certificate;
use crate::xml::{
    Document, NS_DS, NS_OSCI, NS_XADES, NS_XENC, base64_of, child, children, elements, is, text_of,
};

/// Author certificates by element name, in the order of facts 10.
pub(crate) const AUTHORS: [&str; 2] = ["SignatureCertificateOriginator", "SignatureCertificateOtherAuthor"];

/// Befund über eine Inhaltssignatur: one `ds:Signature` of a content container.
#[derive(Debug, Clone)]
pub struct ContentSignature {
    /// Valid, invalid, or pending as long as digests of attachments are to be compared.
    pub verdict: Verdict,
    /// Every fault, the deciding one first.
    pub faults: Vec<Fault>,
    /// Id of the author's certificate element in the envelope.
    pub signer_id: Option<String>,
    /// The author's certificate.
    pub signer: Option<Certificate>,
    /// Signature algorithm.
    pub algorithm: Option<SignatureAlgorithm>,
    /// `xades:SigningTime` as written, when it is part of what was signed.
    pub signing_time: Option<String>,
    /// Every reference in document order.
    pub references: Vec<ReferenceVerdict>,
}

impl ContentSignature {
    fn broken(fault: Fault) -> Self {
        Self {
            verdict: Verdict::Invalid(fault.clone()),
            faults: vec![fault],
            signer_id: None,
            signer: None,
            algorithm: None,
            signing_time: None,
            references: Vec::new(),
        }
    }

    /// Settles the references to an attachment once its clear octets went by (facts 11: the digest on content level is
    /// that of the plaintext). One by an algorithm that was not computed goes on waiting.
    pub fn settle(&mut self, clear: &PartDigests) {
        self.settle_as(&clear.content_id, |reference| {
            let digest = clear.get(reference.algorithm?)?;
            Some(if digest == reference.expected { Ok(()) } else { Err(Reason::Digest) })
        });
    }

    /// Settles the references to an encrypted attachment that its own key does not open: it was altered.
    pub fn settle_broken(&mut self, content_id: &str) {
        self.settle_as(content_id, |_| Some(Err(Reason::Undecryptable)));
    }

    fn settle_as(
        &mut self,
        content_id: &str,
        judge: impl Fn(&ReferenceVerdict) -> Option<Result<(), Reason>>,
    ) {
        for reference in &mut self.references {
            let meant = matches!(&reference.target, Target::Attachment(id) if id == content_id);
            if reference.verdict != Verdict::Pending || !meant {
                continue;
            }
            reference.verdict = match judge(reference) {
                None => continue,
                Some(Ok(())) => Verdict::Valid,
                Some(Err(reason)) => {
                    let fault = Fault::new(reason, reference.uri.as_str());
                    self.faults.push(fault.clone());
                    Verdict::Invalid(fault)
                }
            };
        }
        self.decide();
    }

    fn decide(&mut self) {
        self.faults.sort_by_key(Fault::rank);
        self.verdict = match self.faults.first() {
            Some(fault) => Verdict::Invalid(fault.clone()),
            None if self.references.iter().any(|reference| reference.verdict == Verdict::Pending) => {
                Verdict::Pending
            }
            None => Verdict::Valid,
        };
    }
}

/// Verifies every `ds:Signature` of one `osci:ContentContainer`.
///
/// `container` stands in `document`; the certificates of the authors stand in `envelope`, which is another document
/// when the container was decrypted. `transported` are the digests of all attachments as they came, `is_encrypted` tells
/// by Content-ID which of them are encrypted in themselves, so that these digests are not those of the author.
///
/// Required: each `Content` of the container is covered (inline: its octets or its element; attachment: the Content
/// element and the octets; nested container: the Content element and the octets of its attachments), no reference leads
/// elsewhere, none twice. `EncryptedData` may be referenced, see [`Apex::OwnOnly`] for the known defect. An empty list:
/// the container is not signed.
#[must_use]
pub fn verify_content(
    document: &Document,
    container: NodeId,
    envelope: &Document,
    transported: &[PartDigests],
    is_encrypted: &dyn Fn(&str) -> bool,
    policy: &CryptoPolicy,
) -> Vec<ContentSignature> {
    let Some(container) = document.node(container) else { return Vec::new() };
    let check = Check { document, container, envelope, transported, is_encrypted, policy };
    children(container, NS_DS, "Signature").map(|signature| check.signature(signature)).collect()
}

struct Check<'a> {
    document: &'a Document,
    container: Node<'a, 'a>,
    envelope: &'a Document,
    transported: &'a [PartDigests],
    is_encrypted: &'a dyn Fn(&str) -> bool,
    policy: &'a CryptoPolicy,
}

/// What a signature of this container may and must refer to.
struct Scope<'a> {
    elements: HashMap<NodeId, (Node<'a, 'a>, Need)>,
    attachments: HashMap<&'a str, bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Must,
    May,
    Seen,
}

impl<'a> Check<'a> {
    fn scope(&self, signature: Node<'a, 'a>) -> Scope<'a> {
        let mut scope = Scope { elements: HashMap::new(), attachments: HashMap::new() };
        for content in children(self.container, NS_OSCI, "Content") {
            let target = child(content, NS_OSCI, "Base64Content").unwrap_or(content);
            scope.elements.insert(target.id(), (target, Need::Must));
        }
        // The attachments of nested containers too: their element says which, not what is in them.
        for content in self.container.descendants().filter(|node| is(*node, NS_OSCI, "Content")) {
            if let Some(id) = content.attribute("href").and_then(|href| href.strip_prefix("cid:")) {
                scope.attachments.insert(id, false);
            }
        }
        for data in children(self.container, NS_XENC, "EncryptedData") {
            scope.elements.insert(data.id(), (data, Need::May));
        }
        for properties in signed_properties(signature) {
            scope.elements.insert(properties.id(), (properties, Need::May));
        }
        scope
    }

    fn signature(&self, signature: Node<'a, 'a>) -> ContentSignature {
        let parsed = match Parsed::read(signature, self.policy) {
            Ok(parsed) => parsed,
            Err(fault) => return ContentSignature::broken(fault),
        };
        let mut scope = self.scope(signature);
        let mut faults = Vec::new();
        let mut references = Vec::with_capacity(parsed.references.len());
        let mut signing_time = None;
        for reference in &parsed.references {
            let (target, verdict, library_form) = self.reference(reference, &mut scope);
            if let Verdict::Invalid(fault) = &verdict {
                faults.push(fault.clone());
            }
            if let (Target::Element(id), Verdict::Valid) = (&target, &verdict)
                && let Some(time) = self.document.node(*id).and_then(signing_time_in)
            {
                signing_time = Some(time);
            }
            references.push(ReferenceVerdict {
                uri: reference.uri.to_owned(),
                target,
                algorithm: reference.algorithm.as_ref().ok().copied(),
                expected: reference.expected.clone(),
                verdict,
                library_form,
            });
        }
        faults.extend(scope.missing());
        let signer = self.signer(&parsed, &mut faults);
        let mut result = ContentSignature {
            verdict: Verdict::Valid,
            faults,
            signer_id: Some(parsed.key_id.to_owned()),
            signer,
            algorithm: parsed.algorithm,
            signing_time,
            references,
        };
        result.decide();
        result
    }

    fn signer(&self, parsed: &Parsed<'_>, faults: &mut Vec<Fault>) -> Option<Certificate> {
        let Some(element) = certificate_element(self.envelope, parsed.key_id, &AUTHORS) else {
            faults.push(Fault::new(Reason::Signer, parsed.key_id));
            faults.extend(parsed.method.clone().err());
            return None;
        };
        let Some(certificate) = certificate_in(element) else {
            faults.push(Fault::new(Reason::Certificate, parsed.key_id));
            faults.extend(parsed.method.clone().err());
            return None;
        };
        if !certificate.may_sign() {
            faults.push(Fault::new(Reason::KeyUsage, parsed.key_id));
        }
        if !self.policy.accepts_key(certificate.key()) {
            faults.push(Fault::new(Reason::WeakKey, parsed.key_id));
        }
        faults.extend(parsed.check_value(&certificate).err());
        Some(certificate)
    }

    fn reference(&self, reference: &ParsedReference<'_>, scope: &mut Scope<'a>) -> (Target, Verdict, bool) {
        let invalid = |reason| Verdict::Invalid(Fault::new(reason, reference.uri));
        if let Some(id) = reference.uri.strip_prefix("cid:") {
            return (Target::Attachment(id.to_owned()), self.attachment(id, reference, scope), false);
        }
        let Some(node) = reference.uri.strip_prefix('#').and_then(|id| self.document.by_id(id)) else {
            return (Target::Nothing, invalid(Reason::Missing), false);
        };
        let target = Target::Element(node.id());
        let Some((node, need)) = scope.elements.get_mut(&node.id()) else {
            return (target, invalid(Reason::Unexpected), false);
        };
        if std::mem::replace(need, Need::Seen) == Need::Seen {
            return (target, invalid(Reason::Twice), false);
        }
        match element(*node, reference) {
            Ok(library_form) => (target, Verdict::Valid, library_form),
            Err(fault) => (target, Verdict::Invalid(fault), false),
        }
    }

    fn attachment(&self, id: &str, reference: &ParsedReference<'_>, scope: &mut Scope<'a>) -> Verdict {
        let invalid = |reason| Verdict::Invalid(Fault::new(reason, reference.uri));
        let Some(seen) = scope.attachments.get_mut(id) else { return invalid(Reason::Unexpected) };
        if std::mem::replace(seen, true) {
            return invalid(Reason::Twice);
        }
        let algorithm = match (&reference.transform, &reference.algorithm) {
            (Err(fault), _) | (_, Err(fault)) => return Verdict::Invalid(fault.clone()),
            (Ok(Transform::None), Ok(algorithm)) => *algorithm,
            (Ok(_), _) => return invalid(Reason::Transform),
        };
        if (self.is_encrypted)(id) {
            return Verdict::Pending;
        }
        let Some(part) = self.transported.iter().find(|part| part.content_id == id) else {
            return invalid(Reason::Missing);
        };
        match part.get(algorithm) {
            Some(digest) if digest == reference.expected => Verdict::Valid,
            Some(_) => invalid(Reason::Digest),
            // Only the envelope's algorithms were known when it came.
            None => Verdict::Pending,
        }
    }
}

impl Scope<'_> {
    fn missing(&self) -> Vec<Fault> {
        let elements = self
            .elements
            .values()
            .filter(|(_, need)| *need == Need::Must)
            .map(|(node, _)| node.attribute("Id").unwrap_or(node.tag_name().name()).to_owned());
        let attachments = self.attachments.iter().filter(|(_, seen)| !**seen);
        let attachments = attachments.map(|(id, _)| attachment_place(id));
        let mut places: Vec<String> = elements.chain(attachments).collect();
        places.sort_unstable();
        places.into_iter().map(|place| Fault::new(Reason::Unsigned, place)).collect()
    }
}

/// Compares the digest of an element; `true` when only the library's form fits.
fn element(node: Node<'_, '_>, reference: &ParsedReference<'_>) -> Result<bool, Fault> {
    let fault = |reason| Err(Fault::new(reason, reference.uri));
    let algorithm = *reference.algorithm.as_ref().map_err(Clone::clone)?;
    let expected = Some(reference.expected.as_slice());
    match reference.transform.as_ref().map_err(Clone::clone)? {
        Transform::Base64 => {
            // The transformation takes the text of the element; only Base64Content has nothing else.
            if !is(node, NS_OSCI, "Base64Content") {
                return fault(Reason::Transform);
            }
            let octets = text_of(node).and_then(|text| base64_of(&text));
            let digest = octets.and_then(|octets| Hasher::digest(algorithm, &octets));
            if digest.as_deref() == expected { Ok(false) } else { fault(Reason::Digest) }
        }
        Transform::None | Transform::Canonical => {
            if element_digest(node, Apex::InScope, algorithm).as_deref() == expected {
                return Ok(false);
            }
            let library = is(node, NS_XENC, "EncryptedData")
                && element_digest(node, Apex::OwnOnly, algorithm).as_deref() == expected;
            if library { Ok(true) } else { fault(Reason::Digest) }
        }
    }
}

/// `xades:SignedProperties` inside the Objects of the signature itself.
fn signed_properties<'a>(signature: Node<'a, 'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    children(signature, NS_DS, "Object")
        .flat_map(|object| elements(object).filter(|node| is(*node, NS_XADES, "QualifyingProperties")))
        .flat_map(|properties| elements(properties).filter(|node| is(*node, NS_XADES, "SignedProperties")))
}

fn signing_time_in(properties: Node<'_, '_>) -> Option<String> {
    if !is(properties, NS_XADES, "SignedProperties") {
        return None;
    }
    let signature = child(properties, NS_XADES, "SignedSignatureProperties")?;
    Some(text_of(child(signature, NS_XADES, "SigningTime")?)?.trim().to_owned())
}
