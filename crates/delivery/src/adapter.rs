//! The seam between the scheduler and the ways out.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dds_message::{
    Attachment, AuthorityId, CaseRef, Code, DeliveryId, MessageId, ProcedureId, TargetId, Text, Timestamp,
};
use dds_store::{ByteStream, Output, StoreError};

/// A way to a target: REST push, SOAP push, drop folder, mail. One value per configured target.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// One attempt; is dropped when [`TargetPolicy::attempt_timeout`] is over.
    async fn deliver(&self, consignment: &Consignment) -> Verdict;
}

/// Sendung: all an adapter needs for one attempt.
pub struct Consignment {
    /// Same on every attempt: the target's key against duplicates.
    pub delivery: DeliveryId,
    /// Message.
    pub message: MessageId,
    /// Counts from 1.
    pub attempt: u32,
    /// Target.
    pub target: TargetId,
    /// Acceptance time of the message.
    pub accepted: Timestamp,
    /// Procedure, if recognised.
    pub procedure: Option<ProcedureId>,
    /// Receiving authority.
    pub authority: Option<AuthorityId>,
    /// Case.
    pub case: Option<CaseRef>,
    /// For an answer to a source: its kind (`receipt`, `further-request`, `decision`) and the message it answers.
    pub answer: Option<(dds_message::AnswerKind, MessageId)>,
    /// What to send.
    pub document: Output,
    /// Attachments, streamed on demand.
    pub attachments: Vec<Arc<dyn AttachmentSource>>,
}

/// An attachment whose bytes are read when they are sent.
#[async_trait]
pub trait AttachmentSource: Send + Sync + 'static {
    /// Its description.
    fn describe(&self) -> &Attachment;
    /// Its clear bytes, from the beginning; may be called again.
    async fn open(&self) -> Result<ByteStream, StoreError>;
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The target has it.
    Delivered(Receipt),
    /// Not now; try again. `retry_after` obeys the target's wish. Code `DDS-D005` says that bytes were sent and no
    /// answer came; a target that cannot deduplicate then gets no second attempt without a person.
    Temporary {
        /// What happened.
        fault: Fault,
        /// The target's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Never: a person must act.
    Permanent(Fault),
}

/// Quittung of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The target's own reference, at most 120 letters, digits and `- _ . : /`; anything else is dropped.
    pub reference: Option<String>,
}

/// Why an attempt failed. The detail is journalled: status codes and kinds of failure, never a response body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Code.
    pub code: Code,
    /// Such as `HTTP 503` or „Verbindung abgelehnt“ (connection refused).
    pub detail: Text,
}

/// How the scheduler treats a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPolicy {
    /// At most so many attempts at the same time, if that is fewer than [`Options::per_target`](crate::Options).
    pub parallel: usize,
    /// Recognises a repeated delivery by its id; otherwise each attempt is marked durably before it begins.
    pub deduplicates: bool,
    /// Waits between attempts; the last one repeats. Each is jittered between half and full.
    pub retry: Vec<Duration>,
    /// One attempt may take so long.
    pub attempt_timeout: Duration,
    /// Faults in a row until the breaker opens, and for how long.
    pub breaker: (u32, Duration),
    /// Daily maintenance window in minutes after midnight UTC (from, to); nothing is sent in it.
    pub maintenance: Option<(u16, u16)>,
}

impl Default for TargetPolicy {
    fn default() -> Self {
        let retry = [5, 15, 60, 300, 900, 3_600, 14_400].map(Duration::from_secs).to_vec();
        Self {
            parallel: usize::MAX,
            deduplicates: true,
            retry,
            attempt_timeout: Duration::from_secs(60),
            breaker: (5, Duration::from_secs(30)),
            maintenance: None,
        }
    }
}

/// A target ready to use.
pub struct LiveTarget {
    /// Gegenstelle: who hangs when this target does. Targets of one host share what a host may have of
    /// [`Options::concurrency`](crate::Options).
    pub host: Arc<str>,
    /// Its adapter.
    pub adapter: Arc<dyn Adapter>,
    /// Its treatment.
    pub policy: TargetPolicy,
}

/// Finds targets by id in the active release.
pub trait TargetDirectory: Send + Sync + 'static {
    /// The target, or `None` if it is no longer configured.
    fn lookup(&self, target: &TargetId) -> Option<Arc<LiveTarget>>;
}
