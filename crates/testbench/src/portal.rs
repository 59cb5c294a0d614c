//! A portal that posts messages, asks for their status and takes answers.

use std::{net::SocketAddr, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dds_message::{AnswerKind, MessageId};
use dds_soap::{Envelope, Version, escape};
use hyper::{Method, Request, header};
use serde_json::Value;

use crate::{
    Answered, Client, Error, FachverfahrenSim, Interface, Ledger, Outgoing, PushOptions,
    http::{FormPart, form, whole},
};

/// Simuliertes Portal (Quelle): posts by REST, SOAP or drop folder and enters everything in a
/// [`Ledger`].
#[derive(Debug)]
pub struct PortalSim {
    client: Client,
    token: String,
    ledger: Ledger,
}

/// Empfänger of answers that a source takes by callback: a REST system whose inbox holds them by delivery id.
pub type CallbackSim = FachverfahrenSim;

impl PortalSim {
    /// A portal that posts to the router at `address` with `token`.
    #[must_use]
    pub fn new(address: SocketAddr, token: impl Into<String>, ledger: Ledger) -> Self {
        Self { client: Client::new(address), token: token.into(), ledger }
    }

    /// A receiver for answers by callback that demands `token`.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn callback(token: Option<String>) -> Result<CallbackSim, Error> {
        let options = PushOptions { token, keep_documents: true, ..PushOptions::new(Interface::RestJson) };
        FachverfahrenSim::start(options).await
    }

    /// The account of this portal.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Posts one document (`POST /v1/messages`), as `application/xml` or `application/json`.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Http`]: the fate is unknown, post again with the same key.
    pub async fn post(&mut self, key: &str, media_type: &str, document: Bytes) -> Result<Answered, Error> {
        let request = self.one(key, media_type, document)?;
        self.submit(request).await
    }

    /// Posts a document with attachments (name, media type, bytes) as `multipart/form-data`.
    ///
    /// # Errors
    /// As [`PortalSim::post`].
    pub async fn post_parts(
        &mut self,
        key: &str,
        media_type: &str,
        document: Bytes,
        attachments: Vec<(String, String, Bytes)>,
    ) -> Result<Answered, Error> {
        let request = self.parts(key, media_type, document, attachments)?;
        self.submit(request).await
    }

    /// Submits by the SOAP 1.1 web service (`POST /soap/v1`, operation `submit`). XML goes in as it is, JSON in base64.
    ///
    /// # Errors
    /// As [`PortalSim::post`].
    pub async fn post_soap(
        &mut self,
        key: &str,
        media_type: &str,
        document: &[u8],
        attachments: &[(String, String, Bytes)],
    ) -> Result<Answered, Error> {
        let envelope = Envelope::build(Version::V11, b"", &submit(key, media_type, document, attachments));
        let (content_type, action) = dds_soap::http::write(Version::V11, "submit");
        let mut request = self.builder(Method::POST, "/soap/v1").header(header::CONTENT_TYPE, content_type);
        if let Some(action) = action {
            request = request.header("SOAPAction", action);
        }
        self.ledger.sent();
        let answer = self.client.send(request.body(whole(envelope))?).await?;
        let id = dds_soap::parse(&answer.body).ok().and_then(|envelope| id_in(&envelope));
        self.enter(&answer, id);
        Ok(answer)
    }

    /// Puts a submission into the drop folder `root` of its source: one file, or with attachments a folder. Written
    /// under a name that nobody looks at, then renamed. [`PortalSim::dropped`] tells its fate; the message id is in the
    /// journal only.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn drop_into(
        &self,
        root: &Path,
        name: &str,
        media_type: &str,
        document: &[u8],
        attachments: &[(String, String, Bytes)],
    ) -> Result<(), Error> {
        let ending = if media_type.ends_with("json") { "json" } else { "xml" };
        let inbox = root.join("in");
        std::fs::create_dir_all(&inbox)?;
        let hidden = inbox.join(format!(".{name}"));
        if attachments.is_empty() {
            std::fs::write(&hidden, document)?;
            std::fs::rename(&hidden, inbox.join(format!("{name}.{ending}")))?;
        } else {
            std::fs::create_dir(&hidden)?;
            std::fs::write(hidden.join(format!("nachricht.{ending}")), document)?;
            for (file, _, bytes) in attachments {
                std::fs::write(hidden.join(file), bytes)?;
            }
            std::fs::rename(&hidden, inbox.join(name))?;
        }
        self.ledger.sent();
        Ok(())
    }

    /// What became of a submission in a drop folder: `None` while it waits, then accepted or not. `name` is that of the
    /// file with its ending, or of the folder.
    #[must_use]
    pub fn dropped(root: &Path, name: &str) -> Option<bool> {
        let there = |part: &str| root.join(part).join(name).exists();
        there("angenommen").then_some(true).or_else(|| there("abgelehnt").then_some(false))
    }

    /// Sends what was posted before once more under the same key; not counted as sent.
    ///
    /// # Errors
    /// As [`PortalSim::post`].
    pub async fn repeat(&mut self, key: &str, media_type: &str, document: Bytes) -> Result<Answered, Error> {
        let request = self.one(key, media_type, document)?;
        self.client.send(request).await
    }

    /// Sends document and attachments that were posted before once more under the same key; not counted as sent.
    ///
    /// # Errors
    /// As [`PortalSim::post`].
    pub async fn repeat_parts(
        &mut self,
        key: &str,
        media_type: &str,
        document: Bytes,
        attachments: Vec<(String, String, Bytes)>,
    ) -> Result<Answered, Error> {
        let request = self.parts(key, media_type, document, attachments)?;
        self.client.send(request).await
    }

    /// Status of a message (`GET /v1/messages/{id}`).
    ///
    /// # Errors
    /// [`Error::Unexpected`] for anything but 2xx.
    pub async fn status(&mut self, message: MessageId) -> Result<Value, Error> {
        let request =
            self.builder(Method::GET, &format!("/v1/messages/{message}")).body(whole(Bytes::new()))?;
        Ok(self.client.send(request).await?.success()?.json())
    }

    /// The answers to a message that wait for us or were received, oldest first (`GET /v1/messages/{id}/answers`).
    ///
    /// # Errors
    /// [`Error::Unexpected`] for anything but 2xx, and for an answer without id or kind.
    pub async fn answers(&mut self, message: MessageId) -> Result<Vec<(MessageId, AnswerKind)>, Error> {
        let path = format!("/v1/messages/{message}/answers");
        let request = self.builder(Method::GET, &path).body(whole(Bytes::new()))?;
        let listed = self.client.send(request).await?.success()?.json();
        let listed = listed["answers"].as_array().into_iter().flatten();
        listed
            .map(|one| {
                let id = one["id"].as_str().and_then(|id| MessageId::parse(id).ok());
                let kind = one["kind"].as_str().and_then(AnswerKind::from_name);
                id.zip(kind).ok_or_else(|| Error::Unexpected(format!("an answer without id or kind: {one}")))
            })
            .collect()
    }

    /// The document of an answer (`GET /v1/answers/{id}`).
    ///
    /// # Errors
    /// [`Error::Unexpected`] for anything but 2xx.
    pub async fn answer(&mut self, answer: MessageId) -> Result<Bytes, Error> {
        let request =
            self.builder(Method::GET, &format!("/v1/answers/{answer}")).body(whole(Bytes::new()))?;
        Ok(self.client.send(request).await?.success()?.body)
    }

    /// Confirms that an answer was received (`POST /v1/answers/{id}/receipt`); `false`: it had been confirmed before.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for anything but 2xx.
    pub async fn confirm(&mut self, answer: MessageId) -> Result<bool, Error> {
        let path = format!("/v1/answers/{answer}/receipt");
        let request = self.builder(Method::POST, &path).body(whole(Bytes::new()))?;
        Ok(self.client.send(request).await?.success()?.json()["duplicate"] == false)
    }

    async fn submit(&mut self, request: Request<Outgoing>) -> Result<Answered, Error> {
        self.ledger.sent();
        let answer = self.client.send(request).await?;
        let id = answer.json()["id"].as_str().and_then(|id| MessageId::parse(id).ok());
        self.enter(&answer, id);
        Ok(answer)
    }

    fn enter(&self, answer: &Answered, id: Option<MessageId>) {
        match id.filter(|_| answer.status.is_success()) {
            Some(id) => self.ledger.accepted(id),
            None => self.ledger.refused(answer.status.as_u16()),
        }
    }

    /// The document alone.
    fn one(&self, key: &str, media_type: &str, document: Bytes) -> Result<Request<Outgoing>, Error> {
        self.message(key, media_type, whole(document))
    }

    /// The document with attachments.
    fn parts(
        &self,
        key: &str,
        media_type: &str,
        document: Bytes,
        attachments: Vec<(String, String, Bytes)>,
    ) -> Result<Request<Outgoing>, Error> {
        let (content_type, body) = submission("message", media_type, document, attachments);
        self.message(key, &content_type, body)
    }

    fn message(&self, key: &str, media_type: &str, body: Outgoing) -> Result<Request<Outgoing>, Error> {
        let request = self.builder(Method::POST, "/v1/messages");
        Ok(request.header("Idempotency-Key", key).header(header::CONTENT_TYPE, media_type).body(body)?)
    }

    fn builder(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }
}

/// A form with the document in the part `field` and attachments behind it.
pub(crate) fn submission(
    field: &'static str,
    media_type: &str,
    document: Bytes,
    attachments: Vec<(String, String, Bytes)>,
) -> (String, Outgoing) {
    let name = if media_type.ends_with("json") { "vorgang.json" } else { "vorgang.xml" };
    let mut parts =
        vec![FormPart { field, name: name.to_owned(), media_type: media_type.to_owned(), bytes: document }];
    let attachment = |(name, media_type, bytes)| FormPart { field: "attachment", name, media_type, bytes };
    parts.extend(attachments.into_iter().map(attachment));
    form(parts)
}

/// Namespace of the operations of the web service.
const OPERATIONS: &str = "urn:datendrehscheibe:eingang:1";

/// The operation `submit`. Its names carry a prefix, because a default namespace would reach into the document.
fn submit(key: &str, media_type: &str, document: &[u8], attachments: &[(String, String, Bytes)]) -> Vec<u8> {
    let mut xml = format!("<e:submit xmlns:e=\"{OPERATIONS}\"><e:key>{}</e:key>", escape(key)).into_bytes();
    if media_type.ends_with("json") {
        xml.extend_from_slice(b"<e:encodedDocument format=\"json\">");
        xml.extend_from_slice(STANDARD.encode(document).as_bytes());
        xml.extend_from_slice(b"</e:encodedDocument>");
    } else {
        xml.extend_from_slice(b"<e:document>");
        xml.extend_from_slice(Envelope::embeddable(document));
        xml.extend_from_slice(b"</e:document>");
    }
    for (name, media_type, bytes) in attachments {
        let open = format!("<e:attachment name=\"{}\" mediaType=\"{}\">", escape(name), escape(media_type));
        xml.extend_from_slice(open.as_bytes());
        xml.extend_from_slice(STANDARD.encode(bytes).as_bytes());
        xml.extend_from_slice(b"</e:attachment>");
    }
    xml.extend_from_slice(b"</e:submit>");
    xml
}

/// The message id in the answer of the web service.
fn id_in(envelope: &dds_soap::Parsed<'_>) -> Option<MessageId> {
    let payload = envelope.payload()?;
    let id = payload.children().find(|node| node.has_tag_name((OPERATIONS, "id")))?;
    MessageId::parse(id.text()?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portal() -> PortalSim {
        PortalSim::new(std::net::SocketAddr::from(([127, 0, 0, 1], 1)), "t", Ledger::default())
    }

    #[test]
    fn a_submission_by_soap_is_well_formed_and_whole() {
        let attachments = [("a&b.pdf".to_owned(), "application/pdf".to_owned(), Bytes::from_static(b"abc"))];
        let document = b"<?xml version=\"1.0\"?><x xmlns=\"urn:x\"/>";
        let envelope =
            Envelope::build(Version::V11, b"", &submit("k<1", "application/xml", document, &attachments));
        let parsed = dds_soap::parse(&envelope).unwrap();
        let children: Vec<_> =
            parsed.payload().unwrap().children().map(|node| node.tag_name().name()).collect();
        assert_eq!(children, ["key", "document", "attachment"]);
        let answer = format!(
            "<submitResponse xmlns=\"{OPERATIONS}\"><id>0192f0c0-0000-7000-8000-000000000001</id></submitResponse>"
        );
        let answer = Envelope::build(Version::V11, b"", answer.as_bytes());
        assert!(id_in(&dds_soap::parse(&answer).unwrap()).is_some());
    }

    #[test]
    fn a_drop_appears_at_once_and_its_fate_is_found() {
        let root = tempfile::tempdir().unwrap();
        let attachments = [("a.pdf".to_owned(), "application/pdf".to_owned(), Bytes::from_static(b"abc"))];
        portal().drop_into(root.path(), "eins", "application/json", b"{}", &[]).unwrap();
        portal().drop_into(root.path(), "zwei", "application/xml", b"<x/>", &attachments).unwrap();
        let inbox = root.path().join("in");
        for path in ["eins.json", "zwei/nachricht.xml", "zwei/a.pdf"] {
            assert!(inbox.join(path).exists(), "{path}");
        }
        assert_eq!(PortalSim::dropped(root.path(), "eins.json"), None);
        std::fs::create_dir(root.path().join("angenommen")).unwrap();
        std::fs::rename(inbox.join("eins.json"), root.path().join("angenommen/eins.json")).unwrap();
        assert_eq!(PortalSim::dropped(root.path(), "eins.json"), Some(true));
    }
}
