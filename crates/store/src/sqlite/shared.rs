//! What committer and callers share in memory: the due queue, the counts, and who waits for work.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use dds_message::{DeliveryState, MessageState, TargetId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    files::Files,
    fresh::Fresh,
    queue::{DueQueue, Wakes},
};
use crate::ClaimFilter;

/// Messages and deliveries per state; as a difference, what a transaction changes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    messages: [i64; MessageState::ALL.len()],
    deliveries: [i64; DeliveryState::ALL.len()],
}

impl Tally {
    pub(super) fn add_message(&mut self, state: MessageState, n: i64) {
        self.messages[state as usize] += n;
    }

    pub(super) fn add_delivery(&mut self, state: DeliveryState, n: i64) {
        self.deliveries[state as usize] += n;
    }

    /// Every state with its number.
    pub(super) fn messages(&self) -> impl Iterator<Item = (MessageState, i64)> {
        MessageState::ALL.iter().copied().zip(self.messages)
    }

    /// Every state with its number.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = (DeliveryState, i64)> {
        DeliveryState::ALL.iter().copied().zip(self.deliveries)
    }

    pub(super) fn merge(&mut self, change: &Self) {
        change.messages().for_each(|(state, n)| self.add_message(state, n));
        change.deliveries().for_each(|(state, n)| self.add_delivery(state, n));
    }
}

/// Memory of the engine between two commits.
pub(super) struct Shared {
    queue: Mutex<DueQueue>,
    pub(super) tally: Mutex<Tally>,
    /// The last transaction did not become durable.
    pub(super) commit_failed: AtomicBool,
    /// Deliveries just created.
    pub(super) fresh: Mutex<Fresh>,
    push: Notify,
    pull: Mutex<HashMap<TargetId, Arc<Notify>>>,
    pub(super) files: Files,
}

impl Shared {
    pub(super) fn new(queue: DueQueue, tally: Tally, files: Files) -> Self {
        Self {
            queue: Mutex::new(queue),
            tally: Mutex::new(tally),
            commit_failed: AtomicBool::new(false),
            fresh: Mutex::default(),
            push: Notify::new(),
            pull: Mutex::default(),
            files,
        }
    }

    /// Works on the queue, then wakes those who should look again.
    pub(super) fn queue<R>(&self, work: impl FnOnce(&mut DueQueue) -> R) -> R {
        let mut queue = self.queue.lock();
        let result = work(&mut queue);
        let wakes = queue.take_wakes();
        drop(queue);
        self.wake(&wakes);
        result
    }

    fn wake(&self, wakes: &Wakes) {
        if wakes.push {
            self.push.notify_waiters();
            // Kept for a scheduler that is between its claim and its wait.
            self.push.notify_one();
        }
        if !wakes.pull.is_empty() {
            let mut waiting = self.pull.lock();
            // Taken out: those who wait again make a new one, and targets nobody waits for leave nothing behind.
            wakes
                .pull
                .iter()
                .filter_map(|target| waiting.remove(target))
                .for_each(|notify| notify.notify_waiters());
        }
    }

    /// See [`crate::Journal::wait`].
    pub(super) async fn wait(&self, filter: &ClaimFilter, until: Option<Timestamp>, now: Timestamp) {
        match filter {
            ClaimFilter::Push { .. } | ClaimFilter::Overdue => limit(self.push.notified(), until, now).await,
            ClaimFilter::Pull(target) => {
                let notify = Arc::clone(self.pull.lock().entry(target.clone()).or_default());
                let mut notified = Box::pin(notify.notified_owned());
                notified.as_mut().enable();
                // Many may wait for one target, so nothing is kept for them: look once more instead.
                let due = self.queue(|queue| queue.next_due(filter));
                if due.is_none_or(|due| due > now) {
                    limit(notified, until, now).await;
                }
            }
        }
    }
}

async fn limit(notified: impl Future<Output = ()>, until: Option<Timestamp>, now: Timestamp) {
    match until.map(|until| until.since(now)) {
        Some(Duration::ZERO) => {}
        // An elapsed limit is a reason to return like any other.
        Some(rest) => drop(tokio::time::timeout(rest, notified).await),
        None => notified.await,
    }
}
