//! Closed months of the journal: moved into files, still found, still one chain, whenever the process dies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use std::{fs, path::Path, sync::Arc};

use common::*;
use dds_message::{Digest, EntryFacts, JournalEvent, ReleaseId, Timestamp};
use dds_store::{
    Archived, AuditLog, Journal, LogQuery, LogRow, NewEntry, Retention, StoreError,
    sqlite::{LogReader, SqliteStore},
};
use rusqlite::Connection;

/// Entries from September to 3 December 2026, some of them not in the order of their times.
const TIMES: [&str; 9] = [
    "2026-09-30T23:59:59.999Z",
    "2026-10-01T00:00:00Z",
    "2026-10-15T12:00:00Z",
    "2026-10-31T23:59:59Z",
    "2026-11-01T00:00:00.001Z",
    // Begun before midnight, written after the first entry of the next month.
    "2026-10-31T23:59:58Z",
    "2026-11-20T08:00:00Z",
    "2026-12-01T00:00:00Z",
    "2026-12-03T09:00:00Z",
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

async fn filled(dir: &Path, clock: &Arc<TestClock>) -> SqliteStore {
    let store = open(dir, clock).unwrap();
    for time in TIMES {
        clock.set(at(time));
        store.note(entry("release.activated")).await.unwrap();
    }
    store
}

async fn all(store: &SqliteStore) -> Vec<LogRow> {
    store.rows(1, 1_000).await.unwrap()
}

/// Every entry by pages of two, newest first.
async fn searched(store: &SqliteStore, query: &LogQuery) -> Vec<i64> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.search(query, after, 2).await.unwrap();
        found.extend(page.rows.iter().map(|row| row.seq));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// The chain is whole, and every reader finds each entry once.
async fn sound(store: &SqliteStore, before: &[LogRow]) {
    let rows = all(store).await;
    assert_eq!(&rows[..before.len()], before);
    let chain = store.verify(1, None).await.unwrap();
    assert_eq!((chain.broken, chain.checked), (None, rows.len() as u64));
    assert_eq!(store.verify(5, None).await.unwrap().broken, None);
    assert!(rows.iter().all(|row| row.expected_hash() == row.hash), "an export verifies by itself");
    let mut wanted: Vec<_> = rows.iter().map(|row| (row.at, row.seq)).collect();
    wanted.sort_by_key(|one| std::cmp::Reverse(*one));
    let wanted: Vec<i64> = wanted.into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(searched(store, &LogQuery::default()).await, wanted);
}

fn kept(dir: &Path) -> i64 {
    let db = Connection::open(dir.join("store.db")).unwrap();
    db.query_row("SELECT COUNT(*) FROM log", [], |row| row.get(0)).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("journal")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn closed_months_are_moved_and_found() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let before = all(&store).await;
    assert_eq!(store.archive().await.unwrap(), Archived { months: 3, entries: 7 });
    assert_eq!(files(dir.path()), ["2026-09-1.db", "2026-10-2.db", "2026-11-5.db"]);
    assert_eq!(kept(dir.path()), 5, "December, and one entry for each month that was moved");
    sound(&store, &before).await;
    // Nothing more to do until the month is over.
    assert_eq!(store.archive().await.unwrap(), Archived::default());
    let october = LogQuery {
        from: Some(at("2026-10-01T00:00:00Z")),
        to: Some(at("2026-11-01T00:00:00Z")),
        ..LogQuery::default()
    };
    assert_eq!(searched(&store, &october).await, [4, 6, 3, 2], "also what was written late");
    let moved =
        LogQuery { event: Some(JournalEvent::JournalArchived.as_str().into()), ..LogQuery::default() };
    assert_eq!(searched(&store, &moved).await.len(), 3);
    drop(store);

    let store = open(dir.path(), &clock).unwrap();
    sound(&store, &before).await;
    clock.set(at("2027-01-02T00:00:00Z"));
    let before = all(&store).await;
    assert_eq!(store.archive().await.unwrap(), Archived { months: 1, entries: 5 });
    sound(&store, &before).await;
    store.note(entry("release.activated")).await.unwrap();
    sound(&store, &before).await;
}

#[tokio::test]
async fn a_crash_before_the_file_counts_costs_the_file() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let before = all(&store).await;
    // Half a file, and a whole one that nobody registered.
    fs::create_dir(dir.path().join("journal")).unwrap();
    fs::write(dir.path().join("journal/new"), "half").unwrap();
    fs::write(dir.path().join("journal/2026-09-1.db"), "never registered").unwrap();
    sound(&store, &before).await;
    assert_eq!(store.archive().await.unwrap(), Archived { months: 3, entries: 7 });
    sound(&store, &before).await;
}

#[tokio::test]
async fn a_crash_between_copy_and_delete_leaves_nothing_twice() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let before = all(&store).await;
    store.archive().await.unwrap();
    drop(store);
    // As the crash leaves it: the files count, the entries still stand in the database.
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    for name in ["2026-10-2.db", "2026-11-5.db"] {
        db.execute("ATTACH ?1 AS moved", [dir.path().join("journal").join(name).to_str().unwrap()]).unwrap();
        db.execute_batch("INSERT INTO log SELECT * FROM moved.log; DETACH moved").unwrap();
    }
    drop(db);
    assert_eq!(kept(dir.path()), 11);
    let store = open(dir.path(), &clock).unwrap();
    sound(&store, &before).await;
    assert_eq!(store.archive().await.unwrap(), Archived::default());
    assert_eq!(kept(dir.path()), 5);
    sound(&store, &before).await;
}

#[tokio::test]
async fn a_changed_or_missing_file_breaks_the_chain_and_nothing_else() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    store.archive().await.unwrap();
    let file = dir.path().join("journal/2026-10-2.db");
    #[allow(clippy::permissions_set_readonly_false, reason = "the test plays the one who tampers")]
    {
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(false);
        fs::set_permissions(&file, permissions).unwrap();
    }
    let db = Connection::open(&file).unwrap();
    db.execute("UPDATE log SET event = 'other' WHERE seq = 3", []).unwrap();
    drop(db);
    assert_eq!(store.verify(1, None).await.unwrap().broken.map(|(seq, _)| seq), Some(3));
    fs::remove_file(&file).unwrap();
    let (seq, why) = store.verify(1, None).await.unwrap().broken.unwrap();
    assert_eq!((seq, why.contains("2026-10-2.db")), (2, true), "{why}");
    // The rest is proved and found without it.
    assert_eq!(store.verify(5, None).await.unwrap().broken, None);
    assert!(!searched(&store, &LogQuery::default()).await.contains(&3));
}

#[tokio::test]
async fn every_release_that_any_entry_names_is_found() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let release = |name: &str| ReleaseId(Digest::of(name.as_bytes()));
    let store = filled(dir.path(), &clock).await;
    let note = async |time: &str, data: EntryFacts| {
        clock.set(at(time));
        store.note(NewEntry { data, ..NewEntry::new(JournalEvent::ReleaseActivated) }).await.unwrap();
    };
    let activated = |name: &str| EntryFacts::new().with("release", release(name));
    note("2026-12-04T00:00:00Z", activated("second").with("previous", release("first"))).await;
    note("2026-12-05T00:00:00Z", activated("second").with("previous", None::<ReleaseId>)).await;
    note("2027-01-02T00:00:00Z", activated("third").with("digest", release("none"))).await;
    clock.set(at("2027-01-03T00:00:00Z"));
    let named = async || LogReader::open(dir.path(), clock.clone()).unwrap().releases().await;
    let all = ["first", "second", "third"].map(release).into();
    assert_eq!(named().await.unwrap(), all);
    store.archive().await.unwrap();
    assert!(files(dir.path()).len() > 3, "what was named stands in closed months");
    assert_eq!(named().await.unwrap(), all);
    // What a month names that is not there, nobody knows.
    let taken = dir.path().join("journal/2026-10-2.db");
    fs::remove_file(&taken).unwrap();
    let error = named().await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("2026-10-2.db")), "{error}");
}

#[tokio::test]
async fn a_month_whose_chain_is_broken_stays_where_it_is() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let store = filled(dir.path(), &clock).await;
    let db = Connection::open(dir.path().join("store.db")).unwrap();
    db.execute("UPDATE log SET event = 'other' WHERE seq = 3", []).unwrap();
    drop(db);
    assert!(store.archive().await.is_err());
    assert_eq!(store.verify(1, None).await.unwrap().broken.map(|(seq, _)| seq), Some(3));
    assert!(all(&store).await.iter().any(|row| row.seq == 3));
}

#[tokio::test]
async fn a_store_of_the_version_before_is_taken_over() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    drop(open(dir.path(), &clock).unwrap());
    back(dir.path(), 1);
    let store = filled(dir.path(), &clock).await;
    let before = all(&store).await;
    drop(store);
    back(dir.path(), BACK.len());
    let store = open(dir.path(), &clock).unwrap();
    sound(&store, &before).await;
    assert_eq!(store.archive().await.unwrap().months, 3);
}
