//! What the tests of the store share: a clock that stands still, and invented messages.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_message::{
    Ars, Attachment, AuthorityId, CaseRef, Channel, Clock, Code, DeliveryId, Digest, Direction, Format,
    JournalEvent, MessageId, MessageType, ProcedureId, ReleaseId, SourceId, TargetId, Timestamp,
};
use dds_store::{
    AuditLog, BlobRef, BlobStore, ClaimFilter, Journal, Lease, MasterKey, MessageKey, NewDelivery, NewEntry,
    NewMessage, NewPlan, Outcome, Output, PlanState, Retention, Settlement, StoreError, StoredAttachment,
    Vault,
    sqlite::{Options, SqliteStore},
};
use uuid::Uuid;

/// 2026-11-22T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp(1_795_305_600_000);
pub(crate) const TTL: Duration = Duration::from_secs(60);
pub(crate) const MASTER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const PUSH: ClaimFilter = ClaimFilter::Push { per_target: 1_000 };

pub(crate) fn seconds(n: u64) -> Timestamp {
    START.plus(Duration::from_secs(n))
}

/// A clock that moves only when told.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START.0)))
    }

    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// All that an engine must be.
pub(crate) trait Engine: Journal + AuditLog + BlobStore + Retention {
    fn vault(&self) -> &Vault;
}

impl Engine for SqliteStore {
    fn vault(&self) -> &Vault {
        self.vault()
    }
}

pub(crate) fn open(dir: &Path, clock: &Arc<TestClock>) -> Result<SqliteStore, StoreError> {
    open_with(dir, clock, MASTER)
}

pub(crate) fn open_with(dir: &Path, clock: &Arc<TestClock>, key: &str) -> Result<SqliteStore, StoreError> {
    let clock: Arc<TestClock> = Arc::clone(clock);
    SqliteStore::open(Options::new(dir, MasterKey::from_hex(key).unwrap(), clock))
}

pub(crate) fn id(n: u64) -> MessageId {
    // Version 7 with the time of the test, counted.
    MessageId(Uuid::from_u128((u128::from(START.0 as u64) << 80) | (7 << 76) | (2 << 62) | u128::from(n)))
}

pub(crate) fn target(name: &str) -> TargetId {
    TargetId::parse(name).unwrap()
}

pub(crate) fn source() -> SourceId {
    SourceId::parse("amt24").unwrap()
}

pub(crate) fn authority(name: &str) -> AuthorityId {
    AuthorityId::parse(name).unwrap()
}

/// An entry by the name it has in the journal.
pub(crate) fn entry(event: &str) -> NewEntry {
    NewEntry::new(JournalEvent::from_name(event).unwrap())
}

pub(crate) fn document(n: u64) -> Bytes {
    let body =
        format!("<anmeldung nummer=\"{n}\"><hund><rasse>Beagle</rasse></hund></anmeldung>\n").repeat(40);
    Bytes::from(body)
}

/// A message with its key.
pub(crate) fn message_of(vault: &Vault, n: u64, document: Bytes) -> (NewMessage, MessageKey) {
    let (key, wrapped) = vault.new_message_key(id(n)).unwrap();
    let message = NewMessage {
        id: id(n),
        at: START,
        direction: Direction::Application,
        answers: None,
        source: source(),
        channel: Channel::Rest,
        sender_key: format!("key-{n}"),
        key: wrapped,
        digest: Digest::of(&document),
        document,
        format: Format::Xml,
        attachments: Vec::new(),
        procedure: Some(ProcedureId::parse("hundesteuer").unwrap()),
        message_type: Some(MessageType { name: "hundesteuer.anmeldung".into(), version: "1.0".into() }),
        municipality: Some(Ars::parse("146120000000").unwrap()),
        addressee: None,
        case: Some(CaseRef::parse(&format!("case-{n}")).unwrap()),
        entry: entry("message.accepted"),
    };
    (message, key)
}

pub(crate) fn message(vault: &Vault, n: u64) -> NewMessage {
    message_of(vault, n, document(n)).0
}

pub(crate) fn attachment(blob: BlobRef, size: u64, digest: Digest) -> StoredAttachment {
    let attachment =
        Attachment { name: "ausweis.pdf".into(), media_type: "application/pdf".into(), size, digest };
    StoredAttachment { attachment, blob }
}

pub(crate) fn delivery(message: MessageId, to: &str) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::derive(message, &target(to), "hundesteuer@1.0", 0),
        target: target(to),
        authority: Some(authority("sn:146120000000-steueramt")),
        product: Some("fv-steuerwerk@3.2".into()),
        output: Some(Output {
            bytes: Bytes::from_static(b"{\"hund\":\"Beagle\"}"),
            media_type: "application/json".into(),
            file_name: "vorgang.json".into(),
            digest: Digest::of(b"{\"hund\":\"Beagle\"}"),
        }),
        lane: None,
        pull: false,
        due: START,
        deadline: seconds(72 * 3_600),
    }
}

pub(crate) fn plan(message: MessageId, deliveries: Vec<NewDelivery>) -> NewPlan {
    NewPlan {
        message,
        at: START,
        release: ReleaseId(Digest::of(b"release")),
        rule: "hundesteuer@1.0".into(),
        authority: Some(authority("sn:146120000000-steueramt")),
        state: PlanState::Routed,
        deliveries,
        report: None,
        entries: vec![entry("message.routed")],
    }
}

pub(crate) fn settlement(lease: Lease, outcome: Outcome) -> Settlement {
    let event = match outcome {
        Outcome::Delivered { .. } => "delivery.delivered",
        Outcome::Retry { .. } => "delivery.deferred",
        Outcome::DeadLetter { .. } => "delivery.dead_letter",
        Outcome::Cancelled => "delivery.cancelled",
    };
    Settlement { lease, outcome, at: seconds(1), late: false, entry: entry(event) }
}

pub(crate) fn delivered(lease: Lease) -> Settlement {
    settlement(lease, Outcome::Delivered { receipt: Some("AZ-7".into()) })
}

pub(crate) fn late(lease: Lease) -> Settlement {
    Settlement { late: true, ..delivered(lease) }
}

pub(crate) fn retry(lease: Lease, at: Timestamp) -> Settlement {
    settlement(lease, Outcome::Retry { at, code: Code::TARGET_UNREACHABLE })
}

pub(crate) fn dead(lease: Lease) -> Settlement {
    settlement(lease, Outcome::DeadLetter { code: Code::DEADLINE_PASSED })
}

/// What each version added, taken away again: from the tables of today to those of version 3, and on to version 1.
/// Version 3 kept a value sealed under `MASTER` to know it by; its master key wrapped the keys of messages itself.
pub(crate) const BACK: [&str; 3] = [
    "DELETE FROM meta WHERE key = 'root_key'; UPDATE meta SET value = 3 WHERE key = 'schema';
     INSERT INTO meta (key, value) VALUES ('key_check',
         x'00112233445566778899aabbb5f5b8f54666c7107351f3c5bdcc0a653f833498cdafd6fe73985b33ce28030b');",
    "ALTER TABLE message DROP COLUMN imprint; UPDATE meta SET value = 2 WHERE key = 'schema';",
    "DROP TABLE archive; UPDATE meta SET value = 1 WHERE key = 'schema';",
];

/// Takes the tables of a closed store back by so many versions.
pub(crate) fn back(dir: &Path, steps: usize) {
    let db = rusqlite::Connection::open(dir.join("store.db")).unwrap();
    for step in &BACK[..steps] {
        db.execute_batch(step).unwrap();
    }
}
