//! Transitions of messages: the result of routing, and the decisions of people.

use dds_message::{Code, DeliveryId, DeliveryState, JournalEvent, MessageId, MessageState, Timestamp};
use rusqlite::params;

use super::{
    fault::Outcome,
    fresh::Created,
    payload::Stored,
    queue::Item,
    rows::{self, MessageFacts},
    tx::{Effect, Tx},
};
use crate::{DeliveryRecord, NewDelivery, NewEntry, NewPlan, PlanState, Shipment, StoreError};

/// A delivery with its output sealed.
pub(super) struct SealedDelivery {
    pub(super) delivery: NewDelivery,
    pub(super) output: Option<Stored>,
    /// See [`Created::shipment`].
    pub(super) shipment: Option<Shipment>,
}

/// Result of routing; `false` if the message was planned before.
pub(super) fn plan(
    tx: &mut Tx<'_>,
    plan: &NewPlan,
    deliveries: &[SealedDelivery],
    report: Option<&Stored>,
) -> Outcome<bool> {
    let mut facts = known(tx, plan.message)?;
    if facts.state != MessageState::Accepted {
        return Ok(false);
    }
    let (state, code) = split(plan.state);
    if state == MessageState::Accepted || (state != MessageState::Routed && !deliveries.is_empty()) {
        return Err(
            StoreError::Invalid(format!("a plan cannot leave a message {state} with deliveries")).into()
        );
    }
    tx.db()
        .prepare_cached(
            "UPDATE message SET state = ?2, code = ?3, authority = ?4, release = ?5, rule = ?6, final_at = ?7
             WHERE seq = ?1",
        )?
        .execute(params![
            facts.seq,
            state.as_str(),
            code.map(Code::as_str),
            plan.authority.as_ref().map(dds_message::AuthorityId::as_str),
            plan.release.0.0,
            plan.rule,
            final_at(state, plan.at),
        ])?;
    tx.count_message(Some(facts.state), state);
    facts.state = state;
    facts.subject.authority = plan.authority.as_ref().map(|authority| authority.as_str().to_owned());
    if let Some(report) = report {
        report.insert(tx, "report", facts.seq, facts.seq)?;
    }
    for delivery in deliveries {
        insert(tx, &facts, delivery)?;
    }
    for entry in &plan.entries {
        let of = new_of(deliveries, entry);
        let subject = facts.subject.at(of.and_then(|delivery| delivery.authority.as_ref()));
        let state = if of.is_some() { DeliveryState::Prepared.as_str() } else { state.as_str() };
        tx.log(entry, plan.at, &subject, of.map(|delivery| delivery.target.as_str()), Some(state))?;
    }
    if state == MessageState::Routed {
        conclude(tx, &facts, plan.at)?;
    }
    Ok(true)
}

/// Adds deliveries to a planned message, and redirects the one they replace.
pub(super) fn replan(
    tx: &mut Tx<'_>,
    message: MessageId,
    replaces: Option<DeliveryId>,
    deliveries: &[SealedDelivery],
    entries: &[NewEntry],
    at: Timestamp,
) -> Outcome<()> {
    let facts = known(tx, message)?;
    if matches!(facts.state, MessageState::Accepted | MessageState::Rejected) {
        let why = format!("message {message} is {}: it has no plan to change", facts.state);
        return Err(StoreError::Invalid(why).into());
    }
    if let Some(old) = replaces
        && !redirect(tx, &facts, old, deliveries)?
    {
        return Ok(());
    }
    for delivery in deliveries {
        insert(tx, &facts, delivery)?;
    }
    let next = outlook(tx, &facts)?.0;
    for entry in entries {
        let of = new_of(deliveries, entry);
        let subject = facts.subject.at(of.and_then(|delivery| delivery.authority.as_ref()));
        let state = match of {
            Some(_) => DeliveryState::Prepared.as_str(),
            None if replaces.is_some() && entry.delivery == replaces => DeliveryState::Redirected.as_str(),
            None => next.as_str(),
        };
        tx.log(entry, at, &subject, of.map(|delivery| delivery.target.as_str()), Some(state))?;
    }
    conclude(tx, &facts, at)?;
    Ok(())
}

/// The new delivery that an entry tells of.
fn new_of<'a>(deliveries: &'a [SealedDelivery], entry: &NewEntry) -> Option<&'a NewDelivery> {
    deliveries.iter().map(|sealed| &sealed.delivery).find(|delivery| Some(delivery.id) == entry.delivery)
}

/// `false`: it was redirected to these very deliveries before.
fn redirect(tx: &mut Tx<'_>, facts: &MessageFacts, old: DeliveryId, new: &[SealedDelivery]) -> Outcome<bool> {
    let sql = "SELECT state FROM delivery WHERE id = ?1 AND message = ?2";
    let params = params![old.0.as_bytes(), facts.seq];
    let state = rows::one(tx.db(), sql, params, |row| rows::delivery_state(row, "state"))?
        .ok_or_else(|| StoreError::NotFound(format!("delivery {old} of message {}", facts.id)))?;
    if state == DeliveryState::Redirected {
        for sealed in new {
            let there = "SELECT 1 FROM delivery WHERE id = ?1 AND message = ?2";
            let params = params![sealed.delivery.id.0.as_bytes(), facts.seq];
            if rows::one(tx.db(), there, params, |_| Ok(()))?.is_none() {
                // Two people at the same time: the document must not go to both places.
                return Err(StoreError::Invalid(format!("delivery {old} was redirected elsewhere")).into());
            }
        }
        return Ok(false);
    }
    if matches!(state, DeliveryState::Delivered | DeliveryState::Cancelled) {
        return Err(StoreError::Invalid(format!("delivery {old} is {state}")).into());
    }
    if !state.is_final() && !tx.begin(&crate::Lease::manual(old)) {
        let why = format!("an attempt at delivery {old} is under way: try again when it has ended");
        return Err(StoreError::Invalid(why).into());
    }
    tx.db()
        .prepare_cached("UPDATE delivery SET state = ?2 WHERE id = ?1")?
        .execute(params![old.0.as_bytes(), DeliveryState::Redirected.as_str()])?;
    tx.count_delivery(Some(state), DeliveryState::Redirected);
    tx.effect(Effect::Remove(old));
    Ok(true)
}

/// A person's decision on a message.
pub(super) fn set_state(
    tx: &mut Tx<'_>,
    message: MessageId,
    state: PlanState,
    report: Option<&Stored>,
    entry: &NewEntry,
    at: Timestamp,
) -> Outcome<()> {
    let facts = known(tx, message)?;
    let (next, code) = split(state);
    let decidable = matches!(facts.state, MessageState::Accepted | MessageState::Parked);
    if !decidable || next == MessageState::Routed {
        let why = format!("message {message} is {} and cannot become {next} by decision", facts.state);
        return Err(StoreError::Invalid(why).into());
    }
    if next == MessageState::Rejected {
        call_off(tx, &facts, entry, at)?;
    }
    if let Some(report) = report {
        report.insert(tx, "report", facts.seq, facts.seq)?;
    }
    move_to(tx, &facts, next, code.map(Code::as_str), at)?;
    let entry = NewEntry { code: entry.code.or(code), ..entry.clone() };
    tx.log(&entry, at, &facts.subject, None, Some(next.as_str()))
}

/// The dead letters of a message that is rejected, which nobody must try again.
fn call_off(tx: &mut Tx<'_>, facts: &MessageFacts, entry: &NewEntry, at: Timestamp) -> Outcome<()> {
    let sql = "SELECT id, state, target, authority FROM delivery WHERE message = ?1 ORDER BY seq";
    let deliveries = rows::all(tx.db(), sql, [facts.seq], |row| {
        let (target, authority): (String, Option<String>) = (row.get("target")?, row.get("authority")?);
        let id = DeliveryId(rows::uuid(row, "id")?);
        Ok((id, rows::delivery_state(row, "state")?, target, authority))
    })?;
    for (id, state, target, authority) in deliveries {
        match state {
            DeliveryState::Redirected | DeliveryState::Cancelled => continue,
            DeliveryState::DeadLetter => {}
            DeliveryState::Delivered | DeliveryState::Prepared | DeliveryState::InDoubt => {
                let why = format!(
                    "delivery {id} to {target} is {state}: the message cannot be rejected as a whole"
                );
                return Err(StoreError::Invalid(why).into());
            }
        }
        let next = DeliveryState::Cancelled;
        tx.db()
            .prepare_cached("UPDATE delivery SET state = ?2 WHERE id = ?1")?
            .execute(params![id.0.as_bytes(), next.as_str()])?;
        tx.count_delivery(Some(state), next);
        let told = NewEntry {
            delivery: Some(id),
            data: entry.data.clone(),
            ..NewEntry::new(JournalEvent::DeliveryCancelled)
        };
        let mut subject = facts.subject.clone();
        subject.authority = authority.or(subject.authority);
        tx.log(&told, at, &subject, Some(&target), Some(next.as_str()))?;
    }
    Ok(())
}

fn known(tx: &Tx<'_>, message: MessageId) -> Outcome<MessageFacts> {
    rows::facts_of(tx.db(), message)?.ok_or_else(|| StoreError::NotFound(format!("message {message}")).into())
}

fn split(state: PlanState) -> (MessageState, Option<Code>) {
    match state {
        PlanState::Accepted => (MessageState::Accepted, None),
        PlanState::Routed => (MessageState::Routed, None),
        PlanState::Rejected(code) => (MessageState::Rejected, Some(code)),
        PlanState::Parked(code) => (MessageState::Parked, Some(code)),
    }
}

/// Start of the retention period. A parked message has none: a person must act first.
fn final_at(state: MessageState, at: Timestamp) -> Option<i64> {
    matches!(state, MessageState::Completed | MessageState::Rejected).then_some(at.0)
}

fn move_to(
    tx: &mut Tx<'_>,
    facts: &MessageFacts,
    next: MessageState,
    code: Option<&str>,
    at: Timestamp,
) -> Outcome<()> {
    tx.db()
        .prepare_cached("UPDATE message SET state = ?2, code = ?3, final_at = ?4 WHERE seq = ?1")?
        .execute(params![facts.seq, next.as_str(), code, final_at(next, at)])?;
    tx.count_message(Some(facts.state), next);
    Ok(())
}

/// Creates the delivery; one that exists already stays as it is.
fn insert(tx: &mut Tx<'_>, facts: &MessageFacts, sealed: &SealedDelivery) -> Outcome<()> {
    let SealedDelivery { delivery, output, shipment } = sealed;
    let created = tx
        .db()
        .prepare_cached(
            "INSERT INTO delivery (id, message, target, authority, product, state, attempts, due, deadline,
             lane, pull, output_digest, media_type, file_name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            delivery.id.0.as_bytes(),
            facts.seq,
            delivery.target.as_str(),
            delivery.authority.as_ref().map(dds_message::AuthorityId::as_str),
            delivery.product,
            DeliveryState::Prepared.as_str(),
            delivery.due.0,
            delivery.deadline.0,
            delivery.lane.map(u64::cast_signed),
            delivery.pull,
            delivery.output.as_ref().map(|output| output.digest.0),
            delivery.output.as_ref().map(|output| &output.media_type),
            delivery.output.as_ref().map(|output| &output.file_name),
        ])?;
    if created == 0 {
        return Ok(());
    }
    let seq = tx.db().last_insert_rowid();
    if let Some(output) = output {
        output.insert(tx, "output", seq, facts.seq)?;
    }
    tx.count_delivery(None, DeliveryState::Prepared);
    let item = Item {
        id: delivery.id,
        seq,
        target: delivery.target.clone(),
        procedure: facts.procedure.clone(),
        pull: delivery.pull,
        lane: delivery.lane,
        due: delivery.due,
        deadline: delivery.deadline,
        doubt: false,
        past: false,
    };
    let record = DeliveryRecord {
        id: delivery.id,
        message: facts.id,
        target: delivery.target.clone(),
        authority: delivery.authority.clone(),
        product: delivery.product.clone(),
        state: DeliveryState::Prepared,
        attempts: 0,
        due: delivery.due,
        deadline: delivery.deadline,
        code: None,
        receipt: None,
        output_digest: delivery.output.as_ref().map(|output| output.digest),
        pull: delivery.pull,
        lane: delivery.lane,
    };
    let created = Created { record, shipment: shipment.clone() };
    tx.effect(Effect::Insert(item, Some(Box::new(created))));
    Ok(())
}

/// What the deliveries make of the message: its state, and the code of a dead letter among them.
fn outlook(tx: &Tx<'_>, facts: &MessageFacts) -> Outcome<(MessageState, Option<String>)> {
    let sql = "SELECT count(*) AS n, count(*) FILTER (WHERE state IN ('prepared', 'in_doubt')) AS open,
               count(*) FILTER (WHERE state = 'dead_letter') AS dead,
               count(*) FILTER (WHERE state = 'delivered') AS done,
               max(code) FILTER (WHERE state = 'dead_letter') AS code FROM delivery WHERE message = ?1";
    let outlook = rows::one(tx.db(), sql, [facts.seq], |row| {
        let (n, open, dead): (i64, i64, i64) = (row.get("n")?, row.get("open")?, row.get("dead")?);
        Ok(match (n, open, dead, row.get::<_, i64>("done")?) {
            (0, ..) => (facts.state, None),
            (_, 1.., ..) => (MessageState::Routed, None),
            (_, _, 1.., _) => (MessageState::Parked, row.get("code")?),
            // Nobody has it: its sender must not read that it was completed.
            (.., 0) => (MessageState::Rejected, Some(Code::ENDED_BY_HAND.as_str().to_owned())),
            _ => (MessageState::Completed, None),
        })
    })?;
    Ok(outlook.unwrap_or((facts.state, None)))
}

/// Moves a planned message to the state that its deliveries give it, with a journal entry; returns its state.
pub(super) fn conclude(tx: &mut Tx<'_>, facts: &MessageFacts, at: Timestamp) -> Outcome<MessageState> {
    // Rejected by a person, or back in routing: its old deliveries no longer decide.
    if matches!(facts.state, MessageState::Accepted | MessageState::Rejected) {
        return Ok(facts.state);
    }
    let (next, code) = outlook(tx, facts)?;
    if next == facts.state {
        return Ok(next);
    }
    move_to(tx, facts, next, code.as_deref(), at)?;
    let event = match next {
        MessageState::Completed => JournalEvent::MessageCompleted,
        MessageState::Parked => JournalEvent::MessageParked,
        MessageState::Rejected => JournalEvent::MessageRejected,
        _ => JournalEvent::MessageReopened,
    };
    let entry = NewEntry { code: code.as_deref().and_then(Code::from_name), ..NewEntry::new(event) };
    tx.log(&entry, at, &facts.subject, None, Some(next.as_str()))?;
    Ok(next)
}
