//! `drehscheibe replay`: what would another release do with these messages? Writes nothing (invariant I4).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bytes::Bytes;
use dds_config::{ProcessConfig, ReleaseStore, SourcePaths, read_release};
use dds_depot::Release;
use dds_message::{
    Attachment, CaseHolder, Clock, Code, Format, JournalEvent, MessageId, Problem, ReleaseId, SourceId, Text,
    Timestamp,
};
use dds_router::{Subject, judge, recognise};
use dds_store::{AuditLog, Journal, LogQuery};
use dds_telemetry::SystemClock;
use dds_worker::{Pool, PoolOptions};
use dds_xml::Limits;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use serde::Serialize;
use uuid::Uuid;

use super::difference;
use crate::{
    Failure,
    cli::{DEFAULT_CONFIG, Replay},
    node,
    output::Output,
};

/// A message to replay.
pub(crate) struct Message {
    name: String,
    id: MessageId,
    at: Timestamp,
    source: SourceId,
    document: Bytes,
    format: Format,
    attachments: Vec<Attachment>,
    /// Who had its case when it came.
    case_holders: Vec<CaseHolder>,
}

/// What a release does with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Run {
    rule: Option<String>,
    authority: Option<String>,
    stopped: Option<String>,
    findings: Vec<String>,
    #[serde(skip)]
    outputs: BTreeMap<String, Bytes>,
}

/// A message that the two releases treat differently.
#[derive(Serialize)]
pub(crate) struct Change {
    message: String,
    before: Run,
    after: Run,
    differences: Vec<Text>,
}

/// The same message under both releases.
pub(crate) struct Pair {
    name: String,
    before: Run,
    after: Run,
}

impl Pair {
    /// What differs, if anything does.
    pub(crate) fn change(self) -> Option<Change> {
        let Self { name: message, before, after } = self;
        let differences = compare(&before, &after);
        (!differences.is_empty()).then_some(Change { message, before, after, differences })
    }
}

/// Two releases in a pool that has loaded both.
pub(crate) struct Comparison {
    pool: Pool,
    limits: Limits,
    before: Release,
    after: Release,
    /// Messages judged side by side: every worker has one and finds the next waiting.
    parallel: usize,
}

/// Replays and prints the differences.
pub(crate) async fn run(options: &Replay, output: Output) -> Result<ExitCode, Failure> {
    let config = settings(options)?;
    let now = || read_release(&paths(options, config.as_ref())).map_err(Failure::from);
    let releases = config.as_ref().map(|config| ReleaseStore::new(&config.releases));
    let stored = |id: &Option<String>| -> Result<Option<Release>, Failure> {
        let Some(id) = id else { return Ok(None) };
        let releases = releases.as_ref().ok_or_else(|| missing(options))?;
        Ok(Some(releases.find(id).and_then(|id| releases.load(&id))?))
    };
    let after = stored(&options.release)?.map_or_else(now, Ok)?;
    // Judged as the router would.
    let pool = config.as_ref().map_or_else(PoolOptions::default, node::options::pool);
    if let Some(folder) = &options.fixtures {
        let before = stored(&options.before)?.map_or_else(now, Ok)?;
        let comparison = Comparison::start(pool, before, after).await?;
        let messages = stream::iter(fixtures(folder)?).map(Ok);
        return Box::pin(report(&comparison, messages, output)).await;
    }
    let (config, releases) = config.as_ref().zip(releases.as_ref()).ok_or_else(|| missing(options))?;
    let before = stored(&options.before)?.map_or_else(|| super::active(releases), Ok)?;
    let comparison = Comparison::start(pool, before, after).await?;
    let store = node::reader(config)?;
    Box::pin(report(&comparison, stored_messages(&store).take(options.limit), output)).await
}

impl Comparison {
    /// Has the workers load both releases.
    ///
    /// # Errors
    /// If one of them does not compile or no worker starts.
    pub(crate) async fn start(
        options: PoolOptions,
        before: Release,
        after: Release,
    ) -> Result<Self, Failure> {
        let (limits, parallel) = (options.limits.clone(), options.processes * 2);
        let pool = Pool::start(options).await?;
        node::load(&pool, &before).await?;
        node::load(&pool, &after).await?;
        Ok(Self { pool, limits, before, after, parallel })
    }

    /// Judges the messages under both releases, in their order; holds no more of them than are being judged.
    pub(crate) fn pairs<'a>(
        &'a self,
        messages: impl Stream<Item = Result<Message, Failure>> + 'a,
    ) -> impl Stream<Item = Result<Pair, Failure>> + 'a {
        messages
            .map_ok(|message| async { Ok(Box::pin(self.pair(message)).await) })
            .try_buffered(self.parallel)
    }

    async fn pair(&self, message: Message) -> Pair {
        // Products print the release they were made under; both runs name the same, so that only real differences show.
        let shown = self.before.id();
        let before = self.judge(&self.before, shown, &message).await;
        let after = if self.same() { before.clone() } else { self.judge(&self.after, shown, &message).await };
        Pair { name: message.name, before, after }
    }

    async fn judge(&self, release: &Release, shown: ReleaseId, message: &Message) -> Run {
        let day = message.at.legal_day();
        let found = recognise(release, &message.document, message.format, &self.limits, &day);
        let (facts, recognised) = match found {
            Ok(found) => found,
            Err(problem) => return Run::refused(&problem),
        };
        let subject = Subject {
            id: message.id,
            at: message.at,
            source: &message.source,
            document: &message.document,
            format: message.format,
            attachments: &message.attachments,
            release: shown,
            case_holders: &message.case_holders,
        };
        let outcome = judge(&self.pool, release, &subject, &facts, recognised).await;
        let plan = outcome.plan.as_ref();
        let targets =
            plan.map(|plan| plan.deliveries.iter().map(|one| one.target.to_string())).into_iter().flatten();
        Run {
            rule: plan.map(|plan| plan.rule.clone()),
            authority: plan.map(|plan| plan.authority.to_string()),
            stopped: outcome.stopped.map(|(_, problem)| problem.code.to_string()),
            findings: outcome.findings.iter().map(|one| format!("{} {}", one.rule, one.location)).collect(),
            outputs: targets.zip(outcome.outputs).collect(),
        }
    }

    /// The release is compared with itself: shown is what it does.
    fn same(&self) -> bool {
        self.before.id() == self.after.id()
    }
}

async fn report(
    comparison: &Comparison,
    messages: impl Stream<Item = Result<Message, Failure>>,
    output: Output,
) -> Result<ExitCode, Failure> {
    let bar = if output.json { ProgressBar::hidden() } else { ProgressBar::no_length() };
    let (mut count, mut changes) = (0_u64, Vec::new());
    let mut pairs = Box::pin(comparison.pairs(messages));
    while let Some(pair) = pairs.try_next().await? {
        if comparison.same() {
            bar.suspend(|| output.line(format!("{}: {}", pair.name, pair.after.short())));
        }
        if let Some(change) = pair.change() {
            bar.suspend(|| {
                output.line(&change.message);
                for difference in &change.differences {
                    output.line(format!("  {}", difference.pick(output.language)));
                }
            });
            changes.push(change);
        }
        count += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (before, after) = (comparison.before.id(), comparison.after.id());
    output.line(format!(
        "{} → {}: {count} {}, {} {}",
        before.0.short(),
        after.0.short(),
        output.pick("Nachrichten", "messages"),
        changes.len(),
        output.pick("anders behandelt", "treated differently")
    ));
    output.result(&serde_json::json!({
        "before": before, "after": after, "messages": count, "changes": changes,
    }))?;
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The drehscheibe.toml that is meant. Fixtures can do without the usual one, not without one that was named.
fn settings(options: &Replay) -> Result<Option<ProcessConfig>, Failure> {
    let file = &options.settings.config;
    if options.fixtures.is_some() && file == Path::new(DEFAULT_CONFIG) && !file.exists() {
        return Ok(None);
    }
    super::settings(file).map(Some)
}

fn missing(options: &Replay) -> Failure {
    let file = options.settings.config.display();
    Failure::new(Code::CONFIG_MISSING, (format!("{file} fehlt"), format!("{file} is missing")))
}

/// Rules and configuration as `serve` would read them; what an option names wins.
fn paths(options: &Replay, config: Option<&ProcessConfig>) -> SourcePaths {
    let beside = options.settings.config.parent().unwrap_or(Path::new(""));
    let named =
        |option: &Option<PathBuf>, otherwise: &Path| option.clone().unwrap_or_else(|| otherwise.to_owned());
    SourcePaths {
        rules: named(&options.rules, config.map_or(Path::new("rules"), |config| &config.rules)),
        config: named(&options.config_dir, config.map_or(Path::new("config"), |_| beside)),
        schemas: options.schemas.clone().or_else(|| config.and_then(ProcessConfig::schemas)),
    }
}

fn fixtures(folder: &Path) -> Result<Vec<Message>, Failure> {
    let source = SourceId::parse("replay").map_err(Failure::unexpected)?;
    let at = SystemClock.now();
    let all = super::fixtures(folder)?;
    let message = |fixture: dds_testbench::Fixture| Message {
        name: format!("{}/{}", fixture.procedure, fixture.name),
        id: MessageId(Uuid::new_v5(&Uuid::NAMESPACE_URL, &fixture.bytes)),
        at,
        source: source.clone(),
        format: if fixture.media_type == "application/json" { Format::Json } else { Format::Xml },
        document: fixture.bytes,
        attachments: Vec::new(),
        case_holders: Vec::new(),
    };
    Ok(all.into_values().flatten().map(message).collect())
}

/// The applications in the store that have their payload still, newest first. Answers are carried, not routed.
pub(crate) fn stored_messages<S: Journal + AuditLog>(
    store: &S,
) -> impl Stream<Item = Result<Message, Failure>> + '_ {
    const PAGE: u32 = 500;
    let query =
        LogQuery { event: Some(JournalEvent::MessageAccepted.as_str().to_owned()), ..LogQuery::default() };
    let pages = stream::try_unfold((query, None, true), move |(query, after, more)| async move {
        if !more {
            return Ok::<_, Failure>(None);
        }
        let page = store.search(&query, after, PAGE).await?;
        let more = page.next.is_some();
        Ok(Some((stream::iter(page.rows).map(Ok), (query, page.next, more))))
    });
    pages.try_flatten().try_filter_map(move |row| async move {
        match row.message {
            Some(id) => stored_message(store, id).await,
            None => Ok(None),
        }
    })
}

async fn stored_message<S: Journal>(store: &S, id: MessageId) -> Result<Option<Message>, Failure> {
    let Some(record) = store.message(id).await? else { return Ok(None) };
    if record.answers.is_some() || record.key.is_none() {
        return Ok(None);
    }
    let case_holders = match &record.case {
        Some(case) => store.case_holders(&record.source, case.as_str(), id).await?,
        None => Vec::new(),
    };
    Ok(Some(Message {
        case_holders,
        name: id.to_string(),
        id,
        at: record.at,
        source: record.source,
        document: store.document(id).await?,
        format: record.format,
        attachments: record.attachments.into_iter().map(|stored| stored.attachment).collect(),
    }))
}

impl Run {
    /// Targets, or the code it is stopped with.
    fn short(&self) -> String {
        let targets = || self.outputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.stopped.clone().unwrap_or_else(targets)
    }

    fn refused(problem: &Problem) -> Self {
        Self {
            rule: None,
            authority: None,
            stopped: Some(problem.code.to_string()),
            findings: Vec::new(),
            outputs: BTreeMap::new(),
        }
    }
}

/// Differences of routes, findings and, in canonical form, outputs.
fn compare(before: &Run, after: &Run) -> Vec<Text> {
    let mut found = Vec::new();
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    for (what, old, new) in [
        (("Regel", "rule"), &before.rule, &after.rule),
        (("Stelle", "authority"), &before.authority, &after.authority),
        (("angehalten", "stopped"), &before.stopped, &after.stopped),
    ] {
        if old != new {
            found.push(labelled(what, &format!("{} → {}", or(old), or(new))));
        }
    }
    if before.findings != after.findings {
        let both = format!("{:?} → {:?}", before.findings, after.findings);
        found.push(labelled(("Befunde", "findings"), &both));
    }
    let targets: std::collections::BTreeSet<_> = before.outputs.keys().chain(after.outputs.keys()).collect();
    for target in targets {
        match (before.outputs.get(target), after.outputs.get(target)) {
            (Some(_), None) => found.push(Text::verbatim(format!("- {target}"))),
            (None, Some(_)) => found.push(Text::verbatim(format!("+ {target}"))),
            (Some(old), Some(new)) => {
                found.extend(difference::first(old, new).map(|Text { german, english }| {
                    (format!("~ {target}: {german}"), format!("~ {target}: {english}")).into()
                }))
            }
            (None, None) => {}
        }
    }
    found
}

fn labelled((german, english): (&str, &str), what: &str) -> Text {
    (format!("{german}: {what}"), format!("{english}: {what}")).into()
}
