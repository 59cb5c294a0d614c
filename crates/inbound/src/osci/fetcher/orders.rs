//! The orders of a visit.

use std::{collections::HashSet, sync::Arc};

use dds_courier::{Courier, ExchangeError, Package};
use dds_message::{Code, Problem};
use dds_osci::{
    client::{Answer, Fetched, Lost, LostReason, Open, Request},
    feedback::{FeedbackCode, Refused},
    german,
    intake::Received,
    intermediary::{Attachment, Delivery, Mailboxes as _},
    keys::Decrypter,
    laufzettel::{ProcessCardBundle, Stamp},
    message::{CardQuery, CardSelection, CertificateRole, DateSelection, DeliverySelection, MessageId, Role},
    random::SystemRandom,
    signature::SigningOptions,
};
use dds_postbox::{Parts, PostboxError};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::Fetcher;
use crate::osci::collector::OwnMailbox;

/// What a fetchDelivery came to.
pub(super) enum Outcome {
    /// It is durable.
    Kept {
        /// The dialogue goes on; its next order acknowledges the delivery.
        open: Open,
        /// Which.
        id: MessageId,
        /// It is new to us.
        fresh: bool,
    },
    /// There is none, or none with this MessageId.
    Nothing(Open),
    /// The dialogue is over, and the next one fetches otherwise: whole, or from the first chunk on. It happens once for
    /// a delivery.
    Again,
    /// It did not come, or cannot be read: why. The dialogue is over, because another order could acknowledge what we
    /// have not.
    Unreadable(String),
}

impl Fetcher {
    /// Opens a dialogue.
    pub(super) async fn open(&self) -> Result<Open, Problem> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let received = self.send(request).await?;
        awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(|lost| ended(&lost))
    }

    /// Fetches a delivery, the oldest or the one with this id, and keeps it.
    pub(super) async fn fetch(&self, open: Open, id: Option<&MessageId>) -> Result<Outcome, Problem> {
        match self.chunk_kb(&open) {
            Some(chunk_kb) => self.fetch_in_chunks(open, id, chunk_kb).await,
            None => self.fetch_whole(open, id).await,
        }
    }

    /// The same by fetchDelivery.
    pub(super) async fn fetch_whole(&self, open: Open, id: Option<&MessageId>) -> Result<Outcome, Problem> {
        let selection = id.cloned().map(DeliverySelection::MessageId);
        let (request, awaiting) = open.fetch(selection, &mut SystemRandom);
        let received = self.send(request).await?;
        let (open, answer) = match awaiting.receive(received.as_ref().map_err(Clone::clone)) {
            Ok(answered) => answered,
            Err(lost) => return Ok(Outcome::Unreadable(lost.to_string())),
        };
        if answer.feedback.decisive() == FeedbackCode::S9803 {
            return Ok(Outcome::Nothing(open));
        }
        match received {
            Ok(received) => self.take(open, id, received, answer).await,
            Err(refused) => Ok(Outcome::Unreadable(refused.to_string())),
        }
    }

    /// Keeps a delivery that came whole, if it is the one that was asked for.
    pub(super) async fn take(
        &self,
        open: Open,
        id: Option<&MessageId>,
        received: Received<Parts>,
        answer: Answer<Fetched>,
    ) -> Result<Outcome, Problem> {
        if !answer.is_success() {
            let reason = format!("the intermediary refuses with {}", answer.feedback.decisive());
            return Ok(Outcome::Unreadable(reason));
        }
        let Some(card) = answer.value.card else {
            return Ok(Outcome::Unreadable("it comes without process card".to_owned()));
        };
        if id.is_some_and(|id| *id != card.message_id) {
            return Ok(Outcome::Unreadable("another delivery comes in its place".to_owned()));
        }
        let addressee = answer.value.envelope.certificates.certificate(CertificateRole::CipherAddressee);
        let ours = self.identity.decrypters();
        if addressee.is_some_and(|addressee| !ours.iter().any(|key| key.certificate() == addressee)) {
            return Ok(Outcome::Unreadable("it is addressed to another certificate".to_owned()));
        }
        // No way back into the dialogue but through here: what is not durable is not acknowledged.
        let fresh = self.keep(received, &card.message_id).await?;
        Ok(Outcome::Kept { open, id: card.message_id, fresh })
    }

    /// Process cards of everything that waits, oldest first.
    pub(super) async fn waiting(&self, mut open: Open) -> Result<(Open, Vec<ProcessCardBundle>), Problem> {
        let (mut cards, mut seen) = (Vec::new(), HashSet::new());
        let mut from = Timestamp::UNIX_EPOCH;
        loop {
            let rule = DateSelection { from, no_reception: Some(true), role: Some(Role::Addressee) };
            let selection = Some(CardSelection::RecentModification(rule));
            let (request, awaiting) =
                open.fetch_process_cards(CardQuery { selection, limit: None }, &mut SystemRandom);
            let received = self.send(request).await?;
            let (next, answer) =
                awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(|lost| ended(&lost))?;
            open = next;
            if !answer.is_success() && answer.feedback.decisive() != FeedbackCode::S9804 {
                let code = answer.feedback.decisive();
                self.leave(open).await?;
                let text = (
                    format!("die Laufzettel werden mit {code} verweigert"),
                    format!("the process cards are refused with {code}"),
                );
                return Err(Problem::new(Code::TARGET_REFUSED, text));
            }
            let known = seen.len();
            for card in answer.value.cards {
                from = from.max(card.card.recent_modification);
                if card.card.reception.is_none() && seen.insert(card.message_id.clone()) {
                    cards.push(card);
                }
            }
            // More than one answer holds (3801): the next goes on where this one ended.
            if !answer.feedback.has(FeedbackCode::S3801) || seen.len() == known {
                break;
            }
        }
        cards.sort_by_key(created);
        Ok((open, cards))
    }

    /// Ends the dialogue.
    pub(super) async fn leave(&self, open: Open) -> Result<(), Problem> {
        let (request, awaiting) = open.exit(&mut SystemRandom);
        let left = self.send(request).await?;
        awaiting.receive(left.as_ref().map_err(Clone::clone)).map(drop).map_err(|lost| ended(&lost))
    }

    /// Puts a delivery into the postbox; `false` if it is there already.
    async fn keep(&self, received: Received<Parts>, id: &MessageId) -> Result<bool, Problem> {
        let (fetched, id) = (id.clone(), self.own_id(id));
        let mailbox = OwnMailbox::fetched(&self.options.name, self.identity.clone()).name;
        let now = self.context.clock.now().to_jiff();
        let delivery = Delivery {
            id: id.clone(),
            mailbox,
            submitted: now,
            envelope: received.document.bytes().to_vec(),
            attachments: received.attachments.iter().map(Attachment::from).collect(),
        };
        let (store, name) = (received.store, self.options.name.clone());
        let keeping = self.context.postbox.run(move |boxes| {
            // The chunks it came in are needed no more.
            let chunks = boxes.end_download(&name, &fetched)?;
            if boxes.has_delivery(&id)? {
                return Ok((false, chunks));
            }
            boxes.put_delivery(&delivery)?;
            // Within the step: a visit may be given up while it is committed, and parts that nobody has kept vanish.
            store.keep();
            Ok::<_, PostboxError>((true, chunks))
        });
        let (fresh, chunks) = keeping.await?;
        self.discard(chunks).await;
        if fresh {
            self.context.wake.notify_one();
        }
        Ok(fresh)
    }

    /// The id of a delivery in our postbox.
    pub(super) fn own_id(&self, id: &MessageId) -> MessageId {
        // Each intermediary gives out MessageIds of its own: what another one calls the same is another delivery.
        MessageId::new(format!("{}/{id}", self.options.name))
    }

    pub(super) async fn send(&self, request: Request) -> Result<Result<Received<Parts>, Refused>, Problem> {
        let signer = Arc::clone(&self.identity.signature);
        let sealing = spawn_blocking(move || {
            let options = SigningOptions::default();
            request.seal(Some((signer.as_ref(), options)), &[], &mut SystemRandom)
        });
        let sealed = sealing.await.map_err(|_| {
            let text = (
                "das Signieren eines OSCI-Auftrags endete unerwartet",
                "sealing an OSCI order ended unexpectedly",
            );
            Problem::new(Code::INTERNAL, text)
        })?;
        let outgoing = sealed.map_err(|Refused { detail: why, .. }| {
            let german = format!("ein OSCI-Auftrag lässt sich nicht signieren ({})", german::reason(&why));
            Problem::new(Code::OSCI_KEYS, (german, why))
        })?;
        let package = Package { outgoing, attachments: Vec::new() };
        let courier: &Courier = &self.context.courier;
        let decrypters: Vec<Arc<dyn Decrypter>> = vec![Arc::clone(&self.identity.cipher)];
        match courier.exchange(&self.options.address, package, decrypters).await {
            Ok(received) => Ok(Ok(received)),
            // Our own disk: no delivery is to blame.
            Err(ExchangeError::Unreadable(refused)) if refused.code == FeedbackCode::S9000 => {
                Err(PostboxError::from(refused).into())
            }
            Err(ExchangeError::Unreadable(refused)) => Ok(Err(refused)),
            Err(error) => {
                let german = format!("der Intermediär ist nicht erreichbar (Meldung: „{error}“)");
                Err(Problem::new(Code::TARGET_UNREACHABLE, (german, error.to_string())))
            }
        }
    }
}

fn created(card: &ProcessCardBundle) -> Timestamp {
    match card.card.creation {
        Some(Stamp::Plain(at)) => at,
        Some(Stamp::Cryptographic { .. }) | None => card.card.recent_modification,
    }
}

fn ended(lost: &Lost) -> Problem {
    let code = lost.code();
    let text = (
        format!("der Dialog endete mit {code} ({})", german::reason(&lost.to_string())),
        format!("the dialogue ended with {code}: {lost}"),
    );
    // Only the intermediary itself refuses; an answer that is not his as it must be is another matter.
    let refused = matches!(lost.reason, LostReason::Fault(_) | LostReason::NotOpened(_));
    Problem::new(if refused { Code::TARGET_REFUSED } else { Code::OSCI_ANSWER }, text)
}
