//! The journal: entries, search, and the proof that none is missing.

use dds_message::{Code, DeliveryId, Digest, EntryFacts, JournalEvent, MessageId, TargetId, Timestamp};
use serde::{Deserialize, Serialize};

/// Journal entry to write. Holds ids, digests, codes and counts, never content (invariant I9).
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// When; `None` takes the time of the operation.
    pub at: Option<Timestamp>,
    /// What happened.
    pub event: JournalEvent,
    /// Delivery it concerns.
    pub delivery: Option<DeliveryId>,
    /// Target it concerns.
    pub target: Option<TargetId>,
    /// Code, when something went wrong.
    pub code: Option<Code>,
    /// Further facts.
    pub data: EntryFacts,
}

impl NewEntry {
    /// An entry that says no more than what happened.
    #[must_use]
    pub fn new(event: JournalEvent) -> Self {
        Self { at: None, event, delivery: None, target: None, code: None, data: EntryFacts::new() }
    }
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
