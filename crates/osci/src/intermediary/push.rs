//! forwardDelivery and mediateDelivery: push to a passive recipient, and what comes back.

use jiff::Timestamp;

use super::execute::{Outcome, Refusal, Turn, refused_response};
use super::mediated;
use super::reply::Frame;
use super::store::{claim, new_card};
use super::{
    Attachment, Card, Client, Fingerprint, Intermediary, Mailboxes, Reply, ReplyMessage, Step, StoreFailed,
};
use crate::control::challenge;
use crate::feedback::{FeedbackClass, FeedbackCode, Refused};
use crate::intake::{PartStore, Received};
use crate::message::{
    CertificateRole, ContentPackage, ControlBlock, Envelope, Message, MessageId, Order, check_surroundings,
};
use crate::signature::{Verdict, verify_message};
use crate::trust::CertificateUse;

pub(super) fn forward<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    receiver: &str,
    id: &MessageId,
    subject: Option<String>,
) -> Outcome<M::Handle> {
    if let Err(refusal) = claim(turn.boxes, id, &turn.client)? {
        return Ok(Err(refusal));
    }
    let card = match prepare(turn, receiver, Some(id), subject)? {
        Ok(card) => card,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let bundle = card.iter().map(|card| card.bundle.clone()).next();
    let Some(bundle) = bundle else {
        return Ok(Err(Refusal::new(FeedbackCode::S9811, "a forward without a card")));
    };
    push(turn, receiver, Order::AcceptDelivery(bundle), card)
}

pub(super) fn mediate<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    receiver: &str,
    id: Option<MessageId>,
    subject: Option<String>,
) -> Outcome<M::Handle> {
    if let Some(id) = &id {
        if let Err(refusal) = claim(turn.boxes, id, &turn.client)? {
            return mediated::again(turn, id, refusal);
        }
        if let Err(refusal) = mediated::room(turn)? {
            return Ok(Err(refusal));
        }
    }
    let card = match prepare(turn, receiver, id.as_ref(), subject)? {
        Ok(card) => card,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let order = Order::ProcessDelivery {
        // Only a mediation that is logged gets an id for its reply (facts 5.2: H10).
        message_id_response: id.as_ref().map(MessageId::of_reply),
        card: card.as_ref().map(|card| card.bundle.clone()),
    };
    push(turn, receiver, order, card)
}

/// Checks the address, uses the id, and writes the card with Creation and Forwarding.
fn prepare<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    receiver: &str,
    id: Option<&MessageId>,
    subject: Option<String>,
) -> Result<Result<Option<Card>, Refusal>, StoreFailed> {
    if !turn.intermediary.rules.may_push_to(receiver) {
        let refusal = Refusal::new(FeedbackCode::S9809, "the receiver's address is not allowed").explained(
            "Die Adresse des Empfängers ist bei diesem Intermediär nicht zugelassen",
            "The recipient's address is not allowed at this intermediary",
        );
        return Ok(Err(refusal));
    }
    let addressee = turn.order.envelope.certificates.certificate(CertificateRole::CipherAddressee).cloned();
    if addressee.is_none() && turn.order.transport.is_some() {
        let refusal = Refusal::new(FeedbackCode::S9706, "no cipher certificate of the addressee").explained(
            "Das Verschlüsselungszertifikat des Empfängers fehlt",
            "The recipient's encryption certificate is missing",
        );
        return Ok(Err(refusal));
    }
    let Some(id) = id else { return Ok(Ok(None)) };
    turn.boxes.use_id(id)?;
    let mailbox = addressee.map(|certificate| certificate.sha256_hex().to_owned());
    let mut card = new_card(&turn.order, &turn.client, id, subject, mailbox);
    card.forward(turn.order.at);
    turn.boxes.keep_card(&card)?;
    Ok(Ok(Some(card)))
}

fn push<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    receiver: &str,
    order: Order,
    card: Option<Card>,
) -> Outcome<M::Handle> {
    let sent = challenge(turn.random);
    let control = ControlBlock { challenge: Some(sent.clone()), ..ControlBlock::default() };
    let mut envelope = Envelope::new(control, order);
    let came = &turn.order.envelope;
    envelope.languages.clone_from(&came.languages);
    envelope.intermediary_certificates.add(CertificateRole::CipherIntermediary, &turn.intermediary.cipher);
    envelope
        .intermediary_certificates
        .add(CertificateRole::SignatureIntermediary, &turn.intermediary.signature);
    envelope.certificates = came.certificates.clone();
    envelope.features = Some(turn.intermediary.rules.features());
    envelope.custom_headers.clone_from(&came.custom_headers);
    envelope.content.clone_from(&came.content);
    let addressee = came.certificates.certificate(CertificateRole::CipherAddressee);
    let encrypt = turn
        .order
        .transport
        .as_ref()
        .zip(addressee)
        .map(|(transport, certificate)| transport.answering(certificate));
    let request = Reply {
        message: ReplyMessage::Envelope(Box::new(envelope)),
        attachments: turn.order.attachments.clone(),
        sign: true,
        encrypt,
        refused: None,
    };
    let then = Forwarding {
        order: came.order.clone(),
        frame: turn.frame.clone(),
        warnings: turn.warnings.clone(),
        challenge: sent,
        encrypted: request.encrypt.is_some(),
        client: turn.client.clone(),
        card,
        expected: came
            .certificates
            .certificate(CertificateRole::SignatureAddressee)
            .map(|one| one.sha256_hex().to_owned()),
    };
    Ok(Ok(Step::Push { receiver: receiver.to_owned(), request: Box::new(request), then: Box::new(then) }))
}

/// A push under way. The card stands in the store; what comes back completes it.
#[derive(Debug)]
pub struct Forwarding {
    order: Order,
    frame: Frame,
    warnings: Vec<FeedbackCode>,
    challenge: String,
    encrypted: bool,
    client: Client,
    card: Option<Card>,
    expected: Option<Fingerprint>,
}

/// Why no response came from the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushFailure {
    /// No connection: the recipient knows nothing of it (9809).
    NotReached,
    /// It was sent, wholly or in part, and no answer came (9810): the recipient may have it.
    NoAnswer,
    /// Something came that is no OSCI message (9808).
    Unreadable,
}

impl Forwarding {
    /// No usable response came: the client gets the code, the card keeps what is known.
    #[must_use]
    pub fn failed<H>(self, intermediary: &Intermediary, failure: PushFailure) -> Reply<H> {
        let code = match failure {
            PushFailure::NotReached => FeedbackCode::S9809,
            PushFailure::NoAnswer => FeedbackCode::S9810,
            PushFailure::Unreadable => FeedbackCode::S9808,
        };
        self.refuse(intermediary, &Refused::new(code, "the push failed"))
    }

    fn refuse<H>(&self, intermediary: &Intermediary, refused: &Refused) -> Reply<H> {
        let feedback = self.frame.refusal(&self.warnings, refused.code);
        let mut reply = self.frame.reply(intermediary, refused_response(&self.order, feedback));
        reply.refused = Some(refused.clone());
        reply
    }

    /// The recipient's response. The driver runs this inside a transaction and commits before the reply leaves. A reply
    /// to a mediation that is logged is kept with it: then its attachments stay ([`Reply::is_kept`]).
    ///
    /// # Errors
    /// [`StoreFailed`]: the reply must be a fault 9000; the recipient has the delivery.
    pub fn answered<P: PartStore, M: Mailboxes<Handle = P::Handle>>(
        mut self,
        intermediary: &Intermediary,
        received: &Received<P>,
        boxes: &mut M,
        now: Timestamp,
    ) -> Result<Reply<P::Handle>, StoreFailed> {
        let response = match self.read(intermediary, received, now) {
            Ok(response) => response,
            Err(refused) => {
                // He took it, though he returned nothing: the card must say so.
                if refused.code == FeedbackCode::S9806 {
                    self.note_reception(boxes, now)?;
                }
                return Ok(self.refuse(intermediary, &refused));
            }
        };
        self.note_reception(boxes, now)?;
        let feedback = self.frame.done(&self.warnings);
        let request_card = self.card.as_ref().map(|card| card.bundle.clone());
        let Order::ResponseToProcessDelivery { subject, .. } = &response.order else {
            let order = Order::ResponseToForwardDelivery { feedback, card: request_card };
            return Ok(self.frame.reply(intermediary, order));
        };
        let reply_card = self.card.as_ref().map(|request| mediated::card(request, subject.as_deref(), now));
        let order = Order::ResponseToMediateDelivery {
            feedback,
            request_card,
            reply_card: reply_card.as_ref().map(|card| card.bundle.clone()),
        };
        let mut reply = self.frame.reply(intermediary, order);
        if let ReplyMessage::Envelope(envelope) = &mut reply.message {
            envelope.certificates = response.certificates;
            envelope.content = response.content;
            envelope.custom_headers = response.custom_headers;
        }
        reply.attachments = received.attachments.iter().map(Attachment::from).collect();
        if let Some(card) = reply_card {
            mediated::keep(boxes, &self.client, &card, &reply)?;
        }
        Ok(reply)
    }

    fn note_reception<M: Mailboxes>(&mut self, boxes: &mut M, now: Timestamp) -> Result<(), StoreFailed> {
        let Some(card) = &mut self.card else { return Ok(()) };
        card.receive(now);
        boxes.keep_card(card)
    }

    /// Checks the response (N38, N39): 9808 when it answers something else, 9807 for a wrong signature, 9805 when the
    /// recipient refused, 9806 when a mediation brings no content; warnings 3802 and 3803 for what is only unprotected.
    fn read<P: PartStore>(
        &mut self,
        intermediary: &Intermediary,
        received: &Received<P>,
        now: Timestamp,
    ) -> Result<Envelope, Refused> {
        let broken = |detail: String| Refused::new(FeedbackCode::S9808, detail);
        let mut response =
            match Message::read(&received.document).map_err(|refused| broken(refused.detail))? {
                Message::Envelope(envelope) => *envelope,
                Message::Fault(fault) => {
                    return Err(broken(format!("the recipient answered with fault {}", fault.code)));
                }
            };
        let feedback = match (&self.order, &response.order) {
            (Order::ForwardDelivery { .. }, Order::ResponseToAcceptDelivery(feedback))
            | (Order::MediateDelivery { .. }, Order::ResponseToProcessDelivery { feedback, .. }) => feedback,
            _ => return Err(broken(format!("{} answers nothing of ours", response.kind()))),
        };
        if response.control.response.as_deref() != Some(self.challenge.as_str()) {
            return Err(broken("the response returns another challenge".to_owned()));
        }
        let verdict =
            verify_message(&received.document, response.kind(), &received.digests(), &intermediary.policy);
        match &verdict.verdict {
            Verdict::Absent => {
                self.warnings.push(FeedbackCode::S3802);
                response.certificates.disown_originator();
            }
            Verdict::Valid => self.check_signer(intermediary, &verdict, now)?,
            _ => return Err(Refused::new(FeedbackCode::S9807, "the signature of the response is wrong")),
        }
        if self.encrypted && received.transport.is_none() {
            self.warnings.push(FeedbackCode::S3803);
        }
        if !feedback.is_success() {
            let told = feedback.decisive();
            // 9808 says that he cannot now, 9805 that he does not want it: only one of them is worth another try.
            let code = if told == FeedbackCode::S9808 { told } else { FeedbackCode::S9805 };
            return Err(Refused::new(code, format!("the recipient refused with {told}")));
        }
        let mediated = matches!(self.order, Order::MediateDelivery { .. });
        if mediated {
            check_surroundings(&received.document).map_err(|refused| broken(refused.detail))?;
        }
        if mediated && response.content.as_ref().is_none_or(ContentPackage::is_empty) {
            return Err(Refused::new(FeedbackCode::S9806, "the recipient returned no content"));
        }
        Ok(response)
    }

    fn check_signer(
        &mut self,
        intermediary: &Intermediary,
        verdict: &crate::signature::MessageVerdict,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let signer =
            verdict.require().map_err(|refused| Refused::new(FeedbackCode::S9807, refused.detail))?;
        if self.expected.as_deref().is_some_and(|expected| expected != signer.sha256_hex()) {
            return Err(Refused::new(
                FeedbackCode::S9807,
                "signed by another than the addressee of the order",
            ));
        }
        let report = intermediary.trust.check(signer, CertificateUse::RecipientResponseSignature, now);
        for &code in &report.findings {
            match code.class() {
                FeedbackClass::Warning => self.warnings.push(code),
                FeedbackClass::Ok => {}
                FeedbackClass::Error | FeedbackClass::Fault(_) => {
                    return Err(Refused::new(code, report.detail_without_holder()));
                }
            }
        }
        Ok(())
    }
}
