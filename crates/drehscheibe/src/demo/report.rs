//! What became of everything that was sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dds_message::{DeliveryId, DeliveryState, MessageId, MessageState, TargetId};
use dds_store::Journal;
use dds_testbench::{Ledger, Tally};
use reqwest::Method;
use serde::Serialize;

use super::{answers::AnswerReport, osci::OsciReport, receivers::Receivers, senders::Sent, stage::Stage};
use crate::{Failure, cli::Settings, commands::deliver, node};

/// Result of a demo; the JSON of `--report`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Report {
    /// Messages sent, over all channels.
    pub(crate) sent: u64,
    /// Messages acknowledged.
    pub(crate) accepted: u64,
    /// Deliveries that arrived.
    pub(crate) delivered: u64,
    /// Messages refused or rejected, and rightly so.
    pub(crate) rejected: u64,
    /// Deliveries that ended as dead letters.
    pub(crate) dead_letters: u64,
    /// Acknowledged messages of which something did not arrive.
    pub(crate) lost: u64,
    /// Copies beyond the first at a target.
    pub(crate) duplicates: u64,
    /// Repeats that a target recognised.
    pub(crate) repeats: u64,
    /// Valid messages that were refused, rejected or parked.
    pub(crate) undelivered_valid: u64,
    /// Invalid messages that were delivered.
    pub(crate) delivered_invalid: u64,
    /// How often the router was killed meanwhile.
    pub(crate) kills: u64,
    /// Duration.
    pub(crate) seconds: f64,
    /// By procedure.
    pub(crate) by_procedure: BTreeMap<String, Counts>,
    /// Deliveries by product.
    pub(crate) by_target: BTreeMap<String, u64>,
    /// Answers of authorities to their sources.
    pub(crate) answers: AnswerReport,
    /// The OSCI act.
    pub(crate) osci: Option<OsciReport>,
    /// Problems worth a look, at most twenty.
    pub(crate) notes: Vec<String>,
}

/// Counts of one procedure.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) completed: u64,
    pub(crate) rejected: u64,
    pub(crate) parked: u64,
}

impl Report {
    /// Nothing lost, nothing twofold, also of the answers; nothing valid undelivered, nothing invalid delivered.
    pub(crate) fn is_good(&self) -> bool {
        self.lost == 0
            && self.duplicates == 0
            && self.undelivered_valid == 0
            && self.delivered_invalid == 0
            && self.answers.is_good()
            && !self.unanswered()
            && self.osci.is_none_or(|osci| osci.is_good())
    }

    /// Applications were completed, and the act of the answers found none of them.
    fn unanswered(&self) -> bool {
        self.answers.sent == 0 && self.by_procedure.values().any(|counts| counts.completed > 0)
    }

    /// Lost on any path: deliveries, answers, OSCI.
    pub(crate) fn all_lost(&self) -> u64 {
        self.lost + self.answers.lost + self.osci.map_or(0, |osci| osci.lost())
    }

    /// Came more than once on any path.
    pub(crate) fn all_duplicates(&self) -> u64 {
        self.duplicates + self.answers.duplicates + self.osci.map_or(0, |osci| osci.duplicates)
    }

    /// The same report with what came of the answers and of OSCI, and a note for whatever is bad about them.
    pub(crate) fn with_acts(mut self, answers: AnswerReport, osci: Option<OsciReport>) -> Self {
        for (kind, application) in answers.missing.iter().take(10) {
            self.note(format!("lost: {} to {application}", kind.as_str()));
        }
        if answers.duplicates > 0 {
            self.note(format!("answers that came more than once, or changed: {}", answers.duplicates));
        }
        if let Some(bad) = osci.filter(|osci| !osci.is_good()) {
            self.note(format!(
                "OSCI: {} of {} deliveries, {} of {} replies, {} duplicates",
                bad.received, bad.expected, bad.answers, bad.mediated, bad.duplicates
            ));
        }
        (self.answers, self.osci) = (answers, osci);
        if self.unanswered() {
            self.note("no application was answered".to_owned());
        }
        self
    }

    fn note(&mut self, text: String) {
        if self.notes.len() < 20 {
            self.notes.push(text);
        }
    }
}

/// Waits until every message is final, has mailboxes fetched from, and counts.
pub(crate) async fn settle(
    stage: &Stage,
    receivers: &Receivers,
    ledger: &Ledger,
    sent: &mut [Sent],
) -> Result<Report, Failure> {
    let store = node::reader(&stage.config)?;
    let mut report = Report { sent: sent.len() as u64, ..Report::default() };
    by_folder(stage, ledger, sent).await?;
    let mut open: BTreeSet<usize> = (0..sent.len()).filter(|place| sent[*place].message.is_some()).collect();
    let mut patience = 600_u32;
    while !open.is_empty() && patience > 0 {
        let mut mailboxes: BTreeSet<TargetId> = BTreeSet::new();
        let mut done = Vec::new();
        for place in &open {
            let Some(id) = sent[*place].message else { continue };
            let Some(record) = store.message(id).await? else { continue };
            let waiting =
                record.deliveries.iter().filter(|one| one.pull && one.state == DeliveryState::Prepared);
            mailboxes.extend(waiting.map(|one| one.target.clone()));
            for doubtful in record.deliveries.iter().filter(|one| one.state == DeliveryState::InDoubt) {
                decide(stage, receivers, doubtful.id).await;
            }
            if record.state.is_final() {
                done.push(*place);
                count(&mut report, ledger, &sent[*place], &record);
            }
        }
        for place in done {
            open.remove(&place);
        }
        receivers.want(mailboxes.into_iter().collect());
        tokio::time::sleep(Duration::from_millis(50)).await;
        patience -= 1;
    }
    for one in &*sent {
        let counts = report.by_procedure.entry(one.procedure.clone()).or_default();
        counts.sent += 1;
        if one.message.is_none() {
            counts.rejected += 1;
            report.rejected += 1;
            if one.valid {
                report.undelivered_valid += 1;
                report.note(format!("{}/{} ({:?}) refused at the door", one.procedure, one.fixture, one.way));
            }
        }
    }
    // What arrives in drop folders is seen one round later.
    let tally = until_tally(receivers, ledger).await;
    report.accepted = tally.accepted;
    report.delivered = tally.delivered;
    report.lost = tally.lost.len() as u64;
    report.duplicates = tally.duplicates;
    report.repeats = tally.repeats;
    for (message, missing) in tally.lost.iter().take(10) {
        report.note(format!("lost: {message} {missing:?}"));
    }
    Ok(report)
}

/// What a person does with a delivery in doubt: a mail was under way when the router was killed, and nobody but its
/// recipient knows whether it arrived. What does not work now is done in the next round.
async fn decide(stage: &Stage, receivers: &Receivers, id: DeliveryId) {
    let arrived = receivers.inboxes().iter().any(|inbox| inbox.get(id).is_some());
    let path = format!("deliveries/{id}/{}", if arrived { "settle" } else { "again" });
    let settings = Settings { config: stage.config_file.clone() };
    if let Err(Failure { problem, .. }) =
        deliver::ask(&settings, Method::POST, &path, &serde_json::Value::Null).await
    {
        tracing::debug!(code = %problem.code, "demo.not_decided");
    }
}

/// Waits for the receipts in the drop folder: they name the ids of the messages that went in there.
async fn by_folder(stage: &Stage, ledger: &Ledger, sent: &mut [Sent]) -> Result<(), Failure> {
    for _ in 0..2_000 {
        let mut open = 0;
        for one in sent.iter_mut() {
            let Some(name) = &one.submission else { continue };
            if one.message.is_some() || stage.inbox().join("abgelehnt").join(name).exists() {
                continue;
            }
            let receipt = stage.inbox().join("angenommen").join(format!("{name}.quittung.json"));
            match std::fs::read(&receipt)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
            {
                Some(receipt) => {
                    one.message = receipt["id"].as_str().and_then(|id| MessageId::parse(id).ok());
                    if let Some(id) = one.message {
                        ledger.accepted(id);
                    }
                }
                None => open += 1,
            }
        }
        if open == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::internal(("das Transferverzeichnis wurde nicht geleert", "the drop folder was not emptied")))
}

fn count(report: &mut Report, ledger: &Ledger, one: &Sent, record: &dds_store::MessageRecord) {
    let counts = report.by_procedure.entry(one.procedure.clone()).or_default();
    let delivered: Vec<DeliveryId> = record.deliveries.iter().map(|delivery| delivery.id).collect();
    match record.state {
        MessageState::Completed => counts.completed += 1,
        MessageState::Rejected => counts.rejected += 1,
        _ => counts.parked += 1,
    }
    for delivery in &record.deliveries {
        match delivery.state {
            DeliveryState::Delivered => {
                let product = delivery.product.clone().unwrap_or_default();
                *report.by_target.entry(product).or_default() += 1;
            }
            _ => report.dead_letters += 1,
        }
    }
    if delivered.is_empty() {
        ledger.ended_without(record.id);
    } else {
        ledger.expect(record.id, delivered);
    }
    let name = format!("{}/{} {} ({:?})", one.procedure, one.fixture, record.id, one.way);
    if record.state == MessageState::Rejected {
        report.rejected += 1;
    }
    if one.valid && record.state != MessageState::Completed {
        report.undelivered_valid += 1;
        report.note(format!("valid but {}: {name} {:?}", record.state, record.code));
    }
    if !one.valid && record.state == MessageState::Completed {
        report.delivered_invalid += 1;
        report.note(format!("invalid but delivered: {name}"));
    }
}

async fn until_tally(receivers: &Receivers, ledger: &Ledger) -> Tally {
    let mut patience = 200_u32;
    loop {
        let inboxes = receivers.inboxes();
        let tally = ledger.tally(inboxes.iter());
        if tally.lost.is_empty() || patience == 0 {
            return tally;
        }
        patience -= 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use dds_message::AnswerKind;

    use super::*;

    #[test]
    fn an_answer_lost_or_twofold_is_no_good_demo() {
        assert!(Report::default().is_good());
        let answers = |lost, duplicates| AnswerReport { lost, duplicates, ..AnswerReport::default() };
        for answers in [answers(1, 0), answers(0, 1)] {
            assert!(!Report { answers, ..Report::default() }.is_good());
        }
        // A delivery was mediated, and its reply never came to the portal.
        let osci = OsciReport { received: 2, expected: 2, mediated: 1, ..OsciReport::default() };
        assert!(!Report { osci: Some(osci), ..Report::default() }.is_good());
        let osci = OsciReport { answers: 1, ..osci };
        assert!(Report { osci: Some(osci), ..Report::default() }.is_good());
    }

    #[test]
    fn whatever_makes_a_demo_bad_is_counted_and_noted() {
        let completed = Report {
            by_procedure: BTreeMap::from([(
                "hundesteuer".to_owned(),
                Counts { completed: 1, ..Counts::default() },
            )]),
            ..Report::default()
        };
        let unanswered = completed.clone().with_acts(AnswerReport::default(), None);
        assert!(!unanswered.is_good());
        assert_eq!(unanswered.notes, ["no application was answered"]);

        let application = MessageId(uuid::Uuid::from_u128(7));
        let missing = vec![(AnswerKind::Decision, application)];
        let answers = AnswerReport { sent: 3, lost: 1, duplicates: 2, missing, ..AnswerReport::default() };
        let osci = OsciReport { received: 1, expected: 2, duplicates: 4, ..OsciReport::default() };
        let report = completed.clone().with_acts(answers, Some(osci));
        assert_eq!((report.all_lost(), report.all_duplicates(), report.is_good()), (2, 6, false));
        let expected = [
            format!("lost: decision to {application}"),
            "answers that came more than once, or changed: 2".to_owned(),
            "OSCI: 1 of 2 deliveries, 0 of 0 replies, 4 duplicates".to_owned(),
        ];
        assert_eq!(report.notes, expected);

        let good = completed.with_acts(AnswerReport { sent: 3, ..AnswerReport::default() }, None);
        assert!(good.is_good() && good.notes.is_empty(), "{good:?}");
    }
}
