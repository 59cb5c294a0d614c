//! Laufzettelverfolgung: asks intermediaries until what was delivered there was received; our own is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use dds_depot::OsciWay;
use dds_message::{DeliveryId, EntryFacts, JournalEvent, TargetId};
use dds_osci::laufzettel::{ProcessCardBundle, Stamp};
use dds_postbox::{PostboxError, Sent, SentState};
use dds_store::{Journal, NewEntry, StoreError};
use dds_telemetry::{Event, Metrics, Telemetry};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{OsciSender, line::Line, partner::Partner};
use crate::Targets;

/// Deliveries asked for in one round.
const ROUND: usize = 1_000;

/// What the tracker works with.
#[derive(Clone)]
pub struct TrackerParts {
    /// As whom we ask.
    pub sender: OsciSender,
    /// Where the intermediaries are.
    pub targets: Targets,
    /// The Laufzettel of our messages.
    pub journal: Arc<dyn Journal>,
    /// Log.
    pub telemetry: Telemetry,
    /// Time between two rounds.
    pub every: Duration,
}

/// Follows deliveries until the recipient has them: takes what is stored and not received from the postbox, fetches the
/// process cards, one dialogue per intermediary and none for our own, and writes each reception into the journal of its
/// message (`osci.received`).
pub struct Tracker {
    parts: TrackerParts,
    /// Targets told to be gone: once, not at each round.
    gone: Mutex<BTreeSet<TargetId>>,
}

impl Tracker {
    /// Makes a tracker; nothing runs yet.
    #[must_use]
    pub const fn new(parts: TrackerParts) -> Self {
        Self { parts, gone: Mutex::new(BTreeSet::new()) }
    }

    /// Looks again and again until `shutdown` turns true. Failures are logged; the next round begins anew.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "osci.tracking_failed");
            }
            tokio::select! {
                () = tokio::time::sleep(self.parts.every) => {}
                _ = shutdown.changed() => return,
            }
        }
    }

    /// One look at everything that waits; how many were received since the last.
    ///
    /// # Errors
    /// [`PostboxError`]; what was found before is kept. An intermediary that cannot be asked is skipped.
    pub async fn round(&self) -> Result<usize, PostboxError> {
        let waiting = self.parts.sender.postbox.run(|boxes| boxes.unreceived(ROUND)).await?;
        // More wait than one round takes: these go to the end, so that all get their turn.
        let full = waiting.len() == ROUND;
        let (groups, gone) = self.by_intermediary(waiting);
        if full {
            for sent in gone {
                self.keep(sent, SentState::Stored).await?;
            }
        }
        let mut received = 0;
        for (way, waiting) in groups {
            let cards = self.ask(&way, &waiting).await;
            for sent in waiting {
                match cards
                    .iter()
                    .find(|card| card.message_id == sent.message_id && card.card.reception.is_some())
                {
                    Some(card) => received += usize::from(self.receive(sent, card).await?),
                    None if full => self.keep(sent, SentState::Stored).await?,
                    None => {}
                }
            }
        }
        Ok(received)
    }

    /// Groups by intermediary, and what has no way any more: a target that is no longer configured keeps its
    /// deliveries, and a corrected release finds them again.
    fn by_intermediary(&self, waiting: Vec<Sent>) -> (Vec<(OsciWay, Vec<Sent>)>, Vec<Sent>) {
        let release = self.parts.targets.release();
        let mut groups: BTreeMap<(String, String), (OsciWay, Vec<Sent>)> = BTreeMap::new();
        let mut gone = Vec::new();
        for sent in waiting {
            let Some(way) = release.target(&sent.target).and_then(|target| target.osci) else {
                gone.push(sent);
                continue;
            };
            self.gone.lock().remove(&sent.target);
            let key = (way.intermediary.clone(), way.intermediary_cipher.clone());
            groups.entry(key).or_insert_with(|| (way, Vec::new())).1.push(sent);
        }
        self.tell(&gone);
        (groups.into_values().collect(), gone)
    }

    /// Names each target that has no way any more, once, with how many of this round's deliveries are its.
    fn tell(&self, gone: &[Sent]) {
        let mut told = self.gone.lock();
        for sent in gone {
            if told.insert(sent.target.clone()) {
                let deliveries = gone.iter().filter(|other| other.target == sent.target).count();
                tracing::warn!(target = %sent.target, deliveries, "osci.target_gone");
            }
        }
    }

    async fn ask(&self, way: &OsciWay, waiting: &[Sent]) -> Vec<ProcessCardBundle> {
        let sender = &self.parts.sender;
        let Ok(partner) = Partner::new(way, sender) else {
            // The adapter says what is wrong with it.
            return Vec::new();
        };
        let ids: Vec<_> = waiting.iter().map(|sent| sent.message_id.clone()).collect();
        let cards = match sender.own(&partner.client) {
            Some(_) => sender.own_cards(&partner.client, ids).await.map_err(|error| error.to_string()),
            None => {
                let mut line = Line::new(sender, &partner.address, partner.client.clone());
                line.cards(&ids).await.map_err(|error| error.to_string())
            }
        };
        cards.unwrap_or_else(|error| {
            tracing::warn!(error, waiting = waiting.len(), "osci.cards_missing");
            Vec::new()
        })
    }

    /// Journal first: if the process ends in between, the entry is written twice rather than never.
    async fn receive(&self, sent: Sent, bundle: &ProcessCardBundle) -> Result<bool, PostboxError> {
        let event = Received { delivery: sent.delivery, bundle };
        let entry = NewEntry {
            delivery: Some(sent.delivery),
            target: Some(sent.target.clone()),
            data: self.parts.telemetry.record(&event),
            ..NewEntry::new(JournalEvent::OsciReceived)
        };
        match self.parts.journal.note(entry).await {
            Ok(()) => {}
            Err(error @ (StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Full(_))) => {
                tracing::warn!(delivery = %sent.delivery, code = %error.code(), "osci.reception_not_noted_yet");
                return Ok(false);
            }
            Err(error) => {
                tracing::error!(delivery = %sent.delivery, code = %error.code(), "osci.reception_not_noted")
            }
        }
        self.keep(sent, SentState::Received).await?;
        Ok(true)
    }

    async fn keep(&self, sent: Sent, state: SentState) -> Result<(), PostboxError> {
        let sent = Sent { state, at: self.parts.sender.now(), ..sent };
        self.parts.sender.postbox.run(move |boxes| boxes.keep_sent(&sent)).await
    }
}

/// The recipient has what we delivered, says the intermediary.
struct Received<'a> {
    delivery: DeliveryId,
    bundle: &'a ProcessCardBundle,
}

impl Event for Received<'_> {
    fn log(&self) {
        tracing::info!(delivery = %self.delivery, message_id = %self.bundle.message_id, "osci.received");
    }

    /// The delivery was counted when the intermediary took it.
    fn count(&self, _: &Metrics) {}

    /// Times as the intermediary stamped them; the subject stays where it is.
    fn facts(&self) -> EntryFacts {
        let card = &self.bundle.card;
        let times =
            [("creation", &card.creation), ("forwarding", &card.forwarding), ("reception", &card.reception)];
        let mut facts = EntryFacts::new();
        for (name, stamp) in times {
            let text = match stamp {
                Some(Stamp::Plain(time)) => time.to_string(),
                Some(Stamp::Cryptographic { .. }) => "cryptographic".to_owned(),
                None => continue,
            };
            facts.note(name, text);
        }
        facts
    }
}
