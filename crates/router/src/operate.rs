//! What a person may do with a message: release it from parking or reject it; deliver again, redirect, settle or call
//! off a delivery.
//!
//! Refusals speak to the operator: DDS-C016 (no such id), DDS-C017 (not in this state), DDS-C013 (a wish that cannot
//! be).

use dds_message::{
    Code, DeliveryId, DeliveryState, Finding, JournalEvent, MessageId, MessageState, Problem, Severity,
    TargetId,
};
use dds_store::{
    DeliveryRecord, Lease, MessageRecord, NewDelivery, NewEntry, Outcome, PlanState, Settled, Settlement,
    StoreError,
};
use serde::{Deserialize, Serialize};

use crate::{ANSWER_DEADLINE, Router, accept, answer, delivery_of, dispatch, status};

/// Longest reason of a rejection, in characters.
const LONGEST_REASON: usize = 1_000;

impl Router {
    /// Gives a parked message back to routing, after its cause was mended.
    pub async fn release_parked(&self, id: MessageId, by: &str) -> Result<(), Problem> {
        let record = self.parked(id).await?;
        if !record.deliveries.is_empty() {
            return Err(unfit(
                "sie ist zugeordnet; ihre Zustellungen warten".to_owned(),
                "it was routed; its deliveries wait".to_owned(),
            ));
        }
        let entry = by_person(JournalEvent::MessageReleased, by);
        self.inner.parts.journal.set_state(id, PlanState::Accepted, None, entry).await.map_err(told)?;
        self.inner.queue.look_again();
        Ok(())
    }

    /// Ends a parked message that shall not be delivered: it is rejected (`DDS-R009`) and its dead letters are called
    /// off. The sender reads `reason` with the status; it is sealed like the message, because it may name a person.
    pub async fn reject_parked(&self, id: MessageId, reason: &str, by: &str) -> Result<(), Problem> {
        let length = reason.trim().chars().count();
        if !(1..=LONGEST_REASON).contains(&length) {
            let text = (
                format!("der Grund hat {length} Zeichen, möglich sind 1 bis {LONGEST_REASON}"),
                format!("the reason has {length} characters, possible are 1 to {LONGEST_REASON}"),
            );
            return Err(Problem::new(Code::BAD_ARGUMENT, text));
        }
        self.parked(id).await?;
        let journal = &self.inner.parts.journal;
        let code = Code::ENDED_BY_HAND;
        let mut findings = vec![Finding {
            severity: Severity::Error,
            rule: code.to_string(),
            location: String::new(),
            text: reason.trim().to_owned(),
        }];
        findings
            .extend(journal.report(id).await?.map(|report| status::findings(&report)).unwrap_or_default());
        let report = serde_json::to_vec(&findings).map_err(|error| {
            let text = (
                format!("der Prüfbericht lässt sich nicht schreiben: {error}"),
                format!("writing the report: {error}"),
            );
            Problem::new(Code::INTERNAL, text)
        })?;
        let entry = by_person(JournalEvent::MessageRejected, by);
        journal.set_state(id, PlanState::Rejected(code), Some(report.into()), entry).await.map_err(told)
    }

    /// Makes a delivery due again that is dead, doubtful, or put off by a clock that was ahead, under the same id, so
    /// that a target that got it already recognises it. One whose target is served another way now (fetches, or does
    /// so no more) is made anew, also while it waits: the old one would wait in vain.
    pub async fn deliver_again(&self, id: DeliveryId, by: &str) -> Result<(), Problem> {
        let (record, delivery) = self.undone(id).await?;
        let release = self.release();
        if release.target(&delivery.target).is_some_and(|target| target.pull != delivery.pull) {
            self.replace(&record, &delivery, &delivery.target, true, by).await?;
            return Ok(());
        }
        let now = self.inner.parts.clock.now();
        if delivery.state == DeliveryState::Prepared && !delivery.is_put_off(now) {
            return Err(waits());
        }
        let rule = record.rule.as_deref().and_then(|name| release.rule(name));
        let deadline = now.plus(rule.map_or(ANSWER_DEADLINE, |rule| rule.value.deadline.0));
        let entry = of_delivery(JournalEvent::DeliveryAgain, &delivery, by);
        self.inner.parts.journal.revive(id, now, deadline, entry).await.map_err(told)
    }

    /// Sends a delivery that is not done to another target instead, or to the same in the way it is served now; the
    /// stylesheet of its product makes new bytes. An answer goes to no other source. Another
    /// authority must do the procedure, and the target must not get the message already, unless the person insists
    /// (`force`). Answers who gets it now.
    pub async fn redirect(
        &self,
        id: DeliveryId,
        to: &TargetId,
        force: bool,
        by: &str,
    ) -> Result<Redirected, Problem> {
        let (record, delivery) = self.undone(id).await?;
        self.replace(&record, &delivery, to, force, by).await
    }

    /// Settles a doubtful or dead delivery by the word of a person who asked the target.
    pub async fn settle_by_hand(&self, id: DeliveryId, by: &str) -> Result<(), Problem> {
        let (_, delivery) = self.stopped(id).await?;
        let entry = of_delivery(JournalEvent::DeliveryDelivered, &delivery, by);
        self.decide(id, Outcome::Delivered { receipt: None }, entry).await
    }

    /// Calls off a delivery that is not done and that nobody holds. Its message is completed if somebody else got it,
    /// and otherwise rejected (`DDS-R009`).
    pub async fn cancel(&self, id: DeliveryId, by: &str) -> Result<(), Problem> {
        let (_, delivery) = self.undone(id).await?;
        self.decide(id, Outcome::Cancelled, of_delivery(JournalEvent::DeliveryCancelled, &delivery, by)).await
    }

    async fn decide(&self, id: DeliveryId, outcome: Outcome, entry: NewEntry) -> Result<(), Problem> {
        let late = matches!(outcome, Outcome::Delivered { .. });
        let at = self.inner.parts.clock.now();
        let settlement = Settlement { lease: Lease::manual(id), outcome, at, late, entry };
        if self.settle(vec![settlement]).await?.iter().any(|settled| settled.state().is_some()) {
            return Ok(());
        }
        Err(unfit(
            "ein Versuch läuft gerade, oder die Zustellung ist inzwischen anders beendet".to_owned(),
            "an attempt is under way, or the delivery ended otherwise meanwhile".to_owned(),
        ))
    }

    /// Settles deliveries, and tells what that completes.
    pub(crate) async fn settle(&self, outcomes: Vec<Settlement>) -> Result<Vec<Settled>, StoreError> {
        let settled = self.inner.parts.journal.settle(outcomes).await?;
        for completed in settled.iter().filter_map(Settled::completed) {
            self.inner.parts.telemetry.record(completed);
        }
        Ok(settled)
    }

    async fn parked(&self, id: MessageId) -> Result<MessageRecord, Problem> {
        let record = self.record(id).await?;
        let state = record.state;
        if state == MessageState::Parked {
            return Ok(record);
        }
        Err(unfit(
            format!("die Nachricht ist kein Klärfall (Stand: {})", state.german()),
            format!("the message is {state}, not parked"),
        ))
    }

    async fn record(&self, id: MessageId) -> Result<MessageRecord, Problem> {
        let record = self.inner.parts.journal.message(id).await?;
        record.ok_or_else(|| nothing((format!("keine Nachricht {id}"), format!("no message {id}"))))
    }

    /// A delivery that waits for a person.
    async fn stopped(&self, id: DeliveryId) -> Result<(MessageRecord, DeliveryRecord), Problem> {
        let (record, delivery) = self.undone(id).await?;
        if delivery.state == DeliveryState::Prepared {
            return Err(waits());
        }
        Ok((record, delivery))
    }

    /// A delivery that is neither done nor decided otherwise.
    async fn undone(&self, id: DeliveryId) -> Result<(MessageRecord, DeliveryRecord), Problem> {
        let delivery = self.inner.parts.journal.delivery(id).await?;
        let delivery = delivery
            .ok_or_else(|| nothing((format!("keine Zustellung {id}"), format!("no delivery {id}"))))?;
        let state = delivery.state;
        if matches!(state, DeliveryState::Delivered | DeliveryState::Redirected | DeliveryState::Cancelled) {
            return Err(unfit(
                format!("die Zustellung ist abgeschlossen (Stand: {})", state.german()),
                format!("the delivery is {state}"),
            ));
        }
        Ok((self.record(delivery.message).await?, delivery))
    }

    /// Makes the document of a message for another target, under the active release, and says so in the journal: what
    /// went out under which release can be told even though the message keeps the one it was matched with (I4).
    async fn replace(
        &self,
        record: &MessageRecord,
        old: &DeliveryRecord,
        to: &TargetId,
        force: bool,
        by: &str,
    ) -> Result<Redirected, Problem> {
        if !force && let Some(other) = record.deliveries.iter().find(|other| gets(other, old, to)) {
            let (id, state) = (other.id, other.state);
            return Err(unfit(
                format!(
                    "{to} erhält die Nachricht schon (Zustellung {id}, Stand: {}): --force schickt sie noch einmal",
                    state.german()
                ),
                format!(
                    "{to} gets the message already (delivery {id} is {state}): --force sends it once more"
                ),
            ));
        }
        let document = self.inner.parts.journal.document(record.id).await?;
        let release = self.release();
        let run = u32::try_from(record.deliveries.len()).unwrap_or(u32::MAX);
        let work = dispatch::work(record.clone(), document);
        if work.answers.is_some() {
            let target = release.target(to).filter(|target| target.id == old.target).ok_or_else(|| {
                let text = (
                    "eine Antwort geht nur an die Quelle ihres Antrags",
                    "an answer goes to no other than the source of its application",
                );
                Problem::new(Code::BAD_ARGUMENT, text)
            })?;
            let office = target.source.as_ref().map(ToString::to_string).unwrap_or_default();
            let now = self.inner.parts.clock.now();
            let new = answer::delivery(&work, target, old.authority.clone(), now, run);
            return self.put_instead(old, new, (office, String::new()), by).await;
        }
        let day = work.at.legal_day();
        let limits = &self.inner.options.limits;
        let (facts, recognised) = accept::recognise(&release, &work.document, work.format, limits, &day)?;
        if !force {
            release.suits(to, old.authority.as_ref(), &facts, recognised, &day)?;
        }
        let plan = release.plan_to(to, &facts, recognised, &day)?;
        let id = DeliveryId::derive(record.id, to, record.rule.as_deref().unwrap_or_default(), run);
        let (new, mut prepared) =
            Box::pin(delivery_of::prepare(self, &release, &work, &plan, &facts, id)).await?;
        prepared.data.note("release", release.id());
        prepared.data.note("rule", &plan.rule);
        let deadline = new.due.plus(plan.deadline);
        let delivery = NewDelivery { deadline, ..new };
        let receiver = plan.deliveries.into_iter().next();
        let receiver = receiver.map_or_else(Default::default, |one| (one.authority_name, one.product));
        self.put_instead(old, (delivery, prepared), receiver, by).await
    }

    /// Puts a new delivery in the place of another; `receiver` is the name of who gets it and its product.
    async fn put_instead(
        &self,
        old: &DeliveryRecord,
        (new, mut prepared): (NewDelivery, NewEntry),
        (office, product): (String, String),
        by: &str,
    ) -> Result<Redirected, Problem> {
        let (delivery, target) = (new.id, new.target.clone());
        prepared.data.note("replaces", old.id);
        let mut entry = of_delivery(JournalEvent::DeliveryRedirected, old, by);
        entry.data.note("to", &target);
        entry.data.note("replacement", delivery);
        let journal = &self.inner.parts.journal;
        journal.replan(old.message, Some(old.id), vec![new], vec![entry, prepared]).await.map_err(told)?;
        Ok(Redirected { delivery, target, office, product })
    }
}

/// Neuer Empfänger of a redirected delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirected {
    /// The delivery that replaces it.
    pub delivery: DeliveryId,
    /// Its target.
    pub target: TargetId,
    /// Name of the office there; of an answer the source.
    pub office: String,
    /// Product there, such as `fv-steuerwerk@3.2`; of an answer none.
    pub product: String,
}

/// Whether a delivery beside `old` has brought the message to `to`, or still may.
fn gets(other: &DeliveryRecord, old: &DeliveryRecord, to: &TargetId) -> bool {
    let open =
        matches!(other.state, DeliveryState::Prepared | DeliveryState::InDoubt | DeliveryState::Delivered);
    other.id != old.id && other.target == *to && open
}

fn by_person(event: JournalEvent, by: &str) -> NewEntry {
    let mut entry = NewEntry::new(event);
    entry.data.note("by", by);
    entry
}

fn of_delivery(event: JournalEvent, delivery: &DeliveryRecord, by: &str) -> NewEntry {
    let target = Some(delivery.target.clone());
    NewEntry { delivery: Some(delivery.id), target, ..by_person(event, by) }
}

fn waits() -> Problem {
    let german = "die Zustellung wartet auf ihren nächsten Versuch";
    unfit(german.to_owned(), "the delivery waits for its next attempt".to_owned())
}

fn nothing(text: (String, String)) -> Problem {
    Problem::new(Code::NO_SUCH_ID, text)
}

fn unfit(german: String, english: String) -> Problem {
    Problem::new(Code::WRONG_STATE, (german, english))
}

/// What the store refused because something changed in the meantime concerns the operator, not our makers.
fn told(error: StoreError) -> Problem {
    match error {
        StoreError::Invalid(why) => {
            unfit(format!("das geht in diesem Zustand nicht (Meldung: „{why}“)"), why)
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use dds_message::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn delivery(id: u128, to: &TargetId, state: DeliveryState) -> DeliveryRecord {
        DeliveryRecord {
            id: DeliveryId(Uuid::from_u128(id)),
            message: MessageId(Uuid::nil()),
            target: to.clone(),
            authority: None,
            product: None,
            state,
            attempts: 1,
            due: Timestamp(0),
            deadline: Timestamp(0),
            code: None,
            receipt: None,
            output_digest: None,
            pull: false,
            lane: None,
        }
    }

    #[test]
    fn a_target_gets_the_message_once_unless_it_never_had_it() {
        let target = |name: &str| TargetId::parse(name).unwrap();
        let (dms, tax) = (target("146120000000/archiv/dms"), target("146120000000/steueramt/fv"));
        let old = delivery(1, &dms, DeliveryState::DeadLetter);
        for (state, has) in [
            (DeliveryState::Prepared, true),
            (DeliveryState::Delivered, true),
            (DeliveryState::InDoubt, true),
            (DeliveryState::DeadLetter, false),
            (DeliveryState::Redirected, false),
            (DeliveryState::Cancelled, false),
        ] {
            assert_eq!(gets(&delivery(2, &tax, state), &old, &tax), has, "{state}");
            assert!(!gets(&delivery(2, &dms, state), &old, &tax), "{state} of another target");
        }
        assert!(!gets(&old, &old, &dms), "made anew for the same target");
    }
}
