//! A scheduler over the real store, a clock that stands still, and targets that the test plays itself.
#![allow(dead_code, unreachable_pub, missing_docs, unused_imports, reason = "each test file uses its part")]

mod desk;
mod spy;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dds_delivery::{Options, Parts, Scheduler};
use dds_message::{
    Channel, Clock, DeliveryId, Digest, Direction, Format, JournalEvent, MessageId, ReleaseId, SourceId,
    TargetId, Timestamp,
};
use dds_store::{
    AuditLog, DeliveryRecord, Journal, MasterKey, MessageRecord, NewDelivery, NewEntry, NewMessage, NewPlan,
    PlanState, sqlite::SqliteStore,
};
use dds_telemetry::Telemetry;
use dds_testbench::ManualClock;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

pub use desk::*;
pub use spy::*;

/// After so long the lease of an attempt under the usual policy has ended: its timeout, and the time to wait for a
/// place.
pub const LEASE: Duration = Duration::from_secs(60 + 300);
/// Time that is over after any wait in these tests, jitter or not.
pub const HOUR: Duration = Duration::from_secs(3_600);

pub struct Bench {
    pub clock: ManualClock,
    pub spy: Arc<Spy>,
    pub desk: Desk,
    pub shutdown: watch::Sender<bool>,
    pub running: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub fn start() -> Self {
        Self::start_with(Options { lease: LEASE, ..Options::default() })
    }

    /// With so many places for attempts over all targets.
    pub fn with_places(concurrency: usize) -> Self {
        Self::start_with(Options { concurrency, lease: LEASE, ..Options::default() })
    }

    /// With so much time for attempts under way at the end.
    pub fn with_grace(grace: Duration) -> Self {
        Self::begin(Options { lease: LEASE, grace, ..Options::default() })
    }

    /// At its end attempts under way are cut off.
    pub fn start_with(options: Options) -> Self {
        Self::begin(Options { grace: Duration::ZERO, ..options })
    }

    fn begin(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::default();
        let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
        let store = dds_store::sqlite::Options::new(dir.path(), key, Arc::new(clock.clone()));
        let spy = Arc::new(Spy::new(SqliteStore::open(store).unwrap()));
        let desk = Desk::new();
        let parts = Parts {
            journal: spy.clone(),
            blobs: Arc::new(spy.store.clone()),
            vault: spy.store.vault().clone(),
            targets: desk.targets.clone(),
            clock: Arc::new(clock.clone()),
            telemetry: Telemetry::default(),
        };
        let scheduler = Scheduler::new(parts, options);
        let (shutdown, ended) = watch::channel(false);
        let running = tokio::spawn(scheduler.run(ended));
        Self { clock, spy, desk, shutdown, running, _dir: dir }
    }

    /// A message with these deliveries, due now.
    pub async fn plan(&self, number: u64, deliveries: Vec<NewDelivery>) -> MessageId {
        let (id, at) = (message_id(number), self.clock.now());
        let (_, key) = self.spy.store.vault().new_message_key(id).unwrap();
        let document = Bytes::from(format!("<antrag nummer=\"{number}\"/>"));
        let accepted = NewMessage {
            id,
            at,
            direction: Direction::Application,
            answers: None,
            source: SourceId::parse("portal").unwrap(),
            channel: Channel::Rest,
            sender_key: number.to_string(),
            key,
            digest: Digest::of(&document),
            document,
            format: Format::Xml,
            attachments: Vec::new(),
            procedure: None,
            message_type: None,
            municipality: None,
            addressee: None,
            case: None,
            entry: NewEntry::new(JournalEvent::MessageAccepted),
        };
        self.spy.accept(accepted).await.unwrap();
        let entries = deliveries.iter().map(|delivery| NewEntry {
            delivery: Some(delivery.id),
            ..NewEntry::new(JournalEvent::DeliveryPrepared)
        });
        let routed = NewEntry::new(JournalEvent::MessageRouted);
        let plan = NewPlan {
            message: id,
            at,
            release: ReleaseId(Digest::of(b"release")),
            rule: "test@1.0".to_owned(),
            authority: None,
            state: PlanState::Routed,
            entries: [routed].into_iter().chain(entries).collect(),
            deliveries,
            report: None,
        };
        assert!(self.spy.plan(plan).await.unwrap());
        id
    }

    /// A delivery to `name` for [`Self::plan`], with a deadline in three days.
    pub fn delivery(&self, number: u64, name: &str) -> NewDelivery {
        let now = self.clock.now();
        NewDelivery {
            id: DeliveryId::derive(message_id(number), &target(name), "test@1.0", 0),
            target: target(name),
            authority: None,
            product: None,
            output: None,
            lane: None,
            pull: false,
            due: now,
            deadline: now.plus(72 * HOUR),
        }
    }

    /// One delivery of one message to `name`.
    pub async fn one(&self, number: u64, name: &str) -> DeliveryId {
        let delivery = self.delivery(number, name);
        let id = delivery.id;
        self.plan(number, vec![delivery]).await;
        id
    }

    /// See [`Spy::pass`].
    pub async fn pass(&self, by: Duration) {
        self.spy.pass(&self.clock, by).await;
    }

    /// Waits until no attempt is under way: what was claimed together with a probe may be slower than the probe.
    pub async fn idle(&self) {
        soon(self.spy.leased.subscribe().wait_for(|leases| *leases == 0)).await.unwrap();
    }

    pub async fn record(&self, id: DeliveryId) -> DeliveryRecord {
        self.spy.delivery(id).await.unwrap().unwrap()
    }

    /// Attempts made for these, together.
    pub async fn attempts(&self, ids: &[DeliveryId]) -> u32 {
        let mut attempts = 0;
        for id in ids {
            attempts += self.record(*id).await.attempts;
        }
        attempts
    }

    /// Waits until the delivery is as wanted.
    pub async fn until(&self, id: DeliveryId, wanted: impl Fn(&DeliveryRecord) -> bool) -> DeliveryRecord {
        self.spy.until(async || self.record(id).await, wanted).await
    }

    pub async fn message(&self, number: u64) -> MessageRecord {
        self.spy.message(message_id(number)).await.unwrap().unwrap()
    }

    /// Events of a message in order.
    pub async fn events(&self, number: u64) -> Vec<String> {
        let rows = self.spy.store.history(message_id(number)).await.unwrap();
        rows.into_iter().map(|row| row.event).collect()
    }

    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        soon(self.running).await.unwrap();
    }
}

pub fn message_id(number: u64) -> MessageId {
    MessageId(Uuid::from_u128((7 << 76) | (2 << 62) | u128::from(number)))
}

pub fn target(name: &str) -> TargetId {
    TargetId::parse(name).unwrap()
}
