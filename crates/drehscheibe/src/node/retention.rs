//! What is deleted and put away as time goes by.

use std::{sync::Arc, time::Duration};

use dds_config::ProcessConfig;
use dds_message::{Clock, Timestamp};
use dds_store::{Retention, sqlite::SqliteStore};
use tokio::sync::watch;

/// Deletes payloads after their retention period, a little at a time, and moves closed months of the journal.
pub(super) async fn expire(
    store: SqliteStore,
    clock: Arc<dyn Clock>,
    config: ProcessConfig,
    mut ended: watch::Receiver<bool>,
) {
    const PAUSE: Duration = Duration::from_secs(60);
    let mut last = clock.now();
    while !*ended.borrow() {
        let now = clock.now();
        // Between two rounds it should have gone on by the pause.
        if now < last {
            tracing::warn!(seconds = last.since(now).as_secs(), "clock.ran_back");
        }
        last = now;
        let before = |age: Duration| {
            Timestamp(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
        };
        match store.expire(before(config.retention.payload.0), before(config.retention.orphan.0), 1_000).await
        {
            Ok(expired) if expired.messages + expired.orphans > 0 => {
                tracing::info!(messages = expired.messages, orphans = expired.orphans, "retention.deleted");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(code = %error.code(), %error, "retention.not_deleted"),
        }
        match store.archive().await {
            Ok(moved) if moved.months > 0 => {
                tracing::info!(months = moved.months, entries = moved.entries, "retention.months_moved");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(code = %error.code(), %error, "retention.month_not_moved")
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = ended.changed() => {}
        }
    }
}
