//! The account of what was sent, accepted and delivered.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use dds_message::{DeliveryId, MessageId};
use parking_lot::Mutex;

use crate::Inbox;

/// Bestandsbuch: cheap to clone, filled by portals while they send and by the caller with what should arrive.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    sent: u64,
    refused: BTreeMap<u16, u64>,
    accepted: HashMap<MessageId, Fate>,
}

/// What became of an accepted message, as far as the caller told.
#[derive(Debug, Default)]
struct Fate {
    expected: Option<Vec<DeliveryId>>,
    ended_without: bool,
}

/// Abrechnung.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages sent, each counted once however often it was repeated.
    pub sent: u64,
    /// Messages acknowledged.
    pub accepted: u64,
    /// Refused before acceptance, by HTTP status.
    pub refused: BTreeMap<u16, u64>,
    /// Accepted messages that ended without a delivery, and rightly so (rejected, the sender was told).
    pub ended_without: u64,
    /// Deliveries that should arrive.
    pub expected: u64,
    /// Of these, arrived.
    pub delivered: u64,
    /// Accepted messages of which something did not arrive: by message, what is missing (empty: nobody ever said
    /// what should arrive).
    pub lost: Vec<(MessageId, Vec<DeliveryId>)>,
    /// Copies stored beyond the first.
    pub duplicates: u64,
    /// Repeats that a target recognised.
    pub repeats: u64,
    /// Arrivals that nobody expected.
    pub unexpected: u64,
}

impl Ledger {
    /// A message is about to be sent.
    pub fn sent(&self) {
        self.0.lock().sent += 1;
    }

    /// It was acknowledged. The same id again (a duplicate) counts once.
    pub fn accepted(&self, message: MessageId) {
        self.0.lock().accepted.entry(message).or_default();
    }

    /// It was refused.
    pub fn refused(&self, status: u16) {
        *self.0.lock().refused.entry(status).or_default() += 1;
    }

    /// These deliveries of `message` should arrive.
    pub fn expect(&self, message: MessageId, deliveries: Vec<DeliveryId>) {
        self.0.lock().accepted.entry(message).or_default().expected = Some(deliveries);
    }

    /// The message ended rightly without a delivery.
    pub fn ended_without(&self, message: MessageId) {
        self.0.lock().accepted.entry(message).or_default().ended_without = true;
    }

    /// Ids of all accepted messages, in no order.
    #[must_use]
    pub fn messages(&self) -> Vec<MessageId> {
        self.0.lock().accepted.keys().copied().collect()
    }

    /// Compares with what arrived in `inboxes`.
    #[must_use]
    pub fn tally<'a>(&self, inboxes: impl IntoIterator<Item = &'a Inbox>) -> Tally {
        let mut arrived: HashMap<DeliveryId, u64> = HashMap::new();
        let mut tally = Tally::default();
        for inbox in inboxes {
            tally.repeats += inbox.repeats();
            for received in inbox.all() {
                *arrived.entry(received.delivery).or_default() += received.stored;
            }
        }
        tally.duplicates = arrived.values().map(|stored| stored.saturating_sub(1)).sum();
        let book = self.0.lock();
        tally.sent = book.sent;
        tally.refused.clone_from(&book.refused);
        tally.accepted = book.accepted.len() as u64;
        for (message, fate) in &book.accepted {
            let Some(expected) = &fate.expected else {
                if fate.ended_without {
                    tally.ended_without += 1;
                } else {
                    tally.lost.push((*message, Vec::new()));
                }
                continue;
            };
            tally.expected += expected.len() as u64;
            let missing: Vec<_> =
                expected.iter().copied().filter(|id| arrived.remove(id).is_none()).collect();
            tally.delivered += (expected.len() - missing.len()) as u64;
            if !missing.is_empty() {
                tally.lost.push((*message, missing));
            }
        }
        tally.unexpected = arrived.len() as u64;
        tally
    }
}

#[cfg(test)]
mod tests {
    use dds_message::Digest;
    use uuid::Uuid;

    use super::*;
    use crate::Part;

    #[test]
    fn it_finds_what_is_missing_what_is_twofold_and_what_nobody_expected() {
        let (ledger, inbox) = (Ledger::default(), Inbox::new(false));
        let message = |n| MessageId(Uuid::from_u128(n));
        let delivery = |n| DeliveryId(Uuid::from_u128(n));
        let arrive = |n| {
            let part =
                Part { name: String::new(), media_type: String::new(), size: 0, digest: Digest::of(b"") };
            inbox.record(delivery(n), "/", None, (part, None), Vec::new());
        };
        for n in 1..=4 {
            ledger.sent();
            ledger.accepted(message(n));
        }
        ledger.expect(message(1), vec![delivery(10), delivery(11)]);
        ledger.expect(message(2), vec![delivery(20), delivery(21)]);
        ledger.ended_without(message(3));
        for n in [10, 11, 11, 20, 99] {
            arrive(n);
        }
        let mut tally = ledger.tally([&inbox]);
        tally.lost.sort();
        assert_eq!(tally.lost, vec![(message(2), vec![delivery(21)]), (message(4), vec![])]);
        assert_eq!((tally.expected, tally.delivered, tally.ended_without), (4, 3, 1));
        assert_eq!((tally.duplicates, tally.repeats, tally.unexpected), (1, 1, 1));
    }
}
