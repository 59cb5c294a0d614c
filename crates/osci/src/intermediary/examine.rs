//! What an order shows by itself: type, structure, signature, certificates.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Attachment, Client, Intermediary, Reply};
use crate::certificate::Certificate;
use crate::feedback::{FeedbackClass, FeedbackCode, Refused};
use crate::intake::{PartStore, Received, TransportEncryption};
use crate::message::{
    CertificateRole, Envelope, Fault, Message, MessageKind, check_references, check_surroundings,
};
use crate::signature::{SignerRole, Verdict, verify_message};
use crate::trust::{CertificateReport, CertificateUse};

/// An order that is one, with everything that can be said without looking at the state. Problems found so far are kept
/// and come out in their turn ([`Examined::execute`](Self::execute)), so that a wrong dialogue is answered before a
/// wrong signature (facts 16).
#[derive(Debug)]
pub struct Examined<H> {
    pub(super) envelope: Envelope,
    /// The envelope as it came: a delivery is kept in this form. If nobody signed it, without an originator's signature
    /// certificate: whoever reads one in a mailbox or a push may hold it for the sender's.
    pub(super) octets: Vec<u8>,
    pub(super) attachments: Vec<Attachment<H>>,
    pub(super) transport: Option<TransportEncryption>,
    /// The verified signer, `None` if unsigned, or what is wrong with the signature.
    pub(super) signer: Result<Option<Certificate>, Refused>,
    /// Checks of the certificates, in the order of the roles.
    pub(super) reports: Vec<CertificateReport>,
    /// What keeps a delivery from being fetched.
    pub(super) fetchable: Result<(), Refused>,
    pub(super) at: Timestamp,
}

impl<H> Examined<H> {
    /// Type of the order.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.envelope.kind()
    }

    /// The certificates that decide about the order. A driver that can ask OCSP responders asks about these and then
    /// [rechecks](Self::recheck). None if the signature is wrong: nobody is asked for the sake of a forger.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.reports.iter().filter(|_| self.signer.is_ok()).map(|report| &report.certificate)
    }

    /// Checks the certificates again, because more is known about them now.
    #[must_use]
    pub fn recheck(mut self, intermediary: &Intermediary) -> Self {
        for report in &mut self.reports {
            *report = intermediary.trust.check(&report.certificate, report.used_as, self.at);
        }
        self.look_ahead(intermediary)
    }

    /// Looks whether what is stored can be fetched.
    pub(super) fn look_ahead(mut self, intermediary: &Intermediary) -> Self {
        self.fetchable = intermediary.check_fetchable(&self);
        self
    }

    /// Octets of envelope and attachments.
    pub(super) fn bytes(&self) -> u64 {
        let attachments: u64 = self.attachments.iter().map(|attachment| attachment.bytes).sum();
        self.octets.len() as u64 + attachments
    }

    /// The client as this order alone shows him.
    pub(super) fn client(&self) -> Client {
        Client {
            cipher: self.envelope.certificates.certificate(CertificateRole::CipherOriginator).cloned(),
            signature: self.signer.as_ref().ok().cloned().flatten(),
        }
    }

    /// Findings about certificates: warnings, then errors.
    pub(super) fn findings(&self, class: fn(FeedbackClass) -> bool) -> Vec<FeedbackCode> {
        let mut codes = Vec::new();
        for code in self.reports.iter().flat_map(|report| &report.findings) {
            if class(code.class()) && !codes.contains(code) {
                codes.push(*code);
            }
        }
        codes
    }
}

impl Intermediary {
    /// Examines an order. `now` is the time at which certificates are checked and which time stamps will carry.
    ///
    /// # Errors
    /// The fault to answer with: 9100 when it is no OSCI message, an attachment is missing or the content could not be
    /// handed on as its author signed it, 9300 when it is no order that an intermediary takes.
    pub fn examine<P: PartStore>(
        &self,
        received: &Received<P>,
        now: Timestamp,
    ) -> Result<Examined<P::Handle>, Box<Reply<P::Handle>>> {
        self.examine_vouched(received, None, now)
    }

    /// Examines an order all of whose octets `voucher` has signed already, in the chunks it came in: unsigned, it is
    /// his.
    pub(super) fn examine_vouched<P: PartStore>(
        &self,
        received: &Received<P>,
        voucher: Option<&Certificate>,
        now: Timestamp,
    ) -> Result<Examined<P::Handle>, Box<Reply<P::Handle>>> {
        let fault = |refused: &Refused| Box::new(Reply::fault(refused));
        let mut envelope = match Message::read(&received.document) {
            Ok(Message::Envelope(envelope)) => *envelope,
            Ok(Message::Fault(Fault { code, .. })) => {
                return Err(fault(&Refused::new(
                    FeedbackCode::S9300,
                    format!("a fault ({code}) is no order"),
                )));
            }
            Err(refused) => return Err(fault(&refused)),
        };
        if !serves(envelope.kind()) {
            let detail = format!("{} is no order to an intermediary", envelope.kind());
            return Err(fault(&Refused::new(FeedbackCode::S9300, detail)));
        }
        let attachments = received.attachments.iter().map(|attachment| attachment.content_id.as_str());
        check_references(&received.document, attachments).map_err(|refused| fault(&refused))?;
        if envelope.content.is_some() {
            check_surroundings(&received.document).map_err(|refused| fault(&refused))?;
        }
        let verdict = verify_message(&received.document, envelope.kind(), &received.digests(), &self.policy);
        let signer = match verdict.verdict {
            Verdict::Absent => Ok(voucher.cloned()),
            _ => verdict.require().cloned().map(Some),
        };
        // A signature that breaks the structure of the message makes it no OSCI message at all.
        if let Err(refused) = &signer
            && matches!(refused.code.class(), FeedbackClass::Fault(_))
        {
            return Err(fault(refused));
        }
        let reports = self.check_certificates(&envelope, signer.as_ref().ok().and_then(Option::as_ref), now);
        let named = envelope.certificates.certificate(CertificateRole::SignatureOriginator);
        let nobody = matches!(verdict.verdict, Verdict::Absent) && named != voucher;
        let octets = if nobody && envelope.certificates.disown_originator() {
            envelope.write().map_err(|refused| fault(&refused))?.assemble(None)
        } else {
            received.document.bytes().to_vec()
        };
        let order = Examined {
            octets,
            attachments: received.attachments.iter().map(Attachment::from).collect(),
            transport: received.transport.clone(),
            signer,
            reports,
            fetchable: Ok(()),
            at: now,
            envelope,
        };
        Ok(order.look_ahead(self))
    }

    pub(super) fn check_certificates(
        &self,
        envelope: &Envelope,
        signer: Option<&Certificate>,
        now: Timestamp,
    ) -> Vec<CertificateReport> {
        let mut checked: HashSet<(Certificate, CertificateUse)> = HashSet::new();
        let mut reports = Vec::new();
        let mut check = |certificate: &Certificate, used_as| {
            if checked.insert((certificate.clone(), used_as)) {
                reports.push(self.trust.check(certificate, used_as, now));
            }
        };
        if let Some(signer) = signer {
            check(signer, CertificateUse::ClientSignature);
        }
        for entry in &envelope.certificates.entries {
            let used_as = match entry.role {
                CertificateRole::CipherOriginator => CertificateUse::ClientCipher,
                CertificateRole::CipherAddressee => CertificateUse::AddresseeCipher,
                CertificateRole::CipherOtherAuthor => CertificateUse::AuthorCipher,
                CertificateRole::CipherOtherReader => CertificateUse::ReaderCipher,
                CertificateRole::SignatureOtherAuthor => CertificateUse::AuthorSignature,
                CertificateRole::SignatureAddressee => CertificateUse::AddresseeSignature,
                // An announced signer who did not sign vouches for nothing.
                CertificateRole::SignatureOriginator
                | CertificateRole::CipherIntermediary
                | CertificateRole::SignatureIntermediary => continue,
            };
            check(&entry.certificate, used_as);
        }
        reports
    }
}

/// The orders of clients: what an originator signs, his reply to a mediation excepted.
fn serves(kind: MessageKind) -> bool {
    SignerRole::of(kind) == SignerRole::Originator && !kind.is_response()
}
