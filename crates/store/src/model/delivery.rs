//! Deliveries: planned, claimed, settled, as stored.

use std::time::Duration;

use bytes::Bytes;
use dds_message::{
    AuthorityId, CaseRef, Code, Completed, DeliveryId, DeliveryState, Digest, Direction, MessageId,
    MessageState, ProcedureId, TargetId, Timestamp,
};
use serde::Serialize;

use crate::{NewEntry, StoredAttachment, WrappedKey};

/// A delivery to create.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Stable id, see [`DeliveryId::derive`].
    pub id: DeliveryId,
    /// Where to.
    pub target: TargetId,
    /// Authority that receives it.
    pub authority: Option<AuthorityId>,
    /// Product package (`fv-steuerwerk@3.2`) that made the output; `None` for an answer passed on as it came.
    pub product: Option<String>,
    /// What will be sent; `None`: the document of the message itself, unchanged.
    pub output: Option<Output>,
    /// Deliveries of one lane go one after the other: hash of source, procedure, case and target; `None`: any order.
    pub lane: Option<u64>,
    /// `true`: the target fetches (mailbox), the scheduler never claims it.
    pub pull: bool,
    /// First due time.
    pub due: Timestamp,
    /// After this moment it is a dead letter.
    pub deadline: Timestamp,
}

/// Bytes made for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The bytes.
    pub bytes: Bytes,
    /// Their media type.
    pub media_type: String,
    /// File name the target shall see.
    pub file_name: String,
    /// Their digest.
    pub digest: Digest,
}

/// What a target gets with one delivery, Sendung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Acceptance time of the message.
    pub accepted: Timestamp,
    /// Application or answer.
    pub direction: Direction,
    /// Application it answers.
    pub answers: Option<MessageId>,
    /// Procedure.
    pub procedure: Option<ProcedureId>,
    /// Case.
    pub case: Option<CaseRef>,
    /// Key of the message, for the attachments.
    pub key: WrappedKey,
    /// Attachments.
    pub attachments: Vec<StoredAttachment>,
    /// Document.
    pub output: Output,
}

/// Which deliveries to claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimFilter {
    /// Everything the scheduler pushes, with at most `per_target` deliveries of one target under lease at a time, so
    /// that a slow target cannot take all places.
    Push {
        /// Places per target.
        per_target: usize,
    },
    /// What one fetching target may take.
    Pull(TargetId),
    /// Deliveries that a target should have fetched before their deadline and did not, so that the scheduler can make
    /// them dead letters.
    Overdue,
}

/// The right to attempt a delivery, until it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Counts up each time the delivery is claimed; below 2^53, so that it survives JSON. 0: see [`Lease::manual`].
    pub epoch: u64,
}

impl Lease {
    /// The right of a person to decide on a delivery that nobody holds: call it off, give it up, or confirm that the
    /// target has it (the first and the last also for a dead letter). Settling with it is [`Settled::Stale`] while an
    /// attempt is under way. To try again: [`crate::Journal::revive`].
    #[must_use]
    pub const fn manual(delivery: DeliveryId) -> Self {
        Self { delivery, epoch: 0 }
    }
}

/// A delivery under lease.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The lease.
    pub lease: Lease,
    /// When the lease runs out.
    pub until: Timestamp,
    /// The delivery as stored.
    pub delivery: DeliveryRecord,
}

/// Mark of a begun attempt at a target that cannot deduplicate.
#[derive(Debug, Clone)]
pub struct Attempting {
    /// The lease.
    pub lease: Lease,
    /// Journal entry.
    pub entry: NewEntry,
}

/// Outcome of an attempt.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Lease it was made under.
    pub lease: Lease,
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// `true`: not fenced by the epoch, because a receipt of the target counts whenever it comes, as long as the
    /// delivery is open or was given up without a word of the target. Not after it sent it back (DDS-D008) or a person
    /// redirected it or called it off, and not with an epoch that was never given out. Only with
    /// [`Outcome::Delivered`].
    pub late: bool,
    /// Journal entry.
    pub entry: NewEntry,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Delivered {
        /// The target's own reference for it, hashed or short and free of personal data.
        receipt: Option<String>,
    },
    /// Try again.
    Retry {
        /// Not before.
        at: Timestamp,
        /// Why.
        code: Code,
    },
    /// A person must act.
    DeadLetter {
        /// Why.
        code: Code,
    },
    /// Called off by an operator.
    Cancelled,
}

/// Whether a settlement took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It did.
    Applied {
        /// State of the message now.
        state: MessageState,
        /// What was completed, if this was the last delivery that the message waited for.
        completed: Option<Completed>,
    },
    /// The lease was lost or never was one, or the delivery ended otherwise. Nothing changed.
    Stale,
}

impl Settled {
    /// State of the message now, if the settlement took effect.
    #[must_use]
    pub const fn state(&self) -> Option<MessageState> {
        match self {
            Self::Applied { state, .. } => Some(*state),
            Self::Stale => None,
        }
    }

    /// What it completed, if anything.
    #[must_use]
    pub const fn completed(&self) -> Option<&Completed> {
        match self {
            Self::Applied { completed, .. } => completed.as_ref(),
            Self::Stale => None,
        }
    }
}

/// Nothing waits longer for its next attempt: a day at most, and then until a maintenance window ends, which is shorter
/// than another. What would rest longer was put off by a clock that was ahead, and is due.
pub const LONGEST_REST: Duration = Duration::from_secs(48 * 3_600);

/// A delivery as stored.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRecord {
    /// Id.
    pub id: DeliveryId,
    /// Message.
    pub message: MessageId,
    /// Target.
    pub target: TargetId,
    /// Authority that receives it.
    pub authority: Option<AuthorityId>,
    /// Product package that made the output.
    pub product: Option<String>,
    /// State.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: u32,
    /// Next due time.
    pub due: Timestamp,
    /// Deadline.
    pub deadline: Timestamp,
    /// Code of the last failure.
    pub code: Option<Code>,
    /// Reference the target gave.
    pub receipt: Option<String>,
    /// Digest of the output.
    pub output_digest: Option<Digest>,
    /// Fetched by the target.
    pub pull: bool,
    /// Lane.
    pub lane: Option<u64>,
}

impl DeliveryRecord {
    /// Whether it waits for a moment that only a clock that was ahead can have noted, see [`LONGEST_REST`].
    #[must_use]
    pub fn is_put_off(&self, now: Timestamp) -> bool {
        self.state == DeliveryState::Prepared && self.due > now.plus(LONGEST_REST)
    }
}

/// What waits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Backlog {
    /// Messages per state.
    pub messages: std::collections::BTreeMap<MessageState, u64>,
    /// Deliveries per state.
    pub deliveries: std::collections::BTreeMap<DeliveryState, u64>,
    /// Deliveries that are not final, by target and procedure.
    pub waiting: Vec<Waiting>,
}

/// What a target has not got yet of one procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The target.
    pub target: TargetId,
    /// The procedure; `None` for answers.
    pub procedure: Option<ProcedureId>,
    /// How many deliveries, at least one.
    pub deliveries: u64,
    /// The earliest due time among them; `None` if all are in doubt, and so wait for a person.
    pub due: Option<Timestamp>,
    /// Until when the target is left alone, because it fails or is unknown.
    pub held: Option<Timestamp>,
}
