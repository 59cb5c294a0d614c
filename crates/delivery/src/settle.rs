//! The end of an attempt, or of a lease of a target that fetches: the one place that says what entry, log line and
//! metric an outcome is.

use std::time::Duration;

use dds_message::{JournalEvent, Timestamp};
use dds_store::{DeliveryRecord, Journal, Lease, NewEntry, Outcome, Settled, Settlement, StoreError};
use dds_telemetry::{AttemptEnded, AttemptOutcome, Event as _, Telemetry};

use crate::Fault;

/// What became of a delivery under a lease.
pub struct Ending<'a> {
    /// The delivery, as it was leased.
    pub delivery: &'a DeliveryRecord,
    /// The right to say so.
    pub lease: Lease,
    /// What it is now.
    pub outcome: Outcome,
    /// What was in the way, if anything.
    pub fault: Option<&'a Fault>,
    /// How long the attempt took.
    pub took: Duration,
    /// When it ended.
    pub at: Timestamp,
}

impl Ending<'_> {
    /// What the store is to write (invariant I5). A receipt counts whenever it comes, also after its lease.
    pub(crate) fn settlement(&self) -> Settlement {
        let (event, _) = self.names();
        let entry = NewEntry {
            delivery: Some(self.delivery.id),
            target: Some(self.delivery.target.clone()),
            code: self.fault.map(|fault| fault.code),
            data: self.ended().facts(),
            ..NewEntry::new(event)
        };
        let late = matches!(self.outcome, Outcome::Delivered { .. });
        Settlement { lease: self.lease, outcome: self.outcome.clone(), at: self.at, late, entry }
    }

    /// What log and metrics tell of it, once it took effect: a refused settlement is no outcome.
    pub(crate) fn ended(&self) -> AttemptEnded<'_> {
        let (_, outcome) = self.names();
        AttemptEnded {
            delivery: self.delivery.id,
            target: &self.delivery.target,
            product: self.delivery.product.as_deref().unwrap_or_default(),
            attempt: self.delivery.attempts + 1,
            outcome,
            code: self.fault.map(|fault| fault.code),
            detail: self.fault.map(|fault| &fault.detail),
            took: self.took,
        }
    }

    /// In the journal, and in log and metrics.
    const fn names(&self) -> (JournalEvent, AttemptOutcome) {
        match self.outcome {
            Outcome::Delivered { .. } => (JournalEvent::DeliveryDelivered, AttemptOutcome::Delivered),
            Outcome::Retry { .. } => (JournalEvent::DeliveryDeferred, AttemptOutcome::Retry),
            Outcome::DeadLetter { .. } => (JournalEvent::DeliveryDeadLetter, AttemptOutcome::DeadLetter),
            Outcome::Cancelled => (JournalEvent::DeliveryCancelled, AttemptOutcome::Cancelled),
        }
    }
}

/// Tells of the message that a settlement completed. Whether the settlement took effect.
pub(crate) fn tell_completed(telemetry: &Telemetry, settled: &[Settled]) -> bool {
    for completed in settled.iter().filter_map(Settled::completed) {
        telemetry.record(completed);
    }
    settled.iter().any(|settled| settled.state().is_some())
}

/// Settles a delivery once, and tells of it if that took effect. `false`: the lease was lost.
///
/// # Errors
/// If the store cannot write it; with `StoreError::Unknown` it may have been written all the same.
pub async fn settle(
    journal: &dyn Journal,
    telemetry: &Telemetry,
    ending: &Ending<'_>,
) -> Result<bool, StoreError> {
    let settled = journal.settle(vec![ending.settlement()]).await?;
    let applied = tell_completed(telemetry, &settled);
    if applied {
        telemetry.record(&ending.ended());
    }
    Ok(applied)
}
