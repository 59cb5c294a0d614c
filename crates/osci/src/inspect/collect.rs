//! Gathering the report.

use super::damaged::Damaged;
use super::facts::{self, inspection};
use super::packaging::Packaging;
use super::{
    ContentReport, EncryptedReport, Finding, Item, Layer, PartReport, ReferenceReport, Report,
    SignatureReport,
};
use crate::algorithm::{CryptoPolicy, DataAlgorithm, DigestAlgorithm, KeyTransport, SignatureAlgorithm};
use crate::content::{self, AttachmentReader, Container, Content, ContentBody, EncryptedContent, LayerState};
use crate::intake::{IntakeConfig, MemoryStore, Received, read_all};
use crate::keys::Decrypter;
use crate::message::{Message, MessageKind};
use crate::random::Random;
use crate::signature::{
    ContentSignature, MessageVerdict, ReferenceVerdict, Verdict, certificate_in, is_signature_block,
    verify_message,
};
use crate::xml::{
    Document, NS_OSCI, NS_OSCI2017, NS_SOAP, NS_XENC, Node, XmlError, child, elements, is, text_of,
};

/// Inspects the octets of an HTTP body, plain or encrypted. The policy should be permissive: what it would refuse is
/// said beside each algorithm anyway, and an inspection has nothing to protect.
#[must_use]
pub fn inspect(
    octets: &[u8],
    decrypters: &[&dyn Decrypter],
    config: &IntakeConfig,
    random: &mut dyn Random,
) -> Report {
    let mut report = Report { bytes: octets.len() as u64, ..Report::default() };
    match read_all(config, decrypters, random, octets) {
        Ok(received) => report.message(&received, decrypters, config, random),
        Err(refused) => {
            report.refused = Some(refused);
            report.remains(octets, config);
        }
    }
    report
}

/// The envelope in octets that are no MIME message.
fn bare(octets: &[u8]) -> Option<Vec<u8>> {
    let find = |wanted: &[u8]| memchr::memmem::find(octets, wanted);
    let start = find(b"<?xml").or_else(|| find(b"<soap:Envelope"))?;
    let rest = octets.get(start..)?;
    let close = memchr::memmem::rfind(rest, b"Envelope>").map_or(rest.len(), |at| at + b"Envelope>".len());
    rest.get(..close).map(<[u8]>::to_vec)
}

impl Report {
    /// What can still be said of a message whose reading was refused.
    fn remains(&mut self, octets: &[u8], config: &IntakeConfig) {
        let (envelope, parts) = match Packaging::read(octets, config.mime) {
            Ok(Packaging { root, parts, .. }) => (root, Some(parts)),
            Err(error) => {
                let Some(envelope) = bare(octets) else { return };
                self.findings.push(Finding::Unpackaged(error));
                (envelope, None)
            }
        };
        let document = match Document::parse(envelope.clone(), &config.xml) {
            Ok(document) => document,
            Err(XmlError::DuplicateId(id)) => {
                if let Ok(document) = Document::parse_without_ids(envelope, &config.xml) {
                    self.envelope(&document);
                    self.unjudged(signed(&document), "an Id occurs more than once");
                }
                return self.findings.push(Finding::DuplicateId(id));
            }
            Err(_) => {
                let seen = Damaged::read(&envelope);
                self.unjudged(seen.signed, "the XML is broken");
                self.kind = seen.kind;
                return self.certificates = seen.certificates;
            }
        };
        self.envelope(&document);
        let Some(kind) = self.kind else {
            return self.unjudged(signed(&document), "the type of the message is not recognised");
        };
        let known = parts.as_deref().unwrap_or_default();
        let mut verdict = verify_message(&document, kind, known, &config.policy);
        if parts.is_none() {
            verdict.leave_attachments_open();
        }
        self.signature = message_signature(&document, &verdict);
        if kind == MessageKind::MessageEncrypted {
            self.signature
                .faults
                .push("a signature inside cannot be seen, the message is not decrypted".to_owned());
        }
    }

    /// A signature that is there, and why it cannot be judged: it counts for nobody.
    fn unjudged(&mut self, signed: bool, why: &str) {
        if signed {
            self.signature.verdict = "invalid";
            self.signature.faults = vec![why.to_owned()];
        }
    }

    fn message(
        &mut self,
        received: &Received<MemoryStore>,
        decrypters: &[&dyn Decrypter],
        config: &IntakeConfig,
        random: &mut dyn Random,
    ) {
        self.transport.clone_from(&received.transport);
        self.envelope(&received.document);
        self.kind = Some(received.kind);
        let verdict = verify_message(&received.document, received.kind, &received.digests(), &config.policy);
        self.signature = message_signature(&received.document, &verdict);
        self.parts = received.attachments.iter().map(part).collect();
        let refused = Message::read(&received.document).err();
        self.findings.extend(refused.map(Finding::Refused));
        match content::open(&received.document, &received.digests(), decrypters, config, random) {
            Ok(mut content) => {
                self.plaintexts(&mut content, received);
                self.content(&content);
            }
            Err(refused) => self.findings.push(Finding::Refused(refused)),
        }
        self.weaknesses(received);
    }

    fn weaknesses(&mut self, received: &Received<MemoryStore>) {
        let strict = CryptoPolicy::default();
        if let Some(transport) = &received.transport {
            self.algorithm(transport.data.uri());
            self.algorithm(transport.key.uri());
        }
        let signatures = self.contents.iter().flat_map(|content| &content.signatures);
        let signatures: Vec<_> = signatures.chain([&self.signature]).cloned().collect();
        for signature in signatures {
            signature.algorithm.iter().for_each(|uri| self.algorithm(uri));
            signature.references.iter().for_each(|reference| self.algorithm(&reference.digest));
        }
        let methods =
            received.document.root().descendants().filter(|node| is(*node, NS_XENC, "EncryptionMethod"));
        methods.filter_map(|node| node.attribute("Algorithm")).for_each(|uri| self.algorithm(uri));
        for (role, _, certificate) in &self.certificates {
            if let Ok(certificate) = certificate
                && !strict.accepts_key(certificate.key())
            {
                self.findings.push(Finding::WeakKey(role.clone()));
            }
        }
    }

    /// Notes an algorithm that the strict policy refuses, once.
    fn algorithm(&mut self, uri: &str) {
        let strict = CryptoPolicy::default();
        let weak = SignatureAlgorithm::from_uri(uri)
            .filter(|algorithm| !strict.accepts_signature(*algorithm))
            .map(SignatureAlgorithm::uri)
            .or_else(|| {
                let digest = DigestAlgorithm::from_uri(uri).filter(|digest| !strict.accepts_digest(*digest));
                digest.map(DigestAlgorithm::uri)
            })
            .or_else(|| {
                let data = DataAlgorithm::from_uri(uri).filter(|data| !strict.accepts_data(*data));
                data.map(DataAlgorithm::uri)
            })
            .or_else(|| Some(KeyTransport::Rsa15.uri()).filter(|old| *old == uri));
        let Some(finding) = weak.map(Finding::Algorithm) else { return };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn envelope(&mut self, document: &Document) {
        self.kind = crate::xml::schema_location(document).and_then(MessageKind::from_schema_location);
        if let Some(fault) = document.body().and_then(|body| child(body, NS_SOAP, "Fault")) {
            self.kind = Some(MessageKind::Fault);
            for node in
                fault.descendants().filter(|node| node.is_element() && elements(*node).next().is_none())
            {
                self.order.push((
                    node.tag_name().name().to_owned(),
                    text_of(node).unwrap_or_default().into_owned(),
                ));
            }
        }
        let Some(header) = document.header() else { return };
        for block in elements(header) {
            match block.tag_name().name() {
                "ControlBlock" => self.control(block),
                "IntermediaryCertificates" | "NonIntermediaryCertificates" => self.certificates(block),
                _ => {}
            }
        }
        self.order.extend(facts::of_header(header));
        for node in document
            .root()
            .descendants()
            .filter(|node| matches!(node.tag_name().namespace(), Some(NS_OSCI | NS_OSCI2017)))
        {
            self.order.extend(facts::of(node));
            match node.tag_name().name() {
                "Entry" => self.entry(node),
                "ProcessCardBundle" | "RequestProcessCardBundle" | "ReplyProcessCardBundle" => {
                    self.card(node)
                }
                "MessageId" if !in_card(node) => self.order.push(("MessageId".to_owned(), message_id(node))),
                "Subject" if !in_card(node) => {
                    self.order.push(("Subject".to_owned(), text_of(node).unwrap_or_default().into_owned()))
                }
                "ContentReceiver" => self.order.push((
                    "ContentReceiver".to_owned(),
                    node.attribute("URI").unwrap_or_default().to_owned(),
                )),
                _ => {}
            }
        }
    }

    fn control(&mut self, block: Node<'_>) {
        for name in ["ConversationId", "SequenceNumber"] {
            if let Some(value) = block.attribute(name) {
                self.dialogue.push((name.to_owned(), value.to_owned()));
            }
        }
        for node in elements(block) {
            self.dialogue
                .push((node.tag_name().name().to_owned(), text_of(node).unwrap_or_default().into_owned()));
        }
    }

    fn certificates(&mut self, block: Node<'_>) {
        for node in elements(block) {
            let certificate = certificate_in(node).ok_or_else(|| "the certificate cannot be read".to_owned());
            self.certificates.push((
                node.tag_name().name().to_owned(),
                node.attribute("Id").unwrap_or_default().to_owned(),
                certificate,
            ));
        }
    }

    fn entry(&mut self, node: Node<'_>) {
        let Some(parent) = node.parent_element() else { return };
        let list = if is(parent, NS_OSCI, "Feedback") {
            &mut self.feedback
        } else if is(parent, NS_OSCI2017, "InsideFeedback") {
            &mut self.inside_feedback
        } else {
            return;
        };
        let text = |name| child(node, NS_OSCI, name).and_then(text_of).unwrap_or_default().into_owned();
        let language = node.attribute((crate::xml::NS_XML, "lang")).unwrap_or_default().to_owned();
        list.push((language, text("Code"), text("Text")));
    }

    fn card(&mut self, node: Node<'_>) {
        let id = child(node, NS_OSCI, "MessageId").map(message_id).unwrap_or_default();
        let mut facts = Vec::new();
        if let Some(card) = child(node, NS_OSCI, "ProcessCard") {
            if let Some(time) = card.attribute("RecentModification") {
                facts.push(("RecentModification".to_owned(), time.to_owned()));
            }
            for part in elements(card) {
                let inner = elements(part).next().unwrap_or(part);
                facts.push((
                    part.tag_name().name().to_owned(),
                    text_of(inner).unwrap_or_default().into_owned(),
                ));
            }
        }
        for part in node.descendants().filter(|part| is(*part, NS_OSCI, "Inspection")) {
            facts.push(("Inspection".to_owned(), inspection(part)));
        }
        self.process_cards.push((id, facts));
    }

    /// Reads the attachments whose clear octets signatures wait for, decrypting those that are encrypted.
    fn plaintexts(&mut self, content: &mut Content, received: &Received<MemoryStore>) {
        let parts: Vec<_> = content.attachments().into_iter().cloned().collect();
        for wanted in parts {
            let Some(reader) = AttachmentReader::new(&wanted) else { continue };
            let attachment =
                received.attachments.iter().find(|attachment| attachment.content_id == wanted.content_id);
            let octets = attachment
                .and_then(|attachment| received.store.parts.get(attachment.handle))
                .map_or(&[][..], Vec::as_slice);
            let outcome = reader.and_then(|mut reader| {
                let mut plaintext = Vec::with_capacity(octets.len());
                reader.update(octets, &mut plaintext);
                match reader.finish(&mut plaintext) {
                    Ok(digests) => {
                        content.settle(&digests);
                        Ok(plaintext.len() as u64)
                    }
                    Err(refused) => {
                        content.settle_broken(&wanted.content_id);
                        Err(refused)
                    }
                }
            });
            let mut parts = self.parts.iter_mut().filter(|_| wanted.cipher.is_some());
            if let Some(part) = parts.find(|part| part.content_id == wanted.content_id) {
                part.plaintext = Some(outcome);
            }
        }
    }

    fn content(&mut self, content: &Content) {
        self.contents = content.all_containers().into_iter().map(container).collect();
        self.encrypted = content.all_encrypted().into_iter().map(encrypted).collect();
    }
}

fn in_card(node: Node<'_>) -> bool {
    node.ancestors().any(|ancestor| ancestor.tag_name().name().ends_with("ProcessCardBundle"))
}

/// MessageId is Base64 of text (facts 5.2).
fn message_id(node: Node<'_>) -> String {
    let text = text_of(node).unwrap_or_default();
    let decoded = crate::xml::base64_of(&text).and_then(|octets| String::from_utf8(octets).ok());
    decoded.unwrap_or_else(|| format!("{text} (not Base64 of text)"))
}

fn part(attachment: &crate::intake::AttachmentRef<usize>) -> PartReport {
    let sha256 = attachment.digests.get(crate::algorithm::DigestAlgorithm::Sha256).unwrap_or_default();
    PartReport {
        content_id: attachment.content_id.clone(),
        media_type: attachment.media_type.clone(),
        bytes: attachment.bytes,
        sha256: crate::certificate::hex(sha256),
        plaintext: None,
    }
}

/// Whether a signature block stands in the header.
fn signed(document: &Document) -> bool {
    document.root().descendants().any(is_signature_block)
}

fn message_signature(document: &Document, verdict: &MessageVerdict) -> SignatureReport {
    let code = verdict.require().err().map(|refused| refused.code.to_string());
    let mut report = SignatureReport {
        verdict: verdict.verdict.word(),
        faults: verdict.faults.iter().map(ToString::to_string).collect(),
        code: code.filter(|_| matches!(verdict.verdict, Verdict::Invalid(_))),
        signer: verdict.signer.as_ref().map(|signer| signer.subject().to_owned()),
        algorithm: verdict.algorithm.map(|algorithm| algorithm.uri()),
        time: None,
        references: verdict
            .references
            .iter()
            .map(|one| reference(one, "the attachment cannot be told apart"))
            .collect(),
    };
    if document.header().is_none() {
        report.faults.clear();
    }
    if verdict.verdict == Verdict::Pending {
        report.faults.push("the attachments cannot be compared, the packaging is broken".to_owned());
    }
    report
}

/// Why a digest of the plaintext of an attachment was not compared.
const NO_PLAINTEXT: &str = "the plaintext of the attachment is not at hand";

fn content_signature(signature: &ContentSignature) -> SignatureReport {
    let open = signature.references.iter().filter(|one| one.verdict == Verdict::Pending);
    let open = open.map(|one| format!("{}: {NO_PLAINTEXT}", one.uri));
    SignatureReport {
        verdict: signature.verdict.word(),
        faults: signature.faults.iter().map(ToString::to_string).chain(open).collect(),
        code: None,
        signer: signature.signer.as_ref().map(|signer| signer.subject().to_owned()),
        algorithm: signature.algorithm.map(|algorithm| algorithm.uri()),
        time: signature.signing_time.clone(),
        references: signature.references.iter().map(|one| reference(one, NO_PLAINTEXT)).collect(),
    }
}

/// `open`: why a reference that is pending was not compared.
fn reference(reference: &ReferenceVerdict, open: &str) -> ReferenceReport {
    let remark = match &reference.verdict {
        Verdict::Invalid(fault) => fault.reason.to_string(),
        Verdict::Pending => open.to_owned(),
        _ if reference.library_form => {
            "valid only in the form of the Java library (known defect with EncryptedData)".to_owned()
        }
        _ => String::new(),
    };
    let digest = reference.algorithm.map_or("unknown or refused", |algorithm| algorithm.uri()).to_owned();
    ReferenceReport { uri: reference.uri.clone(), verdict: reference.verdict.word(), digest, remark }
}

fn container(container: &Container) -> ContentReport {
    let items = container.contents.iter().map(|item| {
        let what = match &item.body {
            ContentBody::Inline(octets) => Item::Inline(octets.len()),
            ContentBody::Attachment(part) if part.cipher.is_some() => {
                Item::EncryptedAttachment(part.content_id.clone())
            }
            ContentBody::Attachment(part) => Item::Attachment(part.content_id.clone()),
            ContentBody::Container(inner) => Item::Container(inner.id.clone()),
        };
        (item.id.clone().unwrap_or_default(), what)
    });
    ContentReport {
        id: container.id.clone().unwrap_or_default(),
        items: items.collect(),
        signatures: container.signatures.iter().map(content_signature).collect(),
    }
}

fn encrypted(encrypted: &EncryptedContent) -> EncryptedReport {
    let state = match &encrypted.state {
        LayerState::Opened(_) => Layer::Opened,
        LayerState::Closed => Layer::Closed,
        LayerState::Failed(refused) => Layer::Failed(refused.clone()),
    };
    EncryptedReport {
        id: encrypted.id.clone().unwrap_or_default(),
        readers: encrypted.readers.iter().map(|(id, _)| id.clone()).collect(),
        state,
    }
}
