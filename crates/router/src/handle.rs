//! The face of the router towards channels, console and command line.

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{
    AnswerKind, Attachment, Channel, Code, DeliveryId, DeliveryState, EntryFacts, Format, JournalEvent,
    MessageId, MessageState, Problem, SourceId, TargetId, Timestamp,
};
use futures::stream::BoxStream;
use serde::Serialize;

/// What a channel needs of the router: it begins receipts, asks for states and fetches answers. `Router` implements it.
#[async_trait]
pub trait Handle: Send + Sync + 'static {
    /// Begins the receipt of one message under the sender's key. If that key was accepted before, or is in flight on
    /// another connection and gets accepted, answers [`Begin::Known`] (invariant I8).
    async fn begin(
        &self,
        source: &SourceId,
        channel: Channel,
        sender_key: Option<&str>,
    ) -> Result<Begin, Problem>;

    /// Begins the receipt of an answer of an authority (receipt, further request, decision). `from` is the source id
    /// under which the Fachverfahren may send answers.
    async fn begin_answer(
        &self,
        from: &SourceId,
        channel: Channel,
        sender_key: Option<&str>,
        answer: Answer,
    ) -> Result<Begin, Problem>;

    /// Status of a message as its own source may see it; `None` if unknown or another's.
    async fn status(&self, source: &SourceId, id: MessageId) -> Result<Option<Status>, Problem>;

    /// The document of an answer addressed to `source`; `None` if unknown or another's. Reading an answer changes
    /// nothing.
    async fn answer_document(
        &self,
        source: &SourceId,
        answer: MessageId,
    ) -> Result<Option<(Bytes, Format)>, Problem>;

    /// The attachments of an answer addressed to `source`, in the order as sent; `None` if unknown or another's.
    async fn answer_attachments(
        &self,
        source: &SourceId,
        answer: MessageId,
    ) -> Result<Option<Vec<Attachment>>, Problem>;

    /// The attachment at `place` (0 the first) of an answer addressed to `source`; `None` if there is none.
    async fn answer_attachment(
        &self,
        source: &SourceId,
        answer: MessageId,
        place: usize,
    ) -> Result<Option<OpenAttachment>, Problem>;

    /// Empfangsbestätigung: `source` has the answer with all that belongs to it, so its delivery is done. `false`: it
    /// was done before; `None`: unknown or another's.
    async fn answer_received(&self, source: &SourceId, answer: MessageId) -> Result<Option<bool>, Problem>;

    /// Notes in the journal why something that came in became no message. The facts name it, and hold nothing personal.
    async fn note(&self, event: JournalEvent, code: Code, facts: EntryFacts) -> Result<(), Problem>;
}

/// An attachment with its bytes as a stream, each piece authenticated before it is yielded.
pub type OpenAttachment = (Attachment, BoxStream<'static, Result<Bytes, Problem>>);

/// Which application an answer belongs to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Kind.
    pub kind: AnswerKind,
    /// The application: by message id, or
    pub message: Option<MessageId>,
    /// by case reference.
    pub case: Option<String>,
}

/// Beginning of a receipt.
pub enum Begin {
    /// Go on.
    New(Box<dyn Intake>),
    /// Something was accepted under this key before.
    Known {
        /// Its acknowledgement, or why it was rejected: the answer of a channel whose keys name the content by
        /// themselves.
        first: Result<Acknowledgement, Problem>,
        /// Takes the message without keeping any of it and gives that same answer if it is the same; other content
        /// under the key is refused (`DDS-I010`).
        comparing: Box<dyn Intake>,
    },
}

impl Begin {
    /// For channels whose keys the sender invents: what comes is received in any case, and compared if the key is
    /// known.
    #[must_use]
    pub fn intake(self) -> Box<dyn Intake> {
        match self {
            Self::New(intake) | Self::Known { comparing: intake, .. } => intake,
        }
    }
}

/// One message being received. Dropping it accepts nothing and leaves nothing behind.
#[async_trait]
pub trait Intake: Send {
    /// Receives an attachment; its bytes are encrypted and written as they come, never held in memory. An error in
    /// `body` (the sender broke off) is passed on.
    async fn attachment(
        &mut self,
        name: &str,
        media_type: &str,
        body: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<Attachment, Problem>;
    /// What the channel found worth noting about the sender and hindered nothing, such as `OSCI 3702`; journaled with
    /// the acceptance.
    fn remark(&mut self, _remarks: Vec<String>) {}
    /// Recognises the document, checks that the source may send it and makes everything durable. Only after `Ok` may
    /// the channel acknowledge (invariant I3). Of several calls under way, those with documents of at most
    /// [`ACCEPTED_IN_ORDER`](crate::ACCEPTED_IN_ORDER) bytes count in the order in which they were first polled.
    async fn accept(self: Box<Self>, document: Bytes, format: Format) -> Result<Acknowledgement, Problem>;
}

/// Eingangsquittung: the message is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// Id of the message.
    pub id: MessageId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// `true`: it had been accepted before under the same key.
    pub duplicate: bool,
    /// State now.
    pub state: MessageState,
}

/// What a source may know about its message.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Id.
    pub id: MessageId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// State.
    pub state: MessageState,
    /// Why it was rejected or parked.
    pub problem: Option<Problem>,
    /// Each recipient with its state.
    pub deliveries: Vec<DeliveryStatus>,
    /// Answers that came for it: id, kind, time.
    pub answers: Vec<(MessageId, AnswerKind, Timestamp)>,
}

/// State of one delivery, for its source.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryStatus {
    /// Id.
    pub id: DeliveryId,
    /// Receiving authority.
    pub authority: Option<String>,
    /// Target.
    pub target: TargetId,
    /// State.
    pub state: DeliveryState,
}
