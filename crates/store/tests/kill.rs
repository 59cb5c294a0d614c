//! A process under load is killed again and again; nothing it acknowledged may be lost.
//!
//! The test starts itself as a child. The child accepts, plans and settles from several tasks and writes a line for
//! everything the store acknowledged; after a number of lines the parent kills it, opens the store and checks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use common::*;
use dds_message::{DeliveryId, DeliveryState, MessageState};
use dds_store::{AuditLog, Journal, StoreError, sqlite::SqliteStore};
use rusqlite::Connection;

const FOLDER: &str = "DDS_STORE_KILL_FOLDER";
const ROUND: &str = "DDS_STORE_KILL_ROUND";
const ROUNDS: u64 = 32;
const TASKS: u64 = 6;

/// Every fifth document is too large for the database, and does not pack.
fn payload(n: u64) -> Bytes {
    if n.is_multiple_of(5) {
        let noise = (0..3_000u64).flat_map(|i| dds_message::Digest::of(&(i ^ (n << 20)).to_be_bytes()).0);
        return noise.collect::<Vec<u8>>().into();
    }
    document(n)
}

/// Does nothing unless started by the test below.
#[test]
fn child() {
    let (Some(folder), Ok(round)) = (std::env::var_os(FOLDER), std::env::var(ROUND)) else { return };
    let first = round.parse::<u64>().unwrap() * 1_000_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&PathBuf::from(folder), &TestClock::new()).unwrap();
        let next = Arc::new(AtomicU64::new(first));
        let tasks = (0..TASKS).map(|_| tokio::spawn(work(store.clone(), Arc::clone(&next))));
        futures::future::join_all(tasks).await;
    });
}

async fn work(store: SqliteStore, next: Arc<AtomicU64>) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let message = message_of(store.vault(), n, payload(n)).0;
        assert!(store.accept(message).await.unwrap().fresh);
        acknowledge(&format!("accepted {n}"));
        let deliveries = ["a", "b"].map(|target| delivery(id(n), target));
        assert!(store.plan(plan(id(n), deliveries.into())).await.unwrap());
        acknowledge(&format!("planned {n}"));
        let claimed = store.claim(&PUSH, 3, TTL, START).await.unwrap();
        let outcomes: Vec<_> = claimed.iter().map(|claimed| delivered(claimed.lease)).collect();
        if !outcomes.is_empty() {
            store.settle(outcomes).await.unwrap();
            claimed.iter().for_each(|claimed| acknowledge(&format!("delivered {}", claimed.lease.delivery)));
        }
    }
}

fn acknowledge(what: &str) {
    // One write below the size of a pipe's buffer comes whole or not at all.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("ack {what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[derive(Default)]
struct Acknowledged {
    accepted: Vec<u64>,
    planned: Vec<u64>,
    delivered: Vec<DeliveryId>,
}

impl Acknowledged {
    fn note(&mut self, line: &str) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["ack", "accepted", n] => self.accepted.push(n.parse().unwrap()),
            ["ack", "planned", n] => self.planned.push(n.parse().unwrap()),
            ["ack", "delivered", id] => self.delivered.push(DeliveryId::parse(id).unwrap()),
            _ => {}
        }
    }

    async fn check(&self, store: &SqliteStore) {
        for n in &self.accepted {
            assert_eq!(store.document(id(*n)).await.unwrap(), payload(*n), "document of {n}");
        }
        for n in &self.planned {
            let record = store.message(id(*n)).await.unwrap().unwrap();
            assert_ne!(record.state, MessageState::Accepted, "plan of {n} lost");
            assert_eq!(record.deliveries.len(), 2);
        }
        for id in &self.delivered {
            let record = store.delivery(*id).await.unwrap().unwrap();
            assert_eq!(record.state, DeliveryState::Delivered, "receipt of {id} lost");
        }
    }
}

/// Lets the child work until it has acknowledged `lines` things, kills it, and returns all it acknowledged.
fn run_and_kill(folder: &Path, round: u64, lines: usize) -> Acknowledged {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut acknowledged = Acknowledged::default();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = 0;
    while seen < lines {
        let line = output.next().expect("the child ended by itself").unwrap();
        seen += usize::from(line.starts_with("ack "));
        acknowledged.note(&line);
    }
    assert!(matches!(open(folder, &TestClock::new()), Err(StoreError::InUse(_))), "the child has it open");
    child.kill().unwrap();
    output.for_each(|line| acknowledged.note(&line.unwrap()));
    child.wait().unwrap();
    acknowledged
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        // From the first commit of a fresh database to a few hundred.
        let lines = usize::try_from(1 + (round * 37) % 150).unwrap();
        all.push(run_and_kill(dir.path(), round, lines));
        let store = open(dir.path(), &TestClock::new()).unwrap();
        all.last().unwrap().check(&store).await;
        let report = store.verify(1, None).await.unwrap();
        assert_eq!(report.broken, None, "round {round}");
    }
    let store = open(dir.path(), &TestClock::new()).unwrap();
    for acknowledged in &all {
        acknowledged.check(&store).await;
    }
    let backlog = store.backlog().await.unwrap();
    drop(store);
    consistent(dir.path(), &backlog);
    let count = |of: fn(&Acknowledged) -> usize| all.iter().map(of).sum::<usize>();
    let (accepted, delivered) = (count(|all| all.accepted.len()), count(|all| all.delivered.len()));
    eprintln!("{ROUNDS} kills, {accepted} messages and {delivered} receipts acknowledged, none lost");
}

/// Counts and states agree with the rows: each transition was whole or not at all.
fn consistent(dir: &Path, backlog: &dds_store::Backlog) {
    let db = Connection::open(dir.join("store.db")).unwrap();
    let counts = |table: &str| -> BTreeMap<String, u64> {
        let mut statement =
            db.prepare(&format!("SELECT state, count(*) FROM {table} GROUP BY state")).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let names = |state: &MessageState, n: &u64| (*n > 0).then(|| (state.to_string(), *n));
    assert_eq!(counts("message"), backlog.messages.iter().filter_map(|(state, n)| names(state, n)).collect());
    let names = |state: &DeliveryState, n: &u64| (*n > 0).then(|| (state.to_string(), *n));
    assert_eq!(
        counts("delivery"),
        backlog.deliveries.iter().filter_map(|(state, n)| names(state, n)).collect()
    );
    for (what, sql) in [
        (
            "accepted without entry",
            "SELECT count(*) FROM message m WHERE NOT EXISTS
            (SELECT 1 FROM log WHERE message = m.id AND event = 'message.accepted')",
        ),
        (
            "accepted without document",
            "SELECT count(*) FROM message WHERE seq NOT IN (SELECT owner FROM document)",
        ),
        (
            "completed with open deliveries",
            "SELECT count(*) FROM message m WHERE state = 'completed' AND EXISTS
            (SELECT 1 FROM delivery d WHERE d.message = m.seq AND d.state <> 'delivered')",
        ),
        (
            "routed with none open",
            "SELECT count(*) FROM message m WHERE state = 'routed' AND NOT EXISTS
            (SELECT 1 FROM delivery d WHERE d.message = m.seq AND d.state = 'prepared')",
        ),
        (
            "delivered without entry",
            "SELECT count(*) FROM delivery d WHERE state = 'delivered' AND NOT EXISTS
            (SELECT 1 FROM log l JOIN message m ON m.id = l.message
             WHERE m.seq = d.message AND l.delivery = d.id AND l.event = 'delivery.delivered')",
        ),
    ] {
        let n: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(n, 0, "{what}");
    }
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
