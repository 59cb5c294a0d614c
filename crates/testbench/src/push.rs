//! Fachverfahren and DMS to which messages are pushed over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State},
    response::Response,
};
use dds_message::{AnswerKind, DeliveryId, Digest, Digesting, MessageId};
use futures::StreamExt as _;
use hyper::{HeaderMap, StatusCode, header};
use rustls::ServerConfig;

use crate::{
    Error, Fault, Faults, Inbox, Part,
    server::{Hangup, Server, http},
};

/// Schnittstelle that a simulated system offers: decides the form of its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interface {
    /// REST; 201 with `{"reference": "…"}`.
    RestJson,
    /// REST; 201 with an XML receipt and `Location`.
    RestXml,
    /// SOAP 1.1; 200 with an envelope.
    Soap11,
    /// As the caller speaks: SOAP 1.1 to who sends a `SOAPAction`, else REST with JSON.
    Any,
}

impl Interface {
    fn spoken(self, headers: &HeaderMap) -> Self {
        match self {
            Self::Any if headers.contains_key("soapaction") => Self::Soap11,
            Self::Any => Self::RestJson,
            fixed => fixed,
        }
    }
}

/// How a simulated system behaves.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// Its interface.
    pub interface: Interface,
    /// Recognises a repeated delivery id: stores once, answers as the first time.
    pub deduplicates: bool,
    /// Keeps the bytes of documents, for tests that look into them.
    pub keep_documents: bool,
    /// Demands this bearer token.
    pub token: Option<String>,
    /// Serves TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

impl PushOptions {
    /// Deduplicating, without token and TLS, keeping digests only.
    #[must_use]
    pub fn new(interface: Interface) -> Self {
        Self { interface, deduplicates: true, keep_documents: false, token: None, tls: None }
    }
}

/// Simuliertes Fachverfahren. One server plays any number of systems: each has a path prefix of its own, and what came
/// in is known by its delivery id (header `Idempotency-Key`).
#[derive(Debug)]
pub struct FachverfahrenSim {
    server: Server,
    inbox: Inbox,
    faults: Faults,
    tls: bool,
}

struct Desk {
    options: PushOptions,
    inbox: Inbox,
    faults: Faults,
    receipts: AtomicU64,
}

impl FachverfahrenSim {
    /// A system with REST and JSON.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn rest_json() -> Result<Self, Error> {
        Self::start(PushOptions::new(Interface::RestJson)).await
    }

    /// A system with REST and XML.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn rest_xml() -> Result<Self, Error> {
        Self::start(PushOptions::new(Interface::RestXml)).await
    }

    /// A system with SOAP 1.1.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn soap11() -> Result<Self, Error> {
        Self::start(PushOptions::new(Interface::Soap11)).await
    }

    /// A system as described.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn start(options: PushOptions) -> Result<Self, Error> {
        let make = if options.keep_documents { Inbox::keep_documents } else { Inbox::new };
        let (inbox, faults) = (make(options.deduplicates), Faults::default());
        let tls = options.tls.clone();
        let (books, plans) = (inbox.clone(), faults.clone());
        let desk = Desk { options, inbox: books, faults: plans, receipts: AtomicU64::new(0) };
        let router =
            Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(Arc::new(desk));
        let encrypted = tls.is_some();
        let server = Server::start(http(router, tls)).await?;
        Ok(Self { server, inbox, faults, tls: encrypted })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its base address, to be followed by a path prefix of the caller's choice.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// What it received.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// How it fails.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Goes away: connections end, new ones are refused.
    pub async fn down(&self) {
        self.server.down().await;
    }

    /// Comes back on the same port.
    pub async fn up(&self) {
        self.server.up().await;
    }
}

async fn take(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match desk.faults.next(&path) {
        None => desk.receive(&path, request).await,
        Some(Fault::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            desk.receive(&path, request).await
        }
        Some(Fault::Refuse(status)) => {
            drain(request).await;
            desk.refusal(status, None)
        }
        Some(Fault::RefuseFor(status, seconds)) => {
            drain(request).await;
            desk.refusal(status, Some(seconds))
        }
        Some(Fault::KeepAndAnswer(status)) => {
            desk.receive(&path, request).await;
            desk.refusal(status, None)
        }
        Some(Fault::Hang) => {
            drain(request).await;
            std::future::pending().await
        }
        Some(Fault::DropAfterReceiving) => {
            desk.receive(&path, request).await;
            hangup()
        }
        Some(Fault::Drop) => hangup(),
    }
}

impl Desk {
    async fn receive(&self, path: &str, request: Request) -> Response {
        let headers = request.headers();
        let interface = self.options.interface.spoken(headers);
        if let Some(token) = &self.options.token {
            let expected = format!("Bearer {token}");
            if headers.get(header::AUTHORIZATION).is_none_or(|sent| sent.as_bytes() != expected.as_bytes()) {
                return self.refusal(401, None);
            }
        }
        let Some(delivery) = delivery_id(headers) else { return self.refusal(400, None) };
        let answer = answer(headers);
        let Some((document, attachments)) = self.read(request).await else { return self.refusal(400, None) };
        self.inbox.record(delivery, path, answer, document, attachments);
        self.receipt(interface, delivery)
    }

    async fn read(&self, request: Request) -> Option<((Part, Option<Bytes>), Vec<Part>)> {
        let media_type = text(request.headers(), header::CONTENT_TYPE);
        if !media_type.starts_with("multipart/form-data") {
            let document = digest(request.into_body().into_data_stream(), self.inbox.keeps()).await?;
            return Some((part(String::new(), media_type, document), Vec::new()));
        }
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        let (mut document, mut attachments) = (None, Vec::new());
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.file_name().unwrap_or_default().to_owned();
            let media_type = field.content_type().unwrap_or_default().to_owned();
            if document.is_none() {
                document = Some(part(name, media_type, digest(field, self.inbox.keeps()).await?));
            } else {
                attachments.push(part(name, media_type, digest(field, false).await?).0);
            }
        }
        Some((document?, attachments))
    }

    /// The same answer for a repeat as for the first: that is what makes repeating safe.
    fn receipt(&self, interface: Interface, delivery: DeliveryId) -> Response {
        let number = self.receipts.fetch_add(1, Ordering::Relaxed);
        let reference = format!("FV-{}", &delivery.0.simple().to_string()[..12]);
        let (status, media_type, body) = match interface {
            Interface::RestJson | Interface::Any => {
                (201, "application/json", format!("{{\"reference\":\"{reference}\"}}"))
            }
            Interface::RestXml => (201, "application/xml", format!("<quittung nummer=\"{number}\"/>")),
            Interface::Soap11 => {
                let body = format!(
                    "<quittung xmlns=\"urn:example:fachverfahren\"><kennung>{reference}</kennung></quittung>"
                );
                let envelope = dds_soap::Envelope::build(dds_soap::Version::V11, b"", body.as_bytes());
                return response(200, "text/xml; charset=utf-8", envelope, None);
            }
        };
        let location = (interface == Interface::RestXml).then_some(reference);
        response(
            status,
            media_type,
            body,
            location.map(|reference| (header::LOCATION, format!("/akten/{reference}"))),
        )
    }

    fn refusal(&self, status: u16, retry_after: Option<u32>) -> Response {
        let retry = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string()));
        if self.options.interface == Interface::Soap11 && retry.is_none() {
            // A SOAP service says by fault whose fault it is; the status is 500 either way (SOAP 1.1 section 6.2).
            let whose = if status < 500 { "Client" } else { "Server" };
            let body = format!(
                "<soap:Fault xmlns:soap=\"{}\"><faultcode>soap:{whose}</faultcode><faultstring>abgelehnt</faultstring></soap:Fault>",
                dds_soap::Version::V11.namespace()
            );
            let envelope = dds_soap::Envelope::build(dds_soap::Version::V11, b"", body.as_bytes());
            return response(500, "text/xml; charset=utf-8", envelope, None);
        }
        // The body names a person on purpose: no router may write it into log or journal.
        response(status, "text/plain; charset=utf-8", "Abgelehnt wegen Erika Mustermann", retry)
    }
}

fn response(
    status: u16,
    media_type: &'static str,
    body: impl Into<Body>,
    extra: Option<(header::HeaderName, String)>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    if let Some((name, value)) = extra
        && let Ok(value) = header::HeaderValue::try_from(value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

fn hangup() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Hangup);
    response
}

async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// The delivery id of a request: the key against duplicates of our REST and SOAP adapters.
fn delivery_id(headers: &HeaderMap) -> Option<DeliveryId> {
    let sent = headers.get("idempotency-key")?.to_str().ok()?;
    DeliveryId::parse(sent.trim_matches('"')).ok()
}

/// What an answer to a source answers (`X-Answer`, `X-In-Reply-To`).
fn answer(headers: &HeaderMap) -> Option<(AnswerKind, MessageId)> {
    let sent = |name: &str| headers.get(name)?.to_str().ok();
    Some((AnswerKind::from_name(sent("x-answer")?)?, MessageId::parse(sent("x-in-reply-to")?).ok()?))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

type Summary = (u64, Digest, Option<Bytes>);

fn part(name: String, media_type: String, (size, digest, bytes): Summary) -> (Part, Option<Bytes>) {
    (Part { name, media_type, size, digest }, bytes)
}

/// Size and digest of a stream; its bytes only if they are to be kept. `None`: it broke off.
async fn digest<E>(
    mut stream: impl futures::Stream<Item = Result<Bytes, E>> + Unpin,
    keep: bool,
) -> Option<Summary> {
    let (mut digesting, mut kept) = (Digesting::default(), Vec::new());
    while let Some(piece) = stream.next().await {
        let piece = piece.ok()?;
        digesting.update(&piece);
        if keep {
            kept.extend_from_slice(&piece);
        }
    }
    let (digest, size) = digesting.finish();
    Some((size, digest, keep.then(|| kept.into())))
}
