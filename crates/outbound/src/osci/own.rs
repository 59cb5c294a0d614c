//! Into a mailbox of our own intermediary: no order, no wire.
//!
//! The delivery, its MessageId, its process card, its parts and our note that it is stored become durable in one
//! transaction of the postbox. A crash before leaves nothing, and after it the next attempt finds the note. The
//! transaction looks for the note itself: an attempt that was given up may still be on its way through the queue of the
//! postbox when the next one begins.

use dds_courier::OwnIntermediary;
use dds_delivery::{Consignment, Verdict};
use dds_message::{Code, DeliveryId};
use dds_osci::{
    client::Client,
    feedback::{FeedbackCode, Refused},
    intermediary::{Client as Party, Deposited, Mailboxes as _},
    laufzettel::ProcessCardBundle,
    message::{CardQuery, CardSelection, MessageId},
    random::SystemRandom,
};
use dds_postbox::{Boxes, Haste, PostboxError, Sent, SentState};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::{
    OsciSender,
    adapter::{Osci, received, store},
    judge::{ended, told},
    parcel::Parcel,
    partner::Mode,
};
use crate::fault::{broke_off, temporary};

/// How the transaction ended.
enum Put {
    /// The delivery lay there before.
    Before(MessageId),
    /// It lies there now, with these warnings.
    Now(MessageId, Vec<FeedbackCode>),
    Refused(Refused),
}

impl OsciSender {
    /// Our own intermediary, if this client means it.
    pub(crate) fn own(&self, client: &Client) -> Option<&OwnIntermediary> {
        self.own.as_ref().filter(|own| own.is_meant_by(client))
    }

    /// The process cards of these deliveries at our own intermediary.
    pub(crate) async fn own_cards(
        &self,
        client: &Client,
        ids: Vec<MessageId>,
    ) -> Result<Vec<ProcessCardBundle>, PostboxError> {
        let party = party(client);
        self.postbox.run(move |boxes| cards(boxes, &party, ids)).await
    }
}

impl Osci {
    /// Our own intermediary, if the delivery goes into a mailbox there.
    pub(super) fn own(&self) -> Option<&OwnIntermediary> {
        self.sender.own(&self.partner.client).filter(|_| self.partner.mode == Mode::Store)
    }

    /// One attempt without a wire.
    pub(super) async fn deposit(
        &self,
        own: &OwnIntermediary,
        consignment: &Consignment,
    ) -> Result<Verdict, Verdict> {
        let (sender, delivery) = (&self.sender, consignment.delivery);
        let (party, begun) = (party(&self.partner.client), sender.now());
        let looking = party.clone();
        let before = sender.postbox.run(move |boxes| stored_before(boxes, &looking, delivery, begun));
        if let Some(id) = before.await.map_err(store)? {
            return Ok(received(&id));
        }
        let Parcel { delivery: content, attachments, parts } =
            Parcel::pack(sender, &self.partner, consignment).await?;
        // Large attachments take their time: who asks for what came since must not miss it.
        let now = sender.now();
        let (rules, client) = (own.rules(), self.partner.client.clone());
        let examining = spawn_blocking(move || {
            let deposit = rules.deposit(&client, content, attachments, now, &mut SystemRandom);
            deposit.map(|deposit| (deposit, rules))
        });
        let examined = examining.await.map_err(|error| broke_off(&error))?;
        let (mut deposit, rules) = examined.map_err(|refused| refusal(&refused))?;
        if sender.trust.ask(deposit.certificates(), now).await {
            deposit = deposit.recheck(&rules);
        }
        let target = consignment.target.clone();
        let putting = sender.postbox.run_as(Haste::Patient, move |boxes| {
            if let Some(id) = stored_before(boxes, &party, delivery, now)? {
                return Ok(Put::Before(id));
            }
            let Deposited { id, warnings, .. } = match deposit.put(&rules, boxes)? {
                Ok(deposited) => deposited,
                Err(refused) => return Ok(Put::Refused(refused)),
            };
            let (message_id, state) = (id.clone(), SentState::Stored);
            boxes.keep_sent(&Sent { delivery, target, message_id, state, at: now })?;
            // Within the step: the attempt may be given up while it is committed, and parts that nobody has kept
            // vanish.
            parts.keep();
            Ok::<_, PostboxError>(Put::Now(id, warnings))
        });
        match putting.await.map_err(store)? {
            Put::Before(id) => Ok(received(&id)),
            Put::Refused(refused) => Err(refusal(&refused)),
            Put::Now(id, warnings) => {
                own.wake();
                if !warnings.is_empty() {
                    tracing::warn!(message_id = %id, ?warnings, "osci.warnings");
                }
                Ok(received(&id))
            }
        }
    }
}

/// The MessageId under which an earlier attempt has stored the delivery. One that had begun by wire is resolved as the
/// wire would, by its process card; without a card its MessageId is used up, so that an order which is still on its way
/// comes too late (9801). The sweep removes the chunks it may have been cut into.
fn stored_before(
    boxes: &mut Boxes<'_>,
    party: &Party,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<Option<MessageId>, PostboxError> {
    let Some(sent) = boxes.sent(delivery)? else { return Ok(None) };
    let id = sent.message_id.clone();
    if sent.state == SentState::Begun {
        let _swept = boxes.end_transfer(delivery)?;
        if cards(boxes, party, vec![id.clone()])?.is_empty() {
            boxes.use_id(&id)?;
            return Ok(None);
        }
        boxes.keep_sent(&Sent { state: SentState::Stored, at: now, ..sent })?;
    }
    Ok(Some(id))
}

/// The process cards of these deliveries in which a party has a part.
fn cards(
    boxes: &mut Boxes<'_>,
    party: &Party,
    ids: Vec<MessageId>,
) -> Result<Vec<ProcessCardBundle>, PostboxError> {
    let limit = ids.len() as u64;
    let query = CardQuery { selection: Some(CardSelection::MessageIds(ids)), limit: None };
    let (cards, _) = boxes.find_cards(party, &query, limit)?;
    Ok(cards.into_iter().map(|card| card.bundle).collect())
}

/// The client as the mailboxes know him.
fn party(client: &Client) -> Party {
    Party { cipher: Some(client.cipher.clone()), signature: client.signature.clone() }
}

/// The verdict of a refusal: that of the feedback which the wire would have brought.
fn refusal(refused: &Refused) -> Verdict {
    dds_courier::log_refusal(refused);
    ended(refused.code).unwrap_or_else(|| temporary(Code::OSCI_REFUSED, told(refused.code)))
}
