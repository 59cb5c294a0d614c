//! R: stored messages against another release, as `drehscheibe replay` does it.

use std::sync::Arc;

use dds_config::read_release;
use dds_worker::PoolOptions;
use futures::{StreamExt as _, TryStreamExt as _};

use super::{
    Report, Stopwatch,
    accept::{Accept, Way},
    measure,
    path::{template, with_one_target},
};
use crate::{
    Failure,
    cli::Bench,
    commands::{
        check,
        replay::{Comparison, stored_messages},
    },
    demo::{Stage, StageOptions},
};

/// The other release does not validate.
pub(super) async fn run(options: &Bench) -> Result<Report, Failure> {
    let messages = options.messages.unwrap_or(10_000);
    let built = read_release(&check::paths(&options.sources))?;
    let (before, after) = (with_one_target(&built, true, options)?, with_one_target(&built, false, options)?);
    let stage = Box::pin(Stage::around(&before, StageOptions::default())).await?;
    let accept = Arc::new(Accept::open(&stage, template(options)?).await?);
    accept.all(options.clients as u64, messages, 0, Way::Router).await?;

    let comparison = Comparison::start(PoolOptions::default(), before, after).await?;
    let began = measure::usage(std::process::id());
    let watch = Stopwatch::start();
    let stored = stored_messages(accept.store()).take(usize::try_from(messages).unwrap_or(usize::MAX));
    let mut pairs = Box::pin(comparison.pairs(stored));
    let (mut replayed, mut different) = (0_u64, 0_u64);
    while let Some(pair) = pairs.try_next().await? {
        replayed += 1;
        different += u64::from(pair.change().is_some());
    }
    let seconds = watch.seconds();
    let used = measure::usage(std::process::id());
    if replayed != messages {
        return Err(Failure::internal((
            format!("{replayed} von {messages} Nachrichten wurden nachgespielt"),
            format!("{replayed} of {messages} messages were replayed"),
        )));
    }
    let mut report = Report::new("R", "stored 10 KB messages judged under two releases and compared");
    report.messages = messages;
    report.messages_per_second = messages as f64 / seconds;
    report.rss_above_idle_mb = used.rss.saturating_sub(began.rss) as f64 / 1e6;
    report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (messages as f64 / 1_000.0);
    report.more.insert("treated_differently", different as f64);
    Ok(report)
}
