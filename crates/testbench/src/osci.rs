//! OSCI partners: a portal that stores, forwards or mediates, an office that fetches its mailbox or takes what is
//! pushed to it, and an intermediary of somebody else.

mod content;
mod identity;
mod intermediary;
mod recipient;
mod station;

use std::net::SocketAddr;

use bytes::Bytes;
use dds_osci::{
    algorithm::DigestAlgorithm,
    certificate::Certificate,
    client::{Client, Delivery, Lost, Request, Single, Stored},
    feedback::{Feedback, FeedbackCode, Refused},
    intake::{IntakeConfig, MemoryStore, Received, read_all},
    keys::{Decrypter, Signer},
    message::MessageId,
    outgoing::{AttachmentHead, PartHasher, message_bytes},
    random::SystemRandom,
    signature::{PartDigests, SigningOptions},
};
use hyper::{Method, Request as HttpRequest};

pub use identity::{OsciIdentity, OsciPki};
pub use intermediary::OsciIntermediarySim;
pub use recipient::OsciRecipientSim;

use crate::{
    Error,
    http::{self, Outgoing, whole},
};

/// An OSCI user at an intermediary.
pub struct OsciPeer {
    identity: OsciIdentity,
    client: Client,
    address: SocketAddr,
    intake: IntakeConfig,
}

/// A storeDelivery ready to be posted.
pub struct OsciPrepared {
    /// The HTTP body, signed and encrypted.
    pub body: Bytes,
    id: MessageId,
    awaiting: Single<Stored>,
}

/// What was fetched.
#[derive(Debug, Clone)]
pub struct OsciFetched {
    /// MessageId.
    pub id: String,
    /// First content.
    pub document: Vec<u8>,
    /// Whether every container is signed by an author and every signature is valid.
    pub signed: bool,
    /// Attachments, as transported.
    pub attachments: Vec<Vec<u8>>,
}

impl OsciPeer {
    /// A user with an identity, at the intermediary behind `http://ADDRESS/osci`.
    #[must_use]
    pub fn new(
        identity: OsciIdentity,
        address: SocketAddr,
        cipher: Certificate,
        signature: Certificate,
    ) -> Self {
        let own = (identity.cipher_certificate().clone(), identity.signature_certificate().clone());
        let client = Client::new(own.0, own.1, cipher, signature);
        Self { identity, client, address, intake: IntakeConfig::default() }
    }

    /// Stores a document in the mailbox of `addressee`, signed by us as author and encrypted for him.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn store(&self, addressee: &Certificate, document: &[u8]) -> Result<MessageId, Error> {
        self.store_with(addressee, document, &[]).await
    }

    /// Stores a document with attachments (Content-ID and octets), which only the transport encrypts.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn store_with(
        &self,
        addressee: &Certificate,
        document: &[u8],
        attachments: &[(&str, &[u8])],
    ) -> Result<MessageId, Error> {
        let prepared = self.prepare_with(addressee, document, attachments).await?;
        let id = prepared.id.clone();
        let answer = self.post(prepared.body.clone()).await?;
        self.conclude(prepared, &answer).map(|()| id)
    }

    /// Does everything for [`Self::store`] but the posting: the MessageId is there, the order is sealed.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn prepare(&self, addressee: &Certificate, document: &[u8]) -> Result<OsciPrepared, Error> {
        self.prepare_with(addressee, document, &[]).await
    }

    async fn prepare_with(
        &self,
        addressee: &Certificate,
        document: &[u8],
        attachments: &[(&str, &[u8])],
    ) -> Result<OsciPrepared, Error> {
        let id = self.message_id().await?;
        let delivery = self.delivery(addressee, document, attachments)?;
        let (request, awaiting) = self.client.store(id.clone(), delivery, &mut SystemRandom);
        Ok(OsciPrepared { body: self.seal(&request, attachments)?, id, awaiting })
    }

    /// Whether the answer to a prepared order says that the delivery is in the mailbox.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub fn conclude(&self, prepared: OsciPrepared, answer: &[u8]) -> Result<(), Error> {
        let received = self.receive(answer);
        let answer = prepared.awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback)
    }

    /// Has a document pushed to the passive recipient at `receiver`.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn forward(
        &self,
        receiver: &str,
        addressee: &Certificate,
        document: &[u8],
    ) -> Result<MessageId, Error> {
        self.forward_with(receiver, addressee, document, &[]).await
    }

    /// Has a document pushed with attachments (Content-ID and octets), which only the transport encrypts.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn forward_with(
        &self,
        receiver: &str,
        addressee: &Certificate,
        document: &[u8],
        attachments: &[(&str, &[u8])],
    ) -> Result<MessageId, Error> {
        let id = self.message_id().await?;
        let delivery = self.delivery(addressee, document, attachments)?;
        let (request, awaiting) = self.client.forward(receiver, id.clone(), delivery, &mut SystemRandom);
        let received = self.send_with(&request, attachments).await?;
        let answer = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback).map(|()| id)
    }

    /// Has a document pushed to the passive recipient at `receiver` as processDelivery; what it replies, with the
    /// MessageId of the reply. The intermediary is not told that the reply was received: the next order of the dialogue
    /// would do that.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn mediate(
        &self,
        receiver: &str,
        addressee: &Certificate,
        document: &[u8],
    ) -> Result<OsciFetched, Error> {
        let id = self.message_id().await?;
        self.mediate_as(&id, receiver, addressee, document).await
    }

    /// As [`Self::mediate`], under a MessageId of ours; once more under the same one if the reply never came.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn mediate_as(
        &self,
        id: &MessageId,
        receiver: &str,
        addressee: &Certificate,
        document: &[u8],
    ) -> Result<OsciFetched, Error> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let received = self.send(&request).await?;
        let dialogue = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        let delivery = self.delivery(addressee, document, &[])?;
        let (request, awaiting) = dialogue.mediate(receiver, Some(id.clone()), delivery, &mut SystemRandom);
        let received = self.send(&request).await?;
        let (_, answer) = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback)?;
        let received = received.map_err(|refused| Error::Unexpected(refused.to_string()))?;
        let id = answer.value.reply_card.map_or_else(String::new, |card| card.message_id.as_str().to_owned());
        content::read(&self.identity, &self.intake, id, &received)
    }

    /// Fetches all that waits in our mailbox, in one dialogue.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn fetch_all(&self) -> Result<Vec<OsciFetched>, Error> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let received = self.send(&request).await?;
        let mut dialogue = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        let mut fetched = Vec::new();
        loop {
            let (request, awaiting) = dialogue.fetch(None, &mut SystemRandom);
            let received = self.send(&request).await?;
            let (next, answer) = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
            dialogue = next;
            if answer.feedback.decisive() == FeedbackCode::S9803 {
                break;
            }
            done(&answer.feedback)?;
            let received = received.map_err(|refused| Error::Unexpected(refused.to_string()))?;
            let id = answer.value.card.map_or_else(String::new, |card| card.message_id.as_str().to_owned());
            fetched.push(content::read(&self.identity, &self.intake, id, &received)?);
        }
        let (request, awaiting) = dialogue.exit(&mut SystemRandom);
        let received = self.send(&request).await?;
        awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        Ok(fetched)
    }

    /// Gets a MessageId.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn message_id(&self) -> Result<MessageId, Error> {
        let (request, awaiting) = self.client.get_message_id(&mut SystemRandom);
        let received = self.send(&request).await?;
        let answer = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback)?;
        answer.value.message_id.ok_or_else(|| Error::Unexpected("no MessageId".to_owned()))
    }

    fn delivery(
        &self,
        addressee: &Certificate,
        document: &[u8],
        attachments: &[(&str, &[u8])],
    ) -> Result<Delivery, Error> {
        let (package, certificates) =
            content::write(&self.identity, addressee, ("Antrag", document), &digests(attachments))?;
        let mut delivery = Delivery::new(package, addressee.clone());
        delivery.certificates = certificates;
        Ok(delivery)
    }

    async fn send(&self, request: &Request) -> Result<Result<Received<MemoryStore>, Refused>, Error> {
        self.send_with(request, &[]).await
    }

    async fn send_with(
        &self,
        request: &Request,
        attachments: &[(&str, &[u8])],
    ) -> Result<Result<Received<MemoryStore>, Refused>, Error> {
        let answer = self.post(self.seal(request, attachments)?).await?;
        Ok(self.receive(&answer))
    }

    async fn post(&self, body: Bytes) -> Result<Bytes, Error> {
        let post = osci_post(self.address, body)?;
        Ok(http::Client::new(self.address).send(post).await?.success()?.body)
    }

    fn seal(&self, request: &Request, attachments: &[(&str, &[u8])]) -> Result<Bytes, Error> {
        let signer = Some((self.identity.signature.as_ref() as &dyn Signer, SigningOptions::default()));
        let outgoing = request.seal(signer, &digests(attachments), &mut SystemRandom).map_err(unexpected)?;
        let parts: Vec<_> = attachments.iter().map(|(name, octets)| (head(name, octets), *octets)).collect();
        Ok(message_bytes(outgoing, &parts).map_err(unexpected)?.into())
    }

    fn receive(&self, body: &[u8]) -> Result<Received<MemoryStore>, Refused> {
        let keys: [&dyn Decrypter; 1] = [self.identity.cipher.as_ref()];
        read_all(&self.intake, &keys, &mut SystemRandom, body)
    }
}

/// The HTTP request that carries an order to the intermediary behind `http://ADDRESS/osci`.
///
/// # Errors
/// None that can be met with an address.
pub fn osci_post(address: SocketAddr, body: Bytes) -> Result<HttpRequest<Outgoing>, Error> {
    HttpRequest::builder()
        .method(Method::POST)
        .uri("/osci")
        .header("host", address.to_string())
        .header("content-type", "text/xml")
        .body(whole(body))
        .map_err(unexpected)
}

/// SHA-256 of attachments, each under its Content-ID.
fn digests(attachments: &[(&str, &[u8])]) -> Vec<PartDigests> {
    let digest = |(name, octets): &(&str, &[u8])| {
        let mut hasher = PartHasher::new(name, &[DigestAlgorithm::Sha256]);
        hasher.update(octets);
        hasher.finish()
    };
    attachments.iter().map(digest).collect()
}

fn head(name: &str, octets: &[u8]) -> AttachmentHead {
    AttachmentHead {
        content_id: name.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        length: Some(octets.len() as u64),
    }
}

fn done(feedback: &Feedback) -> Result<(), Error> {
    if feedback.is_success() {
        return Ok(());
    }
    Err(Error::Unexpected(format!("OSCI feedback {}", feedback.decisive())))
}

fn lost(lost: Lost) -> Error {
    Error::Unexpected(format!("OSCI dialogue ended with {}: {lost}", lost.code()))
}

fn unexpected(error: impl std::fmt::Display) -> Error {
    Error::Unexpected(error.to_string())
}
