//! `drehscheibe journal`: the evidence.

use std::{fs::File, io::Write, process::ExitCode};

use dds_message::{Clock, Code, DeliveryState, Digest, MessageState, Timestamp};
use dds_store::{AuditLog, LogQuery};
use dds_telemetry::SystemClock;
use indicatif::ProgressBar;

use crate::{
    Failure,
    cli::{Journal, JournalExport, JournalSearch, JournalVerify},
    node,
    output::{Output, file_error},
};

/// Entries read at once while exporting.
const STRIDE: u32 = 10_000;
/// A search without beginning looks so far back.
const THIRTY_DAYS: i64 = 30 * 86_400_000;

/// Runs a journal command.
pub(crate) async fn run(command: &Journal, output: Output) -> Result<ExitCode, Failure> {
    match command {
        Journal::Verify(options) => verify(options, output).await,
        Journal::Export(options) => export(options, output).await,
        Journal::Search(options) => search(options, output).await,
    }
}

async fn verify(options: &JournalVerify, output: Output) -> Result<ExitCode, Failure> {
    let store = node::reader(&super::settings(&options.settings.config)?)?;
    if let Some(anchor) = &options.anchor {
        contains(&store, anchor).await?;
    }
    let report = store.verify(options.from, options.to).await?;
    let asked = options.from > 1 || options.to.is_some();
    if report.checked == 0 && report.broken.is_none() && asked {
        let last = store.anchor().await?.seq;
        return Err(Failure::argument((
            format!("in diesem Bereich ist kein Eintrag; der letzte ist {last}"),
            format!("no entry in this range; the last is {last}"),
        )));
    }
    output.result(&report)?;
    if let Some((entry, why)) = &report.broken {
        return Err(Failure::new(
            Code::CHAIN_BROKEN,
            (format!("Eintrag {entry} passt nicht in die Kette"), format!("entry {entry}: {why}")),
        ));
    }
    output.line(format!(
        "{} {}",
        report.checked,
        output.pick("Einträge geprüft, Kette unverletzt", "entries checked, chain intact")
    ));
    if let Some(anchor) = report.anchor {
        output.line(format!("{} {} {}", output.pick("Anker:", "anchor:"), anchor.seq, anchor.hash));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the journal still has the entry of an anchor that somebody kept. Without one, a journal whose newest entries were
/// cut off is a whole chain too.
async fn contains(store: &impl AuditLog, anchor: &str) -> Result<(), Failure> {
    let read = anchor.split_once(':').and_then(|(seq, hash)| {
        Some((seq.parse::<i64>().ok().filter(|seq| *seq > 0)?, Digest::parse(hash).ok()?))
    });
    let (seq, hash) = read.ok_or_else(|| {
        Failure::argument((
            format!("{anchor:?} ist kein Anker (NUMMER:HASH)"),
            format!("{anchor:?} is no anchor (NUMBER:HASH)"),
        ))
    })?;
    let found = store.verify(seq, Some(seq)).await?.anchor;
    if found.is_some_and(|found| found.hash == hash) {
        return Ok(());
    }
    let text = match found {
        None => (
            format!("Eintrag {seq} des Ankers ist nicht mehr da"),
            format!("entry {seq} of the anchor is no longer there"),
        ),
        Some(_) => (
            format!("Eintrag {seq} ist ein anderer als der des Ankers"),
            format!("entry {seq} is another than that of the anchor"),
        ),
    };
    Err(Failure::new(Code::CHAIN_BROKEN, text))
}

async fn export(options: &JournalExport, output: Output) -> Result<ExitCode, Failure> {
    let store = node::reader(&super::settings(&options.settings.config)?)?;
    let failed = |error: std::io::Error| {
        let text = match &options.output {
            Some(file) => file_error(file, &error),
            None => (format!("lässt sich nicht schreiben: {error}"), format!("cannot write: {error}")),
        };
        Failure::new(Code::FILE_UNUSABLE, text)
    };
    let mut writer: Box<dyn Write + Send> = match &options.output {
        Some(file) => Box::new(std::io::BufWriter::new(File::create(file).map_err(failed)?)),
        None => Box::new(std::io::BufWriter::new(std::io::stdout())),
    };
    let bar = if options.output.is_some() && !output.json {
        ProgressBar::new(u64::try_from(store.anchor().await?.seq).unwrap_or(0))
    } else {
        ProgressBar::hidden()
    };
    let mut from = options.from;
    loop {
        let rows = store.rows(from, STRIDE).await?;
        let Some(last) = rows.last() else { break };
        from = last.seq + 1;
        for row in &rows {
            let line = serde_json::to_string(row).map_err(Failure::unexpected)?;
            writeln!(writer, "{line}").map_err(failed)?;
        }
        bar.inc(rows.len() as u64);
    }
    writer.flush().map_err(failed)?;
    bar.finish_and_clear();
    Ok(ExitCode::SUCCESS)
}

async fn search(options: &JournalSearch, output: Output) -> Result<ExitCode, Failure> {
    let store = node::reader(&super::settings(&options.settings.config)?)?;
    let moment = |text: &Option<String>| match text {
        Some(text) => Timestamp::parse(text).map(Some).map_err(|error| {
            let german = format!("{text:?} ist kein Zeitpunkt nach RFC 3339");
            Failure::argument((german, error.to_string()))
        }),
        None => Ok(None),
    };
    let state =
        |name: &str| MessageState::from_name(name).is_some() || DeliveryState::from_name(name).is_some();
    known("Zustand", "state", options.state.as_deref(), state)?;
    known("Fehlercode", "error code", options.code.as_deref(), |name| Code::from_name(name).is_some())?;
    let query = LogQuery {
        from: Some(moment(&options.from)?.unwrap_or(Timestamp(SystemClock.now().0 - THIRTY_DAYS))),
        to: moment(&options.to)?,
        case: options.case.clone(),
        source: options.source.clone(),
        procedure: options.procedure.clone(),
        authority: options.authority.clone(),
        target: options.target.clone(),
        state: options.state.clone(),
        code: options.code.clone(),
        event: options.event.clone(),
    };
    let page = store.search(&query, None, options.limit).await?;
    output.result(&page)?;
    if page.rows.is_empty() {
        output.line(output.pick("kein Eintrag gefunden", "no entry found"));
    }
    for row in &page.rows {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        let message = row.message.map_or_else(|| "–".to_owned(), |id| id.to_string());
        output.line(format!(
            "{:>8} {} {:<22} {message} {} {} {}",
            row.seq,
            row.at,
            row.event,
            or(&row.state),
            or(&row.code),
            or(&row.target)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A name that does not exist finds nothing, which looks like good news.
fn known(
    german: &str,
    english: &str,
    name: Option<&str>,
    exists: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    match name {
        Some(name) if !exists(name) => {
            Err(Failure::argument((format!("kein {german} {name:?}"), format!("no {english} {name:?}"))))
        }
        _ => Ok(()),
    }
}
