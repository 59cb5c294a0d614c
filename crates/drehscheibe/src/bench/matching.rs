//! B: route by body. Key extraction, recognition and decision over a small and a large depot, interleaved, so that the
//! ratio says whether cost grows with rules and municipalities.

use std::time::Duration;

use dds_depot::{Decision, Release};
use dds_testbench::Histogram;
use dds_xml::Limits;

use super::{
    Report, Stopwatch, median,
    synthetic::{synthetic, synthetic_message},
};
use crate::{Failure, cli::Bench};

const ROUNDS: usize = 9;
/// Bytes of filling in each message.
const PADDING: usize = 10_000;
/// Different messages in turn, so that no cache holds the one answer.
const VARIETY: usize = 64;
const DAY: &str = "2026-06-01";

struct Depot {
    release: Release,
    messages: Vec<Vec<u8>>,
    rates: Vec<f64>,
    latency: Histogram,
}

impl Depot {
    fn new(rules: usize, municipalities: usize) -> Result<Self, Failure> {
        let release = synthetic(rules, municipalities)?;
        let message = |n: usize| synthetic_message(n * 157 % rules, n * 173 % municipalities, PADDING).into();
        Ok(Self {
            release,
            messages: (0..VARIETY).map(message).collect(),
            rates: Vec::new(),
            latency: Histogram::default(),
        })
    }

    fn round(&mut self, messages: usize) -> Result<(), Failure> {
        let watch = Stopwatch::start();
        for n in 0..messages {
            let document = &self.messages[n % VARIETY];
            let one = Stopwatch::start();
            let extracted = dds_xml::extract(document, self.release.key_plan(), &Limits::default())
                .map_err(Failure::unexpected)?;
            let (facts, recognised) = self.release.recognise(&extracted, DAY)?;
            let decision = self.release.decide(&facts, recognised, &[], DAY);
            self.latency.record(Duration::from_secs_f64(one.seconds()));
            match decision {
                Decision::Route(plan) if !plan.deliveries.is_empty() => {}
                _ => {
                    return Err(Failure::internal((
                        "eine Nachricht der Messung wurde nicht zugeordnet",
                        "a message of the bench was not routed",
                    )));
                }
            }
        }
        self.rates.push(messages as f64 / watch.seconds());
        Ok(())
    }
}

pub(super) fn run(options: &Bench) -> Result<Report, Failure> {
    let messages = usize::try_from(options.messages.unwrap_or(4_000)).unwrap_or(usize::MAX);
    let mut small = Depot::new(10, 10)?;
    let mut large = Depot::new(10_000, 11_000)?;
    let began = super::measure::usage(std::process::id());
    for _ in 0..ROUNDS {
        small.round(messages)?;
        large.round(messages)?;
    }
    let ended = super::measure::usage(std::process::id());
    let latency = |quantile| large.latency.quantile(quantile).as_secs_f64() * 1e3;
    let (p50_ms, p99_ms, p999_ms) = (latency(0.5), latency(0.99), latency(0.999));
    let (small, large) = (median(small.rates), median(large.rates));
    let mut report = Report::new(
        "B",
        "key extraction, recognition and decision over the large depot, 10 KB, in process, one thread",
    );
    report.durability = "none: nothing is stored";
    report.messages = (messages * ROUNDS * 2) as u64;
    report.messages_per_second = large;
    (report.p50_ms, report.p99_ms, report.p999_ms) = (p50_ms, p99_ms, p999_ms);
    report.rss_above_idle_mb = ended.rss.saturating_sub(began.rss) as f64 / 1e6;
    report.cpu_seconds_per_1000 = (ended.cpu - began.cpu) / (report.messages as f64 / 1_000.0);
    report.more.insert("small_per_second", small);
    report.more.insert("large_per_second", large);
    report.more.insert("ratio_large_to_small", large / small);
    Ok(report)
}
