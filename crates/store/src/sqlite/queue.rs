//! What is due, under lease, or held back: the memory of the embedded engine between two commits.
//!
//! One process owns the file, so due times and leases need no disk: the queue is rebuilt at open from the open
//! deliveries. It knows no clock and no database; time comes in as an argument.
//!
//! A target has a [`Line`] for what is pushed and one for what it fetches. Lines with something due stand in a ring and
//! are served in turn; the others wait in `later`, ordered by the time they become ready; so a claim costs the same
//! with ten waiting deliveries and with a million.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use dds_message::{DeliveryId, ProcedureId, TargetId, Timestamp};

use super::line::{Line, Open, Place};
use crate::{ClaimFilter, LONGEST_REST, Lease, Waiting};

/// Leases of the first process that opened the store have epochs above this.
const FIRST_GENERATION: u64 = 1 << 32;

/// An open delivery as the queue needs it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: DeliveryId,
    /// Order of creation; orders equal due times and the deliveries of a lane.
    pub(crate) seq: i64,
    pub(crate) target: TargetId,
    /// `None` for an answer.
    pub(crate) procedure: Option<ProcedureId>,
    pub(crate) pull: bool,
    pub(crate) lane: Option<u64>,
    pub(crate) due: Timestamp,
    pub(crate) deadline: Timestamp,
    /// An attempt was begun and its fate is not known: not claimable, holds its lane.
    pub(crate) doubt: bool,
    /// Somebody may still have a lease from before, with which a receipt counts.
    pub(crate) past: bool,
}

/// A lease given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) lease: Lease,
    pub(crate) until: Timestamp,
}

/// Who should look again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wakes {
    pub(crate) push: bool,
    pub(crate) pull: BTreeSet<TargetId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Behind another delivery of its lane.
    Dormant,
    /// In its line, by due time.
    Waiting,
    /// Someone has it until then; `doubt`: with a durable mark of an attempt.
    Leased { until: Timestamp, doubt: bool },
    /// Its fate is unknown and nobody has it.
    Doubt,
    /// An outcome is being committed; nobody may take it meanwhile.
    Settling { before: Before },
}

/// What a delivery was before its settlement began, to go back to if the commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Leased { until: Timestamp, doubt: bool },
    Free { doubt: bool },
}

#[derive(Debug)]
struct Entry {
    seq: i64,
    line: usize,
    procedure: Option<ProcedureId>,
    lane: Option<u64>,
    due: Timestamp,
    deadline: Timestamp,
    epoch: u64,
    /// No lease up to this epoch was one of this delivery.
    since: u64,
    status: Status,
}

/// Deliveries that go one after the other, in order of `seq`.
#[derive(Debug, Default)]
struct Lane {
    members: BTreeMap<i64, DeliveryId>,
    /// Members leased, settling or in doubt; while there is one, no other may go.
    busy: usize,
    /// The member that waits in its line.
    front: Option<DeliveryId>,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct DueQueue {
    /// The last epoch given out. One count for all deliveries: one that is reopened must not meet an old lease again.
    epoch: u64,
    entries: HashMap<DeliveryId, Entry>,
    lines: Vec<Line>,
    by_target: HashMap<(TargetId, bool), usize>,
    lanes: HashMap<u64, Lane>,
    ring: BTreeMap<u64, usize>,
    next_ticket: u64,
    later: BTreeSet<(Timestamp, usize)>,
    full: BTreeSet<usize>,
    per_target: usize,
    /// Leases by the moment they run out; pushed and fetched apart.
    expiry: [BTreeSet<(Timestamp, DeliveryId)>; 2],
    /// Deliveries to be fetched, by deadline.
    deadlines: BTreeSet<(Timestamp, DeliveryId)>,
    /// The moment of the last claim: what is ready by then stands in the ring.
    now: Timestamp,
    /// Nothing rests, is held back or leased beyond this moment.
    latest: Timestamp,
    wakes: Wakes,
}

impl DueQueue {
    /// An empty queue whose leases have epochs above `epoch`.
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            entries: HashMap::new(),
            lines: Vec::new(),
            by_target: HashMap::new(),
            lanes: HashMap::new(),
            ring: BTreeMap::new(),
            next_ticket: 0,
            later: BTreeSet::new(),
            full: BTreeSet::new(),
            per_target: usize::MAX,
            expiry: Default::default(),
            deadlines: BTreeSet::new(),
            now: Timestamp(i64::MIN),
            latest: Timestamp(i64::MIN),
            wakes: Wakes::default(),
        }
    }

    /// Takes in a delivery that was created, or found open.
    pub(crate) fn insert(&mut self, item: Item) {
        let line = self.line(item.target, item.pull);
        let status = if item.doubt { Status::Doubt } else { Status::Dormant };
        let entry = Entry {
            seq: item.seq,
            line,
            procedure: item.procedure,
            lane: item.lane,
            due: item.due,
            deadline: item.deadline,
            epoch: self.epoch,
            since: if item.past { 0 } else { self.epoch },
            status,
        };
        if self.entries.contains_key(&item.id) {
            return;
        }
        self.latest = self.latest.max(entry.due);
        self.lines[line].open.entry(entry.procedure.clone()).or_default().count += 1;
        if item.pull {
            self.deadlines.insert((entry.deadline, item.id));
        }
        if let Some(lane) = item.lane {
            let lane = self.lanes.entry(lane).or_default();
            lane.members.insert(item.seq, item.id);
            lane.busy += usize::from(item.doubt);
        }
        self.entries.insert(item.id, entry);
        self.set_due(item.id, !item.doubt);
        // One in doubt does not wait itself, but holds back the others of its lane.
        self.advance(item.id);
    }

    /// Gives out leases, fairly between targets.
    pub(crate) fn claim(
        &mut self,
        filter: &ClaimFilter,
        max: usize,
        ttl: Duration,
        now: Timestamp,
    ) -> Vec<Taken> {
        self.correct(now, ttl);
        self.expire(now);
        let until = now.plus(ttl.min(LONGEST_REST));
        match filter {
            ClaimFilter::Push { per_target } => self.claim_push(*per_target, max, until, now),
            ClaimFilter::Pull(target) => {
                let Some(&line) = self.by_target.get(&(target.clone(), true)) else { return Vec::new() };
                let mut taken = Vec::new();
                while taken.len() < max
                    && let Some(id) = self.lines[line].ready(now)
                {
                    taken.extend(self.take(id, until));
                }
                taken
            }
            ClaimFilter::Overdue => {
                let late = self.deadlines.range(..=(now, DeliveryId(uuid::Uuid::max())));
                let waits =
                    |id: &DeliveryId| self.entries.get(id).is_some_and(|e| e.status == Status::Waiting);
                let ids: Vec<_> = late.map(|(_, id)| *id).filter(waits).take(max).collect();
                ids.into_iter().filter_map(|id| self.take(id, until)).collect()
            }
        }
    }

    fn claim_push(&mut self, per_target: usize, max: usize, until: Timestamp, now: Timestamp) -> Vec<Taken> {
        if per_target != self.per_target {
            self.per_target = per_target;
            for line in std::mem::take(&mut self.full) {
                self.lines[line].place = Place::Out;
                self.arrange(line);
            }
        }
        self.now = now;
        while let Some(&(ready, line)) = self.later.first()
            && ready <= now
        {
            self.arrange(line);
        }
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some((&ticket, &line)) = self.ring.first_key_value()
        {
            if self.lines[line].leased >= per_target {
                self.ring.remove(&ticket);
                self.lines[line].place = Place::Full;
                self.full.insert(line);
            } else if let Some(id) = self.lines[line].ready(now) {
                self.ring.remove(&ticket);
                self.lines[line].place = Place::Out;
                taken.extend(self.take(id, until));
            } else {
                // It came into the ring by a later `now`, and leaves it.
                self.arrange(line);
            }
        }
        taken
    }

    fn take(&mut self, id: DeliveryId, until: Timestamp) -> Option<Taken> {
        self.leave_line(id);
        let entry = self.entries.get_mut(&id)?;
        self.epoch += 1;
        entry.epoch = self.epoch;
        let lease = Lease { delivery: id, epoch: entry.epoch };
        self.hold_lease(id, until, false);
        Some(Taken { lease, until })
    }

    /// Prolongs a lease; `false` if it was lost.
    pub(crate) fn extend(&mut self, lease: &Lease, ttl: Duration, now: Timestamp) -> bool {
        self.expire(now);
        let Some(entry) = self.entries.get(&lease.delivery).filter(|entry| entry.epoch == lease.epoch) else {
            return false;
        };
        let Status::Leased { .. } = entry.status else { return false };
        self.end_lease_at(lease.delivery, now.plus(ttl.min(LONGEST_REST)));
        true
    }

    fn end_lease_at(&mut self, id: DeliveryId, end: Timestamp) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Status::Leased { until, doubt } = entry.status else { return };
        entry.status = Status::Leased { until: end, doubt };
        let line = &mut self.lines[entry.line];
        for expiry in [&mut self.expiry[usize::from(line.pull)], &mut line.expiry] {
            expiry.remove(&(until, id));
            expiry.insert((end, id));
        }
        self.latest = self.latest.max(end);
    }

    /// Whether this may be a lease that was given out once, however long ago. Of a delivery that is no longer here only
    /// numbers that nobody ever got can be told.
    pub(crate) fn gave_out(&self, lease: &Lease) -> bool {
        let of = self.entries.get(&lease.delivery).map(|entry| (entry.since, entry.epoch));
        let (since, last) = of.unwrap_or((0, self.epoch));
        lease.epoch > since.max(FIRST_GENERATION) && lease.epoch <= last
    }

    /// Begins to settle under a lease: nobody can take the delivery until the commit is done. `false`: lease lost.
    /// With a lease of epoch 0 ([`Lease::manual`]): `false` if someone has it.
    pub(crate) fn begin(&mut self, lease: &Lease) -> bool {
        let Some(entry) = self.entries.get(&lease.delivery) else { return false };
        match entry.status {
            Status::Settling { .. } => false,
            Status::Leased { .. } => lease.epoch == entry.epoch && self.begin_always(lease.delivery),
            Status::Dormant | Status::Waiting | Status::Doubt => {
                lease.epoch == 0 && self.begin_always(lease.delivery)
            }
        }
    }

    /// Begins to settle whoever has the delivery; `false` if it is settling already or not open.
    pub(crate) fn begin_always(&mut self, id: DeliveryId) -> bool {
        let Some(status) = self.entries.get(&id).map(|entry| entry.status) else { return false };
        let before = match status {
            Status::Settling { .. } => return false,
            Status::Leased { until, doubt } => {
                self.drop_lease(id, until);
                Before::Leased { until, doubt }
            }
            Status::Doubt => {
                self.set_busy(id, false);
                Before::Free { doubt: true }
            }
            Status::Dormant | Status::Waiting => {
                self.leave_line(id);
                Before::Free { doubt: false }
            }
        };
        self.set_status(id, Status::Settling { before });
        self.set_busy(id, true);
        true
    }

    /// The commit failed: back to what it was before [`Self::begin`].
    pub(crate) fn abort(&mut self, id: DeliveryId) {
        let Some(Status::Settling { before }) = self.entries.get(&id).map(|entry| entry.status) else {
            return;
        };
        self.set_busy(id, false);
        self.set_status(id, Status::Dormant);
        match before {
            Before::Leased { until, doubt } => self.hold_lease(id, until, doubt),
            Before::Free { doubt: true } => self.rest_in_doubt(id),
            Before::Free { doubt: false } => self.advance(id),
        }
    }

    /// An attempt was marked durably; the lease goes on.
    pub(crate) fn attempting(&mut self, id: DeliveryId) {
        let Some(Status::Settling { before }) = self.entries.get(&id).map(|entry| entry.status) else {
            return;
        };
        if let Before::Leased { until, .. } = before {
            let before = Before::Leased { until, doubt: true };
            self.set_status(id, Status::Settling { before });
        }
        self.abort(id);
    }

    /// A retry was committed: due again at `due`, as the head of its lane if it was.
    pub(crate) fn retry(&mut self, id: DeliveryId, due: Timestamp) {
        let Some(Status::Settling { .. }) = self.entries.get(&id).map(|entry| entry.status) else { return };
        self.set_due(id, false);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.due = due;
            entry.status = Status::Dormant;
        }
        self.latest = self.latest.max(due);
        self.set_due(id, true);
        self.set_busy(id, false);
        self.advance(id);
    }

    /// A final outcome was committed.
    pub(crate) fn remove(&mut self, id: DeliveryId) {
        self.begin_always(id);
        self.set_busy(id, false);
        self.set_due(id, false);
        let Some(entry) = self.entries.remove(&id) else { return };
        let open = &mut self.lines[entry.line].open;
        if let Some(of) = open.get_mut(&entry.procedure) {
            of.count -= 1;
        }
        open.retain(|_, of| of.count > 0);
        self.deadlines.remove(&(entry.deadline, id));
        if let Some(key) = entry.lane {
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.members.remove(&entry.seq);
            }
            self.refresh_lane(key);
        }
        self.arrange(entry.line);
    }

    /// Gives a lease back untouched; due again at `due`. One in doubt stays so.
    pub(crate) fn release(&mut self, lease: &Lease, due: Option<Timestamp>) {
        let Some(entry) = self.entries.get(&lease.delivery).filter(|entry| entry.epoch == lease.epoch) else {
            return;
        };
        let Status::Leased { until, doubt } = entry.status else { return };
        let due = due.unwrap_or(entry.due);
        if doubt {
            self.drop_lease(lease.delivery, until);
            self.rest_in_doubt(lease.delivery);
        } else if self.begin_always(lease.delivery) {
            self.retry(lease.delivery, due);
        }
    }

    /// Holds a target back until `until`; `None` lifts it.
    pub(crate) fn hold(&mut self, target: &TargetId, until: Option<Timestamp>) {
        for pull in [false, true] {
            let line = self.line(target.clone(), pull);
            self.lines[line].hold = until;
            self.latest = until.map_or(self.latest, |until| self.latest.max(until));
            self.arrange(line);
            self.wake(line);
        }
    }

    /// Earliest moment at which [`Self::claim`] may give out something.
    pub(crate) fn next_due(&self, filter: &ClaimFilter) -> Option<Timestamp> {
        match filter {
            ClaimFilter::Push { per_target } => {
                let free = |line: &&usize| self.lines[**line].leased < *per_target;
                let ring =
                    self.ring.values().filter(free).filter_map(|line| self.lines[*line].ready_at()).min();
                // Full lines count only if this caller grants more places than the last one did.
                let full =
                    self.full.iter().filter(free).filter_map(|line| self.lines[*line].ready_at()).min();
                let later = self.later.first().map(|(ready, _)| *ready);
                let expiry = self.expiry[0].first().map(|(until, _)| *until);
                [ring, full, later, expiry].into_iter().flatten().min()
            }
            ClaimFilter::Pull(target) => {
                let line = &self.lines[*self.by_target.get(&(target.clone(), true))?];
                let expiry = line.expiry.first().map(|(until, _)| *until);
                [line.ready_at(), expiry].into_iter().flatten().min()
            }
            ClaimFilter::Overdue => {
                let mut earliest = None::<Timestamp>;
                for (deadline, id) in &self.deadlines {
                    let free = match self.entries.get(id).map(|entry| entry.status) {
                        Some(Status::Waiting) => *deadline,
                        Some(Status::Leased { until, .. }) => until.max(*deadline),
                        _ => continue,
                    };
                    earliest = Some(earliest.map_or(free, |known| known.min(free)));
                    if earliest.is_some_and(|earliest| earliest <= *deadline) {
                        break;
                    }
                }
                earliest
            }
        }
    }

    /// What is open, by line and procedure. Costs as much as there are of these, not of deliveries.
    pub(crate) fn backlog(&self) -> Vec<Waiting> {
        let of = |line: &Line, (procedure, open): (&Option<ProcedureId>, &Open)| Waiting {
            target: line.target.clone(),
            procedure: procedure.clone(),
            deliveries: open.count,
            due: open.due.first().map(|(due, _)| *due),
            held: line.hold,
        };
        self.lines.iter().flat_map(|line| line.open.iter().map(move |open| of(line, open))).collect()
    }

    /// Who should look again since the last call.
    pub(crate) fn take_wakes(&mut self) -> Wakes {
        std::mem::take(&mut self.wakes)
    }

    fn line(&mut self, target: TargetId, pull: bool) -> usize {
        let (lines, next) = (&mut self.lines, self.by_target.len());
        *self.by_target.entry((target, pull)).or_insert_with_key(|(target, _)| {
            lines.push(Line::new(target.clone(), pull));
            next
        })
    }

    /// After a clock that was ahead: what it put off is due, the targets it held back are free, and the leases it gave
    /// out end as if they had been given out now. Looks at everything, but only after such a clock.
    fn correct(&mut self, now: Timestamp, ttl: Duration) {
        let possible = now.plus(LONGEST_REST);
        if self.latest <= possible {
            return;
        }
        (self.latest, self.now) = (Timestamp(i64::MIN), now);
        let (mut put_off, end) = (0_u64, now.plus(ttl.min(LONGEST_REST)));
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            let Some(Entry { due, status, .. }) = self.entries.get(&id) else { continue };
            let (due, status) = (*due, *status);
            if due > possible {
                put_off += 1;
                self.put_forward(id, now, status);
            } else {
                self.latest = self.latest.max(due);
            }
            match status {
                Status::Leased { until, .. } if until > possible => self.end_lease_at(id, end),
                Status::Leased { until, .. } => self.latest = self.latest.max(until),
                _ => {}
            }
        }
        for line in 0..self.lines.len() {
            let hold = self.lines[line].hold.filter(|until| *until <= possible);
            self.latest = hold.map_or(self.latest, |until| self.latest.max(until));
            self.lines[line].hold = hold;
            self.arrange(line);
            self.wake(line);
        }
        tracing::warn!(deliveries = put_off, "store.clock_was_ahead");
    }

    /// Due at `now`, whatever is being done with it.
    fn put_forward(&mut self, id: DeliveryId, now: Timestamp, status: Status) {
        let (waits, counts) = (status == Status::Waiting, status != Status::Doubt);
        if waits {
            self.leave_line(id);
        }
        self.set_due(id, false);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.due = now;
        }
        self.set_due(id, counts);
        if waits {
            self.advance(id);
        }
    }

    /// Leases that ran out by `now` return; those in doubt stay for a person.
    fn expire(&mut self, now: Timestamp) {
        for kind in 0..2 {
            while let Some(&(until, id)) = self.expiry[kind].first()
                && until <= now
            {
                let doubt = matches!(
                    self.entries.get(&id).map(|e| e.status),
                    Some(Status::Leased { doubt: true, .. })
                );
                self.drop_lease(id, until);
                self.set_status(id, Status::Dormant);
                if doubt { self.rest_in_doubt(id) } else { self.advance(id) }
            }
        }
    }

    /// The delivery is nobody's: it waits in its line if it is first in its lane.
    fn advance(&mut self, id: DeliveryId) {
        match self.entries.get(&id).map(|entry| entry.lane) {
            Some(Some(lane)) => self.refresh_lane(lane),
            Some(None) => self.join_line(id),
            None => {}
        }
    }

    fn refresh_lane(&mut self, key: u64) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        if lane.members.is_empty() {
            self.lanes.remove(&key);
            return;
        }
        let want = if lane.busy > 0 { None } else { lane.members.values().next().copied() };
        let old = std::mem::replace(&mut lane.front, want);
        if old != want {
            old.into_iter().for_each(|id| self.leave_line(id));
            want.into_iter().for_each(|id| self.join_line(id));
        }
    }

    fn join_line(&mut self, id: DeliveryId) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.status == Status::Dormant) else {
            return;
        };
        entry.status = Status::Waiting;
        let line = entry.line;
        self.lines[line].waiting.insert((entry.due, entry.seq), id);
        self.arrange(line);
        self.wake(line);
    }

    fn leave_line(&mut self, id: DeliveryId) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.status == Status::Waiting) else {
            return;
        };
        entry.status = Status::Dormant;
        let (line, lane) = (entry.line, entry.lane);
        self.lines[line].waiting.remove(&(entry.due, entry.seq));
        if let Some(lane) = lane.and_then(|key| self.lanes.get_mut(&key))
            && lane.front == Some(id)
        {
            lane.front = None;
        }
        self.arrange(line);
    }

    fn hold_lease(&mut self, id: DeliveryId, until: Timestamp, doubt: bool) {
        self.set_status(id, Status::Leased { until, doubt });
        self.set_busy(id, true);
        self.latest = self.latest.max(until);
        let Some(entry) = self.entries.get(&id) else { return };
        let line = &mut self.lines[entry.line];
        line.leased += 1;
        line.expiry.insert((until, id));
        self.expiry[usize::from(line.pull)].insert((until, id));
    }

    fn drop_lease(&mut self, id: DeliveryId, until: Timestamp) {
        self.expiry.iter_mut().for_each(|expiry| {
            expiry.remove(&(until, id));
        });
        self.set_busy(id, false);
        let Some(entry) = self.entries.get(&id) else { return };
        let line = entry.line;
        if self.lines[line].leased >= self.per_target {
            self.wake(line);
        }
        self.lines[line].leased -= 1;
        self.lines[line].expiry.remove(&(until, id));
        if self.full.remove(&line) {
            self.lines[line].place = Place::Out;
            self.arrange(line);
        }
    }

    fn rest_in_doubt(&mut self, id: DeliveryId) {
        self.set_due(id, false);
        self.set_status(id, Status::Doubt);
        self.set_busy(id, true);
    }

    fn set_status(&mut self, id: DeliveryId, status: Status) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.status = status;
        }
    }

    /// Whether `id` counts with its due time in the backlog; all but those in doubt do.
    fn set_due(&mut self, id: DeliveryId, counts: bool) {
        let Some(entry) = self.entries.get(&id) else { return };
        let Some(open) = self.lines[entry.line].open.get_mut(&entry.procedure) else { return };
        if counts {
            open.due.insert((entry.due, entry.seq));
        } else {
            open.due.remove(&(entry.due, entry.seq));
        }
    }

    /// Marks the lane of `id` as occupied or not. The lane is looked at again by [`Self::advance`].
    fn set_busy(&mut self, id: DeliveryId, busy: bool) {
        let Some(key) = self.entries.get(&id).and_then(|entry| entry.lane) else { return };
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.busy = if busy { lane.busy + 1 } else { lane.busy.saturating_sub(1) };
        if busy {
            self.refresh_lane(key);
        }
    }

    fn enter_ring(&mut self, line: usize) {
        self.ring.insert(self.next_ticket, line);
        self.lines[line].place = Place::Ring(self.next_ticket);
        self.next_ticket += 1;
    }

    /// Puts a line where its earliest ready time wants it. A line in the ring keeps its turn while something of it is
    /// ready: arrivals must not push it back behind the others.
    fn arrange(&mut self, index: usize) {
        let line = &mut self.lines[index];
        let ready = if line.pull { None } else { line.ready_at() };
        match line.place {
            Place::Full => return,
            Place::Ring(_) if ready.is_some_and(|ready| ready <= self.now) => return,
            Place::Ring(ticket) => {
                self.ring.remove(&ticket);
            }
            Place::Later(old) => {
                self.later.remove(&(old, index));
            }
            Place::Out => {}
        }
        line.place = Place::Out;
        match ready {
            Some(ready) if ready <= self.now => self.enter_ring(index),
            Some(ready) => {
                line.place = Place::Later(ready);
                self.later.insert((ready, index));
            }
            None => {}
        }
    }

    fn wake(&mut self, line: usize) {
        let line = &self.lines[line];
        if line.pull {
            self.wakes.pull.insert(line.target.clone());
        } else {
            self.wakes.push = true;
        }
    }
}
