//! Transitions of deliveries.

use std::collections::BTreeMap;

use dds_message::{Code, Completed, DeliveryId, DeliveryState, MessageState, TargetId, Timestamp};
use rusqlite::params;

use super::{
    fault::{Outcome as Done, damaged},
    plan,
    queue::Item,
    rows::{self, MessageFacts},
    tx::{Effect, Subject, Tx},
};
use crate::{Attempting, LONGEST_REST, Lease, NewEntry, Outcome, Settled, Settlement, StoreError};

/// A delivery and its message, as a transition needs them.
struct Facts {
    seq: i64,
    state: DeliveryState,
    code: Option<Code>,
    target: String,
    authority: Option<String>,
    lane: Option<i64>,
    pull: bool,
    due: Timestamp,
    message: MessageFacts,
}

impl Facts {
    fn find(tx: &Tx<'_>, id: DeliveryId) -> Done<Option<Self>> {
        let sql = concat!(
            "SELECT d.seq, d.state, d.code, d.target, d.authority, d.lane, d.pull, d.due, ",
            rows::message_columns!(),
            " FROM delivery d JOIN message m ON m.seq = d.message ",
            rows::its_application!(),
            " WHERE d.id = ?1"
        );
        rows::one(tx.db(), sql, [id.0.as_bytes()], |row| {
            let code: Option<String> = row.get("code")?;
            Ok(Self {
                seq: row.get("seq")?,
                state: rows::delivery_state(row, "state")?,
                code: code.as_deref().and_then(Code::from_name),
                target: row.get("target")?,
                authority: row.get("authority")?,
                lane: row.get("lane")?,
                pull: row.get("pull")?,
                due: rows::time(row, "due")?,
                message: rows::message_facts(row)?,
            })
        })
    }

    /// Whether a receipt still counts that comes after the lease or the deadline. What a person gave to somebody else
    /// or called off, and what the target sent back or was never offered, is decided otherwise.
    fn awaits_receipt(&self) -> bool {
        match self.state {
            DeliveryState::Prepared | DeliveryState::InDoubt => true,
            DeliveryState::DeadLetter => !was_refused(self.code),
            DeliveryState::Delivered | DeliveryState::Redirected | DeliveryState::Cancelled => false,
        }
    }

    fn subject(&self) -> Subject {
        let mut subject = self.message.subject.clone();
        subject.authority = self.authority.clone().or(subject.authority);
        subject
    }
}

/// Whether the target sent it back, or was never offered it: no lease from before that counts any more, even when a
/// person has made it due again.
fn was_refused(code: Option<Code>) -> bool {
    matches!(code, Some(Code::FETCH_REJECTED | Code::TARGET_TOO_LARGE))
}

/// An entry that changes no state. One that names a delivery belongs to the message of it.
pub(super) fn note(tx: &mut Tx<'_>, entry: &NewEntry, at: Timestamp) -> Done<()> {
    let facts = entry.delivery.map(|id| Facts::find(tx, id)).transpose()?.flatten();
    let subject = facts.as_ref().map_or_else(Subject::default, Facts::subject);
    tx.log(entry, at, &subject, facts.as_ref().map(|facts| facts.target.as_str()), None)
}

/// Durable mark of a begun attempt; `false` if the lease was lost.
pub(super) fn attempting(tx: &mut Tx<'_>, attempt: &Attempting, at: Timestamp) -> Done<bool> {
    let id = attempt.lease.delivery;
    let Some(facts) = Facts::find(tx, id)?.filter(|facts| !facts.state.is_final()) else { return Ok(false) };
    if attempt.lease.epoch == 0 || !tx.begin(&attempt.lease) {
        return Ok(false);
    }
    let next = DeliveryState::InDoubt;
    tx.db()
        .prepare_cached("UPDATE delivery SET state = ?2, attempts = attempts + 1 WHERE seq = ?1")?
        .execute(params![facts.seq, next.as_str()])?;
    tx.count_delivery(Some(facts.state), next);
    tx.effect(Effect::Attempting(id));
    let entry = NewEntry { delivery: Some(id), ..attempt.entry.clone() };
    tx.log(&entry, at, &facts.subject(), Some(&facts.target), Some(next.as_str()))?;
    Ok(true)
}

/// Outcomes, in order.
pub(super) fn settle(tx: &mut Tx<'_>, outcomes: &[Settlement]) -> Done<Vec<Settled>> {
    outcomes.iter().map(|settlement| settle_one(tx, settlement)).collect()
}

fn settle_one(tx: &mut Tx<'_>, settlement: &Settlement) -> Done<Settled> {
    let &Settlement { ref lease, ref outcome, at, late, ref entry } = settlement;
    let Some(facts) = Facts::find(tx, lease.delivery)? else { return Ok(Settled::Stale) };
    let manual = lease.epoch == 0;
    // What the target has, it has.
    if late && facts.state == DeliveryState::Delivered {
        return Ok(Settled::Applied { state: facts.message.state, completed: None });
    }
    let decides = manual && matches!(outcome, Outcome::Delivered { .. } | Outcome::Cancelled);
    let held = match facts.state {
        DeliveryState::Prepared | DeliveryState::InDoubt => tx.begin(lease),
        DeliveryState::DeadLetter => decides,
        DeliveryState::Delivered | DeliveryState::Redirected | DeliveryState::Cancelled => false,
    };
    if !held && !(late && facts.awaits_receipt() && (manual || tx.gave_out(lease))) {
        return Ok(Settled::Stale);
    }
    if !held {
        tx.begin_always(lease.delivery);
    }
    let (next, due, code, receipt) = match *outcome {
        Outcome::Delivered { ref receipt } => (DeliveryState::Delivered, None, None, receipt.as_deref()),
        Outcome::Retry { at, code } => (DeliveryState::Prepared, Some(at), Some(code), None),
        Outcome::DeadLetter { code } => (DeliveryState::DeadLetter, None, Some(code), None),
        Outcome::Cancelled => (DeliveryState::Cancelled, None, None, None),
    };
    // An attempt marked before it began was counted then.
    let attempted =
        held && !manual && facts.state == DeliveryState::Prepared && next != DeliveryState::Cancelled;
    tx.db()
        .prepare_cached(
            "UPDATE delivery SET state = ?2, attempts = attempts + ?3, due = coalesce(?4, due),
             code = coalesce(?5, code), receipt = coalesce(?6, receipt) WHERE seq = ?1",
        )?
        .execute(params![
            facts.seq,
            next.as_str(),
            attempted,
            due.map(|due| due.0),
            code.map(Code::as_str),
            receipt,
        ])?;
    tx.count_delivery(Some(facts.state), next);
    tx.effect(match due {
        Some(due) => Effect::Retry(lease.delivery, due),
        None => Effect::Remove(lease.delivery),
    });
    let mut entry = NewEntry { delivery: Some(lease.delivery), code: entry.code.or(code), ..entry.clone() };
    if let Some(receipt) = receipt {
        // What the target gave for it is evidence like the delivery itself.
        entry.data.note("receipt", receipt);
    }
    tx.log(&entry, at, &facts.subject(), Some(&facts.target), Some(next.as_str()))?;
    let MessageFacts { id: message, state: before, at: accepted, procedure, .. } = &facts.message;
    let state = plan::conclude(tx, &facts.message, at)?;
    let completes = state == MessageState::Completed && *before != state;
    let completed = completes.then(|| Completed {
        message: *message,
        procedure: procedure.clone(),
        took: at.since(*accepted),
    });
    Ok(Settled::Applied { state, completed })
}

/// Makes a delivery due again that is a dead letter, in doubt, or put off by a clock that was ahead.
pub(super) fn revive(
    tx: &mut Tx<'_>,
    id: DeliveryId,
    due: Timestamp,
    deadline: Timestamp,
    entry: &NewEntry,
    at: Timestamp,
) -> Done<()> {
    let facts = Facts::find(tx, id)?.ok_or_else(|| StoreError::NotFound(format!("delivery {id}")))?;
    let planned = !matches!(facts.message.state, MessageState::Accepted | MessageState::Rejected);
    let revivable = match facts.state {
        DeliveryState::DeadLetter => planned,
        DeliveryState::InDoubt => planned && tx.begin(&Lease::manual(id)),
        // A clock that was ahead put it off, and perhaps its deadline too.
        DeliveryState::Prepared => facts.due > at.plus(LONGEST_REST) && tx.begin(&Lease::manual(id)),
        DeliveryState::Delivered | DeliveryState::Redirected | DeliveryState::Cancelled => false,
    };
    if !revivable {
        let (state, of) = (facts.state, facts.message.state);
        let why = format!("delivery {id} is {state} and its message {of}: it cannot be delivered again now");
        return Err(StoreError::Invalid(why).into());
    }
    let next = DeliveryState::Prepared;
    tx.db()
        .prepare_cached("UPDATE delivery SET state = ?2, due = ?3, deadline = ?4 WHERE seq = ?1")?
        .execute(params![facts.seq, next.as_str(), due.0, deadline.0])?;
    tx.count_delivery(Some(facts.state), next);
    tx.effect(Effect::Remove(id));
    let item = Item {
        id,
        seq: facts.seq,
        target: TargetId::parse(&facts.target).map_err(|_| damaged("target"))?,
        procedure: facts.message.procedure.clone(),
        pull: facts.pull,
        lane: facts.lane.map(i64::cast_unsigned),
        due,
        deadline,
        doubt: false,
        past: !was_refused(facts.code),
    };
    tx.effect(Effect::Insert(item, None));
    let entry = NewEntry { delivery: Some(id), ..entry.clone() };
    tx.log(&entry, at, &facts.subject(), Some(&facts.target), Some(next.as_str()))?;
    plan::conclude(tx, &facts.message, at).map(drop)
}

/// How many deliveries of each target are not done.
pub(super) fn waiting(db: &rusqlite::Connection) -> Done<BTreeMap<(TargetId, bool), u64>> {
    let sql = "SELECT target, pull, count(*) AS deliveries FROM delivery
               WHERE state IN ('prepared', 'in_doubt') GROUP BY target, pull";
    let found = rows::all(db, sql, [], |row| {
        let target: String = row.get("target")?;
        let deliveries: i64 = row.get("deliveries")?;
        let target = TargetId::parse(&target).map_err(|_| damaged("target"))?;
        Ok(((target, row.get("pull")?), deliveries.cast_unsigned()))
    });
    Ok(found?.into_iter().collect())
}

/// The open deliveries, for the due queue at start.
pub(super) fn open_items(db: &rusqlite::Connection, mut each: impl FnMut(Item)) -> Result<(), StoreError> {
    let sql = "SELECT d.seq, d.id, d.target, m.procedure, d.pull, d.lane, d.due, d.deadline, d.state, d.code
               FROM delivery d JOIN message m ON m.seq = d.message
               WHERE d.state IN ('prepared', 'in_doubt') ORDER BY d.seq";
    let found = rows::all(db, sql, [], |row| {
        let target: String = row.get("target")?;
        let code: Option<String> = row.get("code")?;
        each(Item {
            id: DeliveryId(rows::uuid(row, "id")?),
            seq: row.get("seq")?,
            target: TargetId::parse(&target).map_err(|_| damaged("target"))?,
            procedure: rows::opt_name(row, "procedure")?,
            pull: row.get("pull")?,
            lane: row.get::<_, Option<i64>>("lane")?.map(i64::cast_unsigned),
            due: rows::time(row, "due")?,
            deadline: rows::time(row, "deadline")?,
            doubt: rows::delivery_state(row, "state")? == DeliveryState::InDoubt,
            past: !was_refused(code.as_deref().and_then(Code::from_name)),
        });
        Ok(())
    });
    found.map(drop).map_err(StoreError::from)
}
