//! The built-in intermediary: drives `dds_osci::intermediary` on the postbox.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use dds_courier::{ExchangeError, Identity, OwnIntermediary, Package, digests};
use dds_osci::{
    certificate::Certificate,
    feedback::{FeedbackCode, Refused},
    intake::{Intake, Received},
    intermediary::{
        Attachment, Examined, Forwarding, Intermediary, PushFailure, Reassembly, Rendering, Reply, Step,
        StoreFailed,
    },
    keys::Decrypter,
    message::{Message, MessageKind},
    random::SystemRandom,
    signature::SigningOptions,
};
use dds_postbox::{Parts, PostboxError, StoredPart};
use tokio::task::spawn_blocking;

use super::server::{OsciContext, fault};

/// Intermediär at work: the rules, the keys and the postbox.
pub struct IntermediaryEndpoint {
    /// Shared parts.
    pub context: OsciContext,
    /// Rules and certificates.
    pub own: OwnIntermediary,
    /// Keys.
    pub identity: Identity,
}

/// The reply to an order, and the parts it still needs after they are out of the order's hands.
type Answer = (Reply<StoredPart>, Option<Parts>);

impl IntermediaryEndpoint {
    fn now(&self) -> jiff::Timestamp {
        self.context.clock.now().to_jiff()
    }

    /// Answers one request.
    pub(super) async fn serve(self: Arc<Self>, request: Request) -> Response {
        let decrypters = self.identity.decrypters();
        let received = match self.context.receive(decrypters, request).await {
            Ok(received) => received,
            Err(response) => return response,
        };
        let answered = match self.execute(received).await {
            Ok((reply, parts)) => self.seal(reply, parts).await,
            Err(error) => Err(error.into()),
        };
        match answered {
            Ok(package) => self.context.respond(package),
            Err(refused) => {
                tracing::error!(code = %refused.code, detail = refused.detail, "osci.no_answer");
                fault(&refused)
            }
        }
    }

    /// Executes the order; what comes back is durable.
    async fn execute(&self, received: Received<Parts>) -> Result<Answer, PostboxError> {
        let rules = self.own.rules();
        let (order, store) = match self.examine(&rules, received).await? {
            Ok(examined) => examined,
            Err(reply) => return Ok((*reply, None)),
        };
        let (step, parts) = self.begin(&rules, order, store).await?;
        match step {
            Step::Answer(reply) => {
                if parts.is_none() {
                    self.own.wake();
                }
                Ok((reply, None))
            }
            Step::Push { receiver, request, then } => {
                let answer = self.push(rules, &receiver, *request, *then).await;
                // The parts of the order live until the push has read them.
                drop(parts);
                answer
            }
            Step::Reassemble { chunks, then } => Ok((self.reassembled(rules, chunks, *then).await?, None)),
            Step::Render { response, then } => Ok((self.render(rules, *response, *then).await?, None)),
        }
    }

    /// Examines the order without state, and once more when responders had something new to say about its certificates.
    async fn examine(
        &self,
        rules: &Arc<Intermediary>,
        received: Received<Parts>,
    ) -> Result<Result<(Examined<StoredPart>, Parts), Box<Reply<StoredPart>>>, PostboxError> {
        let now = self.now();
        let examining = Arc::clone(rules);
        let examined = spawn_blocking(move || (examining.examine(&received, now), received));
        let (examined, received) = examined.await?;
        let mut order = match examined {
            Ok(order) => order,
            Err(reply) => return Ok(Err(reply)),
        };
        if self.context.trust.ask(order.certificates(), now).await {
            order = order.recheck(rules);
        }
        Ok(Ok((order, received.store)))
    }

    /// Takes the order's first step in one transaction. The parts come back unless the records name them.
    async fn begin(
        &self,
        rules: &Arc<Intermediary>,
        order: Examined<StoredPart>,
        store: Parts,
    ) -> Result<(Step<StoredPart>, Option<Parts>), PostboxError> {
        let kind = order.kind();
        let rules = Arc::clone(rules);
        // What the records name is kept within the step: whoever waits for it may be gone when it is committed, and
        // parts that nobody has kept vanish. Should the commit fail, the sweep takes them.
        let step = self.context.postbox.run(move |boxes| {
            let step = order.execute(&rules, boxes, &mut SystemRandom)?;
            let named = match &step {
                Step::Answer(reply) => is_stored(kind) && reply.code().is_success(),
                Step::Reassemble { .. } => true,
                Step::Push { .. } | Step::Render { .. } => false,
            };
            let parts = if named {
                store.keep();
                None
            } else {
                Some(store)
            };
            Ok::<_, StoreFailed>((step, parts))
        });
        step.await
    }

    /// Pushes a delivery to its receiver, and executes what he answers.
    async fn push(
        &self,
        rules: Arc<Intermediary>,
        receiver: &str,
        request: Reply<StoredPart>,
        then: Forwarding,
    ) -> Result<Answer, PostboxError> {
        let package = match self.seal(request, None).await {
            Ok(package) => package,
            Err(refused) => {
                tracing::error!(code = %refused.code, detail = refused.detail, "osci.push_not_sealed");
                return Ok((then.failed(&rules, PushFailure::NotReached), None));
            }
        };
        let decrypters: Vec<Arc<dyn Decrypter>> = vec![Arc::clone(&self.identity.cipher)];
        let mut answer = match self.context.courier.exchange(receiver, package, decrypters).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(%error, "osci.push_failed");
                return Ok((then.failed(&rules, failure(&error)), None));
            }
        };
        let now = self.now();
        self.context.trust.ask(&certificates(&answer), now).await;
        let parts = std::mem::replace(&mut answer.store, self.context.postbox.parts()?);
        let step = self.context.postbox.run(move |boxes| {
            let reply = then.answered(&rules, &answer, boxes, now)?;
            if reply.is_kept() {
                parts.keep();
                return Ok((reply, None));
            }
            // The parts of the reply live until it has been sent.
            Ok::<_, StoreFailed>((reply, Some(parts)))
        });
        step.await
    }

    /// The last chunk is there: executes the delivery that the chunks make together.
    async fn reassembled(
        &self,
        rules: Arc<Intermediary>,
        chunks: Vec<Attachment<StoredPart>>,
        then: Reassembly,
    ) -> Result<Reply<StoredPart>, PostboxError> {
        let inside = self.reassemble(chunks).await;
        let now = self.now();
        if let Ok(inside) = &inside {
            self.context.trust.ask(&certificates(inside), now).await;
        }
        let (inside, store) = match inside {
            Ok(mut inside) => {
                let store = std::mem::replace(&mut inside.store, self.context.postbox.parts()?);
                (Ok(inside), Some(store))
            }
            Err(refused) => (Err(refused), None),
        };
        let step = self.context.postbox.run(move |boxes| {
            let reply = then.done(&rules, inside.as_ref().map_err(Clone::clone), boxes, now)?;
            if let Some(store) = store.filter(|_| reply.refused.is_none()) {
                store.keep();
            }
            Ok::<_, StoreFailed>(reply)
        });
        let reply = step.await?;
        if reply.refused.is_none() {
            self.own.wake();
        }
        Ok(reply)
    }

    /// Writes the response that is fetched in chunks, and hands out the first of them.
    async fn render(
        &self,
        rules: Arc<Intermediary>,
        response: Reply<StoredPart>,
        then: Rendering,
    ) -> Result<Reply<StoredPart>, PostboxError> {
        let package = self.seal(response, None).await?;
        let postbox = self.context.postbox.clone();
        let written = spawn_blocking(move || write(&postbox, package));
        let (part, bytes, parts) = written.await??;
        let step = self.context.postbox.run(move |boxes| {
            let reply = then.done(&rules, part, bytes, boxes)?;
            parts.keep();
            Ok::<_, StoreFailed>(reply)
        });
        step.await
    }

    /// Reads the chunks as one message; they carry no transport encryption of their own.
    async fn reassemble(&self, chunks: Vec<Attachment<StoredPart>>) -> Result<Received<Parts>, Refused> {
        let desk = self.context.courier.desk().clone();
        let reading = spawn_blocking(move || {
            let unreadable = |error: PostboxError| Refused::new(FeedbackCode::S9811, error.to_string());
            let store = desk.postbox.parts().map_err(unreadable)?;
            let mut intake = Intake::new(&desk.intake, &[], &mut SystemRandom, store);
            for chunk in chunks {
                let mut reader = desk.postbox.open_part(&chunk.handle).map_err(unreadable)?;
                while let Some(piece) = reader.next_chunk().map_err(|error| unreadable(error.into()))? {
                    intake.push(&piece)?;
                }
            }
            intake.finish()
        });
        reading.await.map_err(|error| Refused::new(FeedbackCode::S9811, error.to_string()))?
    }

    /// Signs and encrypts a reply. `parts` are kept until it is on its way.
    async fn seal(&self, reply: Reply<StoredPart>, parts: Option<Parts>) -> Result<Package, Refused> {
        if let Some(refused) = &reply.refused {
            dds_courier::log_refusal(refused);
        }
        let postbox = self.context.postbox.clone();
        let signer = Arc::clone(&self.identity.signature);
        let sealing = spawn_blocking(move || {
            let options = SigningOptions::default();
            let digests = digests(&postbox, &reply.attachments, options.digest)?;
            let outgoing = reply.seal((signer.as_ref(), options), &digests, &mut SystemRandom)?;
            if let Some(parts) = parts {
                // The sweep takes them when they are old: until then the reply can be read as slowly as the client
                // likes.
                parts.keep();
            }
            Ok(Package { outgoing, attachments: reply.attachments })
        });
        sealing.await.map_err(|error| Refused::new(FeedbackCode::S9000, error.to_string()))?
    }
}

/// The certificates that a message carries.
fn certificates(received: &Received<Parts>) -> Vec<Certificate> {
    match Message::read(&received.document) {
        Ok(Message::Envelope(envelope)) => {
            envelope.certificates.entries.into_iter().map(|entry| entry.certificate).collect()
        }
        _ => Vec::new(),
    }
}

const fn failure(error: &ExchangeError) -> PushFailure {
    match error {
        ExchangeError::NotReached(_) => PushFailure::NotReached,
        ExchangeError::NoAnswer(_) => PushFailure::NoAnswer,
        ExchangeError::Unreadable(_) => PushFailure::Unreadable,
    }
}

/// Orders whose attachments stay when they succeed.
const fn is_stored(kind: MessageKind) -> bool {
    matches!(kind, MessageKind::StoreDelivery | MessageKind::PartialStoreDelivery)
}

/// Writes a sealed message into the parts.
fn write(postbox: &dds_postbox::Postbox, package: Package) -> Result<(StoredPart, u64, Parts), PostboxError> {
    use dds_osci::intake::PartStore as _;
    let mut parts = postbox.parts()?;
    parts.start()?;
    let (mut bytes, mut pieces) = (0, package.pieces(postbox.clone()));
    while let Some(piece) = pieces.next_piece()? {
        bytes += piece.len() as u64;
        parts.write(&piece)?;
    }
    let part = parts.end()?;
    Ok((part, bytes, parts))
}
