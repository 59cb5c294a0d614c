//! fetchDelivery: out of the mailbox, into the response.

use super::execute::{Outcome, Refusal, Turn};
use super::reply::Frame;
use super::{Card, Delivery, Intermediary, Mailboxes, Reply, Step, StoreFailed};
use crate::feedback::{Feedback, FeedbackCode, Refused};
use crate::laufzettel::ProcessCardBundle;
use crate::message::{DeliverySelection, Envelope, MessageId, Order};
use crate::xml::{Document, limits};

pub(super) fn fetch<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    selection: Option<DeliverySelection>,
) -> Outcome<M::Handle> {
    let (delivery, more) = match find(turn, selection.as_ref())? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let id = delivery.id.clone();
    let card = forwarded(turn, &id)?;
    let mut warnings = turn.warnings.clone();
    warnings.extend(more.then_some(FeedbackCode::S3800));
    let feedback = turn.frame.done(&warnings);
    let bundle = card.as_ref().map(|card| card.bundle.clone());
    let reply = match response(turn, delivery, feedback, selection, bundle)? {
        Ok(reply) => reply,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // Only now: what is handed out counts as received with the next order.
    hand_out(turn, &id, card)?;
    Ok(Ok(Step::Answer(reply)))
}

/// A delivery, and whether more wait.
type Hit<M> = (Delivery<<M as Mailboxes>::Handle>, bool);

/// The delivery of the client's own mailbox that the selection names. Somebody else's is not found either (N20).
pub(super) fn find<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    selection: Option<&DeliverySelection>,
) -> Result<Result<Hit<M>, Refusal>, StoreFailed> {
    let nothing = || Refusal::new(FeedbackCode::S9803, "nothing in the mailbox that matches");
    let Some(mailbox) = turn.client.mailbox() else { return Ok(Err(nothing())) };
    Ok(turn.boxes.find_delivery(&mailbox, selection)?.ok_or_else(nothing))
}

/// The card as it goes out with the delivery.
pub(super) fn forwarded<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    id: &MessageId,
) -> Result<Option<Card>, StoreFailed> {
    let mut card = turn.boxes.card(id)?;
    if let Some(card) = card.as_mut().filter(|card| card.bundle.card.forwarding.is_none()) {
        card.forward(turn.order.at);
    }
    Ok(card)
}

/// Notes that the delivery goes out with this response: Forwarding now, as its card ([`forwarded`]) says, Reception
/// with the next order of the dialogue.
pub(super) fn hand_out<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    id: &MessageId,
    card: Option<Card>,
) -> Result<(), StoreFailed> {
    if let Some(card) = card {
        turn.boxes.keep_card(&card)?;
    }
    if let Some(dialogue) = &mut turn.dialogue {
        dialogue.handed_out.push(id.clone());
        turn.boxes.keep_dialogue(dialogue)?;
    }
    Ok(())
}

/// The response with content, certificates and custom headers as the sender wrote them: their Ids and namespaces stay,
/// because the authors' signatures and the readers' keys point to them (facts 10 and 11).
pub(super) fn response<M: Mailboxes>(
    turn: &Turn<'_, M>,
    delivery: Delivery<M::Handle>,
    feedback: Feedback,
    echo: Option<DeliverySelection>,
    card: Option<ProcessCardBundle>,
) -> Result<Result<Reply<M::Handle>, Refusal>, StoreFailed> {
    let stored = match submitted(delivery.envelope) {
        Ok(stored) => stored,
        Err(refused) => return Ok(Err(Refusal::new(FeedbackCode::S9811, refused.detail))),
    };
    let order = Order::ResponseToFetchDelivery { feedback, echo, card };
    let reply = turn.frame.send(relay(turn.intermediary, &turn.frame, stored, order));
    Ok(Ok(Reply { attachments: delivery.attachments, ..reply }))
}

/// The envelope of such a response.
pub(super) fn relay(
    intermediary: &Intermediary,
    frame: &Frame,
    stored: Envelope,
    response: Order,
) -> Envelope {
    Envelope {
        certificates: stored.certificates,
        custom_headers: stored.custom_headers,
        content: stored.content,
        ..frame.envelope(intermediary, response)
    }
}

/// The order a delivery came with.
pub(super) fn submitted(envelope: Vec<u8>) -> Result<Envelope, Refused> {
    let document = Document::parse(envelope, &limits()).map_err(|error| {
        Refused::new(FeedbackCode::S9811, format!("a stored delivery cannot be read: {error}"))
    })?;
    Envelope::read(&document)
}
