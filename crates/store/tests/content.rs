//! Whether tables and payloads that were changed, lost or restored by half are found by comparing them with the
//! journal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use common::*;
use dds_message::{Digest, Timestamp};
use dds_store::{
    AuditLog, BlobStore, Journal, LogRow, NewEntry, Retention,
    sqlite::{ContentReport, Disagreement, ExportCheck, LogReader, SqliteStore},
};
use rusqlite::Connection;

fn told(event: &'static str, key: &str, digest: Digest) -> NewEntry {
    let mut entry = entry(event);
    entry.data.note(key, digest);
    entry
}

/// Does not pack: its document gets a file of its own.
fn noise() -> Bytes {
    let mut state = 7_u64;
    let next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(200_000).collect()
}

/// Three messages: delivered, on the way with an attachment, and one with a long document.
async fn filled(dir: &Path, clock: &Arc<TestClock>) -> SqliteStore {
    let store = open(dir, clock).unwrap();
    for n in 1..=3 {
        let bytes = if n == 3 { noise() } else { document(n) };
        let (mut new, key) = message_of(store.vault(), n, bytes);
        new.entry = told("message.accepted", "digest", new.digest);
        if n == 2 {
            let mut writer = store.create(&key).await.unwrap();
            writer.write(Bytes::from_static(b"ausweis")).await.unwrap();
            let (blob, size, digest) = writer.finish().await.unwrap();
            new.attachments = vec![attachment(blob, size, digest)];
        }
        store.accept(new).await.unwrap();
        let to = delivery(id(n), "146120000000/steueramt/fv");
        let output = to.output.as_ref().unwrap().digest;
        let prepared = NewEntry { delivery: Some(to.id), ..told("delivery.prepared", "output", output) };
        let mut plan = plan(id(n), vec![to]);
        plan.entries.push(prepared);
        store.plan(plan).await.unwrap();
    }
    let lease = store.claim(&PUSH, 1, TTL, START).await.unwrap()[0].lease;
    store.settle(vec![delivered(lease)]).await.unwrap();
    store
}

async fn found(store: &SqliteStore, dir: &Path, clock: &Arc<TestClock>) -> [ContentReport; 2] {
    let reader = LogReader::open(dir, Arc::clone(clock) as Arc<dyn dds_message::Clock>).unwrap();
    [reader.compare().await.unwrap(), store.compare().await.unwrap()]
}

#[tokio::test]
async fn a_sound_store_agrees_with_its_journal_before_and_after_the_month_and_the_retention_period() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let [light, deep] = found(&store, dir.path(), &clock).await;
    assert_eq!((light.messages, light.deliveries, light.files, light.opened), (3, 3, 2, 0));
    assert_eq!((light.differences, light.unjudged), (0, 0), "{light:?}");
    assert_eq!(
        (deep.opened, deep.differences),
        (7, 0),
        "three documents, three outputs, one attachment: {deep:?}"
    );

    clock.set(Timestamp::parse("2027-01-02T00:00:00Z").unwrap());
    assert_eq!(store.archive().await.unwrap().months, 1);
    store.expire(clock_now(&clock), START, 100).await.unwrap();
    for report in found(&store, dir.path(), &clock).await {
        assert_eq!((report.messages, report.differences, report.unjudged), (3, 0, 0), "{report:?}");
    }
    // The operator took the month away: nobody can tell, and nobody says so wrongly.
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    for report in found(&store, dir.path(), &clock).await {
        assert_eq!((report.unjudged, report.differences), (3, 0), "{report:?}");
    }
}

fn clock_now(clock: &Arc<TestClock>) -> Timestamp {
    dds_message::Clock::now(&**clock)
}

#[tokio::test]
async fn what_was_changed_behind_the_journal_is_named() {
    use Disagreement::{Digest as OtherDigest, Gone, State, Target, Unknown};
    let zero = "zeroblob(32)";
    for (sql, what) in [
        (format!("UPDATE message SET digest = {zero} WHERE seq = 2"), OtherDigest),
        ("UPDATE message SET state = 'completed' WHERE seq = 2".to_owned(), State),
        ("UPDATE delivery SET state = 'delivered' WHERE seq = 2".to_owned(), State),
        ("UPDATE delivery SET target = '145110000000/steueramt/fv' WHERE seq = 2".to_owned(), Target),
        (format!("UPDATE delivery SET output_digest = {zero} WHERE seq = 2"), OtherDigest),
        ("DELETE FROM delivery WHERE seq = 2".to_owned(), Gone),
        ("DELETE FROM message WHERE seq = 2".to_owned(), Gone),
        ("UPDATE message SET id = zeroblob(16) WHERE seq = 2".to_owned(), Unknown),
    ] {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
        let store = filled(dir.path(), &clock).await;
        let db = Connection::open(dir.path().join("store.db")).unwrap();
        assert_eq!(db.execute(&sql, []).unwrap(), 1, "{sql}");
        assert_eq!(store.verify(1, None).await.unwrap().broken, None, "the chain knows nothing of it");
        for report in found(&store, dir.path(), &clock).await {
            assert!(report.differences > 0, "{sql}: {report:?}");
            assert!(report.named.iter().any(|one| one.what == what), "{sql}: {report:?}");
        }
    }
}

#[tokio::test]
async fn payloads_that_are_missing_or_not_authentic_are_named() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    let sql = "UPDATE document SET sealed = (SELECT sealed FROM document WHERE owner = 2) WHERE owner = 1";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    let [light, deep] = found(&store, dir.path(), &clock).await;
    assert_eq!(light.differences, 0, "only the key tells: {light:?}");
    assert_eq!(
        deep.named.iter().map(|one| (one.message, one.what)).collect::<Vec<_>>(),
        [(id(1), Disagreement::Payload)]
    );

    let sql = "UPDATE output SET sealed = zeroblob(50) WHERE owner = 2";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    let deep = store.compare().await.unwrap();
    assert_eq!(deep.named.iter().filter(|one| one.delivery.is_some()).count(), 1, "{deep:?}");

    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    let [light, deep] = found(&store, dir.path(), &clock).await;
    let files: Vec<_> = light.named.iter().map(|one| (one.message, one.what)).collect();
    assert_eq!(files, [(id(2), Disagreement::File), (id(3), Disagreement::File)]);
    assert_eq!(deep.differences, 2 + 4, "{deep:?}");
}

#[tokio::test]
async fn an_emptied_journal_is_broken() {
    for archived in [false, true] {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
        let store = filled(dir.path(), &clock).await;
        if archived {
            clock.set(Timestamp::parse("2027-01-02T00:00:00Z").unwrap());
            store.archive().await.unwrap();
        }
        let db = Connection::open(dir.path().join("store.db")).unwrap();
        db.execute("DELETE FROM log", []).unwrap();
        let report = store.verify(1, None).await.unwrap();
        let (seq, why) = report.broken.expect("an emptied journal");
        assert_eq!((seq > 1, why.contains("missing")), (archived, true), "{why}");
    }
}

#[tokio::test]
async fn an_export_verifies_without_the_store() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let rows = store.rows(1, 1_000).await.unwrap();
    let verified = |rows: &[LogRow]| {
        let mut check = ExportCheck::default();
        for row in rows {
            // As it is written and read again.
            check.add(&serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap());
        }
        check.report()
    };
    assert_eq!(verified(&rows), store.verify(1, None).await.unwrap());
    assert_eq!(verified(&rows[3..]).broken, None, "from a later entry on");
    let broken = |change: &dyn Fn(&mut Vec<LogRow>)| {
        let mut rows = rows.clone();
        change(&mut rows);
        verified(&rows).broken.expect("not noticed").0
    };
    assert_eq!(broken(&|rows| rows.clear()), 1);
    assert_eq!(broken(&|rows| drop(rows.remove(4))), 5);
    assert_eq!(broken(&|rows| rows[4].target = Some("other".into())), 5);
    assert_eq!(broken(&|rows| rows.swap(4, 5)), 5);
    let forged = |rows: &mut Vec<LogRow>| {
        // Its own hash fits again, the entry behind it tells.
        rows[4].target = Some("other".into());
        rows[4].hash = rows[4].expected_hash();
    };
    assert_eq!(broken(&forged), 6);
    assert_eq!(broken(&|rows| rows[0].previous = Digest::of(b"else")), 1);
    assert_eq!(broken(&|rows| rows[0].seq = i64::MIN), i64::MIN);
    assert_eq!(broken(&|rows| rows[0].seq = i64::MAX), i64::MAX);
}

/// The name of the target's receipt stands in the chain, so that it cannot be changed afterwards.
#[tokio::test]
async fn the_receipt_of_the_target_is_evidence() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let history = store.history(id(1)).await.unwrap();
    let delivered = history.iter().find(|row| row.event == "delivery.delivered").unwrap();
    assert_eq!(delivered.data["receipt"], "AZ-7");
    assert_eq!(delivered.expected_hash(), delivered.hash);
}
