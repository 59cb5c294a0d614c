//! One transaction of the committer: the database, the end of the hash chain, and what changes in memory once it is
//! durable.

use dds_message::{AuthorityId, DeliveryId, DeliveryState, Digest, MessageId, MessageState, Timestamp};
use rusqlite::{Connection, params};

use super::{
    chain::Fields,
    fault::Outcome,
    fresh::Created,
    queue::Item,
    shared::{Shared, Tally},
};
use crate::{Lease, NewEntry};

/// End of the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: Digest,
}

/// Change of the due queue, applied after the commit.
#[derive(Debug)]
pub(super) enum Effect {
    /// With the delivery as it is now, unless it has a past.
    Insert(Item, Option<Box<Created>>),
    Attempting(DeliveryId),
    Retry(DeliveryId, Timestamp),
    Remove(DeliveryId),
}

/// What the journal says about the message of an entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    pub(super) message: Option<MessageId>,
    pub(super) case: Option<String>,
    pub(super) source: Option<String>,
    pub(super) procedure: Option<String>,
    pub(super) authority: Option<String>,
}

impl Subject {
    /// The same with the authority a delivery goes to.
    pub(super) fn at(&self, authority: Option<&AuthorityId>) -> Self {
        let mut subject = self.clone();
        if let Some(authority) = authority {
            subject.authority = Some(authority.as_str().to_owned());
        }
        subject
    }
}

/// The transaction.
pub(super) struct Tx<'c> {
    db: &'c Connection,
    shared: &'c Shared,
    /// End of the journal before it.
    start: Head,
    head: Head,
    effects: Vec<Effect>,
    /// Deliveries whose settlement was begun in the queue.
    begun: Vec<DeliveryId>,
    tally: Tally,
}

/// A point to go back to.
pub(super) struct Mark {
    head: Head,
    effects: usize,
    begun: usize,
    tally: Tally,
}

impl<'c> Tx<'c> {
    pub(super) fn new(db: &'c Connection, shared: &'c Shared, head: Head) -> Self {
        Self {
            db,
            shared,
            start: head,
            head,
            effects: Vec::new(),
            begun: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub(super) const fn db(&self) -> &'c Connection {
        self.db
    }

    pub(super) const fn shared(&self) -> &'c Shared {
        self.shared
    }

    /// Runs a statement without arguments or rows.
    pub(super) fn statement(&self, sql: &str) -> Outcome<()> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Whether SQLite rolled the transaction back by itself.
    pub(super) fn is_gone(&self) -> bool {
        self.db.is_autocommit()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { head: self.head, effects: self.effects.len(), begun: self.begun.len(), tally: self.tally }
    }

    pub(super) fn revert(&mut self, mark: Mark) {
        self.head = mark.head;
        self.tally = mark.tally;
        self.effects.truncate(mark.effects);
        let begun = self.begun.split_off(mark.begun);
        if !begun.is_empty() {
            self.shared.queue(|queue| begun.into_iter().rev().for_each(|id| queue.abort(id)));
        }
    }

    /// Takes all of it back, in memory and in the database, unless SQLite has rolled back by itself already.
    pub(super) fn take_back(&mut self) -> Outcome<()> {
        self.revert(Mark { head: self.start, effects: 0, begun: 0, tally: Tally::default() });
        if self.is_gone() { Ok(()) } else { self.statement("ROLLBACK") }
    }

    /// The commit succeeded: applies the changes in memory and returns the new end of the journal.
    pub(super) fn apply(mut self) -> Head {
        self.shared.tally.lock().merge(&self.tally);
        // First what claims read, then what lets them.
        let mut fresh = self.shared.fresh.lock();
        for effect in &mut self.effects {
            match effect {
                Effect::Insert(_, created) => {
                    created.take().into_iter().for_each(|created| fresh.remember(*created))
                }
                Effect::Attempting(id) | Effect::Retry(id, _) | Effect::Remove(id) => fresh.forget(*id),
            }
        }
        drop(fresh);
        if !self.effects.is_empty() {
            self.shared.queue(|queue| {
                for effect in self.effects {
                    match effect {
                        Effect::Insert(item, _) => queue.insert(item),
                        Effect::Attempting(id) => queue.attempting(id),
                        Effect::Retry(id, due) => queue.retry(id, due),
                        Effect::Remove(id) => queue.remove(id),
                    }
                }
            });
        }
        self.head
    }

    /// Begins to settle under a lease; `false` if it was lost. See [`super::queue::DueQueue::begin`].
    pub(super) fn begin(&mut self, lease: &Lease) -> bool {
        let begun = self.shared.queue(|queue| queue.begin(lease));
        self.begun.extend(begun.then_some(lease.delivery));
        begun
    }

    /// Whether this may be a lease that was given out once. See [`super::queue::DueQueue::gave_out`].
    pub(super) fn gave_out(&self, lease: &Lease) -> bool {
        self.shared.queue(|queue| queue.gave_out(lease))
    }

    /// Begins to settle whoever has the delivery.
    pub(super) fn begin_always(&mut self, id: DeliveryId) {
        let begun = self.shared.queue(|queue| queue.begin_always(id));
        self.begun.extend(begun.then_some(id));
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn count_message(&mut self, from: Option<MessageState>, to: MessageState) {
        from.into_iter().for_each(|state| self.tally.add_message(state, -1));
        self.tally.add_message(to, 1);
    }

    pub(super) fn count_delivery(&mut self, from: Option<DeliveryState>, to: DeliveryState) {
        from.into_iter().for_each(|state| self.tally.add_delivery(state, -1));
        self.tally.add_delivery(to, 1);
    }

    /// Appends an entry to the journal and its hash chain. `at` holds unless the entry names a time.
    pub(super) fn log(
        &mut self,
        entry: &NewEntry,
        at: Timestamp,
        subject: &Subject,
        target: Option<&str>,
        state: Option<&str>,
    ) -> Outcome<()> {
        let data = entry.data.to_json();
        let fields = Fields {
            seq: self.head.seq + 1,
            at: entry.at.unwrap_or(at).0,
            event: entry.event.as_str(),
            message: subject.message.as_ref().map(|id| id.0.as_bytes().as_slice()),
            delivery: entry.delivery.as_ref().map(|id| id.0.as_bytes().as_slice()),
            case: subject.case.as_deref(),
            source: subject.source.as_deref(),
            procedure: subject.procedure.as_deref(),
            authority: subject.authority.as_deref(),
            target: entry.target.as_ref().map(dds_message::TargetId::as_str).or(target),
            state,
            code: entry.code.map(dds_message::Code::as_str),
            data: &data,
        };
        let hash = fields.hash(&self.head.hash);
        self.db
            .prepare_cached(
                "INSERT INTO log (seq, at, event, message, delivery, case_ref, source, procedure, authority, target,
                 state, code, data, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                fields.seq,
                fields.at,
                fields.event,
                fields.message,
                fields.delivery,
                fields.case,
                fields.source,
                fields.procedure,
                fields.authority,
                fields.target,
                fields.state,
                fields.code,
                fields.data,
                hash.0.as_slice(),
            ])?;
        self.head = Head { seq: fields.seq, hash };
        Ok(())
    }

    /// Writes the counts that this transaction changed.
    pub(super) fn write_tally(&self) -> Outcome<()> {
        let mut add = self.db.prepare_cached(
            "INSERT INTO tally (kind, state, n) VALUES (?1, ?2, ?3)
             ON CONFLICT (kind, state) DO UPDATE SET n = n + excluded.n",
        )?;
        for (state, n) in self.tally.messages().filter(|(_, n)| *n != 0) {
            add.execute(params!["message", state.as_str(), n])?;
        }
        for (state, n) in self.tally.deliveries().filter(|(_, n)| *n != 0) {
            add.execute(params!["delivery", state.as_str(), n])?;
        }
        Ok(())
    }
}
