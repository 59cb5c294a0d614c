//! Cost of the embedded engine: messages accepted, planned, claimed and settled by many at the same time; and the check
//! of a long journal. `cargo bench -p dds-store`; sizes by `DDS_BENCH_MESSAGES` and `DDS_BENCH_ENTRIES`, the folder by
//! `TMPDIR`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a report for the terminal"
)]
#![allow(clippy::disallowed_methods, reason = "measures real time")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use common::*;
use dds_store::{AuditLog, ClaimFilter, Journal, sqlite::SqliteStore};

const AT_ONCE: u64 = 64;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Processor time of this process so far, in user and kernel mode, from clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    Duration::from_millis(10 * fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (messages, entries) = (number("DDS_BENCH_MESSAGES", 5_000), number("DDS_BENCH_ENTRIES", 100_000));
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), &TestClock::new()).unwrap();
        // 10 KB that pack to about a quarter, as XML does.
        let lines =
            (0..100u64).map(|n| format!("<angabe schluessel=\"feld-{n}\">{:040x}</angabe>\n", n * n * 7_919));
        let document = Bytes::from(lines.collect::<String>());
        let accepted = measure("accept", messages, store.clone(), move |store, n| {
            let document = document.clone();
            async move {
                store.accept(message_of(store.vault(), n, document).0).await.unwrap();
            }
        });
        accepted.await;
        measure("plan", messages, store.clone(), |store, n| async move {
            store.plan(plan(id(n), vec![delivery(id(n), &format!("target-{}", n % 20))])).await.unwrap();
        })
        .await;
        measure("claim and settle", messages, store.clone(), |store, _| async move {
            let filter = ClaimFilter::Push { per_target: usize::MAX };
            let claimed = store.claim(&filter, 1, TTL, START).await.unwrap();
            store.settle(claimed.iter().map(|claimed| delivered(claimed.lease)).collect()).await.unwrap();
        })
        .await;
        measure("journal entry", entries, store.clone(), |store, _| async move {
            store.note(entry("bench")).await.unwrap();
        })
        .await;
        let (start, used) = (Instant::now(), cpu());
        let report = store.verify(1, None).await.unwrap();
        assert_eq!(report.broken, None);
        let (took, used) = (start.elapsed(), cpu() - used);
        println!(
            "verify {} entries: {:.2} s, {:.2} s CPU",
            report.checked,
            took.as_secs_f64(),
            used.as_secs_f64()
        );
    });
}

/// Runs `work` for every number, 64 at a time, and prints rate and processor time.
async fn measure<F>(
    what: &str,
    times: u64,
    store: SqliteStore,
    work: impl Fn(SqliteStore, u64) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let (start, used) = (Instant::now(), cpu());
    let tasks = (0..AT_ONCE).map(|_| {
        let (store, next, work) = (store.clone(), Arc::clone(&next), work.clone());
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= times {
                    break;
                }
                work(store.clone(), n).await;
            }
        })
    });
    futures::future::join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
    let (took, used) = (start.elapsed().as_secs_f64(), (cpu() - used).as_secs_f64());
    let each = used * 1e6 / times as f64;
    println!("{what}: {times} in {took:.2} s, {:.0}/s, {each:.0} µs CPU each", times as f64 / took);
}
