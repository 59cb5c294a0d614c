//! X, V, Q, A: whole messages through a router process on a durable store to one REST target.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dds_config::read_release;
use dds_depot::Release;
use dds_testbench::{Answered, Error, Load, LoadReport, Outgoing, Pace, PortalSim, Template, whole};
use hyper::{Request, header};

use super::{Report, Stopwatch, measure, workers};
use crate::{
    Failure,
    cli::Bench,
    commands::check,
    demo::{Cast, PORTAL, RouterProcess, Stage, StageOptions, failed, token_of},
};

/// The target's product: REST with XML and multipart attachments.
const PRODUCT: &str = "fv-gewerberegister@5.0";
const PROCEDURE: &str = "sondernutzung";

/// A router process with everything around it.
struct Arena {
    stage: Arc<Stage>,
    router: RouterProcess,
    template: Template,
    idle: measure::Usage,
    start_seconds: f64,
}

/// X: recognition and the stylesheet of the rule; with `--stylesheets 2` that of the product, too.
pub(super) async fn transform(options: &Bench) -> Result<Report, Failure> {
    let arena = Box::pin(Arena::open(options, false)).await?;
    let report = Report::new("X", "10 KB by REST, matched, transformed, delivered by REST to one target");
    Box::pin(arena.end_to_end(options, report)).await
}

/// V: X with XSD and Schematron.
pub(super) async fn validate(options: &Bench) -> Result<Report, Failure> {
    let arena = Box::pin(Arena::open(options, true)).await?;
    let report = Report::new(
        "V",
        "10 KB by REST, matched, XSD, Schematron, transformed, delivered by REST to one target",
    );
    Box::pin(arena.end_to_end(options, report)).await
}

/// Q: V with a dead target, then back.
pub(super) async fn queue(options: &Bench) -> Result<Report, Failure> {
    let arena = Box::pin(Arena::open(options, true)).await?;
    let messages = options.messages.unwrap_or(20_000);
    let inbox = arena.stage.systems.inbox().clone();
    arena.stage.systems.down().await;
    let load = arena.load(options, 0, messages, Pace::Closed).await?;
    let began = measure::usage(arena.router.id());
    arena.stage.systems.up().await;
    // The pause of the breaker may still run; what counts is the time from the first delivery on.
    wait(&inbox, 1, 120).await?;
    let watch = Stopwatch::start();
    let already = inbox.len();
    wait(&inbox, usize::try_from(messages).unwrap_or(usize::MAX), 600).await?;
    let drain = (messages as usize - already) as f64 / watch.seconds();
    let used = measure::usage(arena.router.id());
    let mut report =
        Report::new("Q", "V with the target down while all messages come in, then back: rate of the drain");
    fill(&mut report, &load, messages, drain);
    report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (messages as f64 / 1_000.0);
    report.rss_above_idle_mb = used.rss.saturating_sub(arena.idle.rss) as f64 / 1e6;
    report.more.insert("accepted_per_second_while_down", load.per_second());
    report.more.insert("duplicates", inbox.duplicates() as f64);
    arena.router.stop().await?;
    Ok(report)
}

/// A: one message with 96 attachments of 1 MB each, several times.
pub(super) async fn attachments(options: &Bench) -> Result<Report, Failure> {
    const COUNT: usize = 96;
    let arena = Box::pin(Arena::open(options, true)).await?;
    let messages = options.messages.unwrap_or(5);
    let inbox = arena.stage.systems.inbox().clone();
    let megabyte = Bytes::from(
        (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
    );
    let peak = Peak::watch(arena.router.id());
    let began = measure::usage(arena.router.id());
    let watch = Stopwatch::start();
    let mut latency = dds_testbench::Histogram::default();
    let mut portal = PortalSim::new(arena.stage.rest(), token_of(PORTAL), dds_testbench::Ledger::default());
    for n in 0..messages {
        let files = (0..COUNT).map(|file| {
            (format!("anlage-{file}.bin"), "application/octet-stream".to_owned(), megabyte.clone())
        });
        let one = Stopwatch::start();
        let key = format!("a-{n}");
        let document = arena.template.variant(1, n);
        let answer = portal.post_parts(&key, "application/xml", document, files.collect()).await;
        answer.and_then(Answered::success).map_err(failed)?;
        latency.record(Duration::from_secs_f64(one.seconds()));
    }
    wait(&inbox, usize::try_from(messages).unwrap_or(usize::MAX), 300).await?;
    let seconds = watch.seconds();
    let used = measure::usage(arena.router.id());
    let complete = inbox.all().iter().all(|received| received.attachments.len() == COUNT);
    if !complete {
        return Err(Failure::internal(("nicht alle Anlagen kamen an", "not all attachments arrived")));
    }
    let mut report = Report::new("A", "V with 96 attachments of 1 MB each, one message after the other");
    report.messages = messages;
    report.messages_per_second = messages as f64 / seconds;
    report.p50_ms = latency.quantile(0.5).as_secs_f64() * 1e3;
    report.p99_ms = latency.quantile(0.99).as_secs_f64() * 1e3;
    report.p999_ms = latency.quantile(0.999).as_secs_f64() * 1e3;
    report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (messages as f64 / 1_000.0);
    report.rss_above_idle_mb = peak.end().await.saturating_sub(arena.idle.rss) as f64 / 1e6;
    report.more.insert("megabytes_per_second", COUNT as f64 * messages as f64 / seconds);
    arena.router.stop().await?;
    Ok(report)
}

impl Arena {
    async fn open(options: &Bench, validating: bool) -> Result<Self, Failure> {
        let built = read_release(&check::paths(&options.sources))?;
        let release = with_one_target(&built, validating, options)?;
        let stage = Arc::new(Box::pin(Stage::around(&release, StageOptions::default())).await?);
        let template = template(options)?;
        let watch = Stopwatch::start();
        let router = RouterProcess::start(&stage).await?;
        let start_seconds = watch.seconds();
        let idle = measure::usage(router.id());
        Ok(Self { stage, router, template, idle, start_seconds })
    }

    /// Sends messages in a closed loop and waits until all have arrived.
    async fn end_to_end(self, options: &Bench, mut report: Report) -> Result<Report, Failure> {
        let (messages, warm_up) = (options.messages.unwrap_or(20_000), 500);
        let inbox = self.stage.systems.inbox().clone();
        self.load(options, 9, warm_up, Pace::Closed).await?;
        wait(&inbox, usize::try_from(warm_up).unwrap_or(0), 60).await?;
        let peak = Peak::watch(self.router.id());
        let (began, partners) = (measure::usage(self.router.id()), Partners::of(self.router.id()));
        let watch = Stopwatch::start();
        let load = self.load(options, 1, messages, options.rate.map_or(Pace::Closed, Pace::Rate)).await?;
        wait(&inbox, usize::try_from(messages + warm_up).unwrap_or(usize::MAX), 300).await?;
        let seconds = watch.seconds();
        let (used, partners) = (measure::usage(self.router.id()), partners.milliseconds(messages));
        fill(&mut report, &load, messages, messages as f64 / seconds);
        report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (messages as f64 / 1_000.0);
        report.rss_above_idle_mb = peak.end().await.saturating_sub(self.idle.rss) as f64 / 1e6;
        report.more.insert("accepted_per_second", load.per_second());
        report.more.insert("start_to_ready_seconds", self.start_seconds);
        report.more.insert("duplicates", inbox.duplicates() as f64);
        self.router.stop().await?;
        let alone = workers::alone(self.stage.release.clone(), self.template, messages.min(2_000)).await?;
        report.more.insert("stylesheets", f64::from(options.stylesheets));
        report.more.insert("workers_alone_per_second", alone);
        report.more.insert("partners_cpu_seconds_per_1000", partners);
        report.more.insert("bound_with_a_router_for_nothing", bound(&[alone], partners));
        Ok(report)
    }

    async fn load(
        &self,
        options: &Bench,
        series: u32,
        messages: u64,
        pace: Pace,
    ) -> Result<LoadReport, Failure> {
        let load = Load {
            address: self.stage.rest(),
            clients: options.clients,
            pace,
            requests: messages,
            warm_up: 0,
        };
        let (template, token) = (self.template.clone(), format!("Bearer {}", token_of(PORTAL)));
        let make = move |n: u64| -> Result<Request<Outgoing>, Error> {
            Ok(Request::post("/v1/messages")
                .header(header::AUTHORIZATION, &token)
                .header(header::CONTENT_TYPE, "application/xml")
                .header("Idempotency-Key", format!("bench-{series}-{n}"))
                .body(whole(template.variant(series, n)))?)
        };
        let report = load.run(make, |_, _| {}).await.map_err(failed)?;
        if report.failed() > 0 {
            return Err(Failure::internal((
                format!("nicht alle Nachrichten wurden angenommen: {:?}", report.by_status),
                format!("not all messages were accepted: {:?}", report.by_status),
            )));
        }
        Ok(report)
    }
}

/// The 10 KB message that all scenarios send.
pub(super) fn template(options: &Bench) -> Result<Template, Failure> {
    let cast = Cast::read(&options.fixtures)?;
    let role = cast.find(PROCEDURE, "zehn-kilobyte").ok_or_else(|| {
        Failure::internal(("das Beispiel der Messung fehlt", "the fixture of the bench is missing"))
    })?;
    Ok(role.template.clone())
}

/// The release with one REST target for the bench's procedure everywhere, and without validation if so wished. The
/// product has a stylesheet only if there are to be two: the scenarios are defined with one.
pub(super) fn with_one_target(
    built: &Release,
    validating: bool,
    options: &Bench,
) -> Result<Release, Failure> {
    let mut contents = built.contents().clone();
    let without = |name: &str| options.stylesheets == 1 && name == PRODUCT;
    for product in contents.products.iter_mut().filter(|product| without(&product.value.name())) {
        product.value.stylesheet = None;
    }
    for profile in &mut contents.profiles {
        for office in profile.value.offices.values_mut() {
            office.fachverfahren = Some(PRODUCT.to_owned());
            office.dms = None;
            office.mail = None;
        }
    }
    for rule in contents.rules.iter_mut().filter(|rule| rule.value.procedure.as_str() == PROCEDURE) {
        for message in rule.value.messages.iter_mut().filter(|_| !validating) {
            message.schema = None;
            message.schematron.clear();
        }
    }
    Release::build(contents, built.files().clone()).map_err(Failure::from)
}

/// Processor time of this process, which plays form server and Fachverfahren on the same cores as the router.
pub(super) struct Partners {
    router: u32,
    began: f64,
}

impl Partners {
    pub(super) fn of(router: u32) -> Self {
        Self { router, began: Self::now(router) }
    }

    /// Milliseconds per message since then.
    pub(super) fn milliseconds(&self, messages: u64) -> f64 {
        (Self::now(self.router) - self.began) * 1e3 / messages as f64
    }

    fn now(router: u32) -> f64 {
        measure::usage(std::process::id()).cpu - measure::usage(router).cpu
    }
}

/// Messages per second if all cores did nothing but each of these works, whose own rates on all cores are given, and
/// the partners' part of so many milliseconds per message.
pub(super) fn bound(rates: &[f64], partners: f64) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let each = rates.iter().map(|rate| rate.recip()).sum::<f64>() + partners / 1e3 / cores;
    each.recip()
}

pub(super) fn fill(report: &mut Report, load: &LoadReport, messages: u64, rate: f64) {
    report.messages = messages;
    report.messages_per_second = rate;
    report.p50_ms = load.latency.quantile(0.5).as_secs_f64() * 1e3;
    report.p99_ms = load.latency.quantile(0.99).as_secs_f64() * 1e3;
    report.p999_ms = load.latency.quantile(0.999).as_secs_f64() * 1e3;
}

async fn wait(inbox: &dds_testbench::Inbox, count: usize, seconds: u64) -> Result<(), Failure> {
    if inbox.wait_for(count, Duration::from_secs(seconds)).await {
        return Ok(());
    }
    let arrived = inbox.len();
    Err(Failure::internal((
        format!("nur {arrived} von {count} Zustellungen kamen in {seconds} s an"),
        format!("only {arrived} of {count} deliveries arrived in {seconds} s"),
    )))
}

/// Highest resident memory of the router and its workers while something runs.
pub(super) struct Peak {
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<u64>,
}

impl Peak {
    pub(super) fn watch(pid: u32) -> Self {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            let mut peak = 0;
            while !*stopped.borrow() {
                peak = peak.max(measure::usage(pid).rss);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            peak
        });
        Self { stop, task }
    }

    pub(super) async fn end(self) -> u64 {
        self.stop.send_replace(true);
        self.task.await.unwrap_or(0)
    }
}
