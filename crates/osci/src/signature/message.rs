//! The signature of a message: ClientSignature and SupplierSignature (facts 8).

use std::collections::{HashMap, HashSet};

use super::reading::{
    Parsed, ParsedReference, Transform, certificate_element, certificate_in, element_digest,
};
use super::verdict::{Fault, PartDigests, Reason, ReferenceVerdict, Target, Verdict, attachment_place};
use crate::algorithm::{CryptoPolicy, DigestAlgorithm, SignatureAlgorithm};
use crate::c14n::Apex;
use crate::certificate::Certificate;
use crate::feedback::{FeedbackCode, Refused};
use crate::message::MessageKind;
use crate::xml::{Document, NS_DS, NS_OSCI, Node, NodeId, elements, is};

/// Whose signature certificate must have made the signature, and thereby which certificate element KeyInfo must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerRole {
    /// `SignatureCertificateOriginator`: the client of an order; the recipient who answers processDelivery.
    Originator,
    /// `SignatureCertificateIntermediary`: the intermediary in its responses and in accept-/processDelivery.
    Intermediary,
    /// `SignatureCertificateAddressee`: the recipient who answers acceptDelivery.
    Addressee,
}

impl SignerRole {
    /// The role that signs messages of a kind (facts 5.2 and 8).
    #[must_use]
    pub const fn of(kind: MessageKind) -> Self {
        match kind {
            MessageKind::InitDialog
            | MessageKind::ExitDialog
            | MessageKind::GetMessageId
            | MessageKind::StoreDelivery
            | MessageKind::FetchDelivery
            | MessageKind::FetchProcessCard
            | MessageKind::ForwardDelivery
            | MessageKind::MediateDelivery
            | MessageKind::PartialStoreDelivery
            | MessageKind::PartialFetchDelivery
            | MessageKind::ResponseToProcessDelivery => Self::Originator,
            MessageKind::ResponseToAcceptDelivery => Self::Addressee,
            _ => Self::Intermediary,
        }
    }

    /// Name of the certificate element.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Self::Originator => "SignatureCertificateOriginator",
            Self::Intermediary => "SignatureCertificateIntermediary",
            Self::Addressee => "SignatureCertificateAddressee",
        }
    }
}

/// Befund über die Signatur einer Nachricht.
#[derive(Debug, Clone)]
pub struct MessageVerdict {
    /// Valid, invalid (with the fault that decides the feedback) or absent.
    pub verdict: Verdict,
    /// Every fault, the deciding one first.
    pub faults: Vec<Fault>,
    /// The certificate the signature names; present as soon as KeyInfo names the right element, also when something
    /// else is wrong. The caller compares it with the partner it expects and asks the trust policy.
    pub signer: Option<Certificate>,
    /// Signature algorithm.
    pub algorithm: Option<SignatureAlgorithm>,
    /// Every reference in document order.
    pub references: Vec<ReferenceVerdict>,
    covered: HashSet<NodeId>,
}

impl MessageVerdict {
    /// Whether this very element object is a part (header block or Body) whose digest was compared, in a signature that
    /// is valid as a whole. Nothing is covered by an invalid signature.
    #[must_use]
    pub fn covers(&self, node: NodeId) -> bool {
        self.verdict == Verdict::Valid && self.covered.contains(&node)
    }

    /// Demands a valid signature.
    ///
    /// # Errors
    /// 9600 when there is none, 9601, 9602 or 9700 as typed feedback, 9100 as fault (facts 15).
    pub fn require(&self) -> Result<&Certificate, Refused> {
        match (&self.verdict, &self.signer) {
            (Verdict::Valid, Some(signer)) => Ok(signer),
            (Verdict::Invalid(fault), _) => Err(fault.refused()),
            (Verdict::Absent, _) => Err(Refused::new(FeedbackCode::S9600, "the message is not signed")),
            (Verdict::Valid | Verdict::Pending, _) => {
                Err(Refused::new(FeedbackCode::S9603, "a verdict without a signer"))
            }
        }
    }

    /// For an inspection that could not take the message apart: what it says of attachments was not compared with
    /// anything.
    pub(crate) fn leave_attachments_open(&mut self) {
        let compared = |fault: &Fault| fault.reason == Reason::Missing && fault.place.starts_with("cid:");
        self.faults.retain(|fault| !compared(fault));
        for reference in &mut self.references {
            if matches!(&reference.verdict, Verdict::Invalid(fault) if compared(fault)) {
                reference.verdict = Verdict::Pending;
            }
        }
        let open = self.references.iter().any(|reference| reference.verdict == Verdict::Pending);
        self.verdict = match self.faults.first() {
            Some(fault) => Verdict::Invalid(fault.clone()),
            None if open => Verdict::Pending,
            None => self.verdict.clone(),
        };
    }

    fn absent() -> Self {
        Self {
            verdict: Verdict::Absent,
            faults: Vec::new(),
            signer: None,
            algorithm: None,
            references: Vec::new(),
            covered: HashSet::new(),
        }
    }

    fn broken(fault: Fault) -> Self {
        Self { verdict: Verdict::Invalid(fault.clone()), faults: vec![fault], ..Self::absent() }
    }
}

/// Verifies the signature of a message. Required (facts 8): every header block but the signature block, the Body and
/// every attachment is referenced exactly once, nothing else is; the only transformation is inclusive C14N; KeyInfo
/// names exactly the certificate element of the role that must sign.
///
/// `attachments` are the attachments of the message with the digests of their octets as transported; an algorithm that
/// was not computed counts as a wrong digest ([`Intake`](crate::intake::Intake) computes all that the message names).
#[must_use]
pub fn verify_message(
    document: &Document,
    kind: MessageKind,
    attachments: &[PartDigests],
    policy: &CryptoPolicy,
) -> MessageVerdict {
    let broken = |what| MessageVerdict::broken(Fault::new(Reason::Structure(what), ""));
    let (Some(header), Some(body)) = (document.header(), document.body()) else {
        // MessageEncrypted and Fault have no header and no signature.
        return if document.body().is_some() {
            MessageVerdict::absent()
        } else {
            broken("one Header and one Body")
        };
    };
    let mut blocks = elements(header).filter(|block| is_signature_block(*block));
    let Some(block) = blocks.next() else { return MessageVerdict::absent() };
    if blocks.next().is_some() {
        return broken("more than one signature block");
    }
    let mut inside = elements(block);
    let Some(signature) = inside.next().filter(|node| is(*node, NS_DS, "Signature")) else {
        return broken("Signature");
    };
    if inside.next().is_some() {
        return broken("more than one Signature in the block");
    }
    match Parsed::read(signature, policy) {
        Err(fault) => MessageVerdict::broken(fault),
        Ok(parsed) if !parsed.objects.is_empty() => broken("ds:Object"),
        Ok(parsed) => Verification::new(document, header, body, block, attachments).run(
            &parsed,
            SignerRole::of(kind),
            policy,
        ),
    }
}

pub(crate) fn is_signature_block(node: Node<'_>) -> bool {
    is(node, NS_OSCI, "ClientSignature") || is(node, NS_OSCI, "SupplierSignature")
}

struct Verification<'a> {
    document: &'a Document,
    /// The element objects that must be signed, with the reference seen for them.
    parts: HashMap<NodeId, Part<'a>>,
    attachments: HashMap<&'a str, (&'a PartDigests, bool)>,
    faults: Vec<Fault>,
}

struct Part<'a> {
    node: Node<'a>,
    seen: bool,
}

impl<'a> Verification<'a> {
    fn new(
        document: &'a Document,
        header: Node<'a>,
        body: Node<'a>,
        block: Node<'a>,
        attachments: &'a [PartDigests],
    ) -> Self {
        let parts = elements(header)
            .filter(|node| *node != block)
            .chain([body])
            .map(|node| (node.id(), Part { node, seen: false }))
            .collect();
        let mut faults = Vec::new();
        let mut known = HashMap::with_capacity(attachments.len());
        for part in attachments {
            if known.insert(part.content_id.as_str(), (part, false)).is_some() {
                faults.push(Fault::new(
                    Reason::Structure("two attachments with one Content-ID"),
                    attachment_place(&part.content_id),
                ));
            }
        }
        Self { document, parts, attachments: known, faults }
    }

    fn run(mut self, parsed: &Parsed<'a>, role: SignerRole, policy: &CryptoPolicy) -> MessageVerdict {
        let mut references = Vec::with_capacity(parsed.references.len());
        for reference in &parsed.references {
            let verdict = self.reference(reference);
            if let Verdict::Invalid(fault) = &verdict.verdict {
                self.faults.push(fault.clone());
            }
            references.push(verdict);
        }
        self.coverage();
        let signer = self.signer(parsed, role, policy);
        let value = match &signer {
            Some(certificate) => parsed.check_value(certificate),
            None => parsed.method.clone(),
        };
        self.faults.extend(value.err());
        self.faults.sort_by_key(Fault::rank);
        let verdict = self.faults.first().cloned().map_or(Verdict::Valid, Verdict::Invalid);
        let covered = self.parts.iter().filter(|(_, part)| part.seen).map(|(id, _)| *id).collect();
        MessageVerdict {
            verdict,
            faults: self.faults,
            signer,
            algorithm: parsed.algorithm,
            references,
            covered,
        }
    }

    fn reference(&mut self, reference: &ParsedReference<'_>) -> ReferenceVerdict {
        let (target, outcome) = self.compare(reference);
        ReferenceVerdict {
            uri: reference.uri.to_owned(),
            target,
            algorithm: reference.algorithm.as_ref().ok().copied(),
            expected: reference.expected.clone(),
            verdict: outcome.map_or_else(Verdict::Invalid, |()| Verdict::Valid),
            library_form: false,
        }
    }

    fn compare(&mut self, reference: &ParsedReference<'_>) -> (Target, Result<(), Fault>) {
        let fault = |reason| Err(Fault::new(reason, reference.uri));
        if let Some(id) = reference.uri.strip_prefix("cid:") {
            let target = Target::Attachment(id.to_owned());
            let Some((digests, seen)) = self.attachments.get_mut(id) else {
                return (target, fault(Reason::Missing));
            };
            if std::mem::replace(seen, true) {
                return (target, fault(Reason::Twice));
            }
            let outcome = match (&reference.transform, &reference.algorithm) {
                (Err(fault), _) | (_, Err(fault)) => Err(fault.clone()),
                (Ok(Transform::None), Ok(algorithm))
                    if digests.get(*algorithm) == Some(&reference.expected) =>
                {
                    Ok(())
                }
                (Ok(Transform::None), Ok(_)) => fault(Reason::Digest),
                (Ok(_), _) => fault(Reason::Transform),
            };
            return (target, outcome);
        }
        let Some(node) = reference.uri.strip_prefix('#').and_then(|id| self.document.by_id(id)) else {
            return (Target::Nothing, fault(Reason::Missing));
        };
        let target = Target::Element(node.id());
        let Some(part) = self.parts.get_mut(&node.id()) else { return (target, fault(Reason::Unexpected)) };
        if std::mem::replace(&mut part.seen, true) {
            return (target, fault(Reason::Twice));
        }
        let outcome = match (&reference.transform, &reference.algorithm) {
            (Err(fault), _) | (_, Err(fault)) => Err(fault.clone()),
            (Ok(Transform::None | Transform::Canonical), Ok(algorithm)) => {
                digest_fits(part.node, *algorithm, reference)
            }
            (Ok(Transform::Base64), _) => fault(Reason::Transform),
        };
        (target, outcome)
    }

    fn coverage(&mut self) {
        let unsigned = self
            .parts
            .values()
            .filter(|part| !part.seen)
            .map(|part| part.node.attribute("Id").unwrap_or(part.node.tag_name().name()).to_owned());
        let attachments = self.attachments.iter().filter(|(_, (_, seen))| !seen);
        let attachments = attachments.map(|(id, _)| attachment_place(id));
        let mut places: Vec<String> = unsigned.chain(attachments).collect();
        places.sort_unstable();
        self.faults.extend(places.into_iter().map(|place| Fault::new(Reason::Unsigned, place)));
    }

    fn signer(
        &mut self,
        parsed: &Parsed<'_>,
        role: SignerRole,
        policy: &CryptoPolicy,
    ) -> Option<Certificate> {
        let Some(element) = certificate_element(self.document, parsed.key_id, &[role.element()]) else {
            self.faults.push(Fault::new(Reason::Signer, role.element()));
            return None;
        };
        let Some(certificate) = certificate_in(element) else {
            self.faults.push(Fault::new(Reason::Certificate, parsed.key_id));
            return None;
        };
        if !certificate.may_sign() {
            self.faults.push(Fault::new(Reason::KeyUsage, parsed.key_id));
        }
        if !policy.accepts_key(certificate.key()) {
            self.faults.push(Fault::new(Reason::WeakKey, parsed.key_id));
        }
        Some(certificate)
    }
}

fn digest_fits(
    node: Node<'_>,
    algorithm: DigestAlgorithm,
    reference: &ParsedReference<'_>,
) -> Result<(), Fault> {
    if element_digest(node, Apex::InScope, algorithm).as_deref() == Some(&reference.expected) {
        Ok(())
    } else {
        Err(Fault::new(Reason::Digest, reference.uri))
    }
}
