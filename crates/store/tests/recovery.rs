//! The embedded engine after a restart, with the wrong key, beside a second process, and with files changed behind
//! its back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use common::*;
use dds_message::{Code, DeliveryState, JournalEvent, MessageState};
use dds_store::{
    Attempting, AuditLog, BlobRef, BlobStore, ClaimFilter, Journal, Lease, MasterKey, MessageKey, NewPlan,
    PlanState, Settled, StoreError, Waiting,
    sqlite::{Options, SqliteStore},
};
use futures::TryStreamExt;
use rusqlite::Connection;

fn fresh() -> (tempfile::TempDir, Arc<TestClock>, SqliteStore) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = open(dir.path(), &clock).unwrap();
    (dir, clock, store)
}

#[tokio::test]
async fn a_folder_of_the_store_that_is_gone_is_trouble_of_the_store_and_not_something_not_found() {
    let (dir, _, store) = fresh();
    fs::remove_dir_all(dir.path().join("tmp")).unwrap();
    let key = store.vault().new_message_key(id(1)).unwrap().0;
    let mut writer = store.create(&key).await.unwrap();
    let written = writer.write(Bytes::from_static(b"ausweis")).await;
    let failed = match written {
        Ok(()) => writer.finish().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(failed.code(), Code::STORE_UNAVAILABLE, "{failed}");
}

#[tokio::test]
async fn the_check_tells_when_the_store_cannot_take_and_when_it_can_again() {
    let (dir, _, store) = fresh();
    store.check().await.unwrap();
    // Its disk is gone, as far as uploads are concerned.
    let (tmp, away) = (dir.path().join("tmp"), dir.path().join("away"));
    fs::rename(&tmp, &away).unwrap();
    assert_eq!(store.check().await.unwrap_err().code(), Code::STORE_UNAVAILABLE);
    fs::rename(&away, &tmp).unwrap();
    store.check().await.unwrap();
    // No file can be put into place: told once an upload has failed, also while there are no others.
    let key = store.vault().new_message_key(id(1)).unwrap().0;
    let upload = async || store.create(&key).await.unwrap().finish().await;
    let branch = dir.path().join(format!("blobs/{:05x}", START.0 >> 30));
    fs::write(&branch, "in the way").unwrap();
    upload().await.unwrap_err();
    assert_eq!(store.check().await.unwrap_err().code(), Code::STORE_UNAVAILABLE);
    fs::remove_file(&branch).unwrap();
    store.check().await.unwrap();
    upload().await.unwrap();
    let files = fs::read_dir(&branch).unwrap().flat_map(|leaf| fs::read_dir(leaf.unwrap().path()).unwrap());
    assert_eq!(files.count(), 1, "of the checks nothing stays");
    // Nothing can be committed: told once a commit has failed, also while nothing else is to be written.
    let thief = Connection::open(dir.path().join("store.db")).unwrap();
    thief
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON tally BEGIN SELECT RAISE(ABORT, 'no'); END")
        .unwrap();
    store.accept(message(store.vault(), 1)).await.unwrap_err();
    thief.execute_batch("DROP TRIGGER t; BEGIN IMMEDIATE").unwrap();
    let mut checks = std::pin::pin!(store.check());
    let soon = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(soon, &mut checks).await.is_err(), "nothing can be written");
    thief.execute_batch("ROLLBACK").unwrap();
    checks.await.unwrap();
    store.accept(message(store.vault(), 1)).await.unwrap();
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (dir, clock, store) = fresh();
    for n in 0..5 {
        store.accept(message(store.vault(), n)).await.unwrap();
    }
    let lane = |n: u64, to: &str| dds_store::NewDelivery { lane: Some(7), ..delivery(id(n), to) };
    store.plan(plan(id(0), vec![lane(0, "a"), delivery(id(0), "b")])).await.unwrap();
    store.plan(plan(id(1), vec![lane(1, "a")])).await.unwrap();
    store.plan(plan(id(2), vec![delivery(id(2), "c")])).await.unwrap();
    store.plan(NewPlan { state: PlanState::Parked(Code::NO_TARGET), ..plan(id(3), vec![]) }).await.unwrap();
    let claimed = store.claim(&PUSH, 10, TTL, START).await.unwrap();
    let of = |to: &str| claimed.iter().find(|claimed| claimed.delivery.target == target(to)).unwrap().lease;
    store.settle(vec![delivered(of("b")), retry(of("a"), seconds(30))]).await.unwrap();
    assert!(
        store.attempting(Attempting { lease: of("c"), entry: entry("delivery.attempting") }).await.unwrap()
    );
    let (before, anchor) = (store.backlog().await.unwrap(), store.anchor().await.unwrap());
    drop(store);

    let store = open(dir.path(), &clock).unwrap();
    let after = store.backlog().await.unwrap();
    assert_eq!((after.messages, after.deliveries), (before.messages, before.deliveries));
    let by_target = |waiting: Vec<Waiting>| {
        let rows = waiting.into_iter().map(|of| (of.target, of.procedure, of.deliveries));
        rows.collect::<BTreeSet<_>>()
    };
    assert_eq!(by_target(after.waiting), by_target(before.waiting));
    assert_eq!(store.anchor().await.unwrap(), anchor);
    assert_eq!(store.verify(1, None).await.unwrap().broken, None);
    assert_eq!(store.pending(None, 9).await.unwrap().len(), 1);
    assert_eq!(store.document(id(4)).await.unwrap(), document(4));
    // The head of the lane comes at its retry time, the one behind it not at all, the one in doubt neither.
    assert!(store.claim(&PUSH, 10, TTL, seconds(29)).await.unwrap().is_empty());
    let again = store.claim(&PUSH, 10, TTL, seconds(30)).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].delivery.message, id(0));
    assert!(again[0].lease.epoch > claimed.iter().map(|claimed| claimed.lease.epoch).max().unwrap());
    // A lease of the earlier life fits nothing, but its receipt counts.
    assert_eq!(store.settle(vec![delivered(of("c"))]).await.unwrap(), [Settled::Stale]);
    assert_eq!(store.delivery(of("c").delivery).await.unwrap().unwrap().state, DeliveryState::InDoubt);
    let settled = store.settle(vec![late(of("c"))]).await.unwrap();
    assert_eq!(settled[0].state(), Some(MessageState::Completed));
}

#[tokio::test]
async fn a_lease_of_an_earlier_life_never_fits_again() {
    let (dir, clock, store) = fresh();
    store.accept(message(store.vault(), 1)).await.unwrap();
    let mailbox = dds_store::NewDelivery { pull: true, ..delivery(id(1), "mailbox") };
    store.plan(plan(id(1), vec![mailbox])).await.unwrap();
    let pull = ClaimFilter::Pull(target("mailbox"));
    let old = store.claim(&pull, 1, TTL, START).await.unwrap()[0].lease;
    drop(store);
    let store = open(dir.path(), &clock).unwrap();
    let new = store.claim(&pull, 1, TTL, START).await.unwrap()[0].lease;
    assert_ne!(old, new);
    assert!(new.epoch < 1 << 53);
    assert_eq!(store.settle(vec![dead(old)]).await.unwrap(), [Settled::Stale]);
    // What the target has sent back and is offered again, it has not got: also not in the next life.
    let back = dds_store::Outcome::DeadLetter { code: dds_message::Code::FETCH_REJECTED };
    assert!(store.settle(vec![settlement(new, back)]).await.unwrap()[0].state().is_some());
    store.revive(new.delivery, START, seconds(9_000), entry("delivery.again")).await.unwrap();
    drop(store);
    let store = open(dir.path(), &clock).unwrap();
    assert_eq!(store.settle(vec![late(new)]).await.unwrap(), [Settled::Stale]);
    let again = store.claim(&pull, 1, TTL, START).await.unwrap()[0].lease;
    assert!(store.settle(vec![late(again)]).await.unwrap()[0].state().is_some());
}

/// Accepted while the clock was ten years ahead: at the next start it goes out.
#[tokio::test]
async fn what_a_clock_that_was_ahead_put_off_is_due_at_the_next_start() {
    let (dir, clock, store) = fresh();
    store.accept(message(store.vault(), 1)).await.unwrap();
    let due = START.plus(std::time::Duration::from_secs(10 * 365 * 86_400));
    let ahead = dds_store::NewDelivery { due, ..delivery(id(1), "a") };
    store.plan(plan(id(1), vec![ahead])).await.unwrap();
    drop(store);
    let store = open(dir.path(), &clock).unwrap();
    let claimed = store.claim(&PUSH, 1, TTL, START).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(store.settle(vec![delivered(claimed[0].lease)]).await.unwrap()[0].state().is_some());
}

#[test]
fn the_wrong_master_key_is_told_at_the_start() {
    let (dir, clock, store) = fresh();
    drop(store);
    match open_with(dir.path(), &clock, &"ff".repeat(32)) {
        Err(StoreError::OtherKey(folder)) => assert_eq!(folder, dir.path().display().to_string()),
        other => panic!("{other:?}"),
    }
    open(dir.path(), &clock).unwrap();
}

/// What copies of the old key can open afterwards are copies of the store made before.
#[tokio::test]
async fn a_changed_master_key_opens_everything_and_the_former_one_nothing() {
    let (dir, clock, store) = fresh();
    store.accept(message(store.vault(), 1)).await.unwrap();
    let before = wrapped_root(dir.path());
    let key = |hex: &str| MasterKey::from_hex(hex).unwrap();
    let new = "f0".repeat(32);
    let refused = store.change_master_key(key(&new), key(&new)).await;
    assert!(matches!(refused, Err(StoreError::OtherKey(_))), "{refused:?}");
    store.change_master_key(key(MASTER), key(&new)).await.unwrap();
    store.accept(message(store.vault(), 2)).await.unwrap();
    drop(store);

    assert!(matches!(open(dir.path(), &clock), Err(StoreError::OtherKey(_))));
    let store = open_with(dir.path(), &clock, &new).unwrap();
    for n in [1, 2] {
        assert_eq!(store.document(id(n)).await.unwrap(), document(n));
    }
    let rows = store.rows(1, 100).await.unwrap();
    assert!(rows.iter().any(|row| row.event == JournalEvent::MasterKeyChanged.as_str()));
    assert_eq!(store.verify(1, None).await.unwrap().broken, None);
    for file in
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(before.len()).any(|part| part == before), "{} keeps it", file.display());
    }
}

/// OSCI mailboxes and payload files are kept under it too, and outlive the database.
#[test]
fn the_root_key_outlives_a_lost_database_under_its_master_key() {
    let (dir, clock, store) = fresh();
    let (_, wrapped) = store.vault().new_message_key(id(1)).unwrap();
    drop(store);
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let _absent = fs::remove_file(dir.path().join(name));
    }
    let anew = |master: &str| {
        let clock: Arc<TestClock> = Arc::clone(&clock);
        let options = Options::new(dir.path(), MasterKey::from_hex(master).unwrap(), clock);
        SqliteStore::open(Options { new_store: true, ..options })
    };
    let refused = anew(&"ff".repeat(32));
    assert!(matches!(refused, Err(StoreError::OtherKey(_))), "{refused:?}");
    anew(MASTER).unwrap().vault().unwrap_key(id(1), &wrapped).unwrap();
}

/// What the master key wraps, as the database holds it.
fn wrapped_root(dir: &Path) -> Vec<u8> {
    let db = Connection::open(dir.join("store.db")).unwrap();
    db.query_row("SELECT value FROM meta WHERE key = 'root_key'", [], |row| row.get(0)).unwrap()
}

/// Names and references stand there in clear; only documents and files are encrypted.
#[test]
fn nobody_else_of_the_machine_can_enter_the_folder_of_the_store() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let folder = dir.path().join("data/store");
    let store = open(&folder, &clock).unwrap();
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("."), 0o700);
    // Nor read what lies in a folder that was there before and lets everybody in.
    for name in ["store.db", "store.db-wal", "root.key"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_closed() {
    let (dir, clock, store) = fresh();
    let clone = store.clone();
    drop(store);
    assert!(matches!(open(dir.path(), &clock), Err(StoreError::InUse(_))));
    assert!(SqliteStore::in_use(dir.path()));
    drop(clone);
    assert!(!SqliteStore::in_use(dir.path()) && !SqliteStore::in_use(&dir.path().join("none")));
    open(dir.path(), &clock).unwrap();
}

#[test]
fn a_start_that_was_broken_off_is_begun_anew() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    fs::write(dir.path().join("store.db.new"), b"half a database").unwrap();
    drop(open(dir.path(), &clock).unwrap());
    // A database that is none is refused, not replaced.
    fs::write(dir.path().join("store.db"), b"not a database, but somebody's file").unwrap();
    assert!(matches!(open(dir.path(), &clock), Err(StoreError::Corrupt(_))));
    assert!(fs::read(dir.path().join("store.db")).unwrap().starts_with(b"not a database"));
}

/// Else repeats would be accepted again, and the payload files swept as orphans.
#[tokio::test]
async fn a_store_whose_database_is_gone_is_begun_anew_only_on_demand() {
    for trace in ["blobs", "journal", "store.db-wal"] {
        let (dir, clock, store) = fresh();
        drop(store);
        for name in ["store.db", "store.db-wal", "store.db-shm", "blobs"] {
            let path = dir.path().join(name);
            let _absent = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
        if trace == "store.db-wal" {
            fs::write(dir.path().join(trace), b"frames").unwrap();
        } else {
            fs::create_dir(dir.path().join(trace)).unwrap();
        }
        let refused = open(dir.path(), &clock).unwrap_err();
        assert!(matches!(&refused, StoreError::Missing(_)), "{trace}: {refused:?}");
        assert_eq!(refused.code(), Code::STORE_CORRUPT);
        assert!(!dir.path().join("store.db").exists() && dir.path().join(trace).exists(), "{trace}");

        let key = MasterKey::from_hex(MASTER).unwrap();
        let wished: Arc<TestClock> = Arc::clone(&clock);
        let anew = Options { new_store: true, ..Options::new(dir.path(), key, wished) };
        drop(SqliteStore::open(anew).unwrap());
        assert!(dir.path().join(format!("lost-{}", START.0)).join(trace).exists(), "{trace}: not kept");
        open(dir.path(), &clock).unwrap();
    }
}

#[test]
fn a_store_of_another_version_is_not_touched() {
    let (dir, clock, store) = fresh();
    drop(store);
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    db.execute("UPDATE meta SET value = 99 WHERE key = 'schema'", []).unwrap();
    drop(db);
    let refused = open(dir.path(), &clock);
    assert!(matches!(&refused, Err(StoreError::Unavailable(text)) if text.contains("99")), "{refused:?}");
}

/// Changes the journal with other means; the check must name the entry.
async fn tampered(sql: &str) -> (i64, String) {
    let (dir, clock, store) = fresh();
    for n in 0..20 {
        store.accept(message(store.vault(), n)).await.unwrap();
    }
    drop(store);
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    drop(db);
    let store = open(dir.path(), &clock).unwrap();
    let report = store.verify(1, None).await.unwrap();
    let broken = report.broken.expect("not noticed");
    assert_eq!(report.anchor.map_or(0, |anchor| anchor.seq), broken.0 - 1);
    broken
}

#[tokio::test]
async fn a_changed_journal_is_noticed_and_the_entry_named() {
    assert_eq!(tampered("UPDATE log SET case_ref = 'other' WHERE seq = 7").await.0, 7);
    assert_eq!(tampered("UPDATE log SET at = at + 1 WHERE seq = 1").await.0, 1);
    assert_eq!(tampered("UPDATE log SET data = '{ }' WHERE seq = 20").await.0, 20);
    assert_eq!(tampered("UPDATE log SET hash = zeroblob(32) WHERE seq = 9").await.0, 9);
    assert_eq!(tampered("DELETE FROM log WHERE seq = 5").await.0, 5);
    assert_eq!(tampered("UPDATE log SET hash = x'00' WHERE seq = 3").await.0, 3);
}

async fn upload(store: &SqliteStore, key: &MessageKey, clear: &[u8]) -> BlobRef {
    let mut writer = BlobStore::create(store, key).await.unwrap();
    writer.write(Bytes::copy_from_slice(clear)).await.unwrap();
    writer.finish().await.unwrap().0
}

async fn read(store: &SqliteStore, key: &MessageKey, blob: &BlobRef) -> Result<Vec<u8>, StoreError> {
    let pieces: Vec<Bytes> = BlobStore::open(store, blob, key).await?.try_collect().await?;
    Ok(pieces.concat())
}

fn find(dir: &Path, name: &str) -> PathBuf {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() == name {
                return path;
            }
        }
    }
    panic!("no file {name}");
}

#[tokio::test]
async fn a_payload_file_changed_on_disk_does_not_open() {
    let (dir, _clock, store) = fresh();
    let (key, _) = store.vault().new_message_key(id(1)).unwrap();
    let clear: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).take(4 * 65_536 + 100).collect();
    let (one, two) = (upload(&store, &key, &clear).await, upload(&store, &key, &clear).await);
    assert_eq!(read(&store, &key, &one).await.unwrap(), clear);
    let path = find(dir.path(), &one.0.to_string());
    let whole = fs::read(&path).unwrap();
    assert!(!whole.windows(64).any(|window| window == &clear[4_000..4_064]), "stored in the clear");

    const SEALED: usize = 65_536 + 16;
    let chunk = |n: usize| &whole[8 + n * SEALED..8 + (n + 1) * SEALED];
    let mut flipped = whole.clone();
    flipped[100_000] ^= 1;
    let forgeries = [
        ("one bit changed", flipped),
        ("cut inside a chunk", whole[..100_000].to_vec()),
        ("cut after a chunk", whole[..8 + 2 * SEALED].to_vec()),
        ("cut after the header", whole[..8].to_vec()),
        ("empty", Vec::new()),
        ("lengthened", [whole.as_slice(), b"more"].concat()),
        ("reordered", [&whole[..8], chunk(1), chunk(0), &whole[8 + 2 * SEALED..]].concat()),
        ("a chunk left out", [&whole[..8], chunk(0), &whole[8 + 2 * SEALED..]].concat()),
        ("another payload of the same key", fs::read(find(dir.path(), &two.0.to_string())).unwrap()),
    ];
    for (what, bytes) in forgeries {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&store, &key, &one).await, Err(StoreError::Corrupt(_))), "{what}");
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(read(&store, &key, &one).await.unwrap(), clear);
}

#[tokio::test]
async fn an_upload_broken_off_leaves_nothing() {
    let (dir, clock, store) = fresh();
    let (key, _) = store.vault().new_message_key(id(1)).unwrap();
    let mut writer = BlobStore::create(&store, &key).await.unwrap();
    writer.write(vec![7; 1 << 20].into()).await.unwrap();
    assert!(BlobStore::list(&store, seconds(9_999)).await.unwrap().is_empty(), "visible before it is whole");
    drop(writer);
    drop(store);
    // What a crash left, the next start sweeps.
    fs::write(dir.path().join("tmp").join("broken-off"), b"half").unwrap();
    let store = open(dir.path(), &clock).unwrap();
    let left = fs::read_dir(dir.path().join("tmp")).unwrap().count();
    assert_eq!(left, 0);
    drop(store);
}

#[tokio::test]
async fn no_document_name_or_key_lies_in_the_clear() {
    let (dir, _clock, store) = fresh();
    let (mut new, key) = message_of(store.vault(), 1, document(1));
    let blob = upload(&store, &key, b"Ausweis von Erika Musterfrau").await;
    let mut listed = attachment(blob, 28, new.digest);
    listed.attachment.name = "ausweis-erika-musterfrau.pdf".into();
    new.attachments.push(listed);
    new.sender_key = "musterfrau-2026".into();
    store.accept(new).await.unwrap();
    store.plan(plan(id(1), vec![delivery(id(1), "a")])).await.unwrap();
    drop(store);
    for name in ["store.db", "store.db-wal"] {
        let bytes = fs::read(dir.path().join(name)).unwrap_or_default();
        for word in ["Beagle", "musterfrau", "Musterfrau"] {
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word} in {name}");
        }
    }
}

#[tokio::test]
async fn epochs_count_for_a_manual_lease_too() {
    let (_dir, _clock, store) = fresh();
    store.accept(message(store.vault(), 1)).await.unwrap();
    let new = delivery(id(1), "a");
    let manual = Lease::manual(new.id);
    store.plan(plan(id(1), vec![new])).await.unwrap();
    let settled = store.settle(vec![dead(manual)]).await.unwrap();
    assert_eq!(settled[0].state(), Some(MessageState::Parked));
    assert_eq!(store.settle(vec![dead(manual)]).await.unwrap(), [Settled::Stale]);
}

/// Who is to send it hears of the damage; who rejects or plans the message is not kept from it.
#[tokio::test]
async fn a_list_of_attachments_that_does_not_open_keeps_nobody_from_deciding() {
    let (dir, _clock, store) = fresh();
    for n in [1, 2] {
        store.accept(message(store.vault(), n)).await.unwrap();
    }
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    db.execute("UPDATE message SET attachments = x'00'", []).unwrap();

    let new = delivery(id(1), "a");
    let planned = new.id;
    assert!(store.plan(plan(id(1), vec![new])).await.unwrap());
    assert!(matches!(store.shipment(planned).await, Err(StoreError::Corrupt(_))));

    let (report, rejected) = (Bytes::from_static(b"[]"), PlanState::Rejected(Code::RULES_VIOLATED));
    store.set_state(id(2), rejected, Some(report), entry("message.rejected")).await.unwrap();
}
