//! A passive recipient: an office to which an intermediary pushes.

use std::{net::SocketAddr, sync::Arc};

use axum::{body::Bytes, extract::State};
use dds_osci::{
    certificate::Certificate,
    intake::{IntakeConfig, MemoryStore, Received, read_all},
    keys::{Decrypter, Signer},
    message::{CertificateRole, MessageId},
    outgoing::message_bytes,
    random::SystemRandom,
    recipient::{Incoming, Processing, Recipient, Refusal, Reply, Response},
    signature::SigningOptions,
};
use parking_lot::Mutex;

use super::{OsciFetched, OsciIdentity, content, station::Station, unexpected};
use crate::Error;

/// Passiver Empfänger: takes what an intermediary pushes (acceptDelivery, processDelivery), and answers what was
/// mediated with a decision of its own (Bescheid), signed and encrypted for the sender.
pub struct OsciRecipientSim(Station<Desk>);

struct Desk {
    identity: OsciIdentity,
    recipient: Recipient,
    intake: IntakeConfig,
    taken: Mutex<Vec<OsciFetched>>,
}

impl OsciRecipientSim {
    /// An office that takes pushes of the intermediary with this signature certificate.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free.
    pub async fn start(identity: OsciIdentity, intermediary: Certificate) -> Result<Self, Error> {
        let (cipher, signature) = (identity.cipher_certificate(), identity.signature_certificate());
        let recipient = Recipient::new(cipher.clone(), signature.clone(), vec![intermediary]);
        let desk = Desk { identity, recipient, intake: IntakeConfig::default(), taken: Mutex::default() };
        Ok(Self(Station::start("/empfang", receive, desk).await?))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.server.address()
    }

    /// The address that forwardDelivery and mediateDelivery name.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// What it took, in the order in which it came; a delivery that came twice stands here twice.
    #[must_use]
    pub fn taken(&self) -> Vec<OsciFetched> {
        self.0.desk.taken.lock().clone()
    }
}

async fn receive(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Vec<u8>, String> {
    let keys: [&dyn Decrypter; 1] = [desk.identity.cipher.as_ref()];
    let response = match read_all(&desk.intake, &keys, &mut SystemRandom, &body) {
        Err(refused) => Response::fault(refused),
        Ok(received) => match desk.recipient.receive(&received) {
            Err(response) => *response,
            Ok(incoming) => desk.take(incoming, &received),
        },
    };
    let signer = Some((desk.identity.signature.as_ref() as &dyn Signer, SigningOptions::default()));
    let outgoing = response.seal(signer, &[], &mut SystemRandom).map_err(|refused| refused.to_string())?;
    message_bytes(outgoing, &[]).map_err(|error| error.to_string())
}

impl Desk {
    fn take(&self, incoming: Incoming, received: &Received<MemoryStore>) -> Response {
        let id = incoming.push().message_id().map_or_else(String::new, |id| id.as_str().to_owned());
        match content::read(&self.identity, &self.intake, id, received) {
            Ok(delivery) => self.taken.lock().push(delivery),
            Err(error) => return incoming.refused(Refusal::NotAccepted, &error.to_string()),
        }
        match incoming {
            Incoming::Accept(accepting) => accepting.accepted(),
            Incoming::Process(processing) => match self.decide(&processing) {
                Ok(reply) => processing.reply(reply),
                Err(error) => processing.refused(Refusal::Internal, &error.to_string()),
            },
        }
    }

    /// The decision, which names what it answers.
    fn decide(&self, processing: &Processing) -> Result<Reply, Error> {
        let push = processing.push();
        let sender = push.envelope.certificates.certificate(CertificateRole::CipherOriginator);
        let sender = sender.ok_or_else(|| unexpected("a sender without cipher certificate"))?;
        let id = push.message_id().map_or("", MessageId::as_str);
        let document = format!("<bescheid xmlns=\"urn:example:fachverfahren\" zu=\"{id}\"/>");
        let (content, certificates) =
            content::write(&self.identity, sender, ("Bescheid", document.as_bytes()), &[])?;
        Ok(Reply { content, certificates, subject: Some("Bescheid".to_owned()), custom_headers: Vec::new() })
    }
}
