//! A Fachverfahren that fetches from its mailbox (`docs/interface-mailbox.md`).

use std::net::SocketAddr;

use dds_message::{AnswerKind, DeliveryId, Digest, MessageId, TargetId};
use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{Answered, Client, Error, Inbox, Part, http::whole};

/// Abholendes Fachverfahren: takes deliveries one after the other. Also plays a source that fetches its answers.
#[derive(Debug)]
pub struct FetchingFachverfahren {
    client: Client,
    target: TargetId,
    token: String,
    inbox: Inbox,
}

/// A delivery under lease.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Delivery.
    pub delivery: DeliveryId,
    /// The right to settle it.
    pub lease: String,
    /// All metadata as sent.
    pub metadata: Value,
}

impl FetchingFachverfahren {
    /// The system behind `target`, which fetches from the router at `address` with `token`.
    #[must_use]
    pub fn new(address: SocketAddr, target: TargetId, token: impl Into<String>) -> Self {
        Self { client: Client::new(address), target, token: token.into(), inbox: Inbox::new(true) }
    }

    /// Writes down what it gets in `inbox`, for instance one for several systems.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Inbox) -> Self {
        self.inbox = inbox;
        self
    }

    /// What it acknowledged.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Asks for the next delivery, waiting up to `wait` seconds; `None` if there is none. To die with the lease, do
    /// nothing with the result.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for any answer but 200 and 204; [`Error::Io`] and [`Error::Http`] for the connection.
    pub async fn next(&mut self, wait: u32) -> Result<Option<Fetched>, Error> {
        let answer = self.call(Method::GET, &format!("next?wait={wait}"), None).await?.success()?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let metadata = answer.json();
        let delivery = metadata["delivery"].as_str().and_then(|id| DeliveryId::parse(id).ok());
        let lease = metadata["lease"].as_str().map(str::to_owned);
        match (delivery, lease) {
            (Some(delivery), Some(lease)) => Ok(Some(Fetched { delivery, lease, metadata })),
            _ => Err(Error::Unexpected("metadata without delivery or lease".into())),
        }
    }

    /// Gets document and attachments, compares them with the digests promised, and writes them down.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if they differ or cannot be had.
    pub async fn read(&mut self, fetched: &Fetched) -> Result<(), Error> {
        let document = self.part(&fetched.metadata["document"]).await?;
        let mut attachments = Vec::new();
        for listed in fetched.metadata["attachments"].as_array().into_iter().flatten() {
            attachments.push(self.part(listed).await?.0);
        }
        let answer = &fetched.metadata["answer"];
        let kind = answer["kind"].as_str().and_then(AnswerKind::from_name);
        let application = answer["message"].as_str().and_then(|id| MessageId::parse(id).ok());
        let answer = kind.zip(application);
        self.inbox.record(fetched.delivery, self.target.as_str(), answer, document, attachments);
        Ok(())
    }

    async fn part(&mut self, listed: &Value) -> Result<(Part, Option<bytes::Bytes>), Error> {
        let url = listed["url"].as_str().unwrap_or_default().to_owned();
        let body = self.send(Method::GET, &url, None).await?.success()?.body;
        let digest = Digest::of(&body);
        if listed["sha256"].as_str() != Some(digest.to_string().as_str()) {
            return Err(Error::Unexpected(format!("{url}: digest differs")));
        }
        let field = |name: &str| listed[name].as_str().unwrap_or_default().to_owned();
        let part =
            Part { name: field("name"), media_type: field("media_type"), size: body.len() as u64, digest };
        Ok((part, self.inbox.keeps().then_some(body)))
    }

    /// Acknowledges; the answer tells whether it counted.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Http`] for the connection.
    pub async fn acknowledge(
        &mut self,
        fetched: &Fetched,
        reference: Option<&str>,
    ) -> Result<Answered, Error> {
        self.settle(fetched, "ack", json!({ "lease": fetched.lease, "reference": reference })).await
    }

    /// Rejects with a reason of its own.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Http`] for the connection.
    pub async fn reject(&mut self, fetched: &Fetched, reason: &str, text: &str) -> Result<Answered, Error> {
        self.settle(fetched, "reject", json!({ "lease": fetched.lease, "reason": reason, "text": text }))
            .await
    }

    /// Asks for more time.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Http`] for the connection.
    pub async fn extend(&mut self, fetched: &Fetched) -> Result<Answered, Error> {
        self.settle(fetched, "extend", json!({ "lease": fetched.lease })).await
    }

    /// Takes and acknowledges everything there is, and what comes within `wait` seconds of the last; returns how many.
    ///
    /// # Errors
    /// As [`FetchingFachverfahren::next`] and [`FetchingFachverfahren::read`].
    pub async fn take_all(&mut self, wait: u32) -> Result<usize, Error> {
        let mut taken = 0;
        while let Some(fetched) = self.next(wait).await? {
            self.read(&fetched).await?;
            self.acknowledge(&fetched, None).await?.success()?;
            taken += 1;
        }
        Ok(taken)
    }

    async fn settle(&mut self, fetched: &Fetched, what: &str, body: Value) -> Result<Answered, Error> {
        self.call(Method::POST, &format!("deliveries/{}/{what}", fetched.delivery), Some(body)).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Answered, Error> {
        let path = format!("/v1/mailbox/{}/{path}", self.target);
        self.send(method, &path, body).await
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Answered, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.client.send(request.body(whole(body))?).await
    }
}
