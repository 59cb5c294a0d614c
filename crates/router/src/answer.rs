//! Rückkanal: receipt, further request and decision go back to the source of the application.

use dds_message::{Code, DeliveryId, Direction, JournalEvent, MessageId, Problem, SourceId, TargetId};
use dds_store::{NewDelivery, NewEntry, NewPlan, PlanState};

use crate::{Answer, DEFAULT_DEADLINE, Router, dispatch::Work};

/// The application that an answer names by message id or case. `from` must be allowed to answer (`DDS-I002`); an
/// answer that matches nothing is `DDS-I013`.
pub(crate) async fn application(
    router: &Router,
    from: &SourceId,
    answer: &Answer,
) -> Result<MessageId, Problem> {
    let release = router.release();
    let source = release.source(from).filter(|source| source.may_answer);
    let source =
        source.ok_or_else(|| Problem::new(Code::NOT_ALLOWED, format!("{from} may not send answers")))?;
    let journal = &router.inner.parts.journal;
    let found = match (answer.message, &answer.case) {
        (Some(message), _) => Some(message),
        (None, Some(case)) => match journal.case_sources(case).await?.as_slice() {
            [] => None,
            [source] => journal.by_case(Some(source), case, None).await?,
            // Taking the newest could send an answer to the wrong portal.
            _ => {
                let text = "several sources use this case reference: name the message id";
                return Err(Problem::new(Code::NO_SUCH_CASE, text));
            }
        },
        (None, None) => None,
    };
    let record = match found {
        Some(message) => journal.message(message).await?,
        None => None,
    };
    let record =
        record.filter(|record| matches!(record.direction, Direction::Application)).ok_or_else(|| {
            Problem::new(Code::NO_SUCH_CASE, "no application with this message id or case reference")
        })?;
    if answer.case.is_some()
        && answer.case.as_deref() != record.case.as_ref().map(dds_message::CaseRef::as_str)
    {
        // A mistyped id would send the answer to another citizen; the second reference is there to catch it.
        let text = "the application with this message id has another case reference";
        return Err(Problem::new(Code::NO_SUCH_CASE, text));
    }
    source.may_answer_for(record.municipality.as_ref())?;
    Ok(record.id)
}

/// Plans the one delivery of an answer: to the source of its application, unchanged.
pub(crate) async fn plan(router: &Router, work: &Work, application: MessageId) -> Result<NewPlan, Problem> {
    let now = router.inner.parts.clock.now();
    let release = router.release();
    let record = router.inner.parts.journal.message(application).await?;
    let source = record.as_ref().map(|record| record.source.clone());
    let target = source.as_ref().and_then(|source| TargetId::parse(&format!("source/{source}")).ok());
    let known = target.as_ref().and_then(|target| release.target(target));
    let mut plan = NewPlan {
        message: work.id,
        at: now,
        release: release.id(),
        rule: String::new(),
        authority: record.and_then(|record| record.authority),
        state: PlanState::Parked(Code::NO_TARGET),
        deliveries: Vec::new(),
        report: None,
        entries: Vec::new(),
    };
    let mut entry = NewEntry { event: JournalEvent::AnswerRouted.as_str(), ..NewEntry::default() };
    entry.data.insert("application".to_owned(), serde_json::json!(application));
    match (target, known) {
        (Some(target), Some(known)) => {
            plan.state = PlanState::Routed;
            plan.deliveries.push(NewDelivery {
                id: DeliveryId::derive(work.id, &target, "answer", 0),
                target,
                authority: plan.authority.clone(),
                product: None,
                product_id: None,
                output: None,
                lane: None,
                pull: known.pull,
                due: now,
                deadline: now.plus(DEFAULT_DEADLINE),
            });
        }
        _ => entry.code = Some(Code::NO_TARGET),
    }
    plan.entries.push(entry);
    Ok(plan)
}
