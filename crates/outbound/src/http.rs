//! What REST and SOAP push share: one client, one way to send, one way to read faults.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use dds_delivery::{Consignment, Verdict};
use dds_message::{Code, Timestamp};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Body, Client, redirect};
use rustls::ClientConfig;

use crate::{
    Error,
    content::{Broken, Content},
    credential::Credential,
    fault::{LONGEST_WAIT, NO_ANSWER, joined, kind, temporary, unreadable_attachment},
};

/// Most bytes of an answer that are read; a receipt or fault is far smaller.
const ANSWER: usize = 256 * 1024;

/// The one client: its pool of keep-alive connections serves all targets.
pub(crate) fn client(tls: ClientConfig, connect: Duration, silence: Duration) -> Result<Client, Error> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        // Where deliveries go stands in the configuration of the municipality, not in the environment of the process.
        .no_proxy()
        .connect_timeout(connect)
        .read_timeout(silence)
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
}

/// An answer, of which at most [`ANSWER`] bytes were read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
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
                credential.read().await.map_err(|fault| Verdict::Temporary { fault, retry_after: None })?;
            let mut value = HeaderValue::from_str(&format!("Bearer {}", *secret)).map_err(|_| {
                let secret = &credential.0;
                let text = (format!("{secret} enthält kein Token"), format!("{secret} holds no token"));
                temporary(Code::SECRET_MISSING, text)
            })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
        let body = content.whole().map_or_else(|| Body::wrap_stream(content.stream()), Body::from);
        let request = self.client.request(method, self.url.clone()).headers(headers).body(body);
        let response = request.send().await.map_err(|error| broken(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await.map_err(|error| broken(&error))?;
        Ok(Answer { status, headers, body })
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

/// Reads the answer so that the connection can be used again, unless it is too long.
async fn read(mut response: reqwest::Response) -> reqwest::Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > ANSWER {
            break;
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
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
