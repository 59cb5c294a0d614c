//! What REST and SOAP push share: one client, one way to send, one way to read faults.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use dds_delivery::{Consignment, Verdict};
use dds_message::{Code, Timestamp};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Body, Client, Response, redirect};
use rustls::ClientConfig;
use tokio::{sync::watch, time::timeout};

use crate::{
    Error,
    content::{Broken, Content},
    credential::Credential,
    fault::{LONGEST_WAIT, NO_ANSWER, joined, kind, temporary, unreadable_attachment},
};

/// After so many bytes of an answer no more is read; a receipt or fault is far smaller.
const ANSWER: usize = 256 * 1024;

/// The one client: its pool of keep-alive connections serves all targets.
pub(crate) fn client(tls: ClientConfig, connect: Duration) -> Result<Client, Error> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        // Where deliveries go stands in the configuration of the municipality, not in the environment of the process.
        .no_proxy()
        .connect_timeout(connect)
        .pool_max_idle_per_host(32)
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .user_agent("Datendrehscheibe")
        .build()
        .map_err(|error| Error::Certificates(error.to_string()))
}

/// Where to and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) client: Client,
    pub(crate) url: reqwest::Url,
    pub(crate) credential: Option<Credential>,
    /// Longest silence while the target takes the body, and while it sends that of its answer.
    pub(crate) silence: Duration,
}

/// An answer, of which hardly more than [`ANSWER`] bytes were read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// There was more than was read.
    pub(crate) cut: bool,
}

impl Endpoint {
    /// Sends `content`; a failure below HTTP is the verdict.
    pub(crate) async fn send(
        &self,
        method: Method,
        consignment: &Consignment,
        mut headers: HeaderMap,
        content: Content,
    ) -> Result<Answer, Verdict> {
        identify(consignment, &mut headers);
        if let Some(credential) = &self.credential {
            let secret =
                credential.read().map_err(|fault| Verdict::Temporary { fault, retry_after: None })?;
            let mut value = HeaderValue::from_str(&format!("Bearer {}", *secret)).map_err(|_| {
                let secret = &credential.0;
                let text = (format!("{secret} enthält kein Token"), format!("{secret} holds no token"));
                temporary(Code::SECRET_MISSING, text)
            })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
        let (taking, taken) = watch::channel(());
        let body = match content.whole() {
            Some(bytes) => {
                drop(taking);
                Body::from(bytes)
            }
            None => Body::wrap_stream(content.stream().inspect(move |_| {
                taking.send_replace(());
            })),
        };
        let request = self.client.request(method, self.url.clone()).headers(headers).body(body);
        let response = self.answered(request.send(), taken).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let (body, cut) = self.read(response).await?;
        Ok(Answer { status, headers, body, cut })
    }

    /// Waits for the head of the answer. Until the target has taken the last piece of the body (which closes `taken`),
    /// it may be silent only so long; what it then does with all of it is bounded by the time of the attempt alone.
    async fn answered(
        &self,
        request: impl Future<Output = reqwest::Result<Response>>,
        mut taken: watch::Receiver<()>,
    ) -> Result<Response, Verdict> {
        let stuck = async {
            loop {
                match timeout(self.silence, taken.changed()).await {
                    Ok(Ok(())) => {}
                    ended => return ended.is_err(),
                }
            }
        };
        tokio::select! {
            head = request => head.map_err(|error| broken(&error)),
            true = stuck => Err(silent()),
        }
    }

    /// Reads the answer so that the connection can be used again, unless it is too long. Whether it was.
    async fn read(&self, mut response: Response) -> Result<(Bytes, bool), Verdict> {
        let mut body = BytesMut::new();
        loop {
            let piece = timeout(self.silence, response.chunk()).await.map_err(|_| silent())?;
            match piece.map_err(|error| broken(&error))? {
                Some(piece) if body.len() < ANSWER => body.extend_from_slice(&piece),
                rest => return Ok((body.freeze(), rest.is_some())),
            }
        }
    }
}

/// Headers of every push, see `docs/interface-targets.md`.
fn identify(consignment: &Consignment, headers: &mut HeaderMap) {
    let mut put = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    put("idempotency-key", &consignment.delivery.to_string());
    put("x-message-id", &consignment.message.to_string());
    if let Some(procedure) = &consignment.procedure {
        put("x-procedure", procedure.as_str());
    }
    if let Some(case) = &consignment.case {
        put("x-case", case.as_str());
    }
    if let Some((kind, application)) = &consignment.answer {
        put("x-answer", kind.as_str());
        put("x-in-reply-to", &application.to_string());
    }
}

/// Bytes were sent, and the target stopped taking them or answering.
fn silent() -> Verdict {
    temporary(Code::IN_DOUBT, joined(NO_ANSWER, &kind(&std::io::ErrorKind::TimedOut.into())))
}

/// What broke, without the address (it may hold a secret) and without content. With a connection and without an answer
/// the target may have the delivery: DDS-D005.
fn broken(error: &reqwest::Error) -> Verdict {
    if let Some(Broken { code }) = cause::<Broken>(error) {
        return unreadable_attachment(*code);
    }
    let code = if error.is_connect() { Code::TARGET_UNREACHABLE } else { Code::IN_DOUBT };
    let detail = match cause::<std::io::Error>(error) {
        Some(io) => kind(io),
        None if error.is_timeout() => ("Zeit abgelaufen", "timed out").into(),
        None if error.is_connect() => ("keine Verbindung", "no connection").into(),
        None => ("Verbindung abgebrochen", "connection broken").into(),
    };
    let detail = if code == Code::IN_DOUBT { joined(NO_ANSWER, &detail) } else { detail };
    temporary(code, detail)
}

fn cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date, which is read against the `Date` of the same answer, so
/// that no clock is needed and a wrong clock of the target does no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let wish = text(header::RETRY_AFTER)?;
    let wait = match wish.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(wish)?.since(http_date(text(header::DATE)?)?),
    };
    Some(wait.min(LONGEST_WAIT))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp(moment.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = (header::DATE, "Sun, 22 Nov 2026 08:00:00 GMT");
        let cases = [
            (vec![(header::RETRY_AFTER, "120")], Some(120)),
            (vec![(header::RETRY_AFTER, "Sun, 22 Nov 2026 08:01:30 GMT"), date.clone()], Some(90)),
            (vec![(header::RETRY_AFTER, "Sun, 22 Nov 2026 07:00:00 GMT"), date], Some(0)),
            (vec![(header::RETRY_AFTER, "99999999")], Some(86_400)),
            (vec![(header::RETRY_AFTER, "bald")], None),
            (vec![], None),
        ];
        for (list, seconds) in cases {
            assert_eq!(retry_after(&headers(&list)), seconds.map(Duration::from_secs), "{list:?}");
        }
    }
}
