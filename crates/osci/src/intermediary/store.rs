//! storeDelivery: into the mailbox of the addressee.

use super::execute::{Outcome, Refusal, Turn};
use super::{
    Card, Client, Delivery, Examined, Fingerprint, IdState, Intermediary, KB, Mailboxes, StoreFailed,
};
use crate::feedback::FeedbackCode;
use crate::laufzettel::{Inspection, ProcessCard, ProcessCardBundle, Stamp};
use crate::message::{CertificateRole, MessageId, Order};
use jiff::Timestamp;

pub(super) fn store<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    id: &MessageId,
    subject: Option<String>,
) -> Outcome<M::Handle> {
    let bundle = match keep(turn.boxes, turn.intermediary, &turn.order, &turn.client, (id, subject))? {
        Ok(bundle) => bundle,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let feedback = turn.frame.done(&turn.warnings);
    turn.answer(Order::ResponseToStoreDelivery { feedback, card: Some(bundle) })
}

/// Keeps the delivery of an order with its card, if MessageId and mailbox allow it.
pub(super) fn keep<M: Mailboxes>(
    boxes: &mut M,
    intermediary: &Intermediary,
    order: &Examined<M::Handle>,
    client: &Client,
    (id, subject): (&MessageId, Option<String>),
) -> Result<Result<ProcessCardBundle, Refusal>, StoreFailed> {
    if let Err(refusal) = claim(boxes, id, client)? {
        return Ok(Err(refusal));
    }
    match mailbox(boxes, intermediary, order, client)? {
        Ok(mailbox) => put(boxes, order, client, (id, subject), mailbox).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// The mailbox of the addressee, if he has one here (9706), the delivery is not larger than any may be (9904), can be
/// fetched (9100) and finds room (9811). The MessageId stays unused otherwise: the same order may come again when the
/// addressee has fetched.
///
/// Of the room, one client may fill a tenth with what the addressee cannot take over: strangers with a good certificate
/// would close the mailbox to everybody else.
pub(super) fn mailbox<M: Mailboxes>(
    boxes: &mut M,
    intermediary: &Intermediary,
    order: &Examined<M::Handle>,
    client: &Client,
) -> Result<Result<Fingerprint, Refusal>, StoreFailed> {
    let Some(addressee) = order.envelope.certificates.certificate(CertificateRole::CipherAddressee) else {
        return Ok(Err(Refusal::new(FeedbackCode::S9706, "the order names no addressee")));
    };
    if !boxes.has_mailbox(addressee)? {
        let refusal = Refusal::new(FeedbackCode::S9706, "the addressee has no mailbox here").explained(
            "Der Empfänger hat bei diesem Intermediär kein Postfach",
            "The recipient has no mailbox at this intermediary",
        );
        return Ok(Err(refusal));
    }
    if order.bytes() > intermediary.rules.max_message_kb.saturating_mul(KB) {
        return Ok(Err(Refusal::new(FeedbackCode::S9904, "the delivery is larger than any may be")));
    }
    if let Err(refused) = &order.fetchable {
        let refusal = Refusal::from(refused.clone()).explained(
            "Der Empfänger könnte die Zustellung nicht lesen, wenn er sie abholt",
            "The recipient could not read the delivery when fetching it",
        );
        return Ok(Err(refusal));
    }
    let mailbox = addressee.sha256_hex().to_owned();
    let (deliveries, bytes) = boxes.load(&mailbox)?;
    let rules = &intermediary.rules;
    if deliveries >= rules.mailbox_deliveries || bytes.saturating_add(order.bytes()) > rules.mailbox_bytes {
        let detail = format!("the mailbox {mailbox} is full: {deliveries} deliveries of {bytes} bytes wait");
        let refusal = Refusal::new(FeedbackCode::S9811, detail).explained(
            "Das Postfach des Empfängers ist voll; er muss Zustellungen abholen",
            "The recipient's mailbox is full; he must fetch deliveries",
        );
        return Ok(Err(refusal));
    }
    let client = client.fingerprint();
    let (deliveries, bytes) = boxes.refused(&mailbox, &client)?;
    let tenth = |bound: u64| (bound / 10).max(1);
    if deliveries >= tenth(rules.mailbox_deliveries) || bytes >= tenth(rules.mailbox_bytes) {
        let detail = format!(
            "{deliveries} deliveries of {bytes} bytes from {client} lie in the mailbox {mailbox} and cannot be taken over"
        );
        let refusal = Refusal::new(FeedbackCode::S9811, detail).explained(
            "Im Postfach liegen Zustellungen dieses Absenders, die der Empfänger nicht übernehmen konnte; der Betreiber des Empfängers muss handeln",
            "The mailbox holds deliveries of this sender that the recipient could not take over; the recipient's operator must act",
        );
        return Ok(Err(refusal));
    }
    Ok(Ok(mailbox))
}

/// Puts the delivery into the mailbox and writes its card; its MessageId is used from now on.
pub(super) fn put<M: Mailboxes>(
    boxes: &mut M,
    order: &Examined<M::Handle>,
    client: &Client,
    (id, subject): (&MessageId, Option<String>),
    mailbox: Fingerprint,
) -> Result<ProcessCardBundle, StoreFailed> {
    boxes.use_id(id)?;
    boxes.put_delivery(&Delivery {
        id: id.clone(),
        mailbox: mailbox.clone(),
        submitted: order.at,
        envelope: order.octets.clone(),
        attachments: order.attachments.clone(),
    })?;
    let card = new_card(order, client, id, subject, Some(mailbox));
    boxes.keep_card(&card)?;
    Ok(card.bundle)
}

/// A MessageId must have been issued to this client and not be used before (9801). Whose it is otherwise is nobody's
/// business.
pub(super) fn claim<M: Mailboxes>(
    boxes: &mut M,
    id: &MessageId,
    client: &Client,
) -> Result<Result<(), Refusal>, StoreFailed> {
    let why = match boxes.id_state(id, &client.fingerprint())? {
        IdState::Free => return Ok(Ok(())),
        IdState::Unknown => "the MessageId was not issued here",
        IdState::Foreign => "the MessageId was issued to another client",
        IdState::Used => "the MessageId was used before",
    };
    Ok(Err(Refusal::new(FeedbackCode::S9801, why)))
}

/// The card of a delivery just submitted, with an inspection of every certificate that was checked.
pub(super) fn new_card<H>(
    order: &Examined<H>,
    client: &Client,
    id: &MessageId,
    subject: Option<String>,
    addressee: Option<Fingerprint>,
) -> Card {
    let own = order.envelope.certificates.certificate(CertificateRole::CipherOriginator);
    let certificates = [client.signature.as_ref(), client.cipher.as_ref(), own];
    Card {
        bundle: ProcessCardBundle {
            message_id: id.clone(),
            card: ProcessCard {
                recent_modification: order.at,
                creation: Some(Stamp::Plain(order.at)),
                forwarding: None,
                reception: None,
                subject,
            },
            inspections: order.reports.iter().map(|report| Inspection::of(report, order.at)).collect(),
        },
        originator: certificates
            .into_iter()
            .flatten()
            .map(|certificate| certificate.sha256_hex().to_owned())
            .collect(),
        addressee,
        submitted: order.at,
    }
}

impl Card {
    /// The message to the recipient was built.
    pub(super) fn forward(&mut self, at: Timestamp) {
        self.bundle.card.forwarding = Some(Stamp::Plain(at));
        self.bundle.card.recent_modification = at;
    }

    /// The recipient has it.
    pub(super) fn receive(&mut self, at: Timestamp) {
        self.bundle.card.reception = Some(Stamp::Plain(at));
        self.bundle.card.recent_modification = at;
    }
}
