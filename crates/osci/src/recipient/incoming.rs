use super::response::Frame;
use super::{Recipient, Response, ResponseMessage};
use crate::certificate::Certificate;
use crate::feedback::{FeedbackCode, Refused};
use crate::laufzettel::ProcessCardBundle;
use crate::message::{
    CertificateRole, ContentPackage, CustomHeader, Envelope, MessageId, Order, Qualities, RoleCertificates,
};

/// A pushed order that may be taken.
#[derive(Debug)]
pub enum Incoming {
    /// acceptDelivery: take it or refuse it.
    Accept(Accepting),
    /// processDelivery: work on it and send the reply back in the answer.
    Process(Processing),
}

impl Incoming {
    pub(super) fn new(push: Push) -> Self {
        match push.envelope.order {
            Order::ProcessDelivery { .. } => Self::Process(Processing(push)),
            _ => Self::Accept(Accepting(push)),
        }
    }

    /// What was pushed.
    pub const fn push(&self) -> &Push {
        match self {
            Self::Accept(Accepting(push)) | Self::Process(Processing(push)) => push,
        }
    }

    /// Refuses it, whichever it is.
    pub fn refused(self, refusal: Refusal, detail: &str) -> Response {
        match self {
            Self::Accept(accepting) => accepting.refused(refusal, detail),
            Self::Process(processing) => processing.refused(refusal, detail),
        }
    }
}

/// The order with its content; its answer is still owed.
#[derive(Debug)]
pub struct Push {
    /// The order: content package, certificates of originator, authors and readers, custom headers.
    pub envelope: Envelope,
    /// The intermediary that signed it; `None` where unsigned orders are taken.
    pub signer: Option<Certificate>,
    pub(super) frame: Frame,
    pub(super) recipient: Recipient,
}

impl Push {
    /// The process card so far: creation and forwarding. processDelivery without MessageId has none.
    pub const fn card(&self) -> Option<&ProcessCardBundle> {
        match &self.envelope.order {
            Order::AcceptDelivery(card) | Order::ProcessDelivery { card: Some(card), .. } => Some(card),
            _ => None,
        }
    }

    /// The id of the delivery; by it a repeated push is recognised.
    pub fn message_id(&self) -> Option<&MessageId> {
        self.card().map(|card| &card.message_id)
    }
}

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 9805: we do not want it; the sender must act.
    NotAccepted,
    /// 9808: we cannot at the moment; the sender may try again.
    Internal,
}

impl Refusal {
    const fn code(self) -> FeedbackCode {
        match self {
            Self::NotAccepted => FeedbackCode::S9805,
            Self::Internal => FeedbackCode::S9808,
        }
    }
}

/// An acceptDelivery whose answer is owed.
#[derive(Debug)]
pub struct Accepting(pub(super) Push);

impl Accepting {
    /// What was pushed.
    pub const fn push(&self) -> &Push {
        &self.0
    }

    /// 0800: **only after the content is durable**.
    pub fn accepted(self) -> Response {
        let push = self.0;
        let mut response =
            push.frame.response(Order::ResponseToAcceptDelivery(push.frame.feedback(FeedbackCode::S0800)));
        push.recipient.add_own(&mut response);
        response
    }

    /// Refuses it; `detail` is for our log and is not sent.
    pub fn refused(self, refusal: Refusal, detail: &str) -> Response {
        refuse(&self.0, refusal, detail)
    }
}

/// A processDelivery whose answer is owed.
#[derive(Debug)]
pub struct Processing(pub(super) Push);

/// The reply (*Antwort*) to a processDelivery.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The reply's content.
    pub content: ContentPackage,
    /// Certificates of further authors and readers that the content refers to.
    pub certificates: RoleCertificates,
    /// Subject (*Betreff*); only with a MessageId.
    pub subject: Option<String>,
    /// Custom header blocks.
    pub custom_headers: Vec<CustomHeader>,
}

impl Processing {
    /// What was pushed.
    pub const fn push(&self) -> &Push {
        &self.0
    }

    /// 0800 with the reply: **only after the content is durable**. Roles are turned round: we are its originator, the
    /// first sender its addressee. The reply bears the id that the order gave for it.
    pub fn reply(self, reply: Reply) -> Response {
        let push = self.0;
        let mut response = accepted(&push, reply.subject);
        if let ResponseMessage::Envelope(envelope) = &mut response.message {
            // The first sender, under his Id in the new role.
            if let Some(sender) = push.envelope.certificates.certificate(CertificateRole::CipherOriginator) {
                envelope.certificates.add(CertificateRole::CipherAddressee, sender);
            }
            for entry in reply.certificates.entries {
                let known = envelope.certificates.by_id(&entry.id).is_some();
                let single = matches!(
                    entry.role,
                    CertificateRole::CipherOriginator
                        | CertificateRole::CipherAddressee
                        | CertificateRole::SignatureOriginator
                        | CertificateRole::SignatureAddressee
                );
                if !known && (!single || envelope.certificates.first(entry.role).is_none()) {
                    envelope.certificates.entries.push(entry);
                }
            }
            envelope.custom_headers = reply.custom_headers;
            envelope.content = Some(reply.content);
        }
        response
    }

    /// 0800 without a reply: the sender is told 9806 by the intermediary.
    pub fn accepted(self) -> Response {
        accepted(&self.0, None)
    }

    /// Refuses it; `detail` is for our log and is not sent.
    pub fn refused(self, refusal: Refusal, detail: &str) -> Response {
        refuse(&self.0, refusal, detail)
    }
}

fn accepted(push: &Push, subject: Option<String>) -> Response {
    let message_id = match &push.envelope.order {
        Order::ProcessDelivery { message_id_response, .. } => message_id_response.clone(),
        _ => None,
    };
    // Only a logged reply has time stamps and a subject (schema ResponseToProcessDelivery; facts 5.2).
    let logged = message_id.is_some();
    let mut response = push.frame.response(Order::ResponseToProcessDelivery {
        feedback: push.frame.feedback(FeedbackCode::S0800),
        message_id,
        subject: subject.filter(|_| logged),
    });
    push.recipient.add_own(&mut response);
    if logged && let ResponseMessage::Envelope(envelope) = &mut response.message {
        envelope.qualities = Qualities::PLAIN;
    }
    response
}

fn refuse(push: &Push, refusal: Refusal, detail: &str) -> Response {
    push.recipient.refusal(&push.envelope, &push.frame, Refused::new(refusal.code(), detail))
}
