//! `drehscheibe bench`: the scenarios of `benches/README.md`. The router runs as a process of its own on a durable
//! store; generator and targets share the machine with it.

mod accept;
mod journal;
mod matching;
mod measure;
mod path;
mod replay;
mod secure;
mod synthetic;
mod workers;

use std::{collections::BTreeMap, process::ExitCode};

use serde::Serialize;

use crate::{
    Failure,
    cli::Bench,
    output::{Output, write_report},
};

/// What every number here was measured with.
const DURABILITY: &str = "SQLite WAL, synchronous=FULL, group commit; acknowledgement after fsync";

/// Result of a scenario.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    scenario: String,
    what: &'static str,
    durability: &'static str,
    machine: String,
    messages: u64,
    messages_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    rss_above_idle_mb: f64,
    cpu_seconds_per_1000: f64,
    /// Further figures of the scenario.
    #[serde(flatten)]
    more: BTreeMap<&'static str, f64>,
}

impl Report {
    fn new(scenario: &str, what: &'static str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            what,
            durability: DURABILITY,
            machine: measure::machine(),
            messages: 0,
            messages_per_second: 0.0,
            p50_ms: 0.0,
            p99_ms: 0.0,
            p999_ms: 0.0,
            rss_above_idle_mb: 0.0,
            cpu_seconds_per_1000: 0.0,
            more: BTreeMap::new(),
        }
    }
}

/// Runs the scenario and prints or writes its report.
pub(crate) async fn run(options: &Bench, output: Output) -> Result<ExitCode, Failure> {
    let scenario = options.scenario.to_uppercase();
    let busy = output.busy(&format!("Szenario {scenario} …"), &format!("scenario {scenario} …"));
    let report = match scenario.as_str() {
        "D" => Box::pin(accept::run(options)).await?,
        "B" => matching::run(options)?,
        "X" => Box::pin(path::transform(options)).await?,
        "V" => Box::pin(path::validate(options)).await?,
        "S" => Box::pin(secure::run(options)).await?,
        "Q" => Box::pin(path::queue(options)).await?,
        "A" => Box::pin(path::attachments(options)).await?,
        "R" => Box::pin(replay::run(options)).await?,
        "J" => Box::pin(journal::run(options)).await?,
        other => {
            return Err(Failure::argument((
                format!("kein Szenario {other}; es gibt D, B, X, V, S, Q, A, R, J"),
                format!("no scenario {other}; there are D, B, X, V, S, Q, A, R, J"),
            )));
        }
    };
    drop(busy);
    if let Some(file) = &options.report {
        write_report(file, &report)?;
    }
    output.result(&report)?;
    output.line(format!("{}: {}", report.scenario, report.what));
    output.line(format!("  {} · {}", report.machine, report.durability));
    output.line(format!(
        "  {} {} · {:.0}/s · p50 {:.2} ms · p99 {:.2} ms · RSS +{:.1} MB · {:.2} CPU-s/1000",
        report.messages,
        output.pick("Nachrichten", "messages"),
        report.messages_per_second,
        report.p50_ms,
        report.p99_ms,
        report.rss_above_idle_mb,
        report.cpu_seconds_per_1000,
    ));
    for (name, value) in &report.more {
        output.line(format!("  {name} = {value:.3}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// A stopwatch; benches are the one place that measures on the machine's own clock.
#[derive(Debug, Clone, Copy)]
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
