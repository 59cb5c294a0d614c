//! Signatures of content containers by their authors (facts 11, Inhaltssignatur).

use std::collections::{HashMap, HashSet};

use super::reading::{
    Parsed, ParsedReference, Transform, certificate_element, certificate_in, element_digest,
};
use super::verdict::{Fault, PartDigests, Reason, ReferenceVerdict, Target, Verdict, attachment_place};
use crate::algorithm::{CryptoPolicy, DigestAlgorithm, Hasher, SignatureAlgorithm};
use crate::c14n::Apex;
use crate::certificate::Certificate;
use crate::xml::{
    Document, NS_DS, NS_OSCI, NS_XADES, NS_XENC, Node, NodeId, base64_of, child, children, elements, is,
    text_of,
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
/// when the container was decrypted. `transported` are the digests of all attachments as they came, `is_encrypted`
/// tells by Content-ID which of them are encrypted in themselves, so that these digests are not those of the author.
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
    let signatures: Vec<_> = children(container, NS_DS, "Signature").collect();
    if signatures.is_empty() {
        return Vec::new();
    }
    let (scope, digests) = (Scope::of(container), Digests::default());
    let mut check = Check { document, scope, digests, envelope, transported, is_encrypted, policy };
    signatures.into_iter().map(|signature| check.signature(signature)).collect()
}

struct Check<'a> {
    document: &'a Document,
    scope: Scope<'a>,
    digests: Digests,
    envelope: &'a Document,
    transported: &'a [PartDigests],
    is_encrypted: &'a dyn Fn(&str) -> bool,
    policy: &'a CryptoPolicy,
}

/// What the signatures of a container must and may refer to.
struct Scope<'a> {
    elements: HashSet<NodeId>,
    attachments: HashSet<&'a str>,
    /// What each signature must refer to, by the names that a fault gives.
    required: Vec<(String, Part<'a>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part<'a> {
    Element(NodeId),
    Attachment(&'a str),
}

/// Unsigned parts that one signature names. There may be as many signatures as parts, and the first decides.
const UNSIGNED: usize = 16;

impl<'a> Scope<'a> {
    fn of(container: Node<'a>) -> Self {
        let (mut elements, mut required) = (HashSet::new(), Vec::new());
        for content in children(container, NS_OSCI, "Content") {
            let target = child(content, NS_OSCI, "Base64Content").unwrap_or(content);
            let place = target.attribute("Id").unwrap_or(target.tag_name().name());
            elements.insert(target.id());
            required.push((place.to_owned(), Part::Element(target.id())));
        }
        // The attachments of nested containers too: their element says which, not what is in them.
        let contents = container.descendants().filter(|node| is(*node, NS_OSCI, "Content"));
        let attachments: HashSet<_> =
            contents.filter_map(|content| content.attribute("href")?.strip_prefix("cid:")).collect();
        required.extend(attachments.iter().map(|id| (attachment_place(id), Part::Attachment(id))));
        required.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        elements.extend(children(container, NS_XENC, "EncryptedData").map(|data| data.id()));
        Self { elements, attachments, required }
    }

    fn unsigned(&self, seen: &HashSet<Part<'a>>) -> impl Iterator<Item = Fault> {
        let missing = self.required.iter().filter(|(_, part)| !seen.contains(part));
        missing.take(UNSIGNED).map(|(place, _)| Fault::new(Reason::Unsigned, place.as_str()))
    }
}

/// Digests of elements that were computed: many authors may sign one content.
#[derive(Default)]
struct Digests(HashMap<(NodeId, Form, DigestAlgorithm), Option<Vec<u8>>>);

/// What of an element is digested.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// The octets that its text is in Base64.
    Octets,
    Canonical(Apex),
}

impl Digests {
    fn of(&mut self, node: Node<'_>, form: Form, algorithm: DigestAlgorithm) -> Option<&[u8]> {
        let compute = || match form {
            Form::Octets => Hasher::digest(algorithm, &base64_of(&text_of(node)?)?),
            Form::Canonical(apex) => element_digest(node, apex, algorithm),
        };
        self.0.entry((node.id(), form, algorithm)).or_insert_with(compute).as_deref()
    }
}

impl<'a> Check<'a> {
    fn signature(&mut self, signature: Node<'a>) -> ContentSignature {
        let parsed = match Parsed::read(signature, self.policy) {
            Ok(parsed) => parsed,
            Err(fault) => return ContentSignature::broken(fault),
        };
        let own: Vec<_> = signed_properties(signature).collect();
        let mut seen = HashSet::new();
        let mut faults = Vec::new();
        let mut references = Vec::with_capacity(parsed.references.len());
        let mut signing_time = None;
        for reference in &parsed.references {
            let (target, verdict, library_form) = self.reference(reference, &own, &mut seen);
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
        faults.extend(self.scope.unsigned(&seen));
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

    /// `own`: the signed properties of the signature itself.
    fn reference(
        &mut self,
        reference: &ParsedReference<'_>,
        own: &[Node<'a>],
        seen: &mut HashSet<Part<'a>>,
    ) -> (Target, Verdict, bool) {
        let invalid = |reason| Verdict::Invalid(Fault::new(reason, reference.uri));
        if let Some(id) = reference.uri.strip_prefix("cid:") {
            return (Target::Attachment(id.to_owned()), self.attachment(id, reference, seen), false);
        }
        let Some(node) = reference.uri.strip_prefix('#').and_then(|id| self.document.by_id(id)) else {
            return (Target::Nothing, invalid(Reason::Missing), false);
        };
        let target = Target::Element(node.id());
        if !own.contains(&node) && !self.scope.elements.contains(&node.id()) {
            return (target, invalid(Reason::Unexpected), false);
        }
        if !seen.insert(Part::Element(node.id())) {
            return (target, invalid(Reason::Twice), false);
        }
        match element(node, reference, &mut self.digests) {
            Ok(library_form) => (target, Verdict::Valid, library_form),
            Err(fault) => (target, Verdict::Invalid(fault), false),
        }
    }

    fn attachment(&self, id: &str, reference: &ParsedReference<'_>, seen: &mut HashSet<Part<'a>>) -> Verdict {
        let invalid = |reason| Verdict::Invalid(Fault::new(reason, reference.uri));
        let Some(known) = self.scope.attachments.get(id) else { return invalid(Reason::Unexpected) };
        if !seen.insert(Part::Attachment(known)) {
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

/// Compares the digest of an element; `true` when only the library's form fits.
fn element(node: Node<'_>, reference: &ParsedReference<'_>, digests: &mut Digests) -> Result<bool, Fault> {
    let fault = |reason| Err(Fault::new(reason, reference.uri));
    let algorithm = *reference.algorithm.as_ref().map_err(Clone::clone)?;
    let expected = Some(reference.expected.as_slice());
    match reference.transform.as_ref().map_err(Clone::clone)? {
        Transform::Base64 => {
            // The transformation takes the text of the element; only Base64Content has nothing else.
            if !is(node, NS_OSCI, "Base64Content") {
                return fault(Reason::Transform);
            }
            if digests.of(node, Form::Octets, algorithm) == expected {
                Ok(false)
            } else {
                fault(Reason::Digest)
            }
        }
        Transform::None | Transform::Canonical => {
            if digests.of(node, Form::Canonical(Apex::InScope), algorithm) == expected {
                return Ok(false);
            }
            let library = is(node, NS_XENC, "EncryptedData")
                && digests.of(node, Form::Canonical(Apex::OwnOnly), algorithm) == expected;
            if library { Ok(true) } else { fault(Reason::Digest) }
        }
    }
}

/// `xades:SignedProperties` inside the Objects of the signature itself.
fn signed_properties<'a>(signature: Node<'a>) -> impl Iterator<Item = Node<'a>> {
    children(signature, NS_DS, "Object")
        .flat_map(|object| elements(object).filter(|node| is(*node, NS_XADES, "QualifyingProperties")))
        .flat_map(|properties| elements(properties).filter(|node| is(*node, NS_XADES, "SignedProperties")))
}

fn signing_time_in(properties: Node<'_>) -> Option<String> {
    if !is(properties, NS_XADES, "SignedProperties") {
        return None;
    }
    let signature = child(properties, NS_XADES, "SignedSignatureProperties")?;
    Some(text_of(child(signature, NS_XADES, "SigningTime")?)?.trim().to_owned())
}
