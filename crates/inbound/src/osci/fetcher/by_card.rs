//! The way round a delivery that cannot be read.

use std::collections::{HashMap, HashSet};

use dds_message::{Code, Problem};
use dds_osci::{laufzettel::ProcessCardBundle, message::MessageId};
use dds_postbox::Unreadable;
use jiff::{SignedDuration, Timestamp};

use super::{Fetched, Fetcher, Outcome};

/// Pause before the second try; doubled before each further one.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The longest pause.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

impl Fetcher {
    /// Fetches what waits by its process cards, one delivery after the other; those that cannot be read are noted, and
    /// left out until their time has come.
    pub(super) async fn by_card(&self, fetched: &mut Fetched) -> Result<(), Problem> {
        let begun = self.context.clock.now().to_jiff();
        'dialogue: loop {
            let (mut open, cards) = self.waiting(self.open().await?).await?;
            let noted = self.unreadable().await?;
            self.forget_gone(&noted, &cards).await?;
            for card in cards {
                let id = &card.message_id;
                if noted.get(id).is_some_and(|note| note.again > begun) {
                    continue;
                }
                open = match self.fetch(open, Some(id)).await? {
                    Outcome::Kept { open, fresh, .. } => {
                        fetched.count(fresh);
                        self.forget(&noted, id, "osci.delivery_readable").await?;
                        open
                    }
                    Outcome::Nothing(open) => open,
                    Outcome::Again => continue 'dialogue,
                    Outcome::Unreadable(reason) => {
                        self.note(noted.get(id), &card, reason).await?;
                        // In a fresh dialogue it is passed over.
                        continue 'dialogue;
                    }
                };
            }
            return self.leave(open).await;
        }
    }

    /// What could not be read so far.
    pub(super) async fn unreadable(&self) -> Result<HashMap<MessageId, Unreadable>, Problem> {
        let name = self.options.name.clone();
        self.context.postbox.run(move |boxes| boxes.unreadable(&name)).await.map_err(Problem::from)
    }

    /// Notes a delivery that could not be read, and tells of it once for each reason.
    async fn note(
        &self,
        before: Option<&Unreadable>,
        card: &ProcessCardBundle,
        reason: String,
    ) -> Result<(), Problem> {
        let now = self.context.clock.now().to_jiff();
        let tries = before.filter(|note| note.reason == reason).map_or(0, |note| note.tries) + 1;
        let pause = (PAUSE * 2_i32.saturating_pow(tries - 1)).min(LONGEST);
        let note = Unreadable {
            id: card.message_id.clone(),
            reason,
            since: before.map_or(now, |note| note.since),
            tries,
            again: now.checked_add(pause).unwrap_or(Timestamp::MAX),
        };
        let Unreadable { id, reason, since, again, .. } = &note;
        if tries == 1 {
            let (mailbox, code) = (&self.options.name, Code::OSCI_UNREADABLE);
            tracing::error!(mailbox, %code, osci = %id, from = self.parties(card), reason, %since, %again, "osci.delivery_unreadable");
        } else {
            tracing::debug!(mailbox = self.options.name, osci = %id, reason, tries, %again, "osci.delivery_unreadable_still");
        }
        let name = self.options.name.clone();
        let noting = self.context.postbox.run(move |boxes| boxes.note_unreadable(&name, &note));
        noting.await.map_err(Problem::from)
    }

    /// The certificates that the intermediary inspected for this delivery, ours excepted: issuer and serial number.
    /// Their subjects may be persons.
    fn parties(&self, card: &ProcessCardBundle) -> String {
        let own = &self.client.cipher;
        let others = card
            .inspections
            .iter()
            .filter(|found| (found.issuer.as_str(), found.serial.as_str()) != (own.issuer(), own.serial()));
        let named: Vec<String> =
            others.map(|found| format!("{} of \"{}\"", found.serial, found.issuer)).collect();
        if named.is_empty() { "unknown".to_owned() } else { named.join(", ") }
    }

    /// Somebody has fetched it elsewhere, or the intermediary has removed it.
    async fn forget_gone(
        &self,
        noted: &HashMap<MessageId, Unreadable>,
        cards: &[ProcessCardBundle],
    ) -> Result<(), Problem> {
        let there: HashSet<&MessageId> = cards.iter().map(|card| &card.message_id).collect();
        for id in noted.keys().filter(|id| !there.contains(id)) {
            self.forget(noted, id, "osci.delivery_gone").await?;
        }
        Ok(())
    }

    async fn forget(
        &self,
        noted: &HashMap<MessageId, Unreadable>,
        id: &MessageId,
        name: &'static str,
    ) -> Result<(), Problem> {
        if !noted.contains_key(id) {
            return Ok(());
        }
        tracing::info!(mailbox = self.options.name, osci = %id, "{name}");
        let (name, id) = (self.options.name.clone(), id.clone());
        self.context
            .postbox
            .run(move |boxes| boxes.forget_unreadable(&name, &id))
            .await
            .map_err(Problem::from)
    }
}
