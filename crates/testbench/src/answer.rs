//! An authority that answers.

use std::net::SocketAddr;

use bytes::Bytes;
use dds_message::{AnswerKind, MessageId};
use hyper::{Request, header};

use crate::{Answered, Client, Error, http::whole, portal::submission};

/// Antwortendes Fachverfahren: sends receipt, further request and decision for an application (`POST /v1/answers`).
#[derive(Debug)]
pub struct AnsweringFachverfahren {
    client: Client,
    token: String,
}

impl AnsweringFachverfahren {
    /// A system that answers to the router at `address` with the token of its source.
    #[must_use]
    pub fn new(address: SocketAddr, token: impl Into<String>) -> Self {
        Self { client: Client::new(address), token: token.into() }
    }

    /// Answers the application `message`.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Http`] for the connection; a refusal is an answer like any other.
    pub async fn answer(
        &mut self,
        kind: AnswerKind,
        message: MessageId,
        key: &str,
        document: Bytes,
    ) -> Result<Answered, Error> {
        self.send(
            &format!("kind={}&message={message}", kind.as_str()),
            key,
            "application/xml",
            whole(document),
        )
        .await
    }

    /// Answers the newest application of the case `case`, whose letters need no escaping in a query.
    ///
    /// # Errors
    /// As [`AnsweringFachverfahren::answer`].
    pub async fn answer_case(
        &mut self,
        kind: AnswerKind,
        case: &str,
        key: &str,
        document: Bytes,
    ) -> Result<Answered, Error> {
        self.send(&format!("kind={}&case={case}", kind.as_str()), key, "application/xml", whole(document))
            .await
    }

    /// Answers with attachments (name, media type, bytes), such as the decision as PDF.
    ///
    /// # Errors
    /// As [`AnsweringFachverfahren::answer`].
    pub async fn answer_parts(
        &mut self,
        kind: AnswerKind,
        message: MessageId,
        key: &str,
        document: Bytes,
        attachments: Vec<(String, String, Bytes)>,
    ) -> Result<Answered, Error> {
        let (media_type, body) = submission("answer", "application/xml", document, attachments);
        self.send(&format!("kind={}&message={message}", kind.as_str()), key, &media_type, body).await
    }

    async fn send(
        &mut self,
        query: &str,
        key: &str,
        media_type: &str,
        body: crate::Outgoing,
    ) -> Result<Answered, Error> {
        let request = Request::post(format!("/v1/answers?{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("Idempotency-Key", key)
            .header(header::CONTENT_TYPE, media_type)
            .body(body)?;
        self.client.send(request).await
    }
}
