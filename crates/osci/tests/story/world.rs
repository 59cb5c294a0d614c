//! A small world: an invented CA, an intermediary with mailboxes in memory, two parties, and the driver between them.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use dds_osci::algorithm::DigestAlgorithm;
use dds_osci::certificate::Certificate;
use dds_osci::client::{Client, Delivery, Request};
use dds_osci::content::{ContainerDraft, package};
use dds_osci::feedback::{FeedbackCode, Language, Refused};
use dds_osci::intake::{Intake, IntakeConfig, PartStore, Received};
use dds_osci::intermediary::{Intermediary, MemoryMailboxes, PushFailure, Reply, ReplyMessage, Rules, Step};
use dds_osci::keys::{Decrypter, Signer, SoftwareKey};
use dds_osci::message::{ContentPackage, Envelope, Message};
use dds_osci::mime::PartHeaders;
use dds_osci::outgoing::{AttachmentHead, Outgoing, PartHasher, message_bytes};
use dds_osci::random::SystemRandom;
use dds_osci::signature::{PartDigests, SigningOptions};
use dds_osci::trust::TrustPolicy;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose as Ku, RevokedCertParams, RsaKeySize, SerialNumber,
};

pub(crate) type Blob = Arc<Vec<u8>>;
type Ca = CertifiedIssuer<'static, KeyPair>;

/// Keeps attachments as shared octets.
#[derive(Debug, Default)]
pub(crate) struct Blobs(Vec<u8>);

impl PartStore for Blobs {
    type Handle = Blob;
    type Error = Infallible;

    fn begin(&mut self, _: &PartHeaders) -> Result<(), Infallible> {
        self.0.clear();
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self) -> Result<Blob, Infallible> {
        Ok(Arc::new(std::mem::take(&mut self.0)))
    }
}

pub(crate) struct Keys {
    pub cipher: SoftwareKey,
    pub signature: SoftwareKey,
}

impl Keys {
    pub(crate) fn cipher_certificate(&self) -> &Certificate {
        Decrypter::certificate(&self.cipher)
    }

    pub(crate) fn signature_certificate(&self) -> &Certificate {
        Signer::certificate(&self.signature)
    }
}

pub(crate) struct Pki {
    pub anchor: Certificate,
    pub intermediary: Keys,
    pub sender: Keys,
    pub recipient: Keys,
    pub stranger: Keys,
    /// Signature key whose certificate ended in 2025.
    pub expired: SoftwareKey,
    pub self_signed: SoftwareKey,
    /// 2048 bits.
    pub weak: SoftwareKey,
    /// Cipher certificate that ended in 2025.
    pub expired_cipher: SoftwareKey,
    /// On the revocation list.
    pub revoked: SoftwareKey,
    pub crl: Vec<u8>,
}

fn params(name: &str, usage: Vec<Ku>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2034, 1, 1);
    params.key_usages = usage;
    params
}

fn issue(params: &CertificateParams, key: &KeyPair, ca: &Ca) -> SoftwareKey {
    let certificate = Certificate::from_der(params.signed_by(key, ca).unwrap().der().to_vec()).unwrap();
    SoftwareKey::from_pkcs8(&key.serialize_der(), certificate).unwrap()
}

pub(crate) static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let mut root = params("Erfundene Wurzel", vec![Ku::KeyCertSign, Ku::CrlSign]);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = Ca::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    let keys = |name: &str| Keys {
        cipher: issue(
            &params(&format!("{name} cipher"), vec![Ku::KeyEncipherment]),
            &rsa(RsaKeySize::_3072),
            &ca,
        ),
        signature: issue(
            &params(&format!("{name} signature"), vec![Ku::DigitalSignature]),
            &KeyPair::generate().unwrap(),
            &ca,
        ),
    };
    let mut old = params("abgelaufen", vec![Ku::DigitalSignature]);
    old.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let mut old_cipher = params("abgelaufen", vec![Ku::KeyEncipherment]);
    old_cipher.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let mut revoked = params("gesperrt", vec![Ku::DigitalSignature]);
    revoked.serial_number = Some(SerialNumber::from(vec![66]));
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 11, 1),
        next_update: rcgen::date_time_ymd(2026, 12, 31),
        crl_number: SerialNumber::from(vec![1]),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(vec![66]),
            revocation_time: rcgen::date_time_ymd(2026, 10, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let lone = KeyPair::generate().unwrap();
    let lone_certificate = params("niemand", vec![Ku::DigitalSignature]).self_signed(&lone).unwrap();
    Pki {
        anchor: Certificate::from_der(ca.der().to_vec()).unwrap(),
        intermediary: keys("Intermediär"),
        sender: keys("Bürgerportal"),
        recipient: keys("Steueramt"),
        stranger: keys("Fremder"),
        expired: issue(&old, &KeyPair::generate().unwrap(), &ca),
        self_signed: SoftwareKey::from_pkcs8(
            &lone.serialize_der(),
            Certificate::from_der(lone_certificate.der().to_vec()).unwrap(),
        )
        .unwrap(),
        expired_cipher: issue(&old_cipher, &rsa(RsaKeySize::_3072), &ca),
        revoked: issue(&revoked, &KeyPair::generate().unwrap(), &ca),
        crl: list.signed_by(&ca).unwrap().der().to_vec(),
        weak: issue(&params("kurz", vec![Ku::DigitalSignature]), &rsa(RsaKeySize::_2048), &ca),
    }
});

pub(crate) const RECEIVER: &str = "https://steueramt.example/osci";

/// How the recipient answers a push.
pub(crate) type Pushing = Box<dyn FnMut(&[u8]) -> Pushed>;

pub(crate) enum Pushed {
    Answer(Vec<u8>),
    Failed(PushFailure),
}

pub(crate) struct World {
    pub intermediary: Intermediary,
    pub boxes: MemoryMailboxes<Blob>,
    pub now: Timestamp,
    pub recipient: Pushing,
    /// Why the last refused order was refused.
    pub refused: Option<Refused>,
}

pub(crate) fn intake(octets: &[u8], keys: &Keys) -> Result<Received<Blobs>, Refused> {
    let config = IntakeConfig::default();
    let decrypters: [&dyn Decrypter; 1] = [&keys.cipher];
    let mut intake = Intake::new(&config, &decrypters, &mut SystemRandom, Blobs::default());
    for piece in octets.chunks(4096) {
        intake.push(piece)?;
    }
    intake.finish()
}

pub(crate) fn digest(content_id: &str, octets: &[u8]) -> PartDigests {
    let mut hasher = PartHasher::new(content_id, &[DigestAlgorithm::Sha256]);
    hasher.update(octets);
    hasher.finish()
}

fn head(content_id: &str, length: usize) -> AttachmentHead {
    AttachmentHead {
        content_id: content_id.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        length: Some(length as u64),
    }
}

/// Octets of a message with its attachments.
pub(crate) fn stream(outgoing: Outgoing, attachments: &[(&str, &[u8])]) -> Vec<u8> {
    let parts: Vec<_> = attachments.iter().map(|(id, octets)| (head(id, octets.len()), *octets)).collect();
    message_bytes(outgoing, &parts).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let mut boxes = MemoryMailboxes::default();
        boxes.register(PKI.recipient.cipher_certificate());
        Self {
            intermediary: Intermediary {
                cipher: PKI.intermediary.cipher_certificate().clone(),
                signature: PKI.intermediary.signature_certificate().clone(),
                trust: TrustPolicy { anchors: vec![PKI.anchor.clone()], ..TrustPolicy::default() },
                policy: Default::default(),
                rules: Rules {
                    receivers: vec!["https://steueramt.example/".into()],
                    min_chunk_kb: 1,
                    ..Rules::default()
                },
            },
            boxes,
            now: "2026-11-22T08:00:00Z".parse().unwrap(),
            recipient: Box::new(|_| Pushed::Failed(PushFailure::NotReached)),
            refused: None,
        }
    }

    /// Unsigned and unencrypted orders are taken too.
    pub(crate) fn lenient() -> Self {
        let mut world = Self::new();
        world.intermediary.rules.signature_required = false;
        world.intermediary.rules.encryption_required = false;
        world
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    fn seal(&mut self, reply: &Reply<Blob>) -> Vec<u8> {
        if let Some(refused) = &reply.refused {
            self.refused = Some(refused.clone());
        }
        let envelope = match &reply.message {
            ReplyMessage::Fault(fault) => {
                return stream(Outgoing::plain(fault.write(Language::German), &mut SystemRandom), &[]);
            }
            ReplyMessage::Envelope(envelope) => envelope,
        };
        let octets: Vec<(&str, &[u8])> = reply
            .attachments
            .iter()
            .map(|one| {
                let start = usize::try_from(one.offset).unwrap();
                let end = start + usize::try_from(one.bytes).unwrap();
                (one.content_id.as_str(), &one.handle[start..end])
            })
            .collect();
        let digests: Vec<_> = octets.iter().map(|(id, octets)| digest(id, octets)).collect();
        let key = &PKI.intermediary.signature;
        let signer: Option<(&dyn Signer, SigningOptions)> =
            reply.sign.then(|| (key as &dyn Signer, SigningOptions::default()));
        stream(envelope.seal(signer, reply.encrypt.as_ref(), &digests, &mut SystemRandom).unwrap(), &octets)
    }

    /// The server: octets of an order in, octets of the answer out.
    pub(crate) fn post(&mut self, body: &[u8]) -> Vec<u8> {
        let received = match intake(body, &PKI.intermediary) {
            Ok(received) => received,
            Err(refused) => return self.seal(&Reply::fault(&refused)),
        };
        let examined = match self.intermediary.examine(&received, self.now) {
            Ok(examined) => examined,
            Err(fault) => return self.seal(&fault),
        };
        let step = examined.execute(&self.intermediary, &mut self.boxes, &mut SystemRandom).unwrap();
        let reply = match step {
            Step::Answer(reply) => reply,
            Step::Push { receiver, request, then } => {
                assert_eq!(receiver, RECEIVER);
                let request = self.seal(&request);
                self.later(1);
                match (self.recipient)(&request) {
                    Pushed::Failed(failure) => then.failed(&self.intermediary, failure),
                    Pushed::Answer(octets) => match intake(&octets, &PKI.intermediary) {
                        Err(_) => then.failed(&self.intermediary, PushFailure::Unreadable),
                        Ok(answer) => {
                            then.answered(&self.intermediary, &answer, &mut self.boxes, self.now).unwrap()
                        }
                    },
                }
            }
            Step::Reassemble { chunks, then } => {
                let whole: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.handle.iter().copied()).collect();
                let inside = intake(&whole, &PKI.intermediary);
                then.done(
                    &self.intermediary,
                    inside.as_ref().map_err(Clone::clone),
                    &mut self.boxes,
                    self.now,
                )
                .unwrap()
            }
            Step::Render { response, then } => {
                let octets = self.seal(&response);
                let bytes = octets.len() as u64;
                then.done(&self.intermediary, Arc::new(octets), bytes, &mut self.boxes).unwrap()
            }
        };
        self.seal(&reply)
    }

    /// Sends an order as it should be and reads the answer.
    pub(crate) fn send(
        &mut self,
        keys: &Keys,
        request: &Request,
        attachments: &[(&str, &[u8])],
    ) -> Result<Received<Blobs>, Refused> {
        let octets = octets(keys, request, attachments);
        self.exchange(keys, &octets)
    }

    pub(crate) fn exchange(&mut self, keys: &Keys, octets: &[u8]) -> Result<Received<Blobs>, Refused> {
        self.refused = None;
        let answer = self.post(octets);
        intake(&answer, keys)
    }

    /// The code of the answer to these octets, whatever it is.
    pub(crate) fn code(&mut self, keys: &Keys, octets: &[u8]) -> FeedbackCode {
        code(&self.exchange(keys, octets).unwrap())
    }
}

/// The order as octets, signed with the keys' own signature key.
pub(crate) fn octets(keys: &Keys, request: &Request, attachments: &[(&str, &[u8])]) -> Vec<u8> {
    octets_signed(&keys.signature, request, attachments)
}

pub(crate) fn octets_signed(
    signer: &SoftwareKey,
    request: &Request,
    attachments: &[(&str, &[u8])],
) -> Vec<u8> {
    let digests: Vec<_> = attachments.iter().map(|(id, octets)| digest(id, octets)).collect();
    let signer: Option<(&dyn Signer, SigningOptions)> = Some((signer, SigningOptions::default()));
    stream(request.seal(signer, &digests, &mut SystemRandom).unwrap(), attachments)
}

pub(crate) fn code(received: &Received<Blobs>) -> FeedbackCode {
    match Message::read(&received.document).unwrap() {
        Message::Fault(fault) => fault.code,
        Message::Envelope(envelope) => envelope.order.feedback().unwrap().decisive(),
    }
}

pub(crate) fn is_fault(received: &Received<Blobs>) -> bool {
    matches!(Message::read(&received.document).unwrap(), Message::Fault(_))
}

pub(crate) fn envelope(received: &Received<Blobs>) -> Envelope {
    Envelope::read(&received.document).unwrap()
}

pub(crate) fn client(keys: &Keys) -> Client {
    Client::new(
        keys.cipher_certificate().clone(),
        keys.signature_certificate().clone(),
        PKI.intermediary.cipher_certificate().clone(),
        PKI.intermediary.signature_certificate().clone(),
    )
}

/// The same, in the clear.
pub(crate) fn plain(keys: &Keys) -> Client {
    Client { intermediary_cipher: None, ..client(keys) }
}

pub(crate) fn content(text: &str) -> ContentPackage {
    let container = ContainerDraft::new("container").inline("inhalt", text.as_bytes());
    ContentPackage::new(package(&[], &[container.write(&[], SigningOptions::default()).unwrap()]))
}

pub(crate) fn delivery(text: &str) -> Delivery {
    let mut delivery = Delivery::new(content(text), PKI.recipient.cipher_certificate().clone());
    delivery.subject = Some("Anmeldung".into());
    delivery
}

pub(crate) const ATTACHMENT: &str = "anlage.pdf";

pub(crate) fn with_attachment(octets: &[u8]) -> Delivery {
    let container = ContainerDraft::new("container").attachment("inhalt", digest(ATTACHMENT, octets));
    let package = package(&[], &[container.write(&[], SigningOptions::default()).unwrap()]);
    Delivery::new(ContentPackage::new(package), PKI.recipient.cipher_certificate().clone())
}

pub(crate) fn text_of(envelope: &Envelope) -> String {
    String::from_utf8(envelope.content.as_ref().unwrap().xml.clone()).unwrap()
}
