use crate::encryption::TransportTarget;
use crate::feedback::{Feedback, FeedbackCode, Language, Refused};
use crate::intake::TransportEncryption;
use crate::keys::Signer;
use crate::message::{CertificateRole, ControlBlock, Envelope, Fault, Order};
use crate::outgoing::Outgoing;
use crate::random::Random;
use crate::signature::{PartDigests, SigningOptions};

/// The answer to a push.
#[derive(Debug)]
pub struct Response {
    /// The message.
    pub message: ResponseMessage,
    /// It must be signed: the order was, and we have a signature certificate.
    pub sign: bool,
    /// For whom it is encrypted: the intermediary, if the order was encrypted.
    pub encrypt: Option<TransportTarget>,
    /// Why the order was refused; for our log, never sent.
    pub refused: Option<Refused>,
}

/// A response or a fault; both are sent with HTTP status 200 (facts 6).
#[derive(Debug)]
pub enum ResponseMessage {
    /// A typed response.
    Envelope(Box<Envelope>),
    /// A SOAP fault: neither signed nor encrypted.
    Fault(Fault),
}

impl Response {
    /// The fault for something that is no order to us, e.g. when [`crate::intake::Intake`] refuses it already.
    pub fn fault(refused: Refused) -> Self {
        Self {
            message: ResponseMessage::Fault(Fault::of(refused.code)),
            sign: false,
            encrypt: None,
            refused: Some(refused),
        }
    }

    /// The deciding code.
    pub fn code(&self) -> FeedbackCode {
        match &self.message {
            ResponseMessage::Fault(fault) => fault.code,
            ResponseMessage::Envelope(envelope) => {
                envelope.order.feedback().map_or(FeedbackCode::S9811, Feedback::decisive)
            }
        }
    }

    /// Signs and encrypts as it must be; the caller streams the attachments of a reply, whose digests are known
    /// already.
    ///
    /// # Errors
    /// 9000 if our own keys or content are not usable; then answer with [`Self::fault`] of it.
    pub fn seal(
        &self,
        signer: Option<(&dyn Signer, SigningOptions)>,
        attachments: &[PartDigests],
        random: &mut dyn Random,
    ) -> Result<Outgoing, Refused> {
        match &self.message {
            ResponseMessage::Fault(fault) => Ok(Outgoing::plain(fault.write(Language::German), random)),
            ResponseMessage::Envelope(envelope) => {
                if self.sign && signer.is_none() {
                    return Err(Refused::new(
                        FeedbackCode::S9000,
                        "the answer must be signed and there is no signer",
                    ));
                }
                envelope.seal(signer.filter(|_| self.sign), self.encrypt.as_ref(), attachments, random)
            }
        }
    }
}

/// How the answer is bound and protected.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) control: ControlBlock,
    pub(super) languages: Vec<Language>,
    pub(super) sign: bool,
    pub(super) encrypt: Option<TransportTarget>,
}

impl Frame {
    pub(super) fn feedback(&self, code: FeedbackCode) -> Feedback {
        Feedback::of(&[code], &self.languages)
    }

    pub(super) fn response(&self, order: Order) -> Response {
        Response {
            message: ResponseMessage::Envelope(Box::new(Envelope::new(self.control.clone(), order))),
            sign: self.sign,
            encrypt: self.encrypt.clone(),
            refused: None,
        }
    }
}

/// For whom the answer to an encrypted order is encrypted: the intermediary's cipher certificate in the order.
///
/// 9500 if the order has none.
pub(super) fn target(envelope: &Envelope, used: &TransportEncryption) -> Result<TransportTarget, Refused> {
    let certificate = envelope
        .intermediary_certificates
        .certificate(CertificateRole::CipherIntermediary)
        .ok_or_else(|| {
            Refused::new(
                FeedbackCode::S9500,
                "an encrypted order without the intermediary's cipher certificate",
            )
        })?;
    Ok(used.answering(certificate))
}
