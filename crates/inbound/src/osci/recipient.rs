//! The passive recipient: an intermediary pushes, the router takes, the answer says so.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use dds_courier::{Identity, Package};
use dds_message::{Code, Digest, Digesting, JournalEvent, Problem};
use dds_osci::{
    certificate::Certificate,
    feedback::{FeedbackCode, Refused},
    intake::AttachmentRef,
    intermediary::Attachment,
    message::{CertificateRole, Envelope, MessageId},
    random::SystemRandom,
    recipient::{Incoming, Push, Recipient, Refusal, Response as Answer},
    signature::SigningOptions,
    trust::CertificateUse,
};
use dds_router::Acknowledgement;
use tokio::task::spawn_blocking;

use super::{
    collector::is_final,
    door::Delivered,
    receipt,
    refusal::Known,
    server::{OsciContext, fault},
};

/// Passiver Empfänger at work.
pub struct RecipientEndpoint {
    /// Shared parts.
    pub context: OsciContext,
    /// Rules.
    pub recipient: Recipient,
    /// Keys.
    pub identity: Identity,
}

impl RecipientEndpoint {
    /// Answers one request.
    pub(super) async fn serve(self: Arc<Self>, request: Request) -> Response {
        let decrypters = self.identity.decrypters();
        let received = match self.context.receive(decrypters, request).await {
            Ok(received) => received,
            Err(response) => return response,
        };
        let reading = Arc::clone(&self);
        let read = spawn_blocking(move || (reading.recipient.receive(&received), received));
        let Ok((incoming, received)) = read.await else {
            return fault(&Refused::new(FeedbackCode::S9000, "reading the order ended unexpectedly"));
        };
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(answer) => {
                if let Some(refused) = &answer.refused {
                    tracing::info!(code = %refused.code, detail = refused.detail, "osci.refused");
                }
                return self.answer(*answer).await;
            }
        };
        let push = incoming.push();
        let signer = push.signer.as_ref().map(|signer| (signer, CertificateUse::AddresseeSignature));
        if let Err(problem) = self.context.counts(signer.as_slice()).await {
            return self.refuse(incoming, &problem).await;
        }
        let envelope = push.envelope.clone();
        let key = key(push, &received.attachments);
        let vouched = push.signer.is_some();
        let attachments = received.attachments.iter().map(Attachment::from).collect();
        let document = received.document;
        let delivered = Delivered { document, envelope, attachments, key, reply: None, vouched };
        // The parts live until the router has copied them into its own store.
        let parts = received.store;
        let taken = match self.context.door().prepare(delivered, &self.identity).await {
            Ok(prepared) => prepared.accept().await,
            Err(problem) => Err(problem),
        };
        drop(parts);
        match taken {
            Ok(acknowledgement) => {
                tracing::debug!(message = %acknowledgement.id, "osci.taken");
                self.accept(incoming, acknowledgement).await
            }
            Err(problem) => self.refuse(incoming, &problem).await,
        }
    }

    /// Says that the router has it. Who waits for a reply gets the receipt; should it fail, 9806 still says that we
    /// have taken it.
    async fn accept(&self, incoming: Incoming, acknowledgement: Acknowledgement) -> Response {
        let processing = match incoming {
            Incoming::Accept(accepting) => return self.answer(accepting.accepted()).await,
            Incoming::Process(processing) => processing,
        };
        let signer = Arc::clone(&self.identity.signature);
        let reader = processing.push().envelope.certificates.certificate(CertificateRole::CipherOriginator);
        let reader = reader.cloned();
        let writing =
            spawn_blocking(move || receipt::reply(&acknowledgement, signer.as_ref(), reader.as_ref()));
        let answer = match writing.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(reply) => processing.reply(reply),
            Err(detail) => {
                tracing::warn!(code = %Code::OSCI_KEYS, detail, "osci.no_receipt");
                processing.accepted()
            }
        };
        self.answer(answer).await
    }

    /// Refuses a push: the intermediary tells the sender, we tell the operator. Only what an intermediary has signed
    /// comes into the journal, else anybody could fill it; and not what it will bring again.
    async fn refuse(&self, incoming: Incoming, problem: &Problem) -> Response {
        let push = incoming.push();
        let known = Known {
            id: push.message_id().cloned(),
            intermediary: push.signer.as_ref().map(|signer| signer.sha256_hex().to_owned()),
            originator: Known::originator(&push.envelope),
        };
        let last = is_final(problem);
        let (refusals, code) = (self.context.refusals(), problem.code);
        tracing::warn!(
            %code, detail = %problem.detail, message_id = known.id.as_ref().map(MessageId::as_str),
            intermediary = known.intermediary, originator = known.originator, last, "osci.push_refused"
        );
        refusals.count(code);
        if last && known.intermediary.is_some() {
            refusals.note(JournalEvent::OsciRefused, code, &known).await;
        }
        let refusal = if last { Refusal::NotAccepted } else { Refusal::Internal };
        self.answer(incoming.refused(refusal, &problem.to_string())).await
    }

    async fn answer(&self, answer: Answer) -> Response {
        let signer = Arc::clone(&self.identity.signature);
        let sealing = spawn_blocking(move || {
            let options = SigningOptions::default();
            answer.seal(Some((signer.as_ref(), options)), &[], &mut SystemRandom)
        });
        match sealing.await {
            Ok(Ok(outgoing)) => self.context.respond(Package { outgoing, attachments: Vec::new() }),
            Ok(Err(refused)) => fault(&refused),
            Err(_) => fault(&Refused::new(FeedbackCode::S9000, "sealing the answer ended unexpectedly")),
        }
    }
}

/// Key against duplicates: the MessageId, which is unique at the intermediary that gave it out.
fn key<H>(push: &Push, attachments: &[AttachmentRef<H>]) -> String {
    let intermediary = push.signer.as_ref().map_or("unsigned", |signer| signer.sha256_hex());
    match push.message_id() {
        Some(id) => format!("{intermediary}/{id}"),
        None => format!("{intermediary}/{}", imprint(&push.envelope, attachments)),
    }
}

/// What stands for a delivery without MessageId: a repeated push relays the same octets from the same originator.
fn imprint<H>(envelope: &Envelope, attachments: &[AttachmentRef<H>]) -> Digest {
    let content = envelope.content.as_ref().map_or(b"".as_slice(), |content| content.xml.as_slice());
    let mut hash = Digesting::default();
    let mut add = |octets: &[u8]| {
        hash.update(&(octets.len() as u64).to_be_bytes());
        hash.update(octets);
    };
    for role in [CertificateRole::SignatureOriginator, CertificateRole::CipherOriginator] {
        add(envelope.certificates.certificate(role).map_or(b"", Certificate::der));
    }
    add(content);
    for attachment in attachments {
        add(attachment.content_id.as_bytes());
        for (algorithm, digest) in &attachment.digests.digests {
            add(algorithm.uri().as_bytes());
            add(digest);
        }
    }
    hash.finish().0
}
