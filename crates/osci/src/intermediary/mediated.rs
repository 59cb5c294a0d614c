//! Rückantworten: what recipients reply to mediated deliveries.
//!
//! A recipient replies once, so its reply must not hang on the way to the client. It is kept in the transaction that
//! notes the reception at the recipient, before it is passed on, and counts as received by the client with the next
//! order of the dialogue, like everything that is handed out (facts 12). Whoever never got it — a process ended, a
//! connection broke — sends the order again under its MessageId: it gets the kept reply, and nothing is pushed. Until
//! then the card of the reply ([`MessageId::of_reply`]) shows no reception, which tells the client that it is worth
//! while.
//!
//! A mediation without MessageId is not logged, and nothing of it is kept (facts 5.2): there is no name to ask by.

use jiff::Timestamp;

use super::execute::{Outcome, Refusal, Turn};
use super::fetch::{hand_out, submitted};
use super::{Card, Client, Delivery, Fingerprint, Mailboxes, Reply, ReplyMessage, Step, StoreFailed};
use crate::feedback::{FeedbackClass, FeedbackCode};
use crate::laufzettel::Stamp;
use crate::message::{CertificateRole, DeliverySelection, MessageId, Order};

/// Where the replies for a client lie: a mailbox that no certificate names, so that nobody comes upon a reply who
/// fetches what others sent him.
fn mailbox(client: &Client) -> Fingerprint {
    format!("mediated/{}", client.fingerprint())
}

/// Whether a further reply finds room beside those that the client has not received (9811). Asked before anything is
/// pushed: afterwards the reply is kept in any case.
pub(super) fn room<M: Mailboxes>(turn: &mut Turn<'_, M>) -> Result<Result<(), Refusal>, StoreFailed> {
    let (replies, bytes) = turn.boxes.load(&mailbox(&turn.client))?;
    let rules = &turn.intermediary.rules;
    if replies < rules.mailbox_deliveries && bytes < rules.mailbox_bytes {
        return Ok(Ok(()));
    }
    let detail = format!("{replies} replies of {bytes} bytes wait for the client");
    Ok(Err(Refusal::new(FeedbackCode::S9811, detail).explained(
        "Zu viele Antworten auf vermittelte Zustellungen sind nicht quittiert; Dialoge sind mit exitDialog zu beenden",
        "Too many replies to mediated deliveries are not acknowledged; dialogues must be ended by exitDialog",
    )))
}

/// The card of the reply to a mediation. The parts are exchanged: who received the request sent the reply.
pub(super) fn card(request: &Card, subject: Option<&str>, now: Timestamp) -> Card {
    let mut card = request.clone();
    card.bundle.message_id = request.bundle.message_id.of_reply();
    card.bundle.card.subject = subject.map(str::to_owned);
    card.bundle.card.creation = Some(Stamp::Plain(now));
    card.bundle.card.reception = None;
    card.bundle.inspections.clear();
    card.forward(now);
    card.submitted = now;
    card.originator = request.addressee.iter().cloned().collect();
    card.addressee = request.originator.last().cloned();
    card
}

/// Keeps a reply as it goes out, with its card. The next order of the dialogue acknowledges it.
pub(super) fn keep<M: Mailboxes>(
    boxes: &mut M,
    client: &Client,
    card: &Card,
    reply: &Reply<M::Handle>,
) -> Result<(), StoreFailed> {
    let Some(envelope) = reply.envelope() else { return Ok(()) };
    let written = envelope.write().map_err(|refused| StoreFailed(refused.detail))?;
    let id = card.bundle.message_id.clone();
    boxes.put_delivery(&Delivery {
        id: id.clone(),
        mailbox: mailbox(client),
        submitted: card.submitted,
        envelope: written.assemble(None),
        attachments: reply.attachments.clone(),
    })?;
    boxes.keep_card(card)?;
    let conversation = envelope.control.conversation_id.as_deref().unwrap_or_default();
    if let Some(mut dialogue) = boxes.dialogue(conversation)? {
        dialogue.handed_out.push(id);
        boxes.keep_dialogue(&dialogue)?;
    }
    Ok(())
}

/// An order whose MessageId cannot be used (`refusal`): the kept reply, if it is the repetition of one that this client
/// sent to the same addressee and whose reply he has not received.
pub(super) fn again<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    id: &MessageId,
    refusal: Refusal,
) -> Outcome<M::Handle> {
    let reply_id = id.of_reply();
    let (Some(request), Some(card)) = (turn.boxes.card(id)?, turn.boxes.card(&reply_id)?) else {
        return Ok(Err(refusal));
    };
    let addressee = turn.order.envelope.certificates.certificate(CertificateRole::CipherAddressee);
    let same = request.addressee.as_deref() == addressee.map(|certificate| certificate.sha256_hex());
    if !same || card.bundle.card.reception.is_some() {
        return Ok(Err(refusal));
    }
    let selection = DeliverySelection::MessageId(reply_id.clone());
    let Some((kept, _)) = turn.boxes.find_delivery(&mailbox(&turn.client), Some(&selection))? else {
        return Ok(Err(refusal));
    };
    let stored = match submitted(kept.envelope) {
        Ok(stored) => stored,
        Err(refused) => return Ok(Err(Refusal::new(FeedbackCode::S9811, refused.detail))),
    };
    // What was to be said of the recipient's response (3802, 3803) is to be said again.
    let said = stored.order.feedback().map(crate::feedback::Feedback::codes).unwrap_or_default();
    let mut warnings = turn.warnings.clone();
    let of_class = said.into_iter().filter(|code| code.class() == FeedbackClass::Warning);
    warnings.extend(of_class.filter(|code| !turn.warnings.contains(code)));
    let order = Order::ResponseToMediateDelivery {
        feedback: turn.frame.done(&warnings),
        request_card: Some(request.bundle),
        reply_card: Some(card.bundle),
    };
    let mut reply = turn.frame.reply(turn.intermediary, order);
    reply.attachments = kept.attachments;
    if let ReplyMessage::Envelope(envelope) = &mut reply.message {
        envelope.certificates = stored.certificates;
        envelope.content = stored.content;
        envelope.custom_headers = stored.custom_headers;
    }
    hand_out(turn, &reply_id, None)?;
    Ok(Ok(Step::Answer(reply)))
}
