//! Rückkanal: receipt, further request and decision go back to the source of the application.

use std::collections::BTreeSet;

use dds_depot::{Source, Target};
use dds_message::{
    AnswerKind, AuthorityId, Code, DeliveryId, DeliveryState, Direction, EntryFacts, JournalEvent, MessageId,
    Problem, SourceId, TargetId, Timestamp,
};
use dds_store::{CaseApplication, MessageRecord, NewDelivery, NewEntry, NewPlan, PlanState};

use crate::{ANSWER_DEADLINE, Answer, Router, dispatch::Work};

/// The application that an answer names by message id or case. `from` must be allowed to answer for an authority that
/// has it (`DDS-I002`), whatever municipality it names; an answer that matches nothing, or what nobody has, is
/// `DDS-I013`.
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
            meant.retain(|one| source.may_answer_for(one.procedure.as_ref(), &one.authority).is_ok());
            let whose = |one: &CaseApplication| (one.source.clone(), one.procedure.clone(), one.municipality);
            if meant.iter().any(|one| whose(one) != whose(&meant[0])) {
                // Taking the newest could send an answer to another citizen.
                let text = (
                    "mehrere Quellen, Verfahren oder Gemeinden verwenden diese Vorgangskennung: die Kennung der Nachricht angeben",
                    "several sources, procedures or municipalities use this case reference: name the message id",
                );
                return Err(Problem::new(Code::NO_SUCH_CASE, text));
            }
            meant.first().map(|one| one.id)
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
    let mut refused = None;
    for authority in holders(&record) {
        match source.may_answer_for(record.procedure.as_ref(), authority) {
            Ok(()) => return Ok(record.id),
            Err(problem) => refused = Some(problem),
        }
    }
    Err(refused.unwrap_or_else(|| {
        let text = (
            "diesen Antrag hat keine Stelle: er ist noch nicht zugeordnet, abgelehnt oder storniert",
            "no authority has this application: it is not routed yet, or was rejected or called off",
        );
        Problem::new(Code::NO_SUCH_CASE, text)
    }))
}

/// The authorities that have an application or are about to get it, each once. A delivery that goes to another target
/// now, or was called off, leaves it with nobody.
fn holders(application: &MessageRecord) -> BTreeSet<&AuthorityId> {
    let gone = |state| matches!(state, DeliveryState::Redirected | DeliveryState::Cancelled);
    let deliveries = application.deliveries.iter().filter(|delivery| !gone(delivery.state));
    deliveries.filter_map(|delivery| delivery.authority.as_ref()).collect()
}

/// For whom `source` answers `application`; `None` if that could be several, or the source lost the right meanwhile.
fn answering(source: &Source, application: &MessageRecord) -> Option<AuthorityId> {
    let procedure = application.procedure.as_ref();
    let mut able = holders(application);
    able.retain(|authority| source.may_answer_for(procedure, authority).is_ok());
    (able.len() == 1).then(|| able.first().copied().cloned()).flatten()
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
    let source = release.source(&work.source);
    let authority = source.zip(record.as_ref()).and_then(|(source, record)| answering(source, record));
    let target = record.as_ref().map(|record| TargetId::of_source(&record.source));
    let target = target.and_then(|target| release.target(&target));
    let mut plan = NewPlan {
        message: work.id,
        at: now,
        release: release.id(),
        rule: String::new(),
        authority,
        state: PlanState::Parked(Code::NO_TARGET),
        deliveries: Vec::new(),
        report: None,
        entries: Vec::new(),
    };
    let mut entry = NewEntry::new(JournalEvent::AnswerRouted);
    entry.data.note("kind", kind.as_str());
    entry.data.note("application", application);
    let mut prepared = None;
    match target {
        Some(target) => {
            plan.state = PlanState::Routed;
            let (new, told) = delivery(work, target, plan.authority.clone(), now, 0);
            plan.deliveries.push(new);
            prepared = Some(told);
        }
        None => entry.code = Some(Code::NO_TARGET),
    }
    plan.entries.push(entry);
    plan.entries.extend(prepared);
    Ok(plan)
}

/// A delivery of an answer to its source, the `run`th of it. Who gets it stands in the journal, as with any delivery;
/// the document goes on as it came.
pub(crate) fn delivery(
    work: &Work,
    target: Target,
    authority: Option<AuthorityId>,
    now: Timestamp,
    run: u32,
) -> (NewDelivery, NewEntry) {
    let id = DeliveryId::derive(work.id, &target.id, "answer", run);
    let prepared = NewEntry {
        delivery: Some(id),
        target: Some(target.id.clone()),
        data: EntryFacts::new().with("bytes", work.document.len()),
        ..NewEntry::new(JournalEvent::DeliveryPrepared)
    };
    let delivery = NewDelivery {
        id,
        target: target.id,
        authority,
        product: None,
        output: None,
        lane: None,
        pull: target.pull,
        due: now,
        deadline: now.plus(ANSWER_DEADLINE),
    };
    (delivery, prepared)
}
