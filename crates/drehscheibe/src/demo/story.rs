//! What the demo tells in the terminal.

use dds_message::MessageId;
use dds_store::{AuditLog, Journal};

use super::{report::Report, senders::Sent, stage::Stage};
use crate::{Failure, commands::explain, node, output::Output};

/// The numbers.
pub(crate) fn summary(report: &Report, output: Output) {
    let pick = |german, english| output.pick(german, english);
    output.line("");
    output.line(format!(
        "{:<24}{:>8}{:>12}{:>16}{:>10}",
        pick("Verfahren", "procedure"),
        pick("gesendet", "sent"),
        pick("zugestellt", "completed"),
        pick("zurückgewiesen", "rejected"),
        pick("Klärfall", "parked")
    ));
    for (procedure, counts) in &report.by_procedure {
        output.line(format!(
            "{procedure:<24}{:>8}{:>12}{:>16}{:>10}",
            counts.sent, counts.completed, counts.rejected, counts.parked
        ));
    }
    output.line("");
    output.line(pick("Zustellungen je Produkt:", "Deliveries by product:"));
    for (product, count) in &report.by_target {
        output.line(format!("  {product:<28}{count:>6}"));
    }
    let (lost, duplicates) = (pick("verloren", "lost"), pick("doppelt", "duplicates"));
    let answers = &report.answers;
    output.line("");
    output.line(format!(
        "{}: {} {}, {} {}, {} {}, {} {lost}, {} {duplicates}",
        pick("Antworten der Ämter", "Answers of authorities"),
        answers.sent,
        pick("gesendet", "sent"),
        answers.by_callback,
        pick("zurückgerufen", "called back"),
        answers.fetched,
        pick("abgeholt und bestätigt", "fetched and confirmed"),
        answers.lost,
        answers.duplicates,
    ));
    if let Some(osci) = &report.osci {
        output.line("");
        output.line(format!(
            "OSCI: {} {} ({} {}), {} {} ({} {}, {} {}), {} {}, {} {lost}, {} {duplicates}",
            osci.sent,
            pick("Anträge eingeliefert", "applications submitted"),
            osci.sent_elsewhere,
            pick("bei einem fremden Vermittler", "at another intermediary"),
            osci.received,
            pick("Zustellungen entschlüsselt und geprüft", "deliveries decrypted and verified"),
            osci.mediated,
            pick("vermittelt", "mediated"),
            osci.received_elsewhere,
            pick("beim fremden Vermittler abgeholt", "fetched at the other intermediary"),
            osci.answers,
            pick("Bescheide zurück", "decisions back"),
            osci.lost(),
            osci.duplicates,
        ));
    }
    output.line("");
    output.line(format!(
        "{}: {}   {}: {}   {lost}: {}   {duplicates}: {}   {}: {:.1} s",
        pick("gesendet", "sent"),
        report.sent,
        pick("zugestellt", "delivered"),
        report.delivered,
        report.all_lost(),
        report.all_duplicates(),
        pick("Dauer", "duration"),
        report.seconds,
    ));
    for note in &report.notes {
        output.line(format!("  ! {note}"));
    }
}

/// The Laufzettel of a delivered, a rejected and a many-target message, and of an `answered` one and its decision.
pub(crate) async fn tell_some(
    stage: &Stage,
    sent: &[Sent],
    answered: &[MessageId],
    output: Output,
) -> Result<(), Failure> {
    let store = node::reader(&stage.config)?;
    let find = |wanted| {
        let found =
            sent.iter().find(|one| (one.procedure.as_str(), one.valid) == wanted && one.message.is_some());
        found.and_then(|one| one.message)
    };
    let some =
        [("bauantrag", true), ("hundesteuer", true), ("hundesteuer", false)].into_iter().filter_map(find);
    let some = some.filter(|id| !answered.contains(id));
    let mut told = Vec::new();
    for id in some.chain(answered.iter().copied()) {
        let Some(record) = store.message(id).await? else { continue };
        let history = store.history(id).await?;
        let answers = explain::answers(&store, &record).await?;
        told.push(explain::story(&record, &answers, &history, output.language, false));
    }
    for story in told {
        output.line("");
        for line in story {
            output.line(line);
        }
    }
    Ok(())
}
