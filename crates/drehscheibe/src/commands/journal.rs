//! `drehscheibe journal`: the evidence.

use std::{fs::File, io::Write, process::ExitCode};

use dds_message::{Clock, Code, Timestamp};
use dds_store::{AuditLog, LogQuery};
use dds_telemetry::SystemClock;
use indicatif::ProgressBar;

use crate::{
    Failure,
    cli::{Journal, JournalExport, JournalSearch, JournalVerify},
    node,
    output::Output,
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
    let report = store.verify(options.from, options.to).await?;
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

async fn export(options: &JournalExport, output: Output) -> Result<ExitCode, Failure> {
    let store = node::reader(&super::settings(&options.settings.config)?)?;
    let failed = |error: std::io::Error| {
        let text = (format!("lässt sich nicht schreiben: {error}"), format!("cannot write: {error}"));
        Failure::new(Code::BAD_REQUEST, text)
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
            let line = serde_json::to_string(row).map_err(|error| Failure::internal(error.to_string()))?;
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
            Failure::new(Code::BAD_REQUEST, (german, error.to_string()))
        }),
        None => Ok(None),
    };
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
