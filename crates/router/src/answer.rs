//! Rückkanal: receipt, further request and decision go back to the source of the application.

use dds_message::{
    AnswerKind, Code, DeliveryId, Direction, JournalEvent, MessageId, Problem, SourceId, TargetId,
};
use dds_store::{NewDelivery, NewEntry, NewPlan, PlanState};

use crate::{ANSWER_DEADLINE, Answer, Router, dispatch::Work};

/// The application that an answer names by message id or case. `from` must be allowed to answer (`DDS-I002`); an
/// answer that matches nothing is `DDS-I013`.
pub(crate) async fn application(
    router: &Router,
    from: &SourceId,
    answer: &Answer,
) -> Result<MessageId, Problem> {
    let release = router.release();
    let source = release.source(from).filter(|source| source.may_answer);
    let source = source.ok_or_else(|| {
        let text = (
            format!("die Quelle {from} darf keine Antworten senden"),
            format!("{from} may not send answers"),
        );
        Problem::new(Code::NOT_ALLOWED, text)
    })?;
    let journal = &router.inner.parts.journal;
    let found = match (answer.message, &answer.case) {
        (Some(message), _) => Some(message),
        (None, Some(case)) => {
            let mut meant = journal.by_case(case).await?;
            meant.retain(|one| {
                source.may_answer_for(one.procedure.as_ref(), one.municipality.as_ref()).is_ok()
            });
            if meant.len() > 1 {
                // Taking the newest could send an answer to another citizen.
                let text = (
                    "mehrere Quellen, Verfahren oder Gemeinden verwenden diese Vorgangskennung: die Kennung der Nachricht angeben",
                    "several sources, procedures or municipalities use this case reference: name the message id",
                );
                return Err(Problem::new(Code::NO_SUCH_CASE, text));
            }
            meant.pop().map(|one| one.id)
        }
        (None, None) => None,
    };
    let record = match found {
        Some(message) => journal.message(message).await?,
        None => None,
    };
    let record =
        record.filter(|record| matches!(record.direction, Direction::Application)).ok_or_else(|| {
            let text = (
                "kein Antrag mit dieser Kennung der Nachricht oder des Vorgangs",
                "no application with this message id or case reference",
            );
            Problem::new(Code::NO_SUCH_CASE, text)
        })?;
    if answer.case.is_some()
        && answer.case.as_deref() != record.case.as_ref().map(dds_message::CaseRef::as_str)
    {
        // A mistyped id would send the answer to another citizen; the second reference is there to catch it.
        let text = (
            "der Antrag mit dieser Kennung hat eine andere Vorgangskennung",
            "the application with this message id has another case reference",
        );
        return Err(Problem::new(Code::NO_SUCH_CASE, text));
    }
    source.may_answer_for(record.procedure.as_ref(), record.municipality.as_ref())?;
    Ok(record.id)
}

/// Plans the one delivery of an answer: to the source of its application, unchanged.
pub(crate) async fn plan(
    router: &Router,
    work: &Work,
    (kind, application): (AnswerKind, MessageId),
) -> Result<NewPlan, Problem> {
    let now = router.inner.parts.clock.now();
    let release = router.release();
    let record = router.inner.parts.journal.message(application).await?;
    let target = record.as_ref().map(|record| TargetId::of_source(&record.source));
    let target = target.and_then(|target| release.target(&target));
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
    let mut entry = NewEntry::new(JournalEvent::AnswerRouted);
    entry.data.insert("kind".to_owned(), kind.as_str().into());
    entry.data.insert("application".to_owned(), serde_json::json!(application));
    let mut prepared = None;
    match target {
        Some(target) => {
            plan.state = PlanState::Routed;
            let id = DeliveryId::derive(work.id, &target.id, "answer", 0);
            // Who gets it stands in the journal, as with any delivery; the document goes on as it came.
            prepared = Some(NewEntry {
                delivery: Some(id),
                target: Some(target.id.clone()),
                data: dds_telemetry::Facts::from_iter([("bytes".to_owned(), work.document.len().into())]),
                ..NewEntry::new(JournalEvent::DeliveryPrepared)
            });
            plan.deliveries.push(NewDelivery {
                id,
                target: target.id,
                authority: plan.authority.clone(),
                product: None,
                output: None,
                lane: None,
                pull: target.pull,
                due: now,
                deadline: now.plus(ANSWER_DEADLINE),
            });
        }
        None => entry.code = Some(Code::NO_TARGET),
    }
    plan.entries.push(entry);
    plan.entries.extend(prepared);
    Ok(plan)
}
