//! The real store with an observer between it and the router: tells when something changed, and fails on command.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{CaseHolder, DeliveryId, MessageId, SourceId, TargetId, Timestamp};
use dds_store::{
    Accepted, Attempting, Backlog, CaseApplication, ClaimFilter, Claimed, DeliveryRecord, Journal, Lease,
    MessageRecord, NewDelivery, NewEntry, NewMessage, NewPlan, Pending, PlanState, Settled, Settlement,
    Shipment, StoreError, sqlite::SqliteStore,
};
use dds_testbench::ManualClock;
use tokio::sync::{Semaphore, watch};

use super::soon;

pub struct Spy {
    pub store: SqliteStore,
    /// Counts what was written, and each time the scheduler went to sleep.
    pub changes: watch::Sender<u64>,
    /// How often the scheduler went to sleep.
    pub waits: watch::Sender<u64>,
    /// Leases given out and neither settled nor given back.
    pub leased: watch::Sender<usize>,
    /// Acceptances that reached the store.
    pub accepts: watch::Sender<u64>,
    /// Each acceptance takes one; a test that holds acceptances back takes all first.
    pub gate: Semaphore,
    /// Each settlement takes one; a test that holds settlements back takes all first.
    pub settling: Semaphore,
    /// So many acceptances fail as if the disk was gone.
    pub failing_accepts: AtomicU32,
    /// So many reads of an output fail.
    pub failing_outputs: AtomicU32,
    /// The output of this delivery is damaged.
    pub damaged: std::sync::Mutex<Option<DeliveryId>>,
}

pub const OPEN: usize = 1_000;

impl Spy {
    pub fn new(store: SqliteStore) -> Self {
        Self {
            store,
            changes: watch::Sender::new(0),
            waits: watch::Sender::new(0),
            leased: watch::Sender::new(0),
            accepts: watch::Sender::new(0),
            gate: Semaphore::new(OPEN),
            settling: Semaphore::new(OPEN),
            failing_accepts: AtomicU32::new(0),
            failing_outputs: AtomicU32::new(0),
            damaged: std::sync::Mutex::default(),
        }
    }

    /// Moves the clock and lets the scheduler look; it has looked when this returns.
    pub async fn pass(&self, clock: &ManualClock, by: Duration) {
        clock.advance(by);
        let before = *self.waits.borrow();
        // Lifting a hold that does not exist wakes the scheduler and changes nothing.
        self.store.hold(&TargetId::parse("nobody").unwrap(), None).await.unwrap();
        // Two sleeps: the first may follow a look that began before the clock moved.
        let mut waits = self.waits.subscribe();
        soon(waits.wait_for(|count| *count >= before + 2)).await.unwrap();
    }

    /// Reads after each change until it is as wanted.
    pub async fn until<T>(&self, read: impl AsyncFn() -> T, wanted: impl Fn(&T) -> bool) -> T {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                changes.mark_unchanged();
                let record = read().await;
                if wanted(&record) {
                    return record;
                }
                changes.changed().await.unwrap();
            }
        };
        soon(found).await
    }

    fn ended(&self, leases: usize) {
        self.leased.send_modify(|count| *count = count.saturating_sub(leases));
    }

    fn changed<T>(&self, result: T) -> T {
        self.changes.send_modify(|count| *count += 1);
        result
    }
}

fn fails(count: &AtomicU32) -> Result<(), StoreError> {
    let left = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    left.map_or(Ok(()), |_| Err(StoreError::Unavailable("as the test wants it".to_owned())))
}

#[async_trait]
impl Journal for Spy {
    async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }

    async fn accept(&self, message: NewMessage) -> Result<Accepted, StoreError> {
        self.accepts.send_modify(|count| *count += 1);
        let _open = self.gate.acquire().await.unwrap();
        fails(&self.failing_accepts)?;
        self.changed(self.store.accept(message).await)
    }

    async fn find(&self, source: &SourceId, sender_key: &str) -> Result<Option<Accepted>, StoreError> {
        self.store.find(source, sender_key).await
    }

    async fn pending(&self, after: Option<MessageId>, max: usize) -> Result<Vec<Pending>, StoreError> {
        self.store.pending(after, max).await
    }

    async fn plan(&self, plan: NewPlan) -> Result<bool, StoreError> {
        self.changed(self.store.plan(plan).await)
    }

    async fn replan(
        &self,
        message: MessageId,
        replaces: Option<DeliveryId>,
        deliveries: Vec<NewDelivery>,
        entries: Vec<NewEntry>,
    ) -> Result<(), StoreError> {
        self.changed(self.store.replan(message, replaces, deliveries, entries).await)
    }

    async fn revive(
        &self,
        delivery: DeliveryId,
        due: Timestamp,
        deadline: Timestamp,
        entry: NewEntry,
    ) -> Result<(), StoreError> {
        self.changed(self.store.revive(delivery, due, deadline, entry).await)
    }

    async fn set_state(
        &self,
        id: MessageId,
        state: PlanState,
        report: Option<bytes::Bytes>,
        entry: NewEntry,
    ) -> Result<(), StoreError> {
        self.changed(self.store.set_state(id, state, report, entry).await)
    }

    async fn claim(
        &self,
        filter: &ClaimFilter,
        max: usize,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let claimed = self.store.claim(filter, max, ttl, now).await?;
        self.leased.send_modify(|count| *count += claimed.len());
        Ok(claimed)
    }

    async fn extend(&self, lease: &Lease, ttl: Duration, now: Timestamp) -> Result<bool, StoreError> {
        self.store.extend(lease, ttl, now).await
    }

    async fn release(&self, lease: &Lease, due: Timestamp) -> Result<(), StoreError> {
        let released = self.store.release(lease, due).await;
        self.ended(1);
        self.changed(released)
    }

    async fn attempting(&self, attempt: Attempting) -> Result<bool, StoreError> {
        self.changed(self.store.attempting(attempt).await)
    }

    async fn settle(&self, outcomes: Vec<Settlement>) -> Result<Vec<Settled>, StoreError> {
        self.settling.acquire().await.unwrap().forget();
        let leases = outcomes.len();
        let settled = self.store.settle(outcomes).await;
        self.ended(leases);
        self.changed(settled)
    }

    async fn hold(&self, target: &TargetId, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.store.hold(target, until).await
    }

    async fn next_due(&self, filter: &ClaimFilter) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due(filter).await
    }

    async fn wait(&self, filter: &ClaimFilter, until: Option<Timestamp>, now: Timestamp) {
        self.waits.send_modify(|count| *count += 1);
        self.store.wait(filter, until, now).await;
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        self.store.message(id).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, StoreError> {
        self.store.delivery(id).await
    }

    async fn by_case(&self, case: &str) -> Result<Vec<CaseApplication>, StoreError> {
        self.store.by_case(case).await
    }

    async fn case_holders(
        &self,
        source: &SourceId,
        case: &str,
        before: MessageId,
    ) -> Result<Vec<CaseHolder>, StoreError> {
        self.store.case_holders(source, case, before).await
    }

    async fn submission(&self, id: MessageId) -> Result<Option<(MessageRecord, Bytes)>, StoreError> {
        self.store.submission(id).await
    }

    async fn document(&self, id: MessageId) -> Result<Bytes, StoreError> {
        self.store.document(id).await
    }

    async fn report(&self, id: MessageId) -> Result<Option<Bytes>, StoreError> {
        self.store.report(id).await
    }

    async fn shipment(&self, id: DeliveryId) -> Result<Shipment, StoreError> {
        fails(&self.failing_outputs)?;
        if *self.damaged.lock().unwrap() == Some(id) {
            return Err(StoreError::Corrupt("as the test wants it".to_owned()));
        }
        self.store.shipment(id).await
    }

    async fn note(&self, entry: NewEntry) -> Result<(), StoreError> {
        self.changed(self.store.note(entry).await)
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.store.backlog().await
    }
}
