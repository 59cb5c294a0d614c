//! The operations of the router on the store.

use std::time::Duration;

use async_trait::async_trait;
use dds_message::{CaseHolder, DeliveryId, MessageId, SourceId, TargetId, Timestamp};

use crate::{
    Accepted, Anchor, Archived, Attempting, CaseApplication, ChainReport, ClaimFilter, Claimed,
    DeliveryRecord, Expired, Lease, LogPage, LogQuery, LogRow, MessageRecord, NewDelivery, NewEntry,
    NewMessage, NewPlan, Pending, PlanState, Settled, Settlement, Shipment, StoreError,
};

/// Messages with documents of at most so many bytes are committed in the order in which the calls of
/// [`Journal::accept`] were first polled, and many of them in one commit. A longer document may be overtaken.
pub const ACCEPTED_IN_ORDER: usize = 32 * 1024;

/// Messages, deliveries, leases and their journal. One implementation per engine.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Makes message, inline payload and journal entry durable. The same (source, sender key) again returns the
    /// first result with `fresh == false`, or [`StoreError::KeyReused`] if the content differs.
    async fn accept(&self, message: NewMessage) -> Result<Accepted, StoreError>;

    /// The message first accepted under this key, if any. `sender_key` is hashed before it is stored.
    async fn find(&self, source: &SourceId, sender_key: &str) -> Result<Option<Accepted>, StoreError>;

    /// Messages in state `Accepted`, oldest first, after `after`: the work left by a crash.
    async fn pending(&self, after: Option<MessageId>, max: usize) -> Result<Vec<Pending>, StoreError>;

    /// Result of routing: journal entries, deliveries with their output, and the new state of the message, one
    /// commit. Planning again with the same delivery ids changes nothing and returns `false`.
    async fn plan(&self, plan: NewPlan) -> Result<bool, StoreError>;

    /// Adds deliveries to a planned message (redirect, send as new) and settles `replaces` as redirected, one commit.
    /// Of the entries, one that names a delivery tells of that delivery. If `replaces` was redirected to these very
    /// deliveries before, nothing happens; to others, is delivered or called off: [`StoreError::Invalid`].
    async fn replan(
        &self,
        message: MessageId,
        replaces: Option<DeliveryId>,
        deliveries: Vec<NewDelivery>,
        entries: Vec<NewEntry>,
    ) -> Result<(), StoreError>;

    /// Makes a dead or doubtful delivery due again under the same id, by a person's decision, or one that
    /// [was put off](DeliveryRecord::is_put_off) by a clock that was ahead; the message goes back to `Routed`, one
    /// commit. Any other state of the delivery is [`StoreError::Invalid`].
    async fn revive(
        &self,
        delivery: DeliveryId,
        due: Timestamp,
        deadline: Timestamp,
        entry: NewEntry,
    ) -> Result<(), StoreError>;

    /// Moves a message to another state by a person's decision (release from parking, rejection), one commit. `report`
    /// is the Prüfbericht from then on, if given. A rejection calls its dead letters off; a message that somebody has
    /// got can no longer be rejected ([`StoreError::Invalid`]).
    async fn set_state(
        &self,
        message: MessageId,
        state: PlanState,
        report: Option<bytes::Bytes>,
        entry: NewEntry,
    ) -> Result<(), StoreError>;

    /// Up to `max` due deliveries, at most one in flight per ordered lane, fair between targets. Leases not settled
    /// or extended within `ttl` return by themselves with a higher epoch.
    async fn claim(
        &self,
        filter: &ClaimFilter,
        max: usize,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Prolongs a lease; `false` if it was lost.
    async fn extend(&self, lease: &Lease, ttl: Duration, now: Timestamp) -> Result<bool, StoreError>;

    /// Gives a lease back untouched, without a journal entry: the delivery is claimable again from `due` on (breaker
    /// open, shutdown). A lost lease is no error.
    async fn release(&self, lease: &Lease, due: Timestamp) -> Result<(), StoreError>;

    /// Durable mark before the first byte to a target that cannot deduplicate; `false` if the lease was lost. After a
    /// crash such a delivery is `InDoubt` and waits for a person.
    async fn attempting(&self, attempt: Attempting) -> Result<bool, StoreError>;

    /// Outcomes of attempts, all in one commit, each fenced by its lease. When the last open delivery of a message
    /// becomes final, the message moves to `Completed` (`Parked` if one is a dead letter, `Rejected` with `DDS-R009` if
    /// nobody got it because all were called off) in the same commit. A receipt that comes after the lease or the
    /// deadline was lost still counts ([`Settlement::late`]).
    async fn settle(&self, outcomes: Vec<Settlement>) -> Result<Vec<Settled>, StoreError>;

    /// Holds all deliveries to `target` back until `until` (circuit breaker, maintenance); `None` lifts it.
    async fn hold(&self, target: &TargetId, until: Option<Timestamp>) -> Result<(), StoreError>;

    /// Earliest due time of a claimable delivery, now or later; lets the scheduler sleep.
    async fn next_due(&self, filter: &ClaimFilter) -> Result<Option<Timestamp>, StoreError>;

    /// Waits until something may have become claimable under `filter`, or `until`. May return early without cause;
    /// never misses what became claimable between the caller's last [`Journal::claim`] and this call.
    async fn wait(&self, filter: &ClaimFilter, until: Option<Timestamp>, now: Timestamp);

    /// A message with its deliveries.
    async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, StoreError>;

    /// A message with its deliveries and the clear bytes of its main document, in one read.
    async fn submission(&self, id: MessageId) -> Result<Option<(MessageRecord, bytes::Bytes)>, StoreError>;

    /// One delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, StoreError>;

    /// The applications that an answer naming only `case` can mean, newest first: of each source, procedure,
    /// municipality and authority the newest that this authority has or is about to get. Not what was rejected, is not
    /// routed, was called off, or went to another authority by redirection.
    async fn by_case(&self, case: &str) -> Result<Vec<CaseApplication>, StoreError>;

    /// Who has `case` of `source`: where its applications before message `before` were planned for, each combination of
    /// procedure, municipality and authority once, newest first, from the hundred newest. What was rejected, parked
    /// before delivery, called off or redirected to another authority left the case with nobody.
    async fn case_holders(
        &self,
        source: &SourceId,
        case: &str,
        before: MessageId,
    ) -> Result<Vec<CaseHolder>, StoreError>;

    /// Clear bytes of the main document.
    async fn document(&self, id: MessageId) -> Result<bytes::Bytes, StoreError>;

    /// Clear bytes of the Prüfbericht given with the plan, if any.
    async fn report(&self, id: MessageId) -> Result<Option<bytes::Bytes>, StoreError>;

    /// Everything that a delivery sends, in one read. Attachments stay in the blob store.
    async fn shipment(&self, id: DeliveryId) -> Result<Shipment, StoreError>;

    /// Writes an entry that changes no state: of the message whose delivery it names, or of none (activation of a
    /// release, start, stop).
    async fn note(&self, entry: NewEntry) -> Result<(), StoreError>;

    /// Whether the store takes and gives: it can be read, its folders are there, and the last commit went well. After a
    /// commit that failed it tries another one, so that the answer turns by itself when the trouble is over. Cheap
    /// otherwise.
    async fn check(&self) -> Result<(), StoreError>;

    /// Counts for metrics and console: deliveries that wait by target and procedure with their oldest due time, and
    /// messages and deliveries per state. From memory: it costs the same however much waits.
    async fn backlog(&self) -> Result<crate::Backlog, StoreError>;
}

/// The journal as evidence: rows are written by [`Journal`] only.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Newest first, at most `limit` rows from `after` on.
    async fn search(&self, query: &LogQuery, after: Option<i64>, limit: u32) -> Result<LogPage, StoreError>;
    /// All entries of a message in order.
    async fn history(&self, id: MessageId) -> Result<Vec<LogRow>, StoreError>;
    /// Entries in order from `from` on, for export.
    async fn rows(&self, from: i64, limit: u32) -> Result<Vec<LogRow>, StoreError>;
    /// Recomputes the hash chain from `from` (1 is the first) to `to` (`None`: the end).
    async fn verify(&self, from: i64, to: Option<i64>) -> Result<ChainReport, StoreError>;
    /// Sequence number and hash of the newest entry, to be kept elsewhere.
    async fn anchor(&self) -> Result<Anchor, StoreError>;
}

/// Deletion after the retention period: the key of the message goes first, so that what is left can never be read.
#[async_trait]
pub trait Retention: Send + Sync + 'static {
    /// Deletes payloads of messages final since before `final_before`, at most `max`; sweeps orphans of uploads that
    /// were never accepted and are older than `orphan_before`.
    async fn expire(
        &self,
        final_before: Timestamp,
        orphan_before: Timestamp,
        max: usize,
    ) -> Result<Expired, StoreError>;

    /// Moves the entries of every month that is over (UTC) out of the way of the current one, where search, history,
    /// export and verification still find them. Asked again after a crash, it goes on where it was.
    async fn archive(&self) -> Result<Archived, StoreError>;
}
