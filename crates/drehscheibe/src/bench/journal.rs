//! J: verification of the journal's hash chain.

use std::sync::Arc;

use dds_message::{Clock, JournalEvent};
use dds_store::{
    AuditLog, Journal, MasterKey, NewEntry,
    sqlite::{Options, SqliteStore},
};
use dds_telemetry::SystemClock;
use tokio::task::JoinSet;

use super::{Report, Stopwatch};
use crate::{Failure, cli::Bench, demo::failed};

/// Writers side by side, so that commits are groups.
const WRITERS: u64 = 512;

pub(super) async fn run(options: &Bench) -> Result<Report, Failure> {
    let entries = options.messages.unwrap_or(1_000_000);
    let folder = tempfile::TempDir::with_prefix("drehscheibe-").map_err(failed)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(Options::new(folder.path(), MasterKey::generate()?, clock))?;
    let watch = Stopwatch::start();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        let share = entries / WRITERS + u64::from(writer < entries % WRITERS);
        writers.spawn(async move {
            for number in 0..share {
                let mut entry = NewEntry::new(JournalEvent::DeliveryDelivered);
                entry.data.note("number", number);
                store.note(entry).await?;
            }
            Ok::<_, dds_store::StoreError>(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written.map_err(failed)??;
    }
    let writing = watch.seconds();
    let before = super::measure::usage(std::process::id());
    let watch = Stopwatch::start();
    let checked = store.verify(1, None).await?;
    let seconds = watch.seconds();
    let after = super::measure::usage(std::process::id());
    if checked.broken.is_some() || checked.checked != entries {
        return Err(Failure::internal((
            format!("die Kette des Protokolls stimmt nicht: {checked:?}"),
            format!("the chain of the bench does not verify: {checked:?}"),
        )));
    }
    let mut report = Report::new("J", "verification of the hash chain, entries instead of messages");
    report.messages = entries;
    report.messages_per_second = entries as f64 / seconds;
    report.p50_ms = seconds * 1_000.0;
    report.p99_ms = seconds * 1_000.0;
    report.rss_above_idle_mb = after.rss.saturating_sub(before.rss) as f64 / 1e6;
    report.cpu_seconds_per_1000 = (after.cpu - before.cpu) / (entries as f64 / 1_000.0);
    report.more.insert("verify_seconds", seconds);
    report.more.insert("entries_written_per_second", entries as f64 / writing);
    Ok(report)
}
