//! The due queue against a model that looks at everything every time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dds_message::{DeliveryId, ProcedureId, TargetId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::queue::{DueQueue, Item, Taken};
use crate::{ClaimFilter, LONGEST_REST, Lease};

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Free,
    Leased { lease: Lease, until: Timestamp, doubt: bool },
    Doubt,
}

#[derive(Debug, Clone)]
struct Known {
    item: Item,
    state: State,
}

/// The rules, without any index.
#[derive(Debug, Default)]
struct Model {
    all: BTreeMap<DeliveryId, Known>,
    holds: BTreeMap<TargetId, Timestamp>,
    epoch: u64,
}

impl Model {
    /// What only a clock that was ahead can have noted; answers whether there was any.
    fn correct(&mut self, now: Timestamp) -> bool {
        let ahead = |at: Timestamp| at > now.plus(LONGEST_REST);
        let mut any = false;
        for Known { item, state } in self.all.values_mut() {
            if ahead(item.due) {
                (item.due, any) = (now, true);
            }
            if let State::Leased { until, .. } = state
                && ahead(*until)
            {
                (*until, any) = (now.plus(TTL), true);
            }
        }
        let holds = self.holds.len();
        self.holds.retain(|_, until| !ahead(*until));
        any || self.holds.len() < holds
    }

    fn expire(&mut self, now: Timestamp) {
        for known in self.all.values_mut() {
            if let State::Leased { until, doubt, .. } = known.state
                && until <= now
            {
                known.state = if doubt { State::Doubt } else { State::Free };
            }
        }
    }

    fn is_head(&self, known: &Known) -> bool {
        known.item.lane.is_none()
            || self
                .all
                .values()
                .filter(|other| other.item.lane == known.item.lane)
                .all(|other| other.state == State::Free && (other.item.seq >= known.item.seq))
    }

    fn ready_at(&self, known: &Known) -> Timestamp {
        let hold = self.holds.get(&known.item.target).copied();
        hold.map_or(known.item.due, |hold| hold.max(known.item.due))
    }

    /// What may go at some time, by target, in order.
    fn candidates(&self, pull: bool) -> BTreeMap<TargetId, Vec<&Known>> {
        let mut found = BTreeMap::<TargetId, Vec<&Known>>::new();
        for known in self.all.values() {
            if known.item.pull == pull && known.state == State::Free && self.is_head(known) {
                found.entry(known.item.target.clone()).or_default().push(known);
            }
        }
        for line in found.values_mut() {
            line.sort_by_key(|known| (known.item.due, known.item.seq));
        }
        found
    }

    fn leased(&self, target: &TargetId, pull: bool) -> usize {
        let of = |known: &&Known| known.item.target == *target && known.item.pull == pull;
        self.all.values().filter(of).filter(|known| matches!(known.state, State::Leased { .. })).count()
    }

    /// Deliveries that a push may take now, by target, with the places it has.
    fn claimable(&self, per_target: usize, now: Timestamp) -> BTreeMap<TargetId, Vec<DeliveryId>> {
        let mut found = BTreeMap::new();
        for (target, line) in self.candidates(false) {
            let free = per_target.saturating_sub(self.leased(&target, false));
            let ready = line.iter().filter(|known| self.ready_at(known) <= now).take(free);
            let ids: Vec<_> = ready.map(|known| known.item.id).collect();
            if !ids.is_empty() {
                found.insert(target, ids);
            }
        }
        found
    }

    /// What is open, with the earliest due time of those not in doubt.
    fn backlog(&self) -> Vec<(TargetId, Option<ProcedureId>, u64, Option<Timestamp>)> {
        let mut found = BTreeMap::<_, (u64, Option<Timestamp>)>::new();
        for Known { item, state } in self.all.values() {
            let (count, due) =
                found.entry((item.target.clone(), item.procedure.clone(), item.pull)).or_default();
            *count += 1;
            if *state != State::Doubt {
                *due = Some(due.map_or(item.due, |due| due.min(item.due)));
            }
        }
        let mut found: Vec<_> =
            found.into_iter().map(|((target, of, _), (count, due))| (target, of, count, due)).collect();
        found.sort();
        found
    }

    fn take(&mut self, taken: &Taken) {
        assert!(taken.lease.epoch > self.epoch, "epochs rise");
        self.epoch = taken.lease.epoch;
        let known = self.all.get_mut(&taken.lease.delivery).expect("took an unknown delivery");
        known.state = State::Leased { lease: taken.lease, until: taken.until, doubt: false };
    }

    fn leases(&self) -> Vec<Lease> {
        let lease = |known: &Known| match known.state {
            State::Leased { lease, .. } => Some(lease),
            _ => None,
        };
        self.all.values().filter_map(lease).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert {
        target: usize,
        pull: bool,
        lane: Option<u64>,
        due: i64,
        doubt: bool,
    },
    Push {
        per_target: usize,
        max: usize,
    },
    Pull {
        target: usize,
        max: usize,
    },
    Overdue,
    Remove(usize),
    Retry {
        which: usize,
        due: i64,
    },
    Attempting(usize),
    Abort(usize),
    Extend(usize),
    Release {
        which: usize,
        due: i64,
    },
    Late(usize),
    Stale(usize),
    Hold {
        target: usize,
        until: Option<i64>,
    },
    Pass(i64),
    /// The clock is a hundred days ahead, or right again.
    Jump,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any = any::<usize>;
    let step = prop_oneof![
        6 => (0..4usize, prop::bool::weighted(0.2), prop::option::weighted(0.4, 0..3u64), 0..40i64,
              prop::bool::weighted(0.05))
            .prop_map(|(target, pull, lane, due, doubt)| Step::Insert { target, pull, lane, due, doubt }),
        4 => (1..4usize, 1..6usize).prop_map(|(per_target, max)| Step::Push { per_target, max }),
        1 => (0..4usize, 1..4usize).prop_map(|(target, max)| Step::Pull { target, max }),
        1 => Just(Step::Overdue),
        3 => any().prop_map(Step::Remove),
        2 => (any(), 0..40i64).prop_map(|(which, due)| Step::Retry { which, due }),
        1 => any().prop_map(Step::Attempting),
        1 => any().prop_map(Step::Abort),
        1 => any().prop_map(Step::Extend),
        1 => (any(), 0..40i64).prop_map(|(which, due)| Step::Release { which, due }),
        1 => any().prop_map(Step::Late),
        1 => any().prop_map(Step::Stale),
        1 => (0..4usize, prop::option::of(0..40i64)).prop_map(|(target, until)| Step::Hold { target, until }),
        2 => (0..12i64).prop_map(Step::Pass),
        1 => Just(Step::Jump),
    ];
    prop::collection::vec(step, 1..120)
}

const TTL: Duration = Duration::from_millis(10);
/// A hundred days, in milliseconds.
const AHEAD: i64 = 100 * 86_400_000;

struct Run {
    queue: DueQueue,
    model: Model,
    now: Timestamp,
    /// By how much the clock is ahead, in milliseconds.
    ahead: i64,
    seq: i64,
}

impl Run {
    fn step(&mut self, step: Step) {
        let (now, ahead) = (self.now, self.ahead);
        match step {
            Step::Insert { target, pull, lane, due, doubt } => {
                self.seq += 1;
                let item = Item {
                    id: DeliveryId(Uuid::from_u128(self.seq as u128)),
                    seq: self.seq,
                    target: name(target),
                    procedure: procedure(self.seq),
                    pull,
                    lane,
                    due: Timestamp(ahead + due),
                    deadline: Timestamp(ahead + due + 20),
                    doubt,
                    past: doubt,
                };
                let state = if doubt { State::Doubt } else { State::Free };
                self.model.all.insert(item.id, Known { item: item.clone(), state });
                self.queue.insert(item);
            }
            Step::Push { per_target, max } => self.push(per_target, max),
            Step::Pull { target, max } => {
                let taken = self.queue.claim(&ClaimFilter::Pull(name(target)), max, TTL, now);
                self.model.correct(now);
                self.model.expire(now);
                let mut line: Vec<_> = self.model.candidates(true).remove(&name(target)).unwrap_or_default();
                line.retain(|known| self.model.ready_at(known) <= now);
                let expected: Vec<_> = line.iter().take(max).map(|known| known.item.id).collect();
                assert_eq!(ids(&taken), expected);
                taken.iter().for_each(|taken| self.model.take(taken));
            }
            Step::Overdue => {
                let taken = self.queue.claim(&ClaimFilter::Overdue, usize::MAX, TTL, now);
                self.model.correct(now);
                self.model.expire(now);
                let lines = self.model.candidates(true);
                let late = lines.values().flatten().filter(|known| known.item.deadline <= now);
                let expected: BTreeSet<_> = late.map(|known| known.item.id).collect();
                assert_eq!(ids(&taken).into_iter().collect::<BTreeSet<_>>(), expected);
                taken.iter().for_each(|taken| self.model.take(taken));
                let filter = ClaimFilter::Overdue;
                assert!(
                    self.queue
                        .next_due(&filter)
                        .is_none_or(|due| due > now || !self.model.leases().is_empty())
                );
            }
            Step::Remove(which) => self.settle(which, |queue, model, lease| {
                queue.remove(lease.delivery);
                model.all.remove(&lease.delivery);
            }),
            Step::Retry { which, due } => self.settle(which, |queue, model, lease| {
                queue.retry(lease.delivery, Timestamp(ahead + due));
                let known = model.all.get_mut(&lease.delivery).unwrap();
                (known.item.due, known.state) = (Timestamp(ahead + due), State::Free);
            }),
            Step::Attempting(which) => self.settle(which, |queue, model, lease| {
                queue.attempting(lease.delivery);
                if let State::Leased { doubt, .. } = &mut model.all.get_mut(&lease.delivery).unwrap().state {
                    *doubt = true;
                }
            }),
            Step::Abort(which) => self.settle(which, |queue, _, lease| queue.abort(lease.delivery)),
            Step::Extend(which) => {
                let Some(lease) = pick(&self.model.leases(), which) else { return };
                self.model.expire(now);
                let expected = match self.model.all.get_mut(&lease.delivery).map(|known| &mut known.state) {
                    Some(State::Leased { until, .. }) => {
                        *until = now.plus(TTL);
                        true
                    }
                    _ => false,
                };
                assert_eq!(self.queue.extend(&lease, TTL, now), expected);
            }
            Step::Release { which, due } => {
                let Some(lease) = pick(&self.model.leases(), which) else { return };
                self.queue.release(&lease, Some(Timestamp(ahead + due)));
                let known = self.model.all.get_mut(&lease.delivery).unwrap();
                match known.state {
                    State::Leased { doubt: true, .. } => known.state = State::Doubt,
                    _ => (known.item.due, known.state) = (Timestamp(ahead + due), State::Free),
                }
            }
            Step::Late(which) => {
                let all: Vec<_> = self.model.all.keys().copied().collect();
                let Some(id) = pick(&all, which) else { return };
                self.queue.begin_always(id);
                self.queue.remove(id);
                self.model.all.remove(&id);
            }
            Step::Stale(which) => {
                let Some(lease) = pick(&self.model.leases(), which) else { return };
                assert!(!self.queue.begin(&Lease { epoch: lease.epoch - 1, ..lease }));
                assert!(!self.queue.begin(&Lease::manual(lease.delivery)));
            }
            Step::Hold { target, until } => {
                let until = until.map(|until| Timestamp(ahead + until));
                self.queue.hold(&name(target), until);
                match until {
                    Some(until) => self.model.holds.insert(name(target), until),
                    None => self.model.holds.remove(&name(target)),
                };
            }
            Step::Pass(millis) => self.now = Timestamp(now.0 + millis),
            Step::Jump => {
                self.ahead = AHEAD - ahead;
                self.now = Timestamp(now.0 - ahead + self.ahead);
            }
        }
    }

    fn push(&mut self, per_target: usize, max: usize) {
        let filter = ClaimFilter::Push { per_target };
        let promised = self.queue.next_due(&filter);
        let taken = self.queue.claim(&filter, max, TTL, self.now);
        let corrected = self.model.correct(self.now);
        self.model.expire(self.now);
        let claimable = self.model.claimable(per_target, self.now);
        let places: usize = claimable.values().map(Vec::len).sum();
        assert_eq!(taken.len(), places.min(max), "{claimable:?}");
        // A sleeper cannot know of a clock that went back: it looks again every minute whatever is due.
        let told = corrected || promised.is_some_and(|due| due <= self.now);
        assert!(taken.is_empty() || told, "would have slept over it");
        let mut given = BTreeMap::<TargetId, Vec<DeliveryId>>::new();
        for taken in &taken {
            let target = self.model.all[&taken.lease.delivery].item.target.clone();
            given.entry(target).or_default().push(taken.lease.delivery);
            self.model.take(taken);
        }
        let most = given.values().map(Vec::len).max().unwrap_or(0);
        for (target, line) in &claimable {
            let got = given.remove(target).unwrap_or_default();
            assert_eq!(got, line[..got.len()], "the earliest due of {target} first");
            assert!(
                got.len() == line.len() || got.len() + 1 >= most,
                "{target} got {}, another {most}",
                got.len()
            );
        }
        assert!(given.is_empty(), "took what was not due: {given:?}");
        if places <= max {
            assert!(self.queue.next_due(&filter).is_none_or(|due| due > self.now), "would spin");
        }
    }

    fn settle(&mut self, which: usize, end: impl FnOnce(&mut DueQueue, &mut Model, Lease)) {
        let Some(lease) = pick(&self.model.leases(), which) else { return };
        assert!(self.queue.begin(&lease), "a lease not yet returned holds");
        assert!(!self.queue.begin(&lease), "begun twice");
        end(&mut self.queue, &mut self.model, lease);
    }
}

fn pick<T: Copy>(from: &[T], which: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[which % from.len()])
}

fn ids(taken: &[Taken]) -> Vec<DeliveryId> {
    taken.iter().map(|taken| taken.lease.delivery).collect()
}

/// Every third is an answer.
fn procedure(n: i64) -> Option<ProcedureId> {
    (n % 3 > 0).then(|| ProcedureId::parse(["", "verfahren-a", "verfahren-b"][(n % 3) as usize]).unwrap())
}

fn name(n: usize) -> TargetId {
    TargetId::parse(&format!("target-{n}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_keeps_the_rules(steps in steps()) {
        let mut run = Run { queue: DueQueue::new(0), model: Model::default(), now: Timestamp(0), ahead: 0, seq: 0 };
        for step in steps {
            run.step(step);
        }
        // At the end everything that is nobody's goes, however long the way.
        run.now = Timestamp(run.ahead + 1_000);
        run.push(1_000, 1_000);
        let mut told: Vec<_> = run.queue.backlog().into_iter().map(|waiting| {
            (waiting.target, waiting.procedure, waiting.deliveries, waiting.due)
        }).collect();
        // One line for what is pushed, one for what is fetched.
        told.sort();
        prop_assert_eq!(told, run.model.backlog());
    }
}

/// A new delivery that is pushed, of no procedure and no lane.
fn pushed(seq: i64, target: usize, due: i64) -> Item {
    Item {
        id: DeliveryId(Uuid::from_u128(seq as u128)),
        seq,
        target: name(target),
        procedure: None,
        pull: false,
        lane: None,
        due: Timestamp(due),
        deadline: Timestamp(1_000),
        doubt: false,
        past: false,
    }
}

/// 100,000 waiting deliveries cost a claim no more than a few: 20,000 claims would take minutes if each looked at all.
#[test]
fn a_long_queue_is_not_scanned() {
    let mut queue = DueQueue::new(0);
    for n in 0..100_000i64 {
        queue.insert(Item {
            procedure: procedure(n),
            lane: (n % 3 == 0).then_some(n as u64 % 1_000),
            ..pushed(n, n as usize % 500, n % 7)
        });
    }
    let filter = ClaimFilter::Push { per_target: 2 };
    let mut done = 0;
    while let [taken] = queue.claim(&filter, 1, TTL, Timestamp(10))[..] {
        assert!(queue.next_due(&filter).is_some());
        assert!(queue.begin(&taken.lease));
        queue.remove(taken.lease.delivery);
        done += 1;
        if done == 20_000 {
            break;
        }
    }
    assert_eq!(done, 20_000);
}

/// A target that gets something new between any two claims keeps its turn beside one with a long queue.
#[test]
fn arrivals_do_not_cost_a_target_its_turn() {
    let mut queue = DueQueue::new(0);
    let mut seq = 0;
    let mut arrive = |queue: &mut DueQueue, target: usize| {
        seq += 1;
        queue.insert(pushed(seq, target, 0));
    };
    (0..50).for_each(|_| arrive(&mut queue, 0));
    let filter = ClaimFilter::Push { per_target: 100 };
    let mut second = 0;
    for _ in 0..20 {
        arrive(&mut queue, 1);
        let taken = queue.claim(&filter, 1, TTL, Timestamp(1));
        // Ids of the first fifty are those of the long queue.
        second += taken.iter().filter(|taken| taken.lease.delivery.0.as_u128() > 50).count();
    }
    assert!((9..=11).contains(&second), "{second} of 20");
}

/// A target whose delivery was ready by the clock of before stands in the way of nobody.
#[test]
fn a_clock_that_goes_back_costs_no_other_target_its_turn() {
    let mut queue = DueQueue::new(0);
    let filter = ClaimFilter::Push { per_target: 2 };
    assert!(queue.claim(&filter, 1, TTL, Timestamp(1_000)).is_empty());
    for (seq, target, due) in [(1, 2, 5), (2, 1, 0), (3, 1, 0)] {
        queue.insert(pushed(seq, target, due));
    }
    assert_eq!(queue.claim(&filter, 2, TTL, Timestamp(0)).len(), 2);
    assert_eq!(queue.claim(&filter, 2, TTL, Timestamp(5)).len(), 1);
}
