//! Annahme: from the first byte to the acknowledgement.

use std::{
    pin::Pin,
    task::{self, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use dds_depot::{Recognised, Release};
use dds_message::{
    AnswerKind, Attachment, Channel, Code, Digest, Direction, Facts, Format, JournalEvent, MessageId,
    MessageState, Problem, SourceId,
};
use dds_store::{Accepted, MessageKey, NewEntry, NewMessage, StoreError, StoredAttachment, WrappedKey};
use dds_telemetry::{Attribute, Event, MessageAccepted, Moment, Span, Stage, Step};
use dds_xml::Limits;
use futures::{StreamExt, stream::BoxStream};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::{
    Acknowledgement, Begin, Intake, Router,
    dispatch::{self, Work},
    duplicates::{Repetition, Turn},
    status,
};

/// So many messages may come under one message id of the sender, each rejected; a sender that numbers nothing must not
/// make us look through ever more of them.
const CORRECTIONS: usize = 100;

/// Kind of an answer and the application it answers.
pub(crate) type Answers = Option<(AnswerKind, MessageId)>;

/// The same as the store keeps it: which way the message goes, and the application that it answers.
pub(crate) const fn way(answers: Answers) -> (Direction, Option<MessageId>) {
    match answers {
        None => (Direction::Application, None),
        Some((kind, application)) => (Direction::Answer(kind), Some(application)),
    }
}

/// Begins a receipt, or a comparison with what was accepted under the key before.
pub(crate) async fn begin(
    router: &Router,
    source: &SourceId,
    channel: Channel,
    sender_key: Option<&str>,
    answers: Answers,
) -> Result<Begin, Problem> {
    let mut turn = None;
    if let Some(key) = sender_key {
        turn = Some(router.inner.duplicates.take(source, key).await);
        if let Some(first) = router.inner.parts.journal.find(source, key).await? {
            router.inner.parts.telemetry.metrics().duplicate();
            let told = repeat(router, &first).await;
            let comparing = Repetition { first, told: told.clone(), answers, attachments: Vec::new() };
            return Ok(Begin::Known { first: told, comparing: Box::new(comparing) });
        }
    }
    let (now, began) = (router.inner.parts.clock.now(), router.inner.parts.telemetry.moment());
    let id = MessageId(new_uuid(now.0)?);
    let (key, wrapped) = router.inner.parts.vault.new_message_key(id)?;
    Ok(Begin::New(Box::new(Reception {
        router: router.clone(),
        source: source.clone(),
        channel,
        answers,
        id,
        sender_key: sender_key.map(str::to_owned),
        turn,
        key,
        wrapped,
        attachments: Vec::new(),
        remarks: Vec::new(),
        began,
    })))
}

/// The answer to a repeat: that of the first, and no positive one if the first was rejected meanwhile.
async fn repeat(router: &Router, first: &Accepted) -> Result<Acknowledgement, Problem> {
    if first.state == MessageState::Rejected
        && let Some(record) = router.inner.parts.journal.message(first.id).await?
        && let Some(problem) = status::problem(router, &record).await?
    {
        return Err(problem);
    }
    Ok(Acknowledgement { id: first.id, accepted: first.at, duplicate: true, state: first.state })
}

fn new_uuid(milliseconds: i64) -> Result<Uuid, Problem> {
    let mut random = [0u8; 10];
    getrandom::fill(&mut random).map_err(|_| {
        Problem::new(
            Code::INTERNAL,
            ("das System liefert keine Zufallszahlen", "no random bytes from the system"),
        )
    })?;
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
}

/// A message being received.
struct Reception {
    router: Router,
    source: SourceId,
    channel: Channel,
    answers: Answers,
    id: MessageId,
    sender_key: Option<String>,
    turn: Option<Turn>,
    key: MessageKey,
    wrapped: WrappedKey,
    attachments: Vec<StoredAttachment>,
    remarks: Vec<String>,
    began: Moment,
}

#[async_trait]
impl Intake for Reception {
    async fn attachment(
        &mut self,
        name: &str,
        media_type: &str,
        mut body: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<Attachment, Problem> {
        let mut writer = self.router.inner.parts.blobs.create(&self.key).await?;
        while let Some(piece) = body.next().await {
            writer.write(piece?).await?;
        }
        let (blob, size, digest) = writer.finish().await?;
        let attachment =
            Attachment { name: name.to_owned(), media_type: media_type.to_owned(), size, digest };
        self.attachments.push(StoredAttachment { attachment: attachment.clone(), blob });
        Ok(attachment)
    }

    fn remark(&mut self, remarks: Vec<String>) {
        self.remarks = remarks;
    }

    /// To its end, whoever listens: a sender that leaves meanwhile must not leave behind a message that is committed
    /// and not routed.
    async fn accept(self: Box<Self>, document: Bytes, format: Format) -> Result<Acknowledgement, Problem> {
        ToItsEnd(Some(Box::pin(self.take(document, format)))).await
    }
}

/// A future that goes on in a task of its own when nobody waits for it any more.
struct ToItsEnd<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> Future for ToItsEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for ToItsEnd<F> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(future);
        }
    }
}

impl Reception {
    /// Recognises the message, commits it and hands it on to routing.
    async fn take(mut self: Box<Self>, document: Bytes, format: Format) -> Result<Acknowledgement, Problem> {
        let release = self.router.release();
        let at = self.router.inner.parts.clock.now();
        let facts = match self.answers {
            // The content of an answer concerns only source and authority: it is checked and carried, not recognised.
            Some(_) => {
                check(&document, format, &self.router.inner.options.limits)?;
                None
            }
            None => {
                let recognising = self.router.inner.parts.telemetry.moment();
                let (limits, day) = (&self.router.inner.options.limits, at.legal_day());
                let found = recognise(&release, &document, format, limits, &day)?;
                let attributes: &[Attribute<'_>] = &[("procedure", &found.0.procedure)];
                let span = Span { step: Step::Recognise, message: self.id, code: None, attributes };
                self.router.inner.parts.telemetry.span(recognising, span);
                let source = release.source(&self.source).ok_or_else(|| unknown_source(&self.source))?;
                source.may_send(&found.0)?;
                release.may_address(source, &found.0, found.1, &day)?;
                Some(found.0)
            }
        };
        let digest = Digest::of(&document);
        let sender_key = self.sender_key(facts.as_ref(), digest);
        if self.turn.is_none() {
            self.turn = Some(self.router.inner.duplicates.take(&self.source, &sender_key).await);
        }
        let message_type = facts.as_ref().map(|facts| facts.message_type.to_string());
        let event = MessageAccepted {
            message: self.id,
            source: &self.source,
            channel: self.channel,
            procedure: facts.as_ref().map_or("", |facts| facts.procedure.as_str()),
            message_type: message_type.as_deref().unwrap_or(""),
            digest,
            size: document.len(),
            attachments: self.attachments.iter().map(|stored| stored.attachment.digest).collect(),
            remarks: &self.remarks,
        };
        let entry = NewEntry { data: event.facts(), ..NewEntry::new(JournalEvent::MessageAccepted) };
        let parts = &self.router.inner.parts;
        let message =
            |key| self.new_message(at, document.clone(), digest, format, key, facts.as_ref(), entry.clone());
        let accepted = self.commit(sender_key, message).await?;
        if !accepted.fresh {
            parts.telemetry.metrics().duplicate();
            return repeat(&self.router, &accepted).await;
        }
        parts.telemetry.record(&event);
        parts.telemetry.metrics().took(Stage::Accept, event.procedure, parts.clock.now().since(at));
        self.spans(&event);
        let attachments = self.attachments.iter().map(|stored| stored.attachment.clone()).collect();
        let (procedure, case) = (
            facts.as_ref().map(|facts| &facts.procedure),
            facts.as_ref().and_then(|facts| facts.case.as_ref()),
        );
        let line = dispatch::line(&release, &self.source, procedure, case);
        let work = Work {
            id: self.id,
            at,
            source: self.source.clone(),
            answers: self.answers,
            document,
            format,
            facts,
            attachments,
        };
        self.router.inner.queue.put(work, line);
        Ok(Acknowledgement {
            id: accepted.id,
            accepted: accepted.at,
            duplicate: false,
            state: accepted.state,
        })
    }

    /// Commits the message under its key. A key that we made up ourselves, of the sender's message id or of the
    /// content, does not bind what mends a rejected message: that one counts as the next message of this key.
    async fn commit(
        &self,
        sender_key: String,
        message: impl Fn(String) -> NewMessage,
    ) -> Result<Accepted, StoreError> {
        let journal = &self.router.inner.parts.journal;
        let mut key = sender_key.clone();
        for next in 1..=CORRECTIONS {
            match journal.accept(message(key.clone())).await {
                Err(StoreError::KeyReused) if self.sender_key.is_none() => {
                    let first = journal.find(&self.source, &key).await?;
                    if first.is_none_or(|first| first.state != MessageState::Rejected) {
                        break;
                    }
                    key = format!("correction:{next}:{sender_key}");
                }
                done => return done,
            }
        }
        Err(StoreError::KeyReused)
    }

    /// The span of the acceptance; of an answer also one in the trace of the application it answers.
    fn spans(&self, event: &MessageAccepted<'_>) {
        let telemetry = &self.router.inner.parts.telemetry;
        let attributes: &[Attribute<'_>] = &[
            ("source", event.source),
            ("channel", &event.channel.as_str()),
            ("procedure", &event.procedure),
        ];
        telemetry.span(self.began, Span { step: Step::Accept, message: self.id, code: None, attributes });
        if let Some((kind, application)) = self.answers {
            let attributes: &[Attribute<'_>] = &[("kind", &kind.as_str()), ("answer", &self.id)];
            let span = Span { step: Step::Answer, message: application, code: None, attributes };
            telemetry.span(self.began, span);
        }
    }

    /// The sender's key, else the sender's own message id, else the content itself; the same words to two applications,
    /// or as another kind of answer, are two answers.
    fn sender_key(&self, facts: Option<&Facts>, digest: Digest) -> String {
        if let Some(key) = &self.sender_key {
            return key.clone();
        }
        if let Some(reference) = facts.and_then(|facts| facts.reference.as_ref()) {
            return format!("reference:{reference}");
        }
        let mut all = digest.to_string();
        if let Some((kind, application)) = self.answers {
            all.push_str(&format!("{}{application}", kind.as_str()));
        }
        for stored in &self.attachments {
            all.push_str(&stored.attachment.digest.to_string());
        }
        format!("content:{}", Digest::of(all.as_bytes()))
    }

    #[allow(clippy::too_many_arguments, reason = "each is one column of the new message")]
    fn new_message(
        &self,
        at: dds_message::Timestamp,
        document: Bytes,
        digest: Digest,
        format: Format,
        sender_key: String,
        facts: Option<&Facts>,
        entry: NewEntry,
    ) -> NewMessage {
        let (direction, answers) = way(self.answers);
        NewMessage {
            id: self.id,
            at,
            direction,
            answers,
            source: self.source.clone(),
            channel: self.channel,
            sender_key,
            key: self.wrapped.clone(),
            document,
            digest,
            format,
            attachments: self.attachments.clone(),
            procedure: facts.map(|facts| facts.procedure.clone()),
            message_type: facts.map(|facts| facts.message_type.clone()),
            municipality: facts.and_then(|facts| facts.municipality),
            addressee: facts.and_then(|facts| facts.addressee.clone()),
            case: facts.and_then(|facts| facts.case.clone()),
            entry,
        }
    }
}

/// Whether a document can be read at all, by the rules that hold for every document. Fails with `DDS-I005`.
fn check(document: &[u8], format: Format, limits: &Limits) -> Result<(), Problem> {
    match format {
        Format::Xml => dds_xml::check(document, limits),
        Format::Json => dds_xml::json::to_xml(document, limits).map(drop),
    }
    .map_err(malformed)
}

fn malformed(error: dds_xml::XmlError) -> Problem {
    Problem::new(Code::NOT_WELL_FORMED, (error.german(), error.to_string()))
}

/// Reads the key facts of a document in one pass. Fails with `DDS-I005`, `DDS-R001`, `DDS-R002` or `DDS-R007`.
pub fn recognise(
    release: &Release,
    document: &[u8],
    format: Format,
    limits: &Limits,
    day: &str,
) -> Result<(Facts, Recognised), Problem> {
    let extracted = match format {
        Format::Xml => dds_xml::extract(document, release.key_plan(), limits),
        Format::Json => dds_xml::json::to_xml(document, limits)
            .and_then(|xml| dds_xml::extract(&xml, release.key_plan(), limits)),
    }
    .map_err(malformed)?;
    release.recognise(&extracted, day)
}

fn unknown_source(source: &SourceId) -> Problem {
    let text = (
        format!("die Quelle {source} gehört nicht zum aktiven Depotstand"),
        format!("source {source} is not part of the active release"),
    );
    Problem::new(Code::NOT_ALLOWED, text)
}
