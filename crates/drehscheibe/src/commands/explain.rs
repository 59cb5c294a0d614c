//! `drehscheibe explain`: the Laufzettel of a message, told from the journal.

use std::process::ExitCode;

use dds_message::{AnswerKind, Code, DecisionStep, Direction, JournalEvent, MessageId};
use dds_store::{AuditLog, Journal, LogRow, MessageRecord, StoreError};
use serde_json::Value;

use crate::{
    Failure,
    cli::Explain,
    node,
    output::{Language, Output, pick},
};

/// Prints the story of a message.
pub(crate) async fn run(options: &Explain, output: Output) -> Result<ExitCode, Failure> {
    let store = node::reader(&super::settings(&options.settings.config)?)?;
    let id = MessageId::parse(&options.id).map_err(|error| {
        let german = format!("{:?} ist keine Kennung einer Nachricht", options.id);
        Failure::argument((german, error.to_string()))
    })?;
    let record = store.message(id).await?;
    let record = record.ok_or_else(|| {
        Failure::new(Code::NO_SUCH_ID, (format!("keine Nachricht {id}"), format!("no message {id}")))
    })?;
    let history = store.history(id).await?;
    let answers = answers(&store, &record).await?;
    output.result(&serde_json::json!({ "message": record, "journal": history }))?;
    for line in story(&record, &answers, &history, output.language, options.full) {
        output.line(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The answers that came for an application, oldest first.
pub(crate) async fn answers(
    store: &impl Journal,
    application: &MessageRecord,
) -> Result<Vec<MessageRecord>, StoreError> {
    let mut answers = Vec::new();
    for id in &application.answered_by {
        answers.extend(store.message(*id).await?);
    }
    Ok(answers)
}

/// The story in lines: head, one block per journal entry, where the message stands now, and what answers it.
pub(crate) fn story(
    record: &MessageRecord,
    answers: &[MessageRecord],
    history: &[LogRow],
    language: Language,
    full: bool,
) -> Vec<String> {
    let say = |de: &'static str, en: &'static str| pick(language, de, en);
    let unknown = say("unbekannt", "unknown");
    let text = |value: Option<String>| value.unwrap_or_else(|| unknown.to_owned());
    let what = match (record.direction, record.answers) {
        (Direction::Answer(kind), Some(application)) => {
            format!("  {} {} {application}", answer_kind(kind, language), say("zum Antrag", "to application"))
        }
        _ => format!(
            "  {}: {}   {}: {}   {}: {}",
            say("Verfahren", "procedure"),
            text(record.procedure.as_ref().map(ToString::to_string)),
            say("Nachrichtentyp", "type"),
            text(record.message_type.as_ref().map(ToString::to_string)),
            say("Kommune", "municipality"),
            text(record.municipality.map(|ars| ars.to_string())),
        ),
    };
    let mut lines = vec![
        format!("{} {}", say("Laufzettel der Nachricht", "Story of message"), record.id),
        what,
        format!(
            "  {}: {} ({})   {}: {}",
            say("Quelle", "source"),
            record.source,
            record.channel.as_str(),
            say("zuständig", "responsible"),
            text(record.authority.as_ref().map(ToString::to_string)),
        ),
        String::new(),
    ];
    for row in history {
        lines.push(format!("{}  {}", row.at, headline(row, language)));
        lines.extend(details(row, language, full).into_iter().map(|line| format!("{:26}{line}", "")));
    }
    lines.push(String::new());
    lines.push(format!("{}: {}", say("Stand", "Now"), say(record.state.german(), record.state.as_str())));
    for delivery in &record.deliveries {
        lines.push(format!(
            "  → {} {} ({} {})",
            delivery.target,
            say(delivery.state.german(), delivery.state.as_str()),
            delivery.attempts,
            say("Versuche", "attempts"),
        ));
    }
    for answer in answers {
        let Direction::Answer(kind) = answer.direction else { continue };
        let state = say(answer.state.german(), answer.state.as_str());
        lines.push(format!("  ← {} {} {} {state}", answer.at, answer_kind(kind, language), answer.id));
    }
    if let Some(code) = record.code {
        let entry = code.entry();
        lines.push(format!("  {code} {}", say(entry.german, entry.english)));
        lines.push(format!("  {}", say(entry.remedy_german, entry.remedy_english)));
    }
    lines
}

fn answer_kind(kind: AnswerKind, language: Language) -> &'static str {
    pick(language, kind.german(), kind.as_str())
}

fn headline(row: &LogRow, language: Language) -> String {
    let say = |de: &'static str, en: &'static str| pick(language, de, en);
    let Some(event) = JournalEvent::from_name(&row.event) else {
        return format!("{}{}", row.event, target(row));
    };
    let what = match event {
        JournalEvent::MessageAccepted => say("angenommen und dauerhaft gespeichert", "accepted and durable"),
        JournalEvent::MessageRouted => match row.state.as_deref() {
            Some("rejected") => say("geprüft und zurückgewiesen", "checked and rejected"),
            Some("parked") => say("Klärfall: ein Mensch muss entscheiden", "parked: a person must decide"),
            _ => say(
                "erkannt, zugeordnet, geprüft und umgewandelt",
                "recognised, matched, validated, transformed",
            ),
        },
        JournalEvent::MessageCompleted => say("vollständig zugestellt", "completely delivered"),
        JournalEvent::MessageParked => {
            say("Klärfall: eine Zustellung ist unzustellbar", "parked: a delivery failed for good")
        }
        JournalEvent::MessageReleased => say("von einem Menschen freigegeben", "released by a person"),
        JournalEvent::AnswerRouted => say("Antwort zugeordnet", "answer matched"),
        JournalEvent::DeliveryPrepared => say("Zustellung vorbereitet", "delivery prepared"),
        JournalEvent::DeliveryAttempting => say("Zustellversuch begonnen", "attempt begun"),
        JournalEvent::DeliveryDelivered if row.data.contains_key("by") => {
            say("von einem Menschen als zugestellt gemeldet", "settled as delivered by a person")
        }
        JournalEvent::DeliveryDelivered if row.data.contains_key("fetched") => {
            say("abgeholt, von der Quelle bestätigt", "fetched, confirmed by the source")
        }
        JournalEvent::DeliveryDelivered => {
            say("zugestellt, Quittung erhalten", "delivered, receipt received")
        }
        JournalEvent::DeliveryLateReceipt => say(
            "das Zielsystem hat es doch; die andere Entscheidung gilt weiter",
            "the target has it nevertheless; what was decided otherwise stands",
        ),
        JournalEvent::DeliveryDeferred => {
            say("noch nicht zugestellt, neuer Versuch folgt", "not delivered yet, another attempt follows")
        }
        JournalEvent::DeliveryDeadLetter => say("unzustellbar", "cannot be delivered"),
        JournalEvent::DeliveryAgain => {
            say("von einem Menschen erneut in die Zustellung gegeben", "delivered again by a person")
        }
        JournalEvent::OsciReceived => {
            say("vom Empfänger erhalten, sagt der OSCI-Laufzettel", "received, says the OSCI process card")
        }
        JournalEvent::OsciRefused => say("über OSCI abgelehnt", "refused by OSCI"),
        JournalEvent::OsciSetAside => say("OSCI-Zustellung beiseitegelegt", "OSCI delivery set aside"),
        JournalEvent::OsciDropped => {
            say("OSCI-Zustellung von einem Menschen aufgegeben", "OSCI delivery dropped by a person")
        }
        JournalEvent::DeliveryRedirected => {
            let what = say("von einem Menschen umgeleitet", "redirected by a person");
            let from = row.target.as_deref().unwrap_or_default();
            let to = row.data.get("to").and_then(Value::as_str).unwrap_or_default();
            return format!("{what}: {from} → {to}");
        }
        JournalEvent::DeliveryCancelled => say("von einem Menschen abgebrochen", "called off by a person"),
        JournalEvent::MessageRejected => say(
            "vom Betrieb zurückgewiesen; der Absender sieht es am Stand der Nachricht",
            "rejected by the operator; its sender sees it with the status",
        ),
        JournalEvent::MessageReopened => say("wieder in Zustellung", "in delivery again"),
        JournalEvent::MessageExpired => {
            say("Inhalt nach der Aufbewahrungsfrist gelöscht", "content deleted after its retention period")
        }
        JournalEvent::ReleaseActivated => say("Depotstand in Kraft gesetzt", "release activated"),
        JournalEvent::JournalArchived => {
            say("Monat des Protokolls abgeschlossen", "month of the journal closed")
        }
        JournalEvent::MasterKeyChanged => say("Hauptschlüssel gewechselt", "master key changed"),
    };
    format!("{what}{}", target(row))
}

fn target(row: &LogRow) -> String {
    row.target.as_ref().map(|target| format!(" → {target}")).unwrap_or_default()
}

/// Digests are shown by their beginning, unless `full`.
fn details(row: &LogRow, language: Language, full: bool) -> Vec<String> {
    let say = |de: &'static str, en: &'static str| pick(language, de, en);
    let mut lines = Vec::new();
    if let Some(code) = row.code.as_deref().and_then(Code::from_name) {
        lines.push(format!("{code} {}", say(code.entry().german, code.entry().english)));
    }
    let short = |value: &Value| value.as_str().map(|text| text.chars().take(12).collect::<String>());
    if let Some(kind) = row.data.get("kind").and_then(Value::as_str).and_then(AnswerKind::from_name) {
        lines.push(answer_kind(kind, language).to_owned());
    }
    let mut fact = |key: &str, de: &'static str, en: &'static str| {
        let value = row.data.get(key);
        let shown = match value {
            Some(Value::Object(_)) => value.and_then(|text| told(text, language)).map(str::to_owned),
            Some(Value::String(text)) if text.len() == 64 && !full => value.and_then(short),
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        if let Some(shown) = shown {
            lines.push(format!("{}: {shown}", say(de, en)));
        }
    };
    fact("application", "Antrag", "application");
    fact("release", "Depotstand", "release");
    fact("rule", "Regel", "rule");
    fact("digest", "SHA-256 des Dokuments", "SHA-256 of the document");
    fact("bytes", "Bytes", "bytes");
    fact("canonical", "SHA-256 des Vorgangs", "SHA-256 of the canonical form");
    fact("product", "Produkt", "product");
    fact("stylesheet", "Stylesheet", "stylesheet");
    fact("stylesheet_digest", "SHA-256 des Stylesheets", "SHA-256 of the stylesheet");
    fact("sources", "SHA-256 über alle seine Dateien", "SHA-256 over all its files");
    fact("output", "SHA-256 des Ergebnisses", "SHA-256 of the output");
    fact("receipt", "Quittung des Zielsystems", "receipt of the target");
    fact("attempt", "Versuch", "attempt");
    fact("detail", "Ursache", "cause");
    fact("by", "durch", "by");
    fact("creation", "eingereicht", "submitted");
    fact("forwarding", "weitergeleitet", "forwarded");
    fact("reception", "erhalten", "received");
    for reason in row.data.get("reasons").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| reason.get(key).and_then(Value::as_str);
        let chosen = part("chosen").map_or_else(|| "–".to_owned(), |chosen| format!("⇒ {chosen}"));
        let because = reason.get("because").and_then(|text| told(text, language)).unwrap_or_default();
        lines.push(format!("{:<13} {chosen}  ({because})", step(part("step").unwrap_or_default(), language)));
    }
    for finding in row.data.get("findings").and_then(Value::as_array).into_iter().flatten() {
        let part = |place: usize| finding.get(place).and_then(Value::as_str).unwrap_or_default();
        lines.push(format!("{}: {} {}", say("Befund", "finding"), part(0), part(1)));
    }
    lines
}

/// A text of the journal in one of its languages; a text without them as it is.
fn told(text: &Value, language: Language) -> Option<&str> {
    text.get(pick(language, "de", "en")).unwrap_or(text).as_str()
}

/// Step of a decision; one that a newer version wrote by its name.
fn step(name: &str, language: Language) -> &str {
    DecisionStep::from_name(name).map_or(name, |step| pick(language, step.german(), step.as_str()))
}

#[cfg(test)]
mod tests {
    use dds_message::{Digest, Timestamp};

    use super::*;

    fn row(event: &str, data: Value) -> LogRow {
        let Value::Object(data) = data else { unreachable!() };
        LogRow {
            seq: 1,
            at: Timestamp(0),
            event: event.to_owned(),
            message: None,
            delivery: None,
            case: None,
            source: None,
            procedure: None,
            authority: None,
            target: Some("146120000000/steueramt/fv".to_owned()),
            state: None,
            code: None,
            data,
            previous: Digest([0; 32]),
            hash: Digest([0; 32]),
        }
    }

    #[test]
    fn a_redirection_tells_from_where_to_where() {
        let redirected = row("delivery.redirected", serde_json::json!({ "to": "147130000000/steueramt/fv" }));
        let told = "von einem Menschen umgeleitet: 146120000000/steueramt/fv → 147130000000/steueramt/fv";
        assert_eq!(headline(&redirected, Language::German), told);
    }

    #[test]
    fn what_a_person_or_a_late_receipt_did_has_a_headline_in_both_languages() {
        for event in ["message.rejected", "delivery.cancelled", "delivery.late_receipt"] {
            let row = row(event, serde_json::json!({}));
            let (german, english) = (headline(&row, Language::German), headline(&row, Language::English));
            assert!(!german.contains(event) && !english.contains(event) && german != english, "{event}");
        }
    }
}
