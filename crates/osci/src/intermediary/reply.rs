//! What goes out: a response, a push or a fault, with its attachments, and how it is to be protected.

use super::{Attachment, Intermediary};
use crate::encryption::TransportTarget;
use crate::feedback::{Feedback, FeedbackCode, FeedbackEntry, Language, Refused};
use crate::keys::Signer;
use crate::message::{CertificateRole, ControlBlock, Envelope, Fault, Order};
use crate::outgoing::Outgoing;
use crate::random::Random;
use crate::signature::{PartDigests, SigningOptions};

/// A message to be sent. The driver signs it with the intermediary's key where `sign` says so, encrypts it where
/// `encrypt` says so, and streams the attachments ([`crate::outgoing`]).
#[derive(Debug)]
pub struct Reply<H> {
    /// The message.
    pub message: ReplyMessage,
    /// Its attachments.
    pub attachments: Vec<Attachment<H>>,
    /// It must be signed: the order was.
    pub sign: bool,
    /// For whom it must be encrypted: the order was.
    pub encrypt: Option<TransportTarget>,
    /// Why an order was refused; for the log, never sent.
    pub refused: Option<Refused>,
}

/// A response or a fault.
#[derive(Debug)]
pub enum ReplyMessage {
    /// An envelope.
    Envelope(Box<Envelope>),
    /// A SOAP fault: never signed, never encrypted, HTTP status 200.
    Fault(Fault),
}

impl<H> Reply<H> {
    /// The fault for a refusal: nothing but the code of the table leaves.
    #[must_use]
    pub fn fault(refused: &Refused) -> Self {
        Self {
            message: ReplyMessage::Fault(Fault::of(refused.code)),
            attachments: Vec::new(),
            sign: false,
            encrypt: None,
            refused: Some(refused.clone()),
        }
    }

    /// Signs and encrypts as it must be; the caller streams the attachments. `digests` are those of the attachments, in
    /// their order.
    ///
    /// # Errors
    /// 9000 if our own keys or content are not usable; then answer with [`Self::fault`] of it.
    pub fn seal(
        &self,
        signer: (&dyn Signer, SigningOptions),
        digests: &[PartDigests],
        random: &mut dyn Random,
    ) -> Result<Outgoing, Refused> {
        match &self.message {
            ReplyMessage::Fault(fault) => Ok(Outgoing::plain(fault.write(Language::German), random)),
            ReplyMessage::Envelope(envelope) => {
                envelope.seal(self.sign.then_some(signer), self.encrypt.as_ref(), digests, random)
            }
        }
    }

    /// Whether the message lies in the mailboxes as it goes out, and with it what its attachments name: it is the reply
    /// to a mediation that is logged.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.envelope().is_some_and(|envelope| {
            matches!(envelope.order, Order::ResponseToMediateDelivery { reply_card: Some(_), .. })
        })
    }

    /// The envelope, unless it is a fault.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        match &self.message {
            ReplyMessage::Envelope(envelope) => Some(envelope),
            ReplyMessage::Fault(_) => None,
        }
    }

    /// The deciding code.
    #[must_use]
    pub fn code(&self) -> FeedbackCode {
        match &self.message {
            ReplyMessage::Fault(fault) => fault.code,
            ReplyMessage::Envelope(envelope) => {
                envelope.order.feedback().map_or(FeedbackCode::S9811, Feedback::decisive)
            }
        }
    }
}

/// How the response to an order must be protected and bound: worked out before the order is executed.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) control: ControlBlock,
    pub(super) languages: Vec<Language>,
    pub(super) sign: bool,
    pub(super) encrypt: Option<TransportTarget>,
    /// 0801 inside a dialogue, else 0800.
    pub(super) success: FeedbackCode,
}

impl Frame {
    /// Feedback of success with these warnings: the last entry decides, and a warning is a success.
    pub(super) fn done(&self, warnings: &[FeedbackCode]) -> Feedback {
        let codes: Vec<_> = std::iter::once(self.success).chain(warnings.iter().copied()).collect();
        Feedback::of(&codes, &self.languages)
    }

    /// Feedback of a refusal, warnings first.
    pub(super) fn refusal(&self, warnings: &[FeedbackCode], code: FeedbackCode) -> Feedback {
        let codes: Vec<_> = warnings.iter().copied().chain([code]).collect();
        Feedback::of(&codes, &self.languages)
    }

    /// A feedback with a text of our own beside the code, where the table has no exact word (N19, N26).
    pub(super) fn explained(&self, code: FeedbackCode, german: &str, english: &str) -> Feedback {
        let entry = |language: &Language| FeedbackEntry {
            language: Some(language.tag().to_owned()),
            code,
            text: match language {
                Language::German => german.to_owned(),
                Language::English => english.to_owned(),
            },
        };
        Feedback { entries: self.languages.iter().map(entry).collect() }
    }

    /// The response with everything a response of an intermediary carries.
    pub(super) fn reply<H>(&self, intermediary: &Intermediary, order: Order) -> Reply<H> {
        self.send(self.envelope(intermediary, order))
    }

    pub(super) fn envelope(&self, intermediary: &Intermediary, order: Order) -> Envelope {
        let mut envelope = Envelope::new(self.control.clone(), order);
        if self.sign {
            envelope
                .intermediary_certificates
                .add(CertificateRole::SignatureIntermediary, &intermediary.signature);
        }
        envelope.features = Some(intermediary.rules.features());
        envelope
    }

    pub(super) fn send<H>(&self, envelope: Envelope) -> Reply<H> {
        Reply {
            message: ReplyMessage::Envelope(Box::new(envelope)),
            attachments: Vec::new(),
            sign: self.sign,
            encrypt: self.encrypt.clone(),
            refused: None,
        }
    }
}
