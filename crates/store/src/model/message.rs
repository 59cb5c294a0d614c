//! Messages: accepted, planned, as stored.

use bytes::Bytes;
use dds_message::{
    Ars, Attachment, AuthorityId, CaseRef, Channel, Code, Digest, Direction, Format, MessageId, MessageState,
    MessageType, ProcedureId, ReleaseId, SourceId, Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DeliveryRecord, NewDelivery, NewEntry, WrappedKey};

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
    /// The key its payloads are encrypted with, wrapped under the root key.
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

/// Inhaltsabdruck: whether what comes under a known key is the same message. Document and attachments with their names,
/// in the order as sent, and for an answer its kind and the application it answers.
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
    /// Who sent it.
    pub source: SourceId,
    /// Its procedure.
    pub procedure: Option<ProcedureId>,
    /// Municipality that it named.
    pub municipality: Option<Ars>,
    /// Authority that has it, or to which it is on its way.
    pub authority: AuthorityId,
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
