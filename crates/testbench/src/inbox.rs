//! What a simulator received.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dds_message::{AnswerKind, DeliveryId, Digest, MessageId};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A document or attachment as received: described, not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// File name; empty if none was given.
    pub name: String,
    /// Media type; empty if none was given.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Digest of the bytes.
    pub digest: Digest,
}

/// A delivery as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Delivery id.
    pub delivery: DeliveryId,
    /// Where it came in: path of the request, folder, mail address.
    pub place: String,
    /// For an answer (Rückkanal): its kind, and the application it answers.
    pub answer: Option<(AnswerKind, MessageId)>,
    /// How often it came; more than 1: repeated.
    pub times: u64,
    /// How often it was stored: 1 where a repeat is recognised, otherwise `times`.
    pub stored: u64,
    /// The document.
    pub document: Part,
    /// Its attachments in order.
    pub attachments: Vec<Part>,
    /// The bytes of the document, if [`Inbox::keep_documents`] was asked for.
    pub bytes: Option<bytes::Bytes>,
}

/// Eingangsbuch of a simulator; cheap to clone, all clones are one book.
#[derive(Debug, Clone)]
pub struct Inbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    deduplicates: bool,
    keep: bool,
    received: Mutex<HashMap<DeliveryId, Received>>,
    changed: Notify,
}

impl Inbox {
    /// An empty book. `deduplicates`: a delivery id that comes again is recognised and not stored again.
    #[must_use]
    pub fn new(deduplicates: bool) -> Self {
        Self::build(deduplicates, false)
    }

    /// An empty book that also keeps the bytes of documents.
    #[must_use]
    pub fn keep_documents(deduplicates: bool) -> Self {
        Self::build(deduplicates, true)
    }

    fn build(deduplicates: bool, keep: bool) -> Self {
        let received = Mutex::new(HashMap::new());
        Self(Arc::new(Inner { deduplicates, keep, received, changed: Notify::new() }))
    }

    /// Whether documents are kept.
    pub(crate) fn keeps(&self) -> bool {
        self.0.keep
    }

    /// Writes down one arrival; `false`: it had come before.
    pub(crate) fn record(
        &self,
        delivery: DeliveryId,
        place: &str,
        answer: Option<(AnswerKind, MessageId)>,
        document: (Part, Option<bytes::Bytes>),
        attachments: Vec<Part>,
    ) -> bool {
        let mut received = self.0.received.lock();
        let fresh = match received.get_mut(&delivery) {
            Some(known) => {
                known.times += 1;
                known.stored += u64::from(!self.0.deduplicates);
                false
            }
            None => {
                let place = place.to_owned();
                let (document, bytes) = document;
                let entry =
                    Received { delivery, place, answer, times: 1, stored: 1, document, attachments, bytes };
                received.insert(delivery, entry);
                true
            }
        };
        drop(received);
        self.0.changed.notify_waiters();
        fresh
    }

    /// The delivery of that id.
    #[must_use]
    pub fn get(&self, delivery: DeliveryId) -> Option<Received> {
        self.0.received.lock().get(&delivery).cloned()
    }

    /// Everything received, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Received> {
        self.0.received.lock().values().cloned().collect()
    }

    /// Different deliveries received.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.received.lock().len()
    }

    /// Nothing was received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Arrivals of a delivery that had come before.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.0.received.lock().values().map(|one| one.times - 1).sum()
    }

    /// Copies stored beyond the first: what a duplicate costs the authority. Always 0 where repeats are recognised.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.0.received.lock().values().map(|one| one.stored - 1).sum()
    }

    /// Waits until `count` different deliveries are there; `false` after `patience`.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> bool {
        let enough = async {
            loop {
                let changed = self.0.changed.notified();
                tokio::pin!(changed);
                // Enabled before looking, so that an arrival between looking and waiting is not missed.
                changed.as_mut().enable();
                if self.len() >= count {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(patience, enough).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn part() -> (Part, Option<bytes::Bytes>) {
        let digest = Digest::of(b"x");
        (Part { name: String::new(), media_type: String::new(), size: 1, digest }, None)
    }

    #[test]
    fn a_repeat_is_stored_once_where_it_is_recognised() {
        for (deduplicates, duplicates) in [(true, 0), (false, 1)] {
            let inbox = Inbox::new(deduplicates);
            let id = DeliveryId(Uuid::from_u128(1));
            assert!(inbox.record(id, "/", None, part(), Vec::new()));
            assert!(!inbox.record(id, "/", None, part(), Vec::new()));
            assert_eq!((inbox.len(), inbox.repeats(), inbox.duplicates()), (1, 1, duplicates));
        }
    }

    #[tokio::test]
    async fn waiting_ends_with_the_last_arrival() {
        let inbox = Inbox::new(true);
        let waiter = tokio::spawn({
            let inbox = inbox.clone();
            async move { inbox.wait_for(2, Duration::from_secs(60)).await }
        });
        for id in [1, 2] {
            tokio::task::yield_now().await;
            inbox.record(DeliveryId(Uuid::from_u128(id)), "/", None, part(), Vec::new());
        }
        assert!(waiter.await.unwrap());
        assert!(!inbox.wait_for(3, Duration::from_millis(1)).await);
    }
}
