//! A router in memory, and a service on loopback around it.
#![allow(dead_code, unreachable_pub, reason = "shared by two test binaries that each use a part")]

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dds_inbound::{Context, HttpLimits, Listener, Options, SourceTable, Tls};
use dds_message::{
    AnswerKind, Attachment, Channel, Code, DeliveryId, DeliveryState, Digest, Digesting, EntryFacts, Format,
    JournalEvent, MessageId, MessageState, Problem, SourceId, TargetId, Timestamp,
};
use dds_router::{Acknowledgement, Answer, Begin, DeliveryStatus, Handle, Intake, OpenAttachment, Status};
use dds_telemetry::Telemetry;
use futures::{StreamExt, stream::BoxStream};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

pub const TOKEN: &str = "geheim-fuer-tests";
pub const OTHER_TOKEN: &str = "auch-geheim";
pub const DOCUMENT: &str =
    "<anmeldung xmlns=\"urn:datendrehscheibe:hundesteuer:1\"><kopf>Müller</kopf></anmeldung>";

pub fn source() -> SourceId {
    SourceId::parse("amt24").unwrap()
}

/// What the fake router accepted.
#[derive(Debug, Clone)]
pub struct Taken {
    pub id: MessageId,
    pub source: SourceId,
    pub channel: Channel,
    pub key: Option<String>,
    pub document: Bytes,
    pub format: Format,
    pub attachments: Vec<Attachment>,
    pub answer: Option<(AnswerKind, Option<MessageId>, Option<String>)>,
    pub remarks: Vec<String>,
}

/// One is waiting; go on.
type Pause = Arc<Mutex<Option<(Arc<Notify>, Arc<Notify>)>>>;

/// Accepts in memory, checks documents for well-formedness, knows duplicates.
#[derive(Default)]
pub struct Fake {
    pub taken: Arc<Mutex<Vec<Taken>>>,
    /// While set, `accept` tells the first and waits for the second.
    pub pause: Pause,
    /// Refuses everything at `begin`.
    pub refuse: Arc<Mutex<Option<Code>>>,
    /// Why every message was rejected.
    pub problem: Arc<Mutex<Option<Problem>>>,
    /// State of every message, `accepted` if not set.
    pub state: Arc<Mutex<Option<MessageState>>>,
    /// Answers whose receipt was confirmed.
    pub received: Arc<Mutex<HashSet<MessageId>>>,
    /// What was noted in the journal.
    pub noted: Arc<Mutex<Vec<(JournalEvent, Code, serde_json::Value)>>>,
}

impl Fake {
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().clone()
    }

    /// Lets the next acceptances wait; returns (one is waiting, go on).
    pub fn pause(&self) -> (Arc<Notify>, Arc<Notify>) {
        let pair = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        *self.pause.lock() = Some(pair.clone());
        pair
    }

    fn open(
        &self,
        source: &SourceId,
        channel: Channel,
        key: Option<&str>,
        answer: Option<Answer>,
    ) -> Result<Begin, Problem> {
        if let Some(code) = *self.refuse.lock() {
            return Err(Problem::new(code, ("wie der Test es will", "as the test wants it")));
        }
        let first = {
            let taken = self.taken.lock();
            let same = |t: &&Taken| t.key.as_deref() == key && t.source == *source;
            key.and_then(|_| taken.iter().find(same).cloned())
        };
        let intake = Box::new(FakeIntake {
            first: first.clone(),
            taken: Arc::clone(&self.taken),
            pause: Arc::clone(&self.pause),
            message: Taken {
                id: MessageId(Uuid::now_v7()),
                source: source.clone(),
                channel,
                key: key.map(str::to_owned),
                document: Bytes::new(),
                format: Format::Xml,
                attachments: Vec::new(),
                answer: answer.map(|answer| (answer.kind, answer.message, answer.case)),
                remarks: Vec::new(),
            },
        });
        Ok(match first {
            None => Begin::New(intake),
            Some(first) => Begin::Known { first: Ok(acknowledgement(first.id, true)), comparing: intake },
        })
    }
}

fn acknowledgement(id: MessageId, duplicate: bool) -> Acknowledgement {
    Acknowledgement { id, accepted: Timestamp(1_795_305_600_123), duplicate, state: MessageState::Accepted }
}

#[async_trait]
impl Handle for Fake {
    async fn begin(&self, source: &SourceId, channel: Channel, key: Option<&str>) -> Result<Begin, Problem> {
        self.open(source, channel, key, None)
    }

    async fn begin_answer(
        &self,
        from: &SourceId,
        channel: Channel,
        key: Option<&str>,
        answer: Answer,
    ) -> Result<Begin, Problem> {
        self.open(from, channel, key, Some(answer))
    }

    async fn status(&self, source: &SourceId, id: MessageId) -> Result<Option<Status>, Problem> {
        let taken = self.taken.lock();
        let Some(message) = taken.iter().find(|taken| taken.id == id && taken.source == *source) else {
            return Ok(None);
        };
        let target = TargetId::parse("146120000000/steueramt/fv-steuerwerk").unwrap();
        let answers = taken.iter().filter_map(|answer| match &answer.answer {
            Some((kind, Some(to), _)) if *to == message.id => {
                Some((answer.id, *kind, Timestamp(1_795_305_700_000)))
            }
            _ => None,
        });
        Ok(Some(Status {
            id,
            accepted: Timestamp(1_795_305_600_123),
            state: self.state.lock().unwrap_or(MessageState::Accepted),
            problem: self.problem.lock().clone(),
            deliveries: vec![DeliveryStatus {
                id: DeliveryId::derive(id, &target, "hundesteuer@1.0", 0),
                authority: Some("sn:146120000000-steueramt".into()),
                target,
                state: DeliveryState::Prepared,
            }],
            answers: answers.collect(),
        }))
    }

    async fn answer_document(
        &self,
        _: &SourceId,
        answer: MessageId,
    ) -> Result<Option<(Bytes, Format)>, Problem> {
        let taken = self.taken.lock();
        Ok(taken
            .iter()
            .find(|t| t.id == answer && t.answer.is_some())
            .map(|t| (t.document.clone(), t.format)))
    }

    async fn answer_attachments(
        &self,
        _: &SourceId,
        answer: MessageId,
    ) -> Result<Option<Vec<Attachment>>, Problem> {
        let taken = self.taken.lock();
        Ok(taken.iter().find(|t| t.id == answer && t.answer.is_some()).map(|t| t.attachments.clone()))
    }

    /// As many bytes as the attachment has.
    async fn answer_attachment(
        &self,
        source: &SourceId,
        answer: MessageId,
        place: usize,
    ) -> Result<Option<OpenAttachment>, Problem> {
        let attachments = self.answer_attachments(source, answer).await?;
        Ok(attachments.and_then(|all| all.get(place).cloned()).map(|one| {
            let bytes = Bytes::from(vec![7; one.size as usize]);
            (one, futures::stream::once(async { Ok(bytes) }).boxed())
        }))
    }

    async fn answer_received(&self, _: &SourceId, answer: MessageId) -> Result<Option<bool>, Problem> {
        let known = self.taken.lock().iter().any(|t| t.id == answer && t.answer.is_some());
        Ok(known.then(|| self.received.lock().insert(answer)))
    }

    async fn note(&self, event: JournalEvent, code: Code, facts: EntryFacts) -> Result<(), Problem> {
        let facts = serde_json::from_str(&facts.to_json()).unwrap();
        self.noted.lock().push((event, code, facts));
        Ok(())
    }
}

struct FakeIntake {
    /// What came under the same key before.
    first: Option<Taken>,
    taken: Arc<Mutex<Vec<Taken>>>,
    pause: Pause,
    message: Taken,
}

#[async_trait]
impl Intake for FakeIntake {
    async fn attachment(
        &mut self,
        name: &str,
        media_type: &str,
        mut body: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<Attachment, Problem> {
        let mut digesting = Digesting::default();
        while let Some(piece) = body.next().await {
            digesting.update(&piece?);
        }
        let (digest, size) = digesting.finish();
        let attachment = Attachment { name: name.into(), media_type: media_type.into(), size, digest };
        self.message.attachments.push(attachment.clone());
        Ok(attachment)
    }

    fn remark(&mut self, remarks: Vec<String>) {
        self.message.remarks = remarks;
    }

    async fn accept(
        mut self: Box<Self>,
        document: Bytes,
        format: Format,
    ) -> Result<Acknowledgement, Problem> {
        if format == Format::Xml {
            dds_xml::check(&document, &dds_xml::Limits::default())
                .map_err(|error| Problem::new(Code::NOT_WELL_FORMED, (error.german(), error.to_string())))?;
        }
        if let Some(first) = self.first {
            let same = first.document == document && first.attachments == self.message.attachments;
            let reused =
                || Problem::new(Code::KEY_REUSED, ("wie die Datendrehscheibe", "as the router does"));
            return if same { Ok(acknowledgement(first.id, true)) } else { Err(reused()) };
        }
        let pause = self.pause.lock().clone();
        if let Some((waiting, go_on)) = pause {
            waiting.notify_one();
            go_on.notified().await;
        }
        // As the router: what is long is packed first, and others may come before it.
        if document.len() > dds_router::ACCEPTED_IN_ORDER {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.message.document = document;
        self.message.format = format;
        let id = self.message.id;
        self.taken.lock().push(self.message);
        Ok(acknowledgement(id, false))
    }
}

/// A running service. Ends with the test, or orderly with [`Service::end`].
pub struct Service {
    pub fake: Arc<Fake>,
    pub address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<()>,
}

pub fn table() -> SourceTable {
    SourceTable::default()
        .with_token(source(), Digest::of(TOKEN.as_bytes()))
        .with_token(SourceId::parse("fv-steuerwerk").unwrap(), Digest::of(OTHER_TOKEN.as_bytes()))
}

impl Service {
    pub async fn start(options: Options) -> Self {
        Self::with(options, HttpLimits::default(), table(), None).await
    }

    pub async fn with(options: Options, http: HttpLimits, sources: SourceTable, tls: Option<Tls>) -> Self {
        let fake = Arc::new(Fake::default());
        let context = Context::new(fake.clone(), Arc::new(sources), Telemetry::default(), options);
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), tls, http).await.unwrap();
        let address = listener.address().unwrap();
        let (shutdown, ended) = oneshot::channel();
        let app = dds_inbound::app(context);
        let running = tokio::spawn(listener.serve(app, async move { drop(ended.await) }));
        Self { fake, address, shutdown, running }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Calls for the end; resolves when the service has ended.
    pub fn end(self) -> tokio::task::JoinHandle<()> {
        self.shutdown.send(()).unwrap();
        self.running
    }
}

pub fn client() -> reqwest::Client {
    builder().build().unwrap()
}

pub fn builder() -> reqwest::ClientBuilder {
    // A second install in the same process is no error here.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder().no_proxy()
}

/// A text for people is there in both languages: neither is missing, nor stands for the other.
pub fn both_languages(what: &str, german: &serde_json::Value, english: &serde_json::Value) {
    let filled = |text: &serde_json::Value| text.as_str().is_some_and(|text| !text.is_empty());
    assert!(filled(german) && filled(english) && german != english, "{what}: {german} / {english}");
}

/// The problem document of a refusal, after checking what every one must have.
pub async fn problem(response: reqwest::Response, status: u16, code: &str) -> serde_json::Value {
    let got = response.status().as_u16();
    let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body = response.text().await.unwrap();
    assert_eq!(got, status, "{body}");
    assert_eq!(content_type.as_deref(), Some("application/problem+json"), "{body}");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], code, "{body}");
    assert_eq!(problem["type"], format!("/codes/{code}"));
    assert_eq!(problem["status"], status);
    for field in ["actor", "instance"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {body}");
    }
    for field in ["title", "detail", "remedy"] {
        both_languages(field, &problem[field], &problem[format!("{field}_en")]);
    }
    assert!(problem["findings"].is_array());
    problem
}
