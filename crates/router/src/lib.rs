//! The main path. Read this file top-down: it is the life of a message.
//!
//! 1. A channel calls [`Handle::begin`]; a repeated key gets the answer of the first (`duplicates.rs`).
//! 2. Attachments stream into the blob store; [`Intake::accept`] recognises the document in one pass, checks what the
//!    source may send, and makes message and journal entry durable in one transaction (`accept.rs`).
//! 3. [`route::route`] matches the facts against the active release, has the worker validate and transform, and
//!    writes plan, deliveries and journal entries in one transaction.
//! 4. `dds-delivery` takes it from there. Answers of authorities come in as messages of their own (`answer.rs`).
//!
//! What a crash leaves between 2 and 3 is found again by [`Router::run`].

mod accept;
mod answer;
mod delivery_of;
mod dispatch;
mod duplicates;
mod handle;
mod operate;
mod route;
mod sendung;
mod status;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dds_depot::{InForce, Release};
use dds_message::{
    Attachment, Channel, Clock, Code, EntryFacts, Format, JournalEvent, MessageId, Problem, SourceId,
};
use dds_store::{BlobStore, Journal, NewEntry, Vault};
use dds_telemetry::Telemetry;
use dds_worker::Pool;
use dds_xml::Limits;

pub use accept::recognise;
pub use dds_store::ACCEPTED_IN_ORDER;
pub use handle::{Acknowledgement, Answer, Begin, DeliveryStatus, Handle, Intake, OpenAttachment, Status};
pub use operate::Redirected;
pub use route::{Outcome, Subject, judge};

/// What the router works with.
#[derive(Clone)]
pub struct Parts {
    /// Messages, deliveries, journal.
    pub journal: Arc<dyn Journal>,
    /// Attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Keys of messages.
    pub vault: Vault,
    /// Workers that validate and transform.
    pub pool: Pool,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Log and metrics.
    pub telemetry: Telemetry,
}

/// How much at a time.
#[derive(Debug, Clone)]
pub struct Options {
    /// Limits of the main document.
    pub limits: Limits,
    /// Messages routed side by side.
    pub concurrency: usize,
    /// Accepted messages kept in memory until they are routed, as long as their documents take no more than 16 MB;
    /// beyond that they are read again from the store.
    pub backlog: usize,
    /// At shutdown, messages being routed get so long to end.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), concurrency: 32, backlog: 8_192, grace: Duration::from_secs(20) }
    }
}

/// The router; cheap to clone. Implements [`Handle`] for the channels.
#[derive(Clone)]
pub struct Router {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) options: Options,
    pub(crate) in_force: InForce,
    pub(crate) duplicates: duplicates::InFlight,
    pub(crate) queue: dispatch::Queue,
}

impl Router {
    /// Makes a router for the release in force, which the pool has loaded already, as it must have loaded each that is
    /// put in force later. Nothing runs before [`Router::run`].
    #[must_use]
    pub fn new(parts: Parts, options: Options, in_force: impl Into<InForce>) -> Self {
        let queue = dispatch::Queue::new(options.backlog);
        let in_force = in_force.into();
        let duplicates = duplicates::InFlight::default();
        Self { inner: Arc::new(Inner { parts, options, in_force, duplicates, queue }) }
    }

    /// Routes what was accepted, first what an earlier process left, until `shutdown` turns true.
    pub async fn run(&self, shutdown: tokio::sync::watch::Receiver<bool>) {
        dispatch::run(self, shutdown).await;
    }

    /// The release in force.
    #[must_use]
    pub fn release(&self) -> Release {
        self.inner.in_force.get()
    }
}

#[async_trait]
impl Handle for Router {
    async fn begin(
        &self,
        source: &SourceId,
        channel: Channel,
        sender_key: Option<&str>,
    ) -> Result<Begin, Problem> {
        accept::begin(self, source, channel, sender_key, None).await
    }

    async fn begin_answer(
        &self,
        from: &SourceId,
        channel: Channel,
        sender_key: Option<&str>,
        answer: Answer,
    ) -> Result<Begin, Problem> {
        let application = answer::application(self, from, &answer).await?;
        accept::begin(self, from, channel, sender_key, Some((answer.kind, application))).await
    }

    async fn status(&self, source: &SourceId, id: MessageId) -> Result<Option<Status>, Problem> {
        status::status(self, source, id).await
    }

    async fn answer_document(
        &self,
        source: &SourceId,
        answer: MessageId,
    ) -> Result<Option<(Bytes, Format)>, Problem> {
        status::answer_document(self, source, answer).await
    }

    async fn answer_attachments(
        &self,
        source: &SourceId,
        answer: MessageId,
    ) -> Result<Option<Vec<Attachment>>, Problem> {
        status::answer_attachments(self, source, answer).await
    }

    async fn answer_attachment(
        &self,
        source: &SourceId,
        answer: MessageId,
        place: usize,
    ) -> Result<Option<OpenAttachment>, Problem> {
        status::answer_attachment(self, source, answer, place).await
    }

    async fn answer_received(&self, source: &SourceId, answer: MessageId) -> Result<Option<bool>, Problem> {
        status::answer_received(self, source, answer).await
    }

    async fn note(&self, event: JournalEvent, code: Code, facts: EntryFacts) -> Result<(), Problem> {
        let entry = NewEntry { code: Some(code), data: facts, ..NewEntry::new(event) };
        Ok(self.inner.parts.journal.note(entry).await?)
    }
}

/// How long an answer is tried, and a delivery whose rule the release in force has no more: 72 hours.
pub(crate) const ANSWER_DEADLINE: Duration = Duration::from_secs(72 * 3_600);
