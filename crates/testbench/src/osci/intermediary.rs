//! An intermediary of somebody else, with its mailboxes in memory.

use std::{collections::HashMap, convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{body::Bytes, extract::State};
use bytes::BytesMut;
use dds_message::Clock;
use dds_osci::{
    algorithm::CryptoPolicy,
    certificate::Certificate,
    feedback::Refused,
    intake::{Intake, IntakeConfig, PartStore, Received},
    intermediary::{Attachment, Intermediary, MemoryMailboxes, PushFailure, Reply, Rules, Step},
    keys::{Decrypter, Signer},
    message::MessageKind,
    mime::PartHeaders,
    outgoing::message_bytes,
    random::SystemRandom,
    signature::SigningOptions,
    trust::TrustPolicy,
};
use hyper::{Method, Request, Uri};
use parking_lot::Mutex;

use super::{OsciIdentity, digests, head, station::Station, unexpected};
use crate::{
    Error,
    http::{Client, whole},
};

/// Fremder Intermediär: takes every order, keeps mailboxes for whom it knows, and pushes where it may.
pub struct OsciIntermediarySim(Station<Desk>);

struct Desk {
    identity: OsciIdentity,
    intermediary: Intermediary,
    clock: Arc<dyn Clock>,
    intake: IntakeConfig,
    boxes: Mutex<MemoryMailboxes<Bytes>>,
    orders: Mutex<HashMap<MessageKind, u64>>,
}

impl OsciIntermediarySim {
    /// One with a mailbox for each of `parties` (cipher certificates) that trusts what the authority `root` (PEM) has
    /// issued, and pushes to addresses that begin with one of `receivers`.
    ///
    /// # Errors
    /// [`Error::Io`] if no port is free, [`Error::Unexpected`] if `root` is no certificate.
    pub async fn start(
        identity: OsciIdentity,
        root: &str,
        parties: &[&Certificate],
        receivers: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let anchors = vec![Certificate::from_pem(root).map_err(unexpected)?];
        let intermediary = Intermediary {
            cipher: identity.cipher_certificate().clone(),
            signature: identity.signature_certificate().clone(),
            trust: TrustPolicy { anchors, ..TrustPolicy::default() },
            policy: CryptoPolicy::default(),
            rules: Rules { receivers, ..Rules::default() },
        };
        let mut boxes = MemoryMailboxes::default();
        for party in parties {
            boxes.register(party);
        }
        let desk = Desk {
            identity,
            intermediary,
            clock,
            intake: IntakeConfig::default(),
            boxes: Mutex::new(boxes),
            orders: Mutex::default(),
        };
        Ok(Self(Station::start("/osci", serve, desk).await?))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.server.address()
    }

    /// The address that orders go to.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Orders of this type that it has executed, successfully or not.
    #[must_use]
    pub fn orders(&self, kind: MessageKind) -> u64 {
        self.0.desk.orders.lock().get(&kind).copied().unwrap_or(0)
    }

    /// Goes away: connections end, new ones are refused. Its mailboxes stay.
    pub async fn down(&self) {
        self.0.server.down().await;
    }

    /// Comes back on the same port.
    pub async fn up(&self) {
        self.0.server.up().await;
    }
}

async fn serve(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Vec<u8>, String> {
    let reply = match desk.read(&body) {
        Ok(received) => desk.execute(&received).await?,
        Err(refused) => Reply::fault(&refused),
    };
    desk.seal(&reply)
}

impl Desk {
    fn read(&self, octets: &[u8]) -> Result<Received<Parts>, Refused> {
        let keys: [&dyn Decrypter; 1] = [self.identity.cipher.as_ref()];
        let mut intake = Intake::new(&self.intake, &keys, &mut SystemRandom, Parts::default());
        intake.push(octets)?;
        intake.finish()
    }

    async fn execute(&self, received: &Received<Parts>) -> Result<Reply<Bytes>, String> {
        let rules = &self.intermediary;
        let now = self.clock.now().to_jiff();
        let examined = match rules.examine(received, now) {
            Ok(examined) => examined,
            Err(fault) => return Ok(*fault),
        };
        *self.orders.lock().entry(examined.kind()).or_default() += 1;
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let step = examined.execute(rules, &mut *self.boxes.lock(), &mut SystemRandom);
        match step.map_err(|error| told(&error))? {
            Step::Answer(reply) => Ok(reply),
            Step::Push { receiver, request, then } => {
                let request = self.seal(&request)?;
                let Ok(answer) = push(&receiver, request).await else {
                    return Ok(then.failed(rules, PushFailure::NotReached));
                };
                let Ok(answer) = self.read(&answer) else {
                    return Ok(then.failed(rules, PushFailure::Unreadable));
                };
                let now = self.clock.now().to_jiff();
                then.answered(rules, &answer, &mut *self.boxes.lock(), now).map_err(|error| told(&error))
            }
            Step::Reassemble { chunks, then } => {
                let whole: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.handle.iter().copied()).collect();
                let inside = self.read(&whole);
                let inside = inside.as_ref().map_err(Clone::clone);
                then.done(rules, inside, &mut *self.boxes.lock(), now).map_err(|error| told(&error))
            }
            Step::Render { response, then } => {
                let octets = Bytes::from(self.seal(&response)?);
                let bytes = octets.len() as u64;
                then.done(rules, octets, bytes, &mut *self.boxes.lock()).map_err(|error| told(&error))
            }
        }
    }

    fn seal(&self, reply: &Reply<Bytes>) -> Result<Vec<u8>, String> {
        let octets: Vec<(&str, Bytes)> =
            reply.attachments.iter().map(|one| (one.content_id.as_str(), piece(one))).collect();
        let octets: Vec<(&str, &[u8])> = octets.iter().map(|(id, octets)| (*id, &octets[..])).collect();
        let signer = (self.identity.signature.as_ref() as &dyn Signer, SigningOptions::default());
        let outgoing = reply.seal(signer, &digests(&octets), &mut SystemRandom);
        let outgoing = outgoing.map_err(|refused| refused.to_string())?;
        let parts: Vec<_> = octets.iter().map(|(id, octets)| (head(id, octets), *octets)).collect();
        message_bytes(outgoing, &parts).map_err(|error| error.to_string())
    }
}

/// The octets of an attachment: of a chunk, a piece of those stored.
fn piece(attachment: &Attachment<Bytes>) -> Bytes {
    let start = usize::try_from(attachment.offset).unwrap_or(usize::MAX).min(attachment.handle.len());
    let end = usize::try_from(attachment.bytes).unwrap_or(usize::MAX).saturating_add(start);
    attachment.handle.slice(start..end.min(attachment.handle.len()))
}

/// Posts to a passive recipient on this machine; the body of its answer.
async fn push(receiver: &str, request: Vec<u8>) -> Result<Bytes, Error> {
    let uri: Uri = receiver.parse().map_err(unexpected)?;
    let address = uri.authority().map_or("", |authority| authority.as_str()).parse().map_err(unexpected)?;
    let request = Request::builder().method(Method::POST).uri(uri.path()).body(whole(request))?;
    Ok(Client::new(address).send(request).await?.success()?.body)
}

/// Attachments while they come in.
#[derive(Debug, Default)]
struct Parts(BytesMut);

impl PartStore for Parts {
    type Handle = Bytes;
    type Error = Infallible;

    fn begin(&mut self, _: &PartHeaders) -> Result<(), Infallible> {
        self.0.clear();
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self) -> Result<Bytes, Infallible> {
        Ok(self.0.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, OsciPeer, OsciPki, OsciRecipientSim};

    #[tokio::test(flavor = "multi_thread")]
    async fn it_keeps_mailboxes_and_brings_replies_back() {
        let pki = OsciPki::new().unwrap();
        let identity = |name: &str| pki.identity(name).unwrap();
        let (own, portal, office) = (identity("vermittler"), identity("portal"), identity("amt"));
        let pushed_to =
            OsciRecipientSim::start(office.clone(), own.signature_certificate().clone()).await.unwrap();
        let clock = Arc::new(ManualClock::default());
        let receivers = vec![format!("http://{}/", pushed_to.address())];
        let mailboxes = [office.cipher_certificate()];
        let intermediary =
            OsciIntermediarySim::start(own.clone(), pki.root_pem(), &mailboxes, receivers, clock)
                .await
                .unwrap();
        let peer = |identity: &OsciIdentity| {
            let (cipher, signature) = (own.cipher_certificate(), own.signature_certificate());
            OsciPeer::new(identity.clone(), intermediary.address(), cipher.clone(), signature.clone())
        };
        let (sender, addressee) = (peer(&portal), peer(&office));
        let to = office.cipher_certificate();

        // Stored, with an attachment, and fetched once.
        let plan = vec![7; 100_000];
        let id = sender.store_with(to, b"<eins/>", &[("plan.pdf", &plan)]).await.unwrap();
        let fetched = addressee.fetch_all().await.unwrap();
        let found: Vec<_> =
            fetched.iter().map(|one| (one.id.as_str(), &one.document[..], one.signed)).collect();
        assert_eq!(found, [(id.as_str(), &b"<eins/>"[..], true)]);
        assert!(addressee.fetch_all().await.unwrap().is_empty());

        // Pushed, with a reply and without one.
        let reply = sender.mediate(&pushed_to.url(), to, b"<zwei/>").await.unwrap();
        assert!(reply.signed && String::from_utf8(reply.document).unwrap().starts_with("<bescheid "));
        sender.forward(&pushed_to.url(), to, b"<drei/>").await.unwrap();
        let taken: Vec<_> = pushed_to.taken().into_iter().map(|one| (one.document, one.signed)).collect();
        assert_eq!(taken, [(b"<zwei/>".to_vec(), true), (b"<drei/>".to_vec(), true)]);

        // Nobody has that mailbox, nobody may push there, nobody listens there.
        assert!(sender.store(portal.cipher_certificate(), b"<vier/>").await.is_err());
        assert!(sender.forward("http://127.0.0.1:1/empfang", to, b"<vier/>").await.is_err());
        intermediary.down().await;
        assert!(sender.store(to, b"<vier/>").await.is_err());
        intermediary.up().await;
        sender.store(to, b"<vier/>").await.unwrap();
        assert_eq!(intermediary.orders(MessageKind::StoreDelivery), 3);
    }
}
