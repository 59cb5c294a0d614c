//! What a source may know about its messages.

use bytes::Bytes;
use dds_message::{DeliveryState, Direction, Finding, Format, MessageId, MessageState, Problem, SourceId};
use dds_store::{Lease, MessageRecord, NewEntry, Outcome, Settlement};

use crate::{DeliveryStatus, Router, Status};

/// Status of a message of `source`.
pub(crate) async fn status(
    router: &Router,
    source: &SourceId,
    id: MessageId,
) -> Result<Option<Status>, Problem> {
    let journal = &router.inner.parts.journal;
    let Some(record) = journal.message(id).await?.filter(|record| &record.source == source) else {
        return Ok(None);
    };
    let mut answers = Vec::new();
    for answer in &record.answered_by {
        if let Some(answer) = journal.message(*answer).await?.filter(is_ready)
            && let Direction::Answer(kind) = answer.direction
        {
            answers.push((answer.id, kind, answer.at));
        }
    }
    let problem = problem(router, &record).await?;
    Ok(Some(Status {
        id,
        accepted: record.at,
        state: record.state,
        problem,
        deliveries: deliveries(&record),
        answers,
    }))
}

/// Why a message was rejected or parked, with the findings of its Prüfbericht.
pub(crate) async fn problem(router: &Router, record: &MessageRecord) -> Result<Option<Problem>, Problem> {
    let Some(code) = record.code else { return Ok(None) };
    let report = router.inner.parts.journal.report(record.id).await?;
    let findings = report.map(|report| findings(&report)).unwrap_or_default();
    Ok(Some(Problem { findings, ..Problem::new(code, code.entry().english) }))
}

fn deliveries(record: &MessageRecord) -> Vec<DeliveryStatus> {
    let status = |delivery: &dds_store::DeliveryRecord| DeliveryStatus {
        id: delivery.id,
        authority: delivery.authority.as_ref().map(ToString::to_string),
        target: delivery.target.clone(),
        state: delivery.state,
    };
    record.deliveries.iter().map(status).collect()
}

/// Reads a Prüfbericht as `route` wrote it; one that cannot be read counts as empty.
pub(crate) fn findings(report: &[u8]) -> Vec<Finding> {
    serde_json::from_slice(report).unwrap_or_default()
}

/// An answer is there for its source once its delivery is planned; so none can be fetched and then wait to be fetched.
fn is_ready(answer: &MessageRecord) -> bool {
    answer.state != MessageState::Accepted
}

/// Document of an answer to an application of `source`; its delivery to the source is settled by that.
pub(crate) async fn answer_document(
    router: &Router,
    source: &SourceId,
    answer: MessageId,
) -> Result<Option<(Bytes, Format)>, Problem> {
    let journal = &router.inner.parts.journal;
    let Some(record) = journal.message(answer).await?.filter(is_ready) else { return Ok(None) };
    let Some(application) = record.answers else { return Ok(None) };
    let own = journal.message(application).await?.is_some_and(|application| &application.source == source);
    if !own {
        return Ok(None);
    }
    let document = journal.document(answer).await?;
    fetched(router, source, &record).await?;
    Ok(Some((document, record.format)))
}

/// The source has the answer now: what was to bring it there is done, also if it had been given up.
async fn fetched(router: &Router, source: &SourceId, answer: &MessageRecord) -> Result<(), Problem> {
    let target = format!("source/{source}");
    let at = router.inner.parts.clock.now();
    let open = |state: DeliveryState| !state.is_final() || state == DeliveryState::DeadLetter;
    let mut settlements = Vec::new();
    for delivery in answer.deliveries.iter().filter(|one| one.target.as_str() == target && open(one.state)) {
        let mut entry = NewEntry { event: "delivery.delivered", ..NewEntry::default() };
        entry.data.insert("fetched".to_owned(), true.into());
        settlements.push(Settlement {
            lease: Lease::manual(delivery.id),
            outcome: Outcome::Delivered { receipt: None },
            at,
            late: true,
            entry,
        });
    }
    if !settlements.is_empty() {
        router.inner.parts.journal.settle(settlements).await?;
    }
    Ok(())
}
