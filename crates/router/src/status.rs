//! What a source may know about its messages.

use bytes::Bytes;
use dds_message::{
    Attachment, DeliveryState, Direction, Finding, Format, JournalEvent, MessageId, MessageState, Problem,
    SourceId, TargetId,
};
use dds_store::{Lease, MessageRecord, NewEntry, Outcome, Settlement};
use futures::{StreamExt, TryStreamExt};

use crate::{DeliveryStatus, OpenAttachment, Router, Status};

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
    let entry = code.entry();
    Ok(Some(Problem { findings, ..Problem::new(code, (entry.german, entry.english)) }))
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

/// An answer to an application of `source`, once it is there for it.
async fn answer(
    router: &Router,
    source: &SourceId,
    answer: MessageId,
) -> Result<Option<MessageRecord>, Problem> {
    let journal = &router.inner.parts.journal;
    let Some(record) = journal.message(answer).await?.filter(is_ready) else { return Ok(None) };
    let Some(application) = record.answers else { return Ok(None) };
    let own = journal.message(application).await?.is_some_and(|application| &application.source == source);
    Ok(own.then_some(record))
}

/// Document of an answer. Reading settles nothing: only who confirms has it for sure.
pub(crate) async fn answer_document(
    router: &Router,
    source: &SourceId,
    id: MessageId,
) -> Result<Option<(Bytes, Format)>, Problem> {
    let Some(record) = answer(router, source, id).await? else { return Ok(None) };
    Ok(Some((router.inner.parts.journal.document(id).await?, record.format)))
}

/// Descriptions of the attachments of an answer, in the order as sent.
pub(crate) async fn answer_attachments(
    router: &Router,
    source: &SourceId,
    id: MessageId,
) -> Result<Option<Vec<Attachment>>, Problem> {
    let record = answer(router, source, id).await?;
    Ok(record.map(|record| record.attachments.into_iter().map(|stored| stored.attachment).collect()))
}

/// The attachment at `place` (0 the first) of an answer, with its bytes.
pub(crate) async fn answer_attachment(
    router: &Router,
    source: &SourceId,
    id: MessageId,
    place: usize,
) -> Result<Option<OpenAttachment>, Problem> {
    let Some(record) = answer(router, source, id).await? else { return Ok(None) };
    let stored = record.attachments.into_iter().nth(place);
    let (Some(stored), Some(wrapped)) = (stored, record.key) else { return Ok(None) };
    let parts = &router.inner.parts;
    let key = parts.vault.unwrap_key(id, &wrapped)?;
    let bytes = parts.blobs.open(&stored.blob, &key).await?.map_err(Problem::from).boxed();
    Ok(Some((stored.attachment, bytes)))
}

/// The source says that it has the answer: what was to bring it there is done, also if it had been given up. `false`:
/// nothing was open any more.
pub(crate) async fn answer_received(
    router: &Router,
    source: &SourceId,
    id: MessageId,
) -> Result<Option<bool>, Problem> {
    let Some(record) = answer(router, source, id).await? else { return Ok(None) };
    let target = TargetId::of_source(source);
    let at = router.inner.parts.clock.now();
    let open = |state: DeliveryState| !state.is_final() || state == DeliveryState::DeadLetter;
    let mut settlements = Vec::new();
    for delivery in record.deliveries.iter().filter(|one| one.target == target && open(one.state)) {
        let mut entry = NewEntry::new(JournalEvent::DeliveryDelivered);
        entry.data.note("fetched", true);
        settlements.push(Settlement {
            lease: Lease::manual(delivery.id),
            outcome: Outcome::Delivered { receipt: None },
            at,
            late: true,
            entry,
        });
    }
    if settlements.is_empty() {
        return Ok(Some(false));
    }
    router.settle(settlements).await?;
    Ok(Some(true))
}
