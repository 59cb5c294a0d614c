//! The passive recipient (*passiver Empfänger*): an intermediary pushes acceptDelivery or processDelivery, and the HTTP
//! response is the answer (facts 2 and 16).
//!
//! ```text
//! Received ── Recipient::receive ──► Incoming::Accept(Accepting)    ── accepted | refused ──► Response
//!                               ├──► Incoming::Process(Processing)  ── reply | accepted | refused ──► Response
//!                               └──► Err(Response): a fault, or a refusal with its code
//! ```
//!
//! Between `receive` and `accepted` (or `reply`) the caller makes the content durable: once the positive answer has
//! left, the intermediary forgets the delivery. If the content cannot be kept, answer with [`Refusal::Internal`] and
//! nothing is lost.

mod incoming;
mod response;

pub use incoming::{Accepting, Incoming, Processing, Push, Refusal, Reply};
pub use response::{Response, ResponseMessage};

use crate::algorithm::CryptoPolicy;
use crate::certificate::Certificate;
use crate::control::check_order;
use crate::feedback::{FeedbackClass, FeedbackCode, Language, Refused};
use crate::intake::{PartStore, Received};
use crate::message::{
    CertificateRole, ControlBlock, Envelope, Message, MessageKind, Order, check_references,
};
use crate::signature::{Verdict, verify_message};
use response::Frame;

/// A passive recipient: its certificates and whom it takes deliveries from.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Our cipher certificate; it stands in replies to processDelivery, so that the partner can encrypt for us.
    pub cipher: Option<Certificate>,
    /// Cipher certificates that we had before and still have the keys of: what is addressed to them is for us.
    pub former: Vec<Certificate>,
    /// Our signature certificate; without it answers are unsigned and the sender is warned (3802).
    pub signature: Option<Certificate>,
    /// Signature certificates of the intermediaries we take deliveries from. An order signed by anybody else is refused
    /// (9601), however well its chain may look: the intermediary vouches for time stamps and inspections.
    pub intermediaries: Vec<Certificate>,
    /// Which algorithms count.
    pub policy: CryptoPolicy,
    /// Unsigned orders get 9600. Switching this off lets anybody deliver who reaches the address.
    pub signature_required: bool,
    /// Unencrypted orders get 9300.
    pub encryption_required: bool,
    /// processDelivery without a MessageId gets 9800: nothing about it would be logged.
    pub message_id_required: bool,
}

impl Recipient {
    /// A recipient with the strict rules: signed, encrypted, from these intermediaries.
    pub fn new(cipher: Certificate, signature: Certificate, intermediaries: Vec<Certificate>) -> Self {
        Self {
            cipher: Some(cipher),
            former: Vec::new(),
            signature: Some(signature),
            intermediaries,
            policy: CryptoPolicy::default(),
            signature_required: true,
            encryption_required: true,
            message_id_required: false,
        }
    }

    /// Reads an order that an intermediary pushed: structure, ControlBlock, attachments, signature, signer.
    ///
    /// # Errors
    /// The answer to send. As a fault: 9100 not a message, an attachment missing or no challenge; 9300 not an order to
    /// a recipient, or unencrypted; 9400 dialogue data where none may be. As a typed response: 9600 unsigned, 9601 and
    /// 9602 broken signature or a foreign signer, 9800 no MessageId, 9805 addressed to somebody else.
    pub fn receive<P: PartStore>(&self, received: &Received<P>) -> Result<Incoming, Box<Response>> {
        let fault = |refused: Refused| Box::new(Response::fault(refused));
        let envelope = match Message::read(&received.document).map_err(fault)? {
            Message::Envelope(envelope) => *envelope,
            Message::Fault(told) => {
                return Err(fault(Refused::new(
                    FeedbackCode::S9300,
                    format!("a fault ({}) is no order", told.code),
                )));
            }
        };
        let kind = envelope.kind();
        if !matches!(kind, MessageKind::AcceptDelivery | MessageKind::ProcessDelivery) {
            return Err(fault(Refused::new(
                FeedbackCode::S9300,
                format!("{kind} is no order to a recipient"),
            )));
        }
        check_order(kind, &envelope.control).map_err(fault)?;
        if self.encryption_required && received.transport.is_none() {
            return Err(fault(Refused::new(FeedbackCode::S9300, "the order is not encrypted")));
        }
        let attachments = received.attachments.iter().map(|attachment| attachment.content_id.as_str());
        check_references(&received.document, attachments).map_err(fault)?;
        let verdict = verify_message(&received.document, kind, &received.digests(), &self.policy);
        let signed = verdict.verdict != Verdict::Absent;
        let signer = match (signed, verdict.require()) {
            (false, _) => Ok(None),
            (true, signer) => signer.cloned().map(Some),
        };
        let encrypt = match &received.transport {
            Some(used) => Some(response::target(&envelope, used).map_err(fault)?),
            None => None,
        };
        let frame = Frame {
            control: ControlBlock { response: envelope.control.challenge.clone(), ..ControlBlock::default() },
            languages: Language::wished(&envelope.languages),
            sign: signed && self.signature.is_some(),
            encrypt,
        };
        let signer = self.judge(&envelope, signer).map_err(|refused| match refused.code.class() {
            FeedbackClass::Fault(_) => fault(refused),
            _ => Box::new(self.refusal(&envelope, &frame, refused)),
        })?;
        Ok(Incoming::new(Push { envelope, signer, frame, recipient: self.clone() }))
    }

    /// Whether this order may be taken from this signer.
    fn judge(
        &self,
        envelope: &Envelope,
        signer: Result<Option<Certificate>, Refused>,
    ) -> Result<Option<Certificate>, Refused> {
        let signer = signer?;
        match &signer {
            None if self.signature_required => {
                return Err(Refused::new(FeedbackCode::S9600, "the order is not signed"));
            }
            Some(certificate) if !self.intermediaries.contains(certificate) => {
                let detail =
                    format!("signed by {}, which is none of our intermediaries", certificate.sha256_hex());
                return Err(Refused::new(FeedbackCode::S9601, detail));
            }
            _ => {}
        }
        let addressee = envelope.certificates.certificate(CertificateRole::CipherAddressee);
        if let (Some(addressee), Some(own)) = (addressee, &self.cipher)
            && addressee != own
            && !self.former.contains(addressee)
        {
            let detail = format!("the delivery is addressed to {}, not to us", addressee.sha256_hex());
            return Err(Refused::new(FeedbackCode::S9805, detail));
        }
        match &envelope.order {
            Order::ProcessDelivery { card: None, .. } if self.message_id_required => {
                Err(Refused::new(FeedbackCode::S9800, "processDelivery without a MessageId"))
            }
            _ => Ok(signer),
        }
    }

    /// The typed response with a code of refusal.
    fn refusal(&self, envelope: &Envelope, frame: &Frame, refused: Refused) -> Response {
        let feedback = frame.feedback(refused.code);
        let order = match envelope.kind() {
            MessageKind::ProcessDelivery => {
                Order::ResponseToProcessDelivery { feedback, message_id: None, subject: None }
            }
            _ => Order::ResponseToAcceptDelivery(feedback),
        };
        let mut response = frame.response(order);
        self.add_own(&mut response);
        response.refused = Some(refused);
        response
    }

    /// Our certificates, under the role in which we answer (facts 5.2): addressee of an acceptDelivery, originator of
    /// the reply to a processDelivery.
    fn add_own(&self, response: &mut Response) {
        let ResponseMessage::Envelope(envelope) = &mut response.message else { return };
        let reply = envelope.kind() == MessageKind::ResponseToProcessDelivery;
        if reply && let Some(cipher) = &self.cipher {
            envelope.certificates.add(CertificateRole::CipherOriginator, cipher);
        }
        if let Some(signature) = &self.signature {
            let role = if reply {
                CertificateRole::SignatureOriginator
            } else {
                CertificateRole::SignatureAddressee
            };
            envelope.certificates.add(role, signature);
        }
    }
}
