//! What goes into the store and comes out of it.

use bytes::Bytes;
use dds_message::{
    Ars, Attachment, AuthorityId, CaseRef, Channel, Code, DeliveryId, DeliveryState, Digest, Direction,
    Format, MessageId, MessageState, MessageType, ProcedureId, ReleaseId, SourceId, TargetId, Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::WrappedKey;

/// Name of a stored payload. Opaque outside the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobRef(pub Uuid);

/// An attachment whose bytes are durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAttachment {
    /// Its description.
    #[serde(flatten)]
    pub attachment: Attachment,
    /// Where its bytes lie.
    pub blob: BlobRef,
}

/// A message to accept.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Id given by the router.
    pub id: MessageId,
    /// Acceptance time.
    pub at: Timestamp,
    /// Application, or answer and its kind.
    pub direction: Direction,
    /// For an answer: the application it answers.
    pub answers: Option<MessageId>,
    /// Who sent it.
    pub source: SourceId,
    /// By which channel.
    pub channel: Channel,
    /// The sender's key for duplicates (idempotency key, message id, or digest of the content).
    pub sender_key: String,
    /// The key its payloads are encrypted with, wrapped by the master key.
    pub key: WrappedKey,
    /// The main document, clear; the store encrypts it.
    pub document: Bytes,
    /// Digest of the document as sent.
    pub digest: Digest,
    /// Form of the document.
    pub format: Format,
    /// Attachments, already in the blob store under the same key.
    pub attachments: Vec<StoredAttachment>,
    /// Procedure, as recognised; `None` for an answer.
    pub procedure: Option<ProcedureId>,
    /// Message type, as recognised.
    pub message_type: Option<MessageType>,
    /// Municipality, as recognised.
    pub municipality: Option<Ars>,
    /// Authority addressed explicitly.
    pub addressee: Option<AuthorityId>,
    /// Case.
    pub case: Option<CaseRef>,
    /// Journal entry of the acceptance.
    pub entry: NewEntry,
}

impl NewMessage {
    /// [`imprint`] of this message.
    #[must_use]
    pub fn imprint(&self) -> Digest {
        let attachments = self.attachments.iter().map(|stored| &stored.attachment);
        imprint(self.direction, self.answers, self.digest, attachments)
    }
}

/// Inhaltsabdruck: whether what comes under a known key is the same message. Document and attachments with their names, in the order
/// as sent, and for an answer its kind and the application it answers.
pub fn imprint<'a>(
    direction: Direction,
    answers: Option<MessageId>,
    document: Digest,
    attachments: impl IntoIterator<Item = &'a Attachment>,
) -> Digest {
    let files: Vec<_> = attachments.into_iter().map(|file| (&file.name, file.digest)).collect();
    Digest::of(serde_json::json!([direction, answers, document, files]).to_string().as_bytes())
}

/// Answer to an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The message under this key: the new one, or the first.
    pub id: MessageId,
    /// When it was accepted.
    pub at: Timestamp,
    /// `false`: a duplicate, nothing was stored.
    pub fresh: bool,
    /// State of that message now.
    pub state: MessageState,
    /// Digest of the document accepted under this key.
    pub digest: Digest,
    /// [`imprint`] of the message accepted under this key; `None` if a version before 0.2 accepted it.
    pub imprint: Option<Digest>,
}

impl Accepted {
    /// Whether what comes under its key now is the same message.
    #[must_use]
    pub fn is(&self, document: Digest, imprint: Digest) -> bool {
        self.imprint.map_or(self.digest == document, |first| first == imprint)
    }
}

/// A message still to be routed.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its id.
    pub id: MessageId,
    /// When it was accepted.
    pub at: Timestamp,
}

/// An application that an answer naming only a case can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseApplication {
    /// Its id.
    pub id: MessageId,
    /// Its procedure.
    pub procedure: Option<ProcedureId>,
    /// Municipality that it named.
    pub municipality: Option<Ars>,
}

/// Result of routing a message.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// The message.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// Release it was matched with (invariant I4).
    pub release: ReleaseId,
    /// The rule, such as `hundesteuer@1.0`; empty if none matched.
    pub rule: String,
    /// Responsible authority, if found.
    pub authority: Option<AuthorityId>,
    /// Next state of the message.
    pub state: PlanState,
    /// Deliveries; empty when the message is rejected or parked.
    pub deliveries: Vec<NewDelivery>,
    /// Prüfbericht for the sender (JSON list of findings with their texts); stored encrypted like a payload, because
    /// texts of findings may quote the message. Read back by `Journal::report`.
    pub report: Option<Bytes>,
    /// Journal entries of the steps, in order.
    pub entries: Vec<NewEntry>,
}

/// The states that routing, or a person, can give a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanState {
    /// Back to routing (release from parking).
    Accepted,
    /// Deliveries exist.
    Routed,
    /// The sender is told why.
    Rejected(Code),
    /// A named role must act.
    Parked(Code),
}

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
    /// Deliveries of one lane go one after the other: hash of target, rule and case; `None`: any order.
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
#[derive(Debug, Clone)]
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
    /// `true`: not fenced by the epoch, because a receipt of the target counts whenever it comes, as long as the delivery is open or
    /// was given up without a word of the target. Not after it sent it back (DDS-D008) or a person redirected it or called it off, and
    /// not with an epoch that was never given out. Only with [`Outcome::Delivered`].
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It did; the message is in this state now.
    Applied(MessageState),
    /// The lease was lost or never was one, or the delivery ended otherwise. Nothing changed.
    Stale,
}

/// Journal entry to write. Holds ids, digests, codes and counts, never content (invariant I9).
#[derive(Debug, Clone, Default)]
pub struct NewEntry {
    /// When; `None` takes the time of the operation.
    pub at: Option<Timestamp>,
    /// Stable event name, such as `message.accepted`.
    pub event: &'static str,
    /// Delivery it concerns.
    pub delivery: Option<DeliveryId>,
    /// Target it concerns.
    pub target: Option<TargetId>,
    /// Code, when something went wrong.
    pub code: Option<Code>,
    /// Further facts as a JSON object.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// A message as stored.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRecord {
    /// Id.
    pub id: MessageId,
    /// Acceptance time.
    pub at: Timestamp,
    /// Application or answer.
    pub direction: Direction,
    /// Application it answers.
    pub answers: Option<MessageId>,
    /// Answers that came for it, oldest first.
    pub answered_by: Vec<MessageId>,
    /// Source.
    pub source: SourceId,
    /// Channel.
    pub channel: Channel,
    /// State.
    pub state: MessageState,
    /// Code of the last rejection or parking.
    pub code: Option<Code>,
    /// Digest of the document.
    pub digest: Digest,
    /// Size of the document in bytes.
    pub size: u64,
    /// Form of the document.
    pub format: Format,
    /// Procedure.
    pub procedure: Option<ProcedureId>,
    /// Message type.
    pub message_type: Option<MessageType>,
    /// Municipality.
    pub municipality: Option<Ars>,
    /// Explicit addressee.
    pub addressee: Option<AuthorityId>,
    /// Responsible authority.
    pub authority: Option<AuthorityId>,
    /// Case.
    pub case: Option<CaseRef>,
    /// Release it was matched with.
    pub release: Option<ReleaseId>,
    /// Rule it was matched with.
    pub rule: Option<String>,
    /// Attachments.
    pub attachments: Vec<StoredAttachment>,
    /// Wrapped key; `None` after deletion.
    #[serde(skip)]
    pub key: Option<WrappedKey>,
    /// Deliveries, oldest first.
    pub deliveries: Vec<DeliveryRecord>,
}

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

/// A journal entry as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Sequence number, 1 the first, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Event name.
    pub event: String,
    /// Message.
    pub message: Option<MessageId>,
    /// Delivery.
    pub delivery: Option<DeliveryId>,
    /// Case.
    pub case: Option<String>,
    /// Source.
    pub source: Option<String>,
    /// Procedure.
    pub procedure: Option<String>,
    /// Authority.
    pub authority: Option<String>,
    /// Target.
    pub target: Option<String>,
    /// State after the event.
    pub state: Option<String>,
    /// Code.
    pub code: Option<String>,
    /// Further facts.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// Hash of the entry before.
    pub previous: Digest,
    /// Hash of this entry.
    pub hash: Digest,
}

/// Search over the journal; all criteria must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Case.
    pub case: Option<String>,
    /// Source.
    pub source: Option<String>,
    /// Procedure.
    pub procedure: Option<String>,
    /// Authority.
    pub authority: Option<String>,
    /// Target.
    pub target: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Code.
    pub code: Option<String>,
    /// Event.
    pub event: Option<String>,
}

/// A page of a search.
#[derive(Debug, Clone, Serialize)]
pub struct LogPage {
    /// Rows, newest first.
    pub rows: Vec<LogRow>,
    /// Pass as `after` for the next page; `None` at the end.
    pub next: Option<i64>,
}

/// Result of checking the hash chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Entries checked.
    pub checked: u64,
    /// First entry that does not fit, if any, and why.
    pub broken: Option<(i64, String)>,
    /// Last entry checked.
    pub anchor: Option<Anchor>,
}

/// Head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Sequence number.
    pub seq: i64,
    /// Its hash.
    pub hash: Digest,
}

/// What retention removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// Messages whose key and payload are gone.
    pub messages: u64,
    /// Payload files removed.
    pub blobs: u64,
    /// Of these, orphans of uploads never accepted.
    pub orphans: u64,
}

/// What was moved out of the current journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// Closed months.
    pub months: u64,
    /// Their entries.
    pub entries: u64,
}

/// What waits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Backlog {
    /// Messages per state.
    pub messages: std::collections::BTreeMap<MessageState, u64>,
    /// Deliveries per state.
    pub deliveries: std::collections::BTreeMap<DeliveryState, u64>,
    /// Per target: waiting deliveries and the earliest due time among them.
    pub targets: std::collections::BTreeMap<TargetId, (u64, Timestamp)>,
}
