//! `drehscheibe journal`: the evidence.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write},
    path::Path,
    process::ExitCode,
};

use dds_message::{Clock, Code, DeliveryState, Digest, MessageState, Timestamp};
use dds_store::{
    Anchor, AuditLog, ChainReport, LogQuery, LogRow,
    sqlite::{ContentReport, Difference, ExportCheck},
};
use dds_telemetry::SystemClock;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Failure,
    cli::{Journal, JournalExport, JournalSearch, JournalVerify},
    node,
    output::{Language, Output, file_error},
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

/// What was verified: the chain, and for the whole journal also what it tells of.
#[derive(Serialize)]
struct Verified {
    #[serde(flatten)]
    chain: ChainReport,
    content: Option<ContentReport>,
}

async fn verify(options: &JournalVerify, output: Output) -> Result<ExitCode, Failure> {
    let anchor = options.anchor.as_deref().map(parse_anchor).transpose()?;
    let (chain, content) = match &options.file {
        Some(file) => (verify_export(file, anchor)?, None),
        None => verify_store(options, anchor).await?,
    };
    let report = Verified { chain, content };
    output.result(&report)?;
    let Verified { chain, content } = report;
    if let Some((entry, why)) = &chain.broken {
        return Err(Failure::new(
            Code::CHAIN_BROKEN,
            (format!("Eintrag {entry} passt nicht in die Kette"), format!("entry {entry}: {why}")),
        ));
    }
    output.line(format!(
        "{} {}",
        chain.checked,
        output.pick("Einträge geprüft, Kette unverletzt", "entries checked, chain intact")
    ));
    if let Some(content) = content {
        tell(&content, output)?;
    }
    if let Some(anchor) = chain.anchor {
        output.line(format!("{} {} {}", output.pick("Anker:", "anchor:"), anchor.seq, anchor.hash));
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify_store(
    options: &JournalVerify,
    anchor: Option<Anchor>,
) -> Result<(ChainReport, Option<ContentReport>), Failure> {
    let config = super::settings(&options.settings.config)?;
    let log = node::log_reader(&config)?;
    if let Some(anchor) = anchor {
        contains(anchor, log.verify(anchor.seq, Some(anchor.seq)).await?.anchor)?;
    }
    let chain = log.verify(options.from, options.to).await?;
    let part = options.from > 1 || options.to.is_some();
    if part && chain.checked == 0 && chain.broken.is_none() {
        let last = log.anchor().await?.seq;
        return Err(Failure::argument((
            format!("in diesem Bereich ist kein Eintrag; der letzte ist {last}"),
            format!("no entry in this range; the last is {last}"),
        )));
    }
    // Beside a broken chain nothing is worth comparing.
    let content = if part || chain.broken.is_some() {
        None
    } else if options.payloads {
        Some(node::reader(&config)?.compare().await?)
    } else {
        Some(log.compare().await?)
    };
    Ok((chain, content))
}

/// Verifies an export line by line.
fn verify_export(file: &Path, anchor: Option<Anchor>) -> Result<ChainReport, Failure> {
    let unusable = |error: std::io::Error| Failure::new(Code::FILE_UNUSABLE, file_error(file, &error));
    let mut check = ExportCheck::default();
    let mut found = None;
    for (place, line) in BufReader::new(File::open(file).map_err(unusable)?).lines().enumerate() {
        let row: LogRow = serde_json::from_str(&line.map_err(unusable)?).map_err(|error| {
            let (path, line) = (file.display(), place + 1);
            Failure::new(
                Code::CHAIN_BROKEN,
                (
                    format!("{path}: Zeile {line} ist kein Eintrag des Protokolls"),
                    format!("{path}: line {line} is no entry of the journal: {error}"),
                ),
            )
        })?;
        if anchor.is_some_and(|anchor| anchor.seq == row.seq) {
            found = Some(Anchor { seq: row.seq, hash: row.hash });
        }
        check.add(&row);
    }
    if let Some(anchor) = anchor {
        contains(anchor, found)?;
    }
    Ok(check.report())
}

/// Counts in words; what does not agree is an error.
fn tell(content: &ContentReport, output: Output) -> Result<(), Failure> {
    let ContentReport { messages, deliveries, files, opened, unjudged, differences, named } = content;
    output.line(match output.language {
        Language::German => format!(
            "{messages} Nachrichten, {deliveries} Zustellungen und {files} Nutzdatendateien verglichen, {opened} Nutzdaten geöffnet"
        ),
        Language::English => format!(
            "{messages} messages, {deliveries} deliveries and {files} payload files compared, {opened} payloads opened"
        ),
    });
    if *unjudged > 0 {
        let why = output.pick(
            "Nachrichten nicht vergleichbar: ein abgeschlossener Monat fehlt",
            "messages cannot be compared: a closed month is missing",
        );
        output.line(format!("{unjudged} {why}"));
    }
    for Difference { message, delivery, what } in named {
        let place = match delivery {
            Some(delivery) => format!("{message} {} {delivery}", output.pick("Zustellung", "delivery")),
            None => message.to_string(),
        };
        let (german, english) = what.text();
        output.line(format!("  {place}: {}", output.pick(german, english)));
    }
    if *differences == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Code::STORE_CORRUPT,
        (
            format!("{differences} Abweichungen zwischen Ablage und Protokoll"),
            format!("{differences} differences between store and journal"),
        ),
    ))
}

fn parse_anchor(anchor: &str) -> Result<Anchor, Failure> {
    let read = anchor.split_once(':').and_then(|(seq, hash)| {
        let seq = seq.parse::<i64>().ok().filter(|seq| *seq > 0)?;
        Some(Anchor { seq, hash: Digest::parse(hash).ok()? })
    });
    read.ok_or_else(|| {
        Failure::argument((
            format!("{anchor:?} ist kein Anker (NUMMER:HASH)"),
            format!("{anchor:?} is no anchor (NUMBER:HASH)"),
        ))
    })
}

/// Whether the journal still has the entry of an anchor that somebody kept. Without one, a journal whose newest entries
/// were cut off is a whole chain too.
fn contains(kept: Anchor, found: Option<Anchor>) -> Result<(), Failure> {
    let seq = kept.seq;
    let text = match found {
        Some(found) if found == kept => return Ok(()),
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
    let store = node::log_reader(&super::settings(&options.settings.config)?)?;
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
    let store = node::log_reader(&super::settings(&options.settings.config)?)?;
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
        if !row.data.is_empty() {
            output.line(format!("{:>8} {}", "", facts(&row.data)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Such as `message_id=…  originator=…`.
fn facts(data: &Map<String, Value>) -> String {
    let fact = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    };
    data.iter().filter(|(_, value)| !value.is_null()).map(fact).collect::<Vec<_>>().join("  ")
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
