//! The deliveries of one target that wait for their due time.

use std::collections::{BTreeMap, BTreeSet};

use dds_message::{DeliveryId, ProcedureId, TargetId, Timestamp};

/// Where a line stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: nothing waits, or the target fetches.
    Out,
    /// Among those that become ready later.
    Later(Timestamp),
    /// In the ring, with this ticket.
    Ring(u64),
    /// All places of the target are taken; a lease must end first.
    Full,
}

/// The waiting deliveries of a target, pushed or fetched.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) target: TargetId,
    pub(super) pull: bool,
    /// By due time, then order of creation.
    pub(super) waiting: BTreeMap<(Timestamp, i64), DeliveryId>,
    /// Leases given out.
    pub(super) leased: usize,
    /// When they run out.
    pub(super) expiry: BTreeSet<(Timestamp, DeliveryId)>,
    /// Deliveries not yet final, whatever they wait for; `None` holds those of answers.
    pub(super) open: BTreeMap<Option<ProcedureId>, Open>,
    /// Held back until then.
    pub(super) hold: Option<Timestamp>,
    pub(super) place: Place,
}

/// Deliveries of one procedure.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) count: u64,
    /// Due time and order of creation of all that are not in doubt.
    pub(super) due: BTreeSet<(Timestamp, i64)>,
}

impl Line {
    pub(super) const fn new(target: TargetId, pull: bool) -> Self {
        Self {
            target,
            pull,
            waiting: BTreeMap::new(),
            leased: 0,
            expiry: BTreeSet::new(),
            open: BTreeMap::new(),
            hold: None,
            place: Place::Out,
        }
    }

    /// Earliest due time of what waits.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// When the first delivery may go: due, and the target no longer held back.
    pub(super) fn ready_at(&self) -> Option<Timestamp> {
        let due = self.first_due()?;
        Some(self.hold.map_or(due, |hold| hold.max(due)))
    }

    /// The first delivery, if it may go by `now`.
    pub(super) fn ready(&self, now: Timestamp) -> Option<DeliveryId> {
        self.ready_at().filter(|ready| *ready <= now)?;
        self.waiting.values().next().copied()
    }
}
