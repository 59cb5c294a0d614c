//! An intermediary and a passive recipient on real sockets, made of `dds-osci` and the postbox; keys made here and now.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use dds_courier::{
    AttachmentList, Courier, Desk, ExchangeError, Identity, OwnIntermediary, Package, Timeouts, Trust,
    digests, receive,
};
use dds_message::Clock as _;
use dds_osci::{
    algorithm::CryptoPolicy,
    certificate::Certificate,
    client::{Client, Fetched, Open},
    content::{ContainerDraft, Content, ContentBody, open, package},
    feedback::{Feedback, FeedbackCode, Language, Refused},
    intake::{Intake, IntakeConfig, Received},
    intermediary::{Attachment, Intermediary, PushFailure, Reply, ReplyMessage, Rules, Step},
    keys::{Decrypter, Signer, SoftwareKey},
    message::{ContentPackage, MessageId, MessageKind, Order, RoleCertificates},
    random::SystemRandom,
    recipient::{Incoming, Recipient, Refusal},
    signature::SigningOptions,
    trust::TrustPolicy,
};
use dds_outbound::OsciSender;
use dds_postbox::{Options, Parts, Postbox, StoredPart};
use dds_store::{MasterKey, Vault};
use dds_testbench::ManualClock;
use parking_lot::Mutex;
use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::spawn_blocking};

/// One key pair per party is enough for both uses.
pub(crate) struct Keys {
    pub(crate) sender: Party,
    pub(crate) intermediary: Party,
    pub(crate) addressee: Party,
}

#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) key: Arc<SoftwareKey>,
    pub(crate) pem: String,
}

impl Party {
    fn new(name: &str) -> Self {
        Self::make(name, |parameters, pair| parameters.self_signed(pair).unwrap().pem())
    }

    /// One whose certificate ends on a day.
    pub(crate) fn until(name: &str, (year, month, day): (i32, u8, u8)) -> Self {
        Self::make(name, |parameters, pair| {
            parameters.not_after = rcgen::date_time_ymd(year, month, day);
            parameters.self_signed(pair).unwrap().pem()
        })
    }

    /// One with a certificate of an authority.
    pub(crate) fn issued(name: &str, ca: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>) -> Self {
        Self::make(name, |parameters, pair| parameters.signed_by(pair, ca).unwrap().pem())
    }

    fn make(name: &str, sign: impl FnOnce(&mut rcgen::CertificateParams, &rcgen::KeyPair) -> String) -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = sign(&mut parameters, &pair);
        Self { key: Arc::new(SoftwareKey::from_pem(&pair.serialize_pem(), &pem).unwrap()), pem }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Signer::certificate(self.key.as_ref()).clone()
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.key.clone(), self.key.clone())
    }
}

pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        sender: Party::new("Erfundene Drehscheibe"),
        intermediary: Party::new("Erfundener Intermediär"),
        addressee: Party::new("Erfundenes Amt"),
    })
}

/// What a party works with: its postbox and its courier.
#[derive(Clone)]
pub(crate) struct Desktop {
    pub(crate) postbox: Postbox,
    pub(crate) courier: Courier,
    folder: Arc<tempfile::TempDir>,
}

impl Desktop {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self::on(clock, Arc::new(tempfile::tempdir().unwrap()))
    }

    /// The postbox as somebody else sees it: only what is committed.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("osci/postbox.sqlite")).unwrap()
    }

    /// Attachments and pieces of attachments on the disk.
    pub(crate) fn files(&self) -> usize {
        let folder = self.folder.path().join("osci");
        let mut open = vec![folder.join("blobs"), folder.join("tmp")];
        let mut count = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { count += 1 }
            }
        }
        count
    }

    /// The same folder, opened by another process so to speak.
    pub(crate) fn reopened(&self, clock: &ManualClock) -> Self {
        Self::on(clock, Arc::clone(&self.folder))
    }

    fn on(clock: &ManualClock, folder: Arc<tempfile::TempDir>) -> Self {
        let postbox = Postbox::open(Options {
            folder: folder.path().join("osci"),
            vault: Vault::apart(&MasterKey::from_hex(&"cd".repeat(32)).unwrap()),
            clock: Arc::new(clock.clone()),
        })
        .unwrap();
        let courier = courier(&postbox, CryptoPolicy::default());
        Self { postbox, courier, folder }
    }

    pub(crate) fn sender(&self, clock: &ManualClock) -> OsciSender {
        OsciSender {
            courier: self.courier.clone(),
            identity: keys().sender.identity(),
            postbox: self.postbox.clone(),
            trust: Trust::new(TrustPolicy::default()),
            clock: Arc::new(clock.clone()),
            own: None,
        }
    }
}

/// A courier that lets these algorithms and keys count.
pub(crate) fn courier(postbox: &Postbox, policy: CryptoPolicy) -> Courier {
    let intake = IntakeConfig { policy, ..IntakeConfig::default() };
    let desk = Desk { intake: Arc::new(intake), postbox: postbox.clone() };
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    // The time-out runs while a request is still being sent, and a test machine may be slow.
    let timeouts = Timeouts { silence: Duration::from_secs(900), ..Timeouts::default() };
    Courier::new(desk, tls, timeouts).unwrap()
}

/// The way to the addressee over this intermediary.
pub(crate) fn way(url: &str) -> Value {
    let keys = keys();
    json!({
        "intermediary": url,
        "intermediary_cipher": keys.intermediary.pem,
        "intermediary_signature": keys.intermediary.pem,
        "addressee": keys.addressee.pem,
        "subject": "Antrag",
    })
}

/// An intermediary at work.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) desktop: Desktop,
    clock: ManualClock,
    /// So many deliveries or chunks pass before any is lost.
    pub(crate) pass: Arc<AtomicUsize>,
    /// So many deliveries are executed and not answered.
    pub(crate) lose_answers: Arc<AtomicUsize>,
    /// So many exitDialog are thrown away unread.
    pub(crate) lose_exits: Arc<AtomicUsize>,
    /// So many deliveries are thrown away unread.
    pub(crate) lose_orders: Arc<AtomicUsize>,
    /// So many messages in chunks are never read, as after a crash.
    pub(crate) forget: Arc<AtomicUsize>,
    /// So many messages in chunks are executed, and the answer says that it takes longer.
    pub(crate) silent: Arc<AtomicUsize>,
    /// So many storeDelivery are answered with 3707 alone, whether they were executed or not.
    pub(crate) warn: Arc<AtomicUsize>,
    /// The MessageId that is given out, whether it is used or not.
    pub(crate) give: Arc<Mutex<Option<MessageId>>>,
    /// Chunks that were executed.
    pub(crate) chunks: Arc<AtomicUsize>,
    /// Orders that were executed.
    pub(crate) executed: Arc<Mutex<Vec<MessageKind>>>,
    pub(crate) own: OwnIntermediary,
    /// Told of what was stored without an order.
    pub(crate) wake: Arc<Notify>,
}

impl Place {
    /// The addressee has a mailbox; pushes may go to `receivers`.
    pub(crate) async fn start(clock: &ManualClock, receivers: &[&str]) -> Self {
        Self::trusting(clock, receivers, Vec::new()).await
    }

    /// One that accepts what these authorities have issued.
    pub(crate) async fn trusting(clock: &ManualClock, receivers: &[&str], anchors: Vec<Certificate>) -> Self {
        let (listener, url) = listener().await;
        let own = keys().intermediary.certificate();
        let wake: Arc<Notify> = Arc::default();
        let rules = Intermediary {
            cipher: own.clone(),
            signature: own,
            trust: TrustPolicy { anchors, self_signed_ok: true, ..TrustPolicy::default() },
            policy: CryptoPolicy::default(),
            rules: Rules {
                min_chunk_kb: 1,
                // Few, so that more wait (3801).
                cards: 1,
                receivers: receivers.iter().map(|&receiver| receiver.to_owned()).collect(),
                ..Rules::default()
            },
        };
        let place = Self {
            url: format!("{url}/osci"),
            desktop: Desktop::new(clock),
            clock: clock.clone(),
            pass: Arc::default(),
            lose_answers: Arc::default(),
            lose_exits: Arc::default(),
            lose_orders: Arc::default(),
            forget: Arc::default(),
            silent: Arc::default(),
            warn: Arc::default(),
            give: Arc::default(),
            chunks: Arc::default(),
            executed: Arc::default(),
            own: OwnIntermediary::new(rules, Arc::clone(&wake)),
            wake,
        };
        place.open(listener);
        place
    }

    /// Another process is the intermediary, in the same folder and at an address of its own.
    pub(crate) async fn rebooted(&self) -> Self {
        let (listener, url) = listener().await;
        let desktop = self.desktop.reopened(&self.clock);
        let place = Self { url: format!("{url}/osci"), desktop, ..self.clone() };
        place.open(listener);
        place
    }

    fn open(&self, listener: tokio::net::TcpListener) {
        self.desktop.postbox.register([keys().addressee.certificate()]);
        let router = Router::new().route("/osci", post(serve)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    /// The sender of the process that runs this intermediary.
    pub(crate) fn own_sender(&self) -> OsciSender {
        OsciSender { own: Some(self.own.clone()), ..self.desktop.sender(&self.clock) }
    }

    pub(crate) fn count(&self, kind: MessageKind) -> usize {
        self.executed.lock().iter().filter(|one| **one == kind).count()
    }

    async fn execute(&self, received: Received<Parts>) -> Package {
        let now = jiff::Timestamp::from_millisecond(self.clock.now().0).unwrap();
        let rules = self.own.rules();
        let order = match rules.examine(&received, now) {
            Ok(order) => order,
            Err(reply) => return self.seal(*reply),
        };
        self.executed.lock().push(order.kind());
        let postbox = &self.desktop.postbox;
        let executing = Arc::clone(&rules);
        let step =
            postbox.run(move |boxes| order.execute(&executing, boxes, &mut SystemRandom)).await.unwrap();
        match step {
            Step::Answer(mut reply) => {
                if reply.code().is_success() {
                    received.store.keep();
                }
                if let ReplyMessage::Envelope(envelope) = &mut reply.message
                    && let Order::ResponseToGetMessageId { message_id, .. } = &mut envelope.order
                    && let Some(given) = self.give.lock().clone()
                {
                    *message_id = Some(given);
                }
                if let ReplyMessage::Envelope(envelope) = &mut reply.message
                    && let Order::ResponseToStoreDelivery { feedback, .. } = &mut envelope.order
                    && take(&self.warn)
                {
                    *feedback = Feedback::of(&[FeedbackCode::S3707], &[Language::German]);
                }
                self.seal(reply)
            }
            Step::Push { receiver, request, then } => {
                let package = self.seal(*request);
                let keys: Vec<Arc<dyn Decrypter>> = vec![keys().intermediary.key.clone()];
                match self.desktop.courier.exchange(&receiver, package, keys).await {
                    Ok(answer) => {
                        let mut answer = answer;
                        let parts = std::mem::replace(&mut answer.store, postbox.parts().unwrap());
                        let reply = postbox.run(move |boxes| then.answered(&rules, &answer, boxes, now));
                        let reply = reply.await.unwrap();
                        parts.keep();
                        self.seal(reply)
                    }
                    Err(error) => self.seal(then.failed(
                        &rules,
                        match error {
                            ExchangeError::NotReached(_) => PushFailure::NotReached,
                            ExchangeError::NoAnswer(_) => PushFailure::NoAnswer,
                            ExchangeError::Unreadable(_) => PushFailure::Unreadable,
                        },
                    )),
                }
            }
            Step::Reassemble { chunks, then } => {
                received.store.keep();
                if take(&self.forget) {
                    return self.seal(Reply::fault(&Refused::new(FeedbackCode::S9000, "ended here")));
                }
                let mut inside = reassemble(&self.desktop, chunks);
                let store = std::mem::replace(&mut inside.store, postbox.parts().unwrap());
                let done = postbox.run(move |boxes| then.done(&rules, Ok(&inside), boxes, now));
                let mut reply = done.await.unwrap();
                if reply.refused.is_none() {
                    store.keep();
                }
                if take(&self.silent)
                    && let ReplyMessage::Envelope(envelope) = &mut reply.message
                    && let Order::ResponseToPartialStoreDelivery { inside, feedback, .. } =
                        &mut envelope.order
                {
                    *inside = None;
                    *feedback =
                        Feedback::of(&[FeedbackCode::S3952, FeedbackCode::S0800], &[Language::German]);
                }
                self.seal(reply)
            }
            step => panic!("no test needs {step:?}"),
        }
    }

    fn seal(&self, reply: Reply<StoredPart>) -> Package {
        if let Some(refused) = &reply.refused {
            eprintln!("intermediary: {refused}");
        }
        let options = SigningOptions::default();
        let digests = digests(&self.desktop.postbox, &reply.attachments, options.digest).unwrap();
        let outgoing =
            reply.seal((keys().intermediary.key.as_ref(), options), &digests, &mut SystemRandom).unwrap();
        Package { outgoing, attachments: reply.attachments }
    }
}

/// The message that the chunks make together.
fn reassemble(desktop: &Desktop, chunks: Vec<Attachment<StoredPart>>) -> Received<Parts> {
    let mut intake =
        Intake::new(&desktop.courier.desk().intake, &[], &mut SystemRandom, desktop.postbox.parts().unwrap());
    for chunk in chunks {
        let mut reader = desktop.postbox.open_part(&chunk.handle).unwrap();
        while let Some(piece) = reader.next_chunk().unwrap() {
            intake.push(&piece).unwrap();
        }
    }
    intake.finish().unwrap()
}

async fn serve(State(place): State<Place>, request: Request) -> Response {
    let deciphers: Vec<Arc<dyn Decrypter>> = vec![keys().intermediary.key.clone()];
    let body = request.into_body().into_data_stream();
    let received = match receive(place.desktop.courier.desk(), deciphers, body).await {
        Ok(received) => received,
        Err(error) => panic!("the intermediary cannot read: {error}"),
    };
    let delivers = matches!(
        received.kind,
        MessageKind::StoreDelivery | MessageKind::ForwardDelivery | MessageKind::MediateDelivery
    ) || !received.attachments.is_empty()
        && received.kind == MessageKind::PartialStoreDelivery;
    if received.kind == MessageKind::ExitDialog && take(&place.lose_exits) {
        return broken();
    }
    let delivers = delivers && !take(&place.pass);
    if delivers && take(&place.lose_orders) {
        return broken();
    }
    if received.kind == MessageKind::PartialStoreDelivery {
        place.chunks.fetch_add(received.attachments.len(), Ordering::SeqCst);
    }
    let package = place.execute(received).await;
    if delivers && take(&place.lose_answers) {
        return broken();
    }
    Body::from_stream(package.stream(place.desktop.postbox.clone())).into_response()
}

fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

/// An answer that breaks off.
fn broken() -> Response {
    let nothing = futures::stream::once(async { Err::<bytes::Bytes, _>(io::Error::other("gone")) });
    Body::from_stream(nothing).into_response()
}

async fn listener() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// What an office replies.
fn bescheid() -> dds_osci::recipient::Reply {
    let container = ContainerDraft::new("Antwort").inline("Bescheid", b"<bescheid/>");
    let container = container.write(&[], SigningOptions::default()).unwrap();
    dds_osci::recipient::Reply {
        content: ContentPackage::new(package(&[], &[container])),
        certificates: RoleCertificates::default(),
        subject: None,
        custom_headers: Vec::new(),
    }
}

/// A passive recipient; counts what it took.
pub(crate) struct Office {
    pub(crate) url: String,
    pub(crate) taken: Arc<AtomicUsize>,
    /// So many pushes are taken and not answered.
    pub(crate) lose_answers: Arc<AtomicUsize>,
    /// So many pushes are taken, and what stands before the office answers 503.
    pub(crate) unavailable: Arc<AtomicUsize>,
    /// So many pushes are refused.
    pub(crate) refuse: Arc<AtomicUsize>,
    /// So many are answered with a reply.
    pub(crate) reply: Arc<AtomicUsize>,
}

impl Office {
    pub(crate) async fn start(clock: &ManualClock) -> Self {
        let (listener, url) = listener().await;
        let (taken, lose, refuse, unavailable, reply) =
            <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>, _)>::default();
        let replies: Arc<AtomicUsize> = Arc::clone(&reply);
        let office = Self {
            url: format!("{url}/empfang"),
            taken: taken.clone(),
            lose_answers: lose.clone(),
            unavailable: unavailable.clone(),
            refuse: refuse.clone(),
            reply,
        };
        let own = keys().addressee.certificate();
        let recipient = Recipient::new(own.clone(), own, vec![keys().intermediary.certificate()]);
        // In one piece: a closure takes fields apart, and the folder would go.
        let desktop = Arc::new(Desktop::new(clock));
        let serve = move |request: Request| async move {
            let key = keys().addressee.key.clone();
            let body = request.into_body().into_data_stream();
            let received = receive(desktop.courier.desk(), vec![key.clone()], body).await.unwrap();
            let response = match recipient.receive(&received) {
                Err(response) => *response,
                Ok(incoming) if take(&refuse) => incoming.refused(Refusal::NotAccepted, "not ours"),
                Ok(Incoming::Accept(accepting)) => {
                    taken.fetch_add(1, Ordering::SeqCst);
                    accepting.accepted()
                }
                Ok(Incoming::Process(processing)) => {
                    taken.fetch_add(1, Ordering::SeqCst);
                    if take(&replies) { processing.reply(bescheid()) } else { processing.accepted() }
                }
            };
            if take(&lose) {
                return broken();
            }
            if take(&unavailable) {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            let signer = Some((key.as_ref() as &dyn Signer, SigningOptions::default()));
            let outgoing = response.seal(signer, &[], &mut SystemRandom).unwrap();
            let package = Package { outgoing, attachments: Vec::new() };
            Body::from_stream(package.stream(desktop.postbox.clone())).into_response()
        };
        let router = Router::new().route("/empfang", post(move |request: Request| serve.clone()(request)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        office
    }
}

/// The addressee looks into his mailbox.
pub(crate) struct Addressee {
    desktop: Desktop,
    url: String,
}

impl Addressee {
    pub(crate) fn new(place: &Place) -> Self {
        Self { desktop: Desktop::new(&place.clock), url: place.url.clone() }
    }

    /// Fetches everything there is, and acknowledges it.
    pub(crate) async fn fetch_all(&self) -> Vec<Received<Parts>> {
        let keys = keys();
        let own = keys.addressee.certificate();
        let intermediary = keys.intermediary.certificate();
        let client = Client::new(own.clone(), own, intermediary.clone(), intermediary);
        let (request, awaiting) = client.init(&mut SystemRandom);
        let mut dialogue: Open =
            awaiting.receive(self.exchange(&request).await.as_ref().map_err(Refused::clone)).unwrap();
        let mut found = Vec::new();
        loop {
            let (request, awaiting) = dialogue.fetch(None, &mut SystemRandom);
            let received = self.exchange(&request).await;
            let (next, answer): (_, dds_osci::client::Answer<Fetched>) =
                awaiting.receive(received.as_ref().map_err(Refused::clone)).unwrap();
            dialogue = next;
            if !answer.is_success() {
                break;
            }
            found.push(received.unwrap());
        }
        let (request, awaiting) = dialogue.exit(&mut SystemRandom);
        awaiting.receive(self.exchange(&request).await.as_ref().map_err(Refused::clone)).unwrap();
        found
    }

    async fn exchange(&self, request: &dds_osci::client::Request) -> Result<Received<Parts>, Refused> {
        let key = keys().addressee.key.clone();
        let outgoing =
            request.seal(Some((key.as_ref(), SigningOptions::default())), &[], &mut SystemRandom).unwrap();
        let package = Package { outgoing, attachments: Vec::new() };
        Ok(self.desktop.courier.exchange(&self.url, package, vec![key]).await.unwrap())
    }

    /// Opens the content with the addressee's key, reads every attachment and settles the author's signatures.
    pub(crate) async fn read(&self, received: Received<Parts>) -> Letter {
        let postbox = self.desktop.postbox.clone();
        spawn_blocking(move || {
            let key: &dyn Decrypter = keys().addressee.key.as_ref();
            let config = IntakeConfig::default();
            let mut content: Content =
                open(&received.document, &received.digests(), &[key], &config, &mut SystemRandom).unwrap();
            let mut attachments = Vec::new();
            let parts: Vec<_> = content.attachments().into_iter().cloned().collect();
            for part in parts {
                let stored =
                    received.attachments.iter().find(|one| one.content_id == part.content_id).unwrap();
                let mut reader = dds_osci::content::AttachmentReader::new(&part).unwrap().unwrap();
                let mut octets = postbox.open_part(&stored.handle).unwrap();
                let (mut bytes, mut out) = (0, Vec::new());
                while let Some(piece) = octets.next_chunk().unwrap() {
                    reader.update(&piece, &mut out);
                    bytes += out.len() as u64;
                    out.clear();
                }
                let digests = reader.finish(&mut out).unwrap();
                content.settle(&digests);
                let sha256 = digests.get(dds_osci::algorithm::DigestAlgorithm::Sha256).unwrap().to_vec();
                attachments.push((part.content_id, bytes + out.len() as u64, sha256));
            }
            let container = content.all_containers()[0];
            let document = match &container.contents[0].body {
                ContentBody::Inline(octets) => octets.clone(),
                other => panic!("{other:?} is no document"),
            };
            let list = match container.contents.last().map(|item| &item.body) {
                Some(ContentBody::Inline(octets)) => AttachmentList::read(octets).unwrap_or_default(),
                _ => AttachmentList::default(),
            };
            let signatures = container
                .signatures
                .iter()
                .map(|one| (format!("{:?}", one.verdict), one.signer.clone().unwrap()))
                .collect();
            let clear = !content.containers.is_empty();
            let envelope = String::from_utf8_lossy(received.document.bytes()).into_owned();
            Letter { document, attachments, list, envelope, signatures, clear }
        })
        .await
        .unwrap()
    }
}

/// What the addressee reads.
pub(crate) struct Letter {
    pub(crate) document: Vec<u8>,
    /// Content-ID, bytes, SHA-256.
    pub(crate) attachments: Vec<(String, u64, Vec<u8>)>,
    /// Which file is behind which Content-ID.
    pub(crate) list: AttachmentList,
    /// What everybody on the way could read.
    pub(crate) envelope: String,
    pub(crate) signatures: Vec<(String, Certificate)>,
    /// Something was readable without a key.
    pub(crate) clear: bool,
}
