//! A request and its response.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_osci::{feedback::Refused, intake::Received, keys::Decrypter, message::Message};
use dds_postbox::Parts;
use futures::{Stream, StreamExt as _, stream};
use http::{StatusCode, header};
use reqwest::{Body, Client, redirect};
use rustls::ClientConfig;
use tokio::time::sleep;

use crate::{Desk, Package, ReceiveError, receive};

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For the head of the response, and for each 64 KiB of its body: whoever drips is as good as silent.
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), silence: Duration::from_secs(60) }
    }
}

/// Why there is no response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExchangeError {
    /// No connection, or one on which nothing was taken: the partner has done nothing of it.
    #[error("not reached: {0}")]
    NotReached(String),
    /// It was sent, wholly or in part, and no response came: the partner may have executed it.
    #[error("no response: {0}")]
    NoAnswer(String),
    /// What came is no message for us.
    #[error("the response cannot be read: {0}")]
    Unreadable(Refused),
}

/// A client that goes where the configuration says and nowhere else.
pub(crate) fn http_client(tls: ClientConfig, connect: Duration) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(connect)
        .tcp_nodelay(true)
        .user_agent("Datendrehscheibe")
        .build()
        .map_err(|error| error.to_string())
}

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    client: Client,
    desk: Desk,
    silence: Duration,
}

impl Courier {
    /// A courier. OSCI protects its messages itself; `tls` is for addresses with https.
    ///
    /// # Errors
    /// If the client cannot be made of the TLS configuration.
    pub fn new(desk: Desk, tls: ClientConfig, timeouts: Timeouts) -> Result<Self, String> {
        let client = http_client(tls, timeouts.connect)?;
        Ok(Self { client, desk, silence: timeouts.silence })
    }

    /// What it reads with.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Sends a message and receives the response; `decrypters` are the keys a response may be encrypted for.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn exchange(
        &self,
        address: &str,
        package: Package,
        decrypters: Vec<Arc<dyn Decrypter>>,
    ) -> Result<Received<Parts>, ExchangeError> {
        let length = package.length();
        // The HTTP head says nothing of the multipart: the body begins with its own MIME head (facts 6).
        let mut request = self.client.post(address).header(header::CONTENT_TYPE, "text/xml");
        if let Some(length) = length {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        // A large message may take its time; what counts is that something moves.
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let pieces = package.stream(self.desk.postbox.clone()).inspect(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let sending = request.body(Body::wrap_stream(pieces)).send();
        let response = tokio::select! {
            response = sending => response.map_err(|error| {
                if error.is_connect() || error.is_builder() {
                    ExchangeError::NotReached(kind(&error))
                } else {
                    ExchangeError::NoAnswer(kind(&error))
                }
            })?,
            () = standstill(&sent, self.silence) => return Err(ExchangeError::NoAnswer("time-out".to_owned())),
        };
        let status = response.status();
        if status != StatusCode::OK {
            // A partner that speaks OSCI answers 200, faults too; anything else comes from something in between. Only
            // 404 says that nothing was there: a proxy says 503 also when the partner took the request and broke off.
            let detail = format!("HTTP {}", status.as_u16());
            return Err(if status == StatusCode::NOT_FOUND {
                ExchangeError::NotReached(detail)
            } else {
                ExchangeError::NoAnswer(detail)
            });
        }
        let turned_away = response.headers().contains_key(header::RETRY_AFTER);
        let body = moving(response.bytes_stream(), self.silence);
        let received = receive(&self.desk, decrypters, body).await.map_err(|error| match error {
            ReceiveError::BrokenOff(detail) => ExchangeError::NoAnswer(detail),
            ReceiveError::Refused(refused) => ExchangeError::Unreadable(refused),
        })?;
        // A fault alone may also come from a partner that failed half-way; whoever asks to come again has done nothing.
        if turned_away && matches!(Message::read(&received.document), Ok(Message::Fault(_))) {
            return Err(ExchangeError::NotReached("the partner takes nothing now".to_owned()));
        }
        Ok(received)
    }
}

/// Octets of a response that must come within the time for silence, unless it ends before.
const LEAST: usize = 64 << 10;

/// A body as long as it moves.
fn moving(
    body: impl Stream<Item = reqwest::Result<Bytes>>,
    silence: Duration,
) -> impl Stream<Item = Result<Bytes, String>> {
    let begin = (Box::pin(body), Box::pin(sleep(silence)), 0);
    stream::unfold(begin, move |(mut body, mut patience, mut came)| async move {
        let piece = tokio::select! {
            biased;
            piece = body.next() => piece?.map_err(|error| kind(&error)),
            () = &mut patience => Err("time-out".to_owned()),
        };
        came += piece.as_ref().map_or(0, Bytes::len);
        if came >= LEAST {
            came = 0;
            patience.set(sleep(silence));
        }
        Some((piece, (body, patience, came)))
    })
}

/// Resolves when nothing was sent for `silence`, or for twice that.
async fn standstill(sent: &AtomicU64, silence: Duration) {
    let mut seen = sent.load(Ordering::Relaxed);
    loop {
        sleep(silence).await;
        let now = sent.load(Ordering::Relaxed);
        if now == seen {
            return;
        }
        seen = now;
    }
}

/// What kind of failure, without addresses.
fn kind(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "time-out"
    } else if error.is_connect() {
        "connection refused"
    } else if error.is_builder() {
        "malformed address"
    } else {
        "connection broken"
    };
    what.to_owned()
}
