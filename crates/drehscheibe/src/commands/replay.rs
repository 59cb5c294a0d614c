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
    Attachment, CaseHolder, Clock, Code, Format, JournalEvent, MessageId, Problem, ReleaseId, SourceId,
    Timestamp,
};
use dds_router::{Subject, judge, recognise};
use dds_store::{AuditLog, Journal, LogQuery};
use dds_telemetry::SystemClock;
use dds_worker::{Pool, PoolOptions};
use dds_xml::Limits;
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
struct Message {
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
struct Run {
    rule: Option<String>,
    authority: Option<String>,
    stopped: Option<String>,
    findings: Vec<String>,
    #[serde(skip)]
    outputs: BTreeMap<String, Bytes>,
}

/// A message that the two releases treat differently.
#[derive(Serialize)]
struct Change {
    message: String,
    before: Run,
    after: Run,
    differences: Vec<String>,
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
    let (messages, before) = if let Some(folder) = &options.fixtures {
        (fixtures(folder)?, stored(&options.before)?.map_or_else(now, Ok)?)
    } else {
        let (config, releases) = config.as_ref().zip(releases.as_ref()).ok_or_else(|| missing(options))?;
        let active = || -> Result<Release, Failure> {
            releases.active()?.map(|id| releases.load(&id)).transpose()?.ok_or_else(|| {
                let text = ("kein Depotstand ist aktiv", "no release is active");
                Failure::new(Code::RELEASE_UNKNOWN, text)
            })
        };
        let before = stored(&options.before)?.map_or_else(active, Ok)?;
        (Box::pin(stored_messages(&node::reader(config)?, options.limit)).await?, before)
    };
    // Judged as the router would.
    let pool = config.as_ref().map_or_else(PoolOptions::default, node::options::pool);
    let limits = pool.limits.clone();
    let pool = Pool::start(pool).await?;
    node::load(&pool, &before).await?;
    node::load(&pool, &after).await?;
    let bar = if output.json { ProgressBar::hidden() } else { ProgressBar::new(messages.len() as u64) };
    // Products print the release they were made under; both runs name the same, so that only real differences show.
    let shown = before.id();
    let (mut changes, mut runs) = (Vec::new(), Vec::new());
    for message in &messages {
        let old = Box::pin(replay(&pool, &limits, &before, shown, message)).await;
        let new = Box::pin(replay(&pool, &limits, &after, shown, message)).await;
        let differences = compare(&old, &new);
        if !differences.is_empty() {
            changes.push(Change {
                message: message.name.clone(),
                before: old,
                after: new.clone(),
                differences,
            });
        }
        runs.push((message.name.clone(), new));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if before.id() == after.id() {
        for (name, run) in &runs {
            let what = run
                .stopped
                .clone()
                .unwrap_or_else(|| run.outputs.keys().cloned().collect::<Vec<_>>().join(", "));
            output.line(format!("{name}: {what}"));
        }
    }
    for change in &changes {
        output.line(&change.message);
        for difference in &change.differences {
            output.line(format!("  {difference}"));
        }
    }
    output.line(format!(
        "{} → {}: {} {}, {} {}",
        before.id().0.short(),
        after.id().0.short(),
        messages.len(),
        output.pick("Nachrichten", "messages"),
        changes.len(),
        output.pick("anders behandelt", "treated differently")
    ));
    output.result(&serde_json::json!({
        "before": before.id(), "after": after.id(), "messages": messages.len(), "changes": changes,
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

async fn stored_messages<S: Journal + AuditLog>(store: &S, limit: usize) -> Result<Vec<Message>, Failure> {
    let query =
        LogQuery { event: Some(JournalEvent::MessageAccepted.as_str().to_owned()), ..LogQuery::default() };
    let (mut messages, mut after) = (Vec::new(), None);
    loop {
        let page = store.search(&query, after, 500).await?;
        for id in page.rows.iter().filter_map(|row| row.message) {
            let Some(record) = store.message(id).await? else { continue };
            // Answers are carried, not routed; deleted payloads cannot be replayed.
            if record.answers.is_some() || record.key.is_none() {
                continue;
            }
            let case_holders = match &record.case {
                Some(case) => store.case_holders(&record.source, case.as_str(), id).await?,
                None => Vec::new(),
            };
            messages.push(Message {
                case_holders,
                name: id.to_string(),
                id,
                at: record.at,
                source: record.source,
                document: store.document(id).await?,
                format: record.format,
                attachments: record.attachments.into_iter().map(|stored| stored.attachment).collect(),
            });
            if messages.len() >= limit {
                return Ok(messages);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(messages);
        }
    }
}

async fn replay(pool: &Pool, limits: &Limits, release: &Release, shown: ReleaseId, message: &Message) -> Run {
    let day = message.at.legal_day();
    let found = recognise(release, &message.document, message.format, limits, &day);
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
    let outcome = judge(pool, release, &subject, &facts, recognised).await;
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

impl Run {
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
fn compare(before: &Run, after: &Run) -> Vec<String> {
    let mut found = Vec::new();
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    for (what, old, new) in [
        ("rule", &before.rule, &after.rule),
        ("authority", &before.authority, &after.authority),
        ("stopped", &before.stopped, &after.stopped),
    ] {
        if old != new {
            found.push(format!("{what}: {} → {}", or(old), or(new)));
        }
    }
    if before.findings != after.findings {
        found.push(format!("findings: {:?} → {:?}", before.findings, after.findings));
    }
    let targets: std::collections::BTreeSet<_> = before.outputs.keys().chain(after.outputs.keys()).collect();
    for target in targets {
        match (before.outputs.get(target), after.outputs.get(target)) {
            (Some(_), None) => found.push(format!("- {target}")),
            (None, Some(_)) => found.push(format!("+ {target}")),
            (Some(old), Some(new)) => {
                found.extend(difference::first(old, new).map(|first| format!("~ {target}: {first}")))
            }
            (None, None) => {}
        }
    }
    found
}
