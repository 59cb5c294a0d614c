//! A Fachverfahren that answers applications (`docs/interface-rest.md`, `POST /v1/answers`).

use std::net::SocketAddr;

use bytes::Bytes;
use dds_message::{AnswerKind, MessageId};
use hyper::{Request, header};

use crate::{Client, Error, http::whole};

/// Antwortendes Fachverfahren: sends receipt, further request (Nachforderung) and decision (Bescheid).
#[derive(Debug)]
pub struct AnsweringFachverfahren {
    client: Client,
    token: String,
}

/// What an answer is about.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Id of the application.
    pub message: Option<MessageId>,
    /// Its case (Vorgang). With both, the router compares them.
    pub case: Option<String>,
}

impl AnsweringFachverfahren {
    /// A system that answers by the router at `address` with `token`.
    #[must_use]
    pub fn new(address: SocketAddr, token: impl Into<String>) -> Self {
        Self { client: Client::new(address), token: token.into() }
    }

    /// Sends an answer under `key`; the message id the router gave it, and whether it had come before.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for anything but 2xx; [`Error::Io`] and [`Error::Http`]: the fate is unknown, send it
    /// again with the same key.
    pub async fn answer(
        &mut self,
        key: &str,
        kind: AnswerKind,
        about: &About,
        document: Bytes,
    ) -> Result<(MessageId, bool), Error> {
        let mut path = format!("/v1/answers?kind={}", kind.as_str());
        if let Some(message) = about.message {
            path.push_str(&format!("&message={message}"));
        }
        if let Some(case) = &about.case {
            path.push_str(&format!("&case={}", percent(case)));
        }
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("Idempotency-Key", key)
            .header(header::CONTENT_TYPE, "application/xml")
            .body(whole(document))?;
        let told = self.client.send(request).await?.success()?.json();
        let id = told["id"].as_str().and_then(|id| MessageId::parse(id).ok());
        let id = id.ok_or_else(|| Error::Unexpected("an acknowledgement without id".to_owned()))?;
        Ok((id, told["duplicate"] == true))
    }
}

/// A value in a query (RFC 3986 section 3.4): all but unreserved characters as `%XX`.
fn percent(value: &str) -> String {
    let coded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(coded).collect()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_case_reference_survives_the_address() {
        assert_eq!(percent("HST-2026_1.~"), "HST-2026_1.~");
        assert_eq!(percent("A/17 & ä"), "A%2F17%20%26%20%C3%A4");
    }
}
