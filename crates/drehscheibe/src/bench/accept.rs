//! D: accept as durable as ever, nothing else. The store's own rate with the same messages and producers is measured in
//! turns beside it: what the router adds to the disk.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_message::{Channel, Clock, Digest, Direction, Facts, Format, JournalEvent, MessageId, SourceId};
use dds_router::{Begin, Handle, Router};
use dds_store::{
    Journal, MasterKey, NewEntry, NewMessage,
    sqlite::{Options, SqliteStore},
};
use dds_telemetry::{SystemClock, Telemetry};
use dds_testbench::{Histogram, Template};
use dds_worker::{Pool, PoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Report, Stopwatch, median, path::template};
use crate::{
    Failure,
    cli::Bench,
    demo::{PORTAL, Stage, StageOptions, failed},
};

/// Engine and router take turns so often. Each round gives one ratio, so that an hour in which the machine is slow is
/// slow for both.
const ROUNDS: u64 = 10;

pub(super) async fn run(options: &Bench) -> Result<Report, Failure> {
    let messages = options.messages.unwrap_or(20_000) / ROUNDS;
    let producers = options.clients as u64;
    let stage =
        Box::pin(Stage::build(&crate::commands::check::paths(&options.sources), StageOptions::default()))
            .await?;
    let bench = Arc::new(Accept::open(&stage, template(options)?).await?);
    let (mut engine, mut router, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    let mut latency = Histogram::default();
    let began = super::measure::usage(std::process::id());
    for round in 0..ROUNDS {
        let watch = Stopwatch::start();
        bench.all(producers, messages, round * 2, Way::Engine).await?;
        let alone = watch.seconds();
        let watch = Stopwatch::start();
        latency.merge(&bench.all(producers, messages, round * 2 + 1, Way::Router).await?);
        let routed = watch.seconds();
        engine.push(messages as f64 / alone);
        router.push(messages as f64 / routed);
        ratio.push(alone / routed);
    }
    let used = super::measure::usage(std::process::id());
    let (engine, router) = (median(engine), median(router));
    let mut report = Report::new("D", "durable acceptance of 10 KB messages in process, routing off");
    report.messages = messages * ROUNDS;
    report.messages_per_second = router;
    report.p50_ms = latency.quantile(0.5).as_secs_f64() * 1e3;
    report.p99_ms = latency.quantile(0.99).as_secs_f64() * 1e3;
    report.p999_ms = latency.quantile(0.999).as_secs_f64() * 1e3;
    report.rss_above_idle_mb = used.rss.saturating_sub(began.rss) as f64 / 1e6;
    report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (2.0 * report.messages as f64 / 1_000.0);
    report.more.insert("engine_per_second", engine);
    report.more.insert("ratio_accept_to_engine", median(ratio));
    Ok(report)
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Engine,
    Router,
}

/// A store with a router before it, in this process.
pub(super) struct Accept {
    store: SqliteStore,
    router: Router,
    template: Template,
    source: SourceId,
    facts: Facts,
    clock: Arc<dyn Clock>,
    next: AtomicU64,
}

impl Accept {
    pub(super) async fn open(stage: &Stage, template: Template) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SqliteStore::open(Options::new(
            stage.folder().join("bench"),
            MasterKey::generate()?,
            Arc::clone(&clock),
        ))?;
        let parts = dds_router::Parts {
            journal: Arc::new(store.clone()),
            blobs: Arc::new(store.clone()),
            vault: store.vault().clone(),
            pool: Pool::start(PoolOptions { processes: 1, ..PoolOptions::default() }).await?,
            clock: Arc::clone(&clock),
            telemetry: Telemetry::default(),
        };
        let router = Router::new(parts, dds_router::Options::default(), stage.release.clone());
        let source = SourceId::parse(PORTAL).map_err(failed)?;
        let (limits, day) = (dds_xml::Limits::default(), clock.now().legal_day());
        let document = template.variant(0, 0);
        let (facts, _) = dds_router::recognise(&stage.release, &document, Format::Xml, &limits, &day)?;
        Ok(Self { store, router, template, source, facts, clock, next: AtomicU64::new(0) })
    }

    pub(super) const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Accepts `messages` of a `series`, by `producers` side by side.
    pub(super) async fn all(
        self: &Arc<Self>,
        producers: u64,
        messages: u64,
        series: u64,
        way: Way,
    ) -> Result<Histogram, Failure> {
        self.next.store(0, Ordering::Relaxed);
        let mut tasks = JoinSet::new();
        for _ in 0..producers {
            let this = Arc::clone(self);
            tasks.spawn(async move { this.produce(messages, u32::try_from(series).unwrap_or(0), way).await });
        }
        let mut latency = Histogram::default();
        while let Some(ended) = tasks.join_next().await {
            latency.merge(&ended.map_err(failed)??);
        }
        Ok(latency)
    }

    async fn produce(&self, messages: u64, series: u32, way: Way) -> Result<Histogram, Failure> {
        let mut latency = Histogram::default();
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= messages {
                return Ok(latency);
            }
            let document = self.template.variant(series, n);
            let watch = Stopwatch::start();
            match way {
                Way::Router => self.by_router(document).await?,
                Way::Engine => self.engine_alone(document).await?,
            }
            latency.record(Duration::from_secs_f64(watch.seconds()));
        }
    }

    async fn by_router(&self, document: Bytes) -> Result<(), Failure> {
        let Begin::New(intake) = self.router.begin(&self.source, Channel::Rest, None).await? else {
            return Err(Failure::internal((
                "eine Nachricht der Messung war eine Dublette",
                "a message of the bench was a duplicate",
            )));
        };
        intake.accept(document, Format::Xml).await?;
        Ok(())
    }

    async fn engine_alone(&self, document: Bytes) -> Result<(), Failure> {
        let id = MessageId(Uuid::now_v7());
        let (_, wrapped) = self.store.vault().new_message_key(id)?;
        let message = NewMessage {
            id,
            at: self.clock.now(),
            direction: Direction::Application,
            answers: None,
            source: self.source.clone(),
            channel: Channel::Rest,
            sender_key: id.to_string(),
            key: wrapped,
            digest: Digest::of(&document),
            document,
            format: Format::Xml,
            attachments: Vec::new(),
            // The same columns and indices as the router's messages fill.
            procedure: Some(self.facts.procedure.clone()),
            message_type: Some(self.facts.message_type.clone()),
            municipality: self.facts.municipality,
            addressee: self.facts.addressee.clone(),
            case: self.facts.case.clone(),
            entry: NewEntry::new(JournalEvent::MessageAccepted),
        };
        self.store.accept(message).await?;
        Ok(())
    }
}
