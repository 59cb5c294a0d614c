//! The active recipient: fetches a mailbox at an intermediary elsewhere.
//!
//! The intermediary holds a delivery as received when the next order of the dialogue comes (DOSSIER 12). So each delivery is put
//! durably into our own postbox first; only then does the next order leave. If anything fails in between, the dialogue is given up
//! without another order, and the delivery is fetched again.

use std::{future::Future, sync::Arc, time::Duration};

use dds_courier::{Courier, ExchangeError, Identity, Package};
use dds_message::{Code, Problem};
use dds_osci::{
    client::{Client, Lost, Open, Request},
    feedback::{FeedbackCode, Refused},
    intake::Received,
    intermediary::{Attachment, Delivery, Mailboxes as _},
    keys::Decrypter,
    message::MessageId,
    random::SystemRandom,
    signature::SigningOptions,
};
use dds_postbox::{Parts, PostboxError};
use tokio::task::spawn_blocking;

use super::{
    collector::OwnMailbox,
    server::{OsciContext, time},
};

/// Which mailbox.
#[derive(Debug, Clone)]
pub struct FetcherOptions {
    /// Name in configuration and log, and before the MessageIds of this intermediary: give it to no other.
    pub name: String,
    /// Address of the intermediary.
    pub address: String,
    /// Time between two looks when the mailbox was empty or could not be reached.
    pub every: Duration,
}

/// Aktiver Empfänger.
pub struct Fetcher {
    context: OsciContext,
    client: Client,
    identity: Identity,
    options: FetcherOptions,
}

/// What one visit brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Deliveries put into the postbox.
    pub deliveries: usize,
    /// Deliveries that were there already.
    pub known: usize,
}

impl Fetcher {
    /// A fetcher; `client` knows the intermediary's certificates.
    #[must_use]
    pub fn new(context: OsciContext, client: Client, identity: Identity, options: FetcherOptions) -> Self {
        Self { context, client, identity, options }
    }

    /// Fetches on schedule until `shutdown` resolves.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                visited = self.visit() => {
                    if let Err(problem) = visited {
                        tracing::warn!(mailbox = self.options.name, code = %problem.code, detail = problem.detail, "osci.fetch_failed");
                    }
                }
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(self.options.every) => {}
            }
        }
    }

    /// One dialogue: everything that waits is fetched.
    ///
    /// # Errors
    /// Why it ended early; what was fetched before is durable, the rest comes again.
    pub async fn visit(&self) -> Result<Fetched, Problem> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let opened = self.send(request).await?;
        let mut open =
            awaiting.receive(opened.as_ref().map_err(Clone::clone)).map_err(|lost| ended(&lost))?;
        let mut fetched = Fetched::default();
        loop {
            let (request, awaiting) = open.fetch(None, &mut SystemRandom);
            let received = self.send(request).await?;
            let (next, answer) =
                awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(|lost| ended(&lost))?;
            open = next;
            if answer.feedback.decisive() == FeedbackCode::S9803 {
                break;
            }
            let (Ok(received), true) = (received, answer.is_success()) else {
                let detail = format!("the intermediary refuses with {}", answer.feedback.decisive());
                self.leave(open).await?;
                return Err(Problem::new(Code::TARGET_REFUSED, detail));
            };
            // No way back into the dialogue but through here: what is not durable is not acknowledged.
            let card = answer.value.card;
            if self.keep(received, card.as_ref().map(|card| card.message_id.clone())).await? {
                fetched.deliveries += 1;
            } else {
                fetched.known += 1;
            }
        }
        self.leave(open).await?;
        Ok(fetched)
    }

    async fn leave(&self, open: Open) -> Result<(), Problem> {
        let (request, awaiting) = open.exit(&mut SystemRandom);
        let left = self.send(request).await?;
        awaiting.receive(left.as_ref().map_err(Clone::clone)).map(drop).map_err(|lost| ended(&lost))
    }

    /// Puts a delivery into the postbox; `false` if it is there already.
    async fn keep(&self, received: Received<Parts>, id: Option<MessageId>) -> Result<bool, Problem> {
        let id = id.ok_or_else(|| Problem::new(Code::OSCI_CONTENT, "a delivery without MessageId"))?;
        // Each intermediary gives out MessageIds of its own: what another one calls the same is another delivery.
        let id = MessageId::new(format!("{}/{id}", self.options.name));
        let mailbox = OwnMailbox::fetched(&self.options.name, self.identity.clone()).name;
        let now = time(self.context.clock.now());
        let delivery = Delivery {
            id: id.clone(),
            mailbox,
            submitted: now,
            envelope: received.document.bytes().to_vec(),
            attachments: received.attachments.iter().map(Attachment::from).collect(),
        };
        let store = received.store;
        let fresh = self
            .context
            .postbox
            .run(move |boxes| {
                if boxes.has_delivery(&id)? {
                    return Ok(false);
                }
                boxes.put_delivery(&delivery)?;
                // Within the step: a visit may be given up while it is committed, and parts that nobody has kept vanish.
                store.keep();
                Ok::<_, PostboxError>(true)
            })
            .await
            .map_err(super::collector::unusable)?;
        if fresh {
            self.context.wake.notify_one();
        }
        Ok(fresh)
    }

    async fn send(&self, request: Request) -> Result<Result<Received<Parts>, Refused>, Problem> {
        let signer = Arc::clone(&self.identity.signature);
        let sealing = spawn_blocking(move || {
            let options = SigningOptions::default();
            request.seal(Some((signer.as_ref(), options)), &[], &mut SystemRandom)
        });
        let sealed = sealing
            .await
            .map_err(|_| Problem::new(Code::INTERNAL, "sealing an OSCI order ended unexpectedly"))?;
        let outgoing = sealed.map_err(|refused| Problem::new(Code::OSCI_KEYS, refused.detail))?;
        let package = Package { outgoing, attachments: Vec::new() };
        let courier: &Courier = &self.context.courier;
        let decrypters: Vec<Arc<dyn Decrypter>> = vec![Arc::clone(&self.identity.cipher)];
        match courier.exchange(&self.options.address, package, decrypters).await {
            Ok(received) => Ok(Ok(received)),
            Err(ExchangeError::Unreadable(refused)) => Ok(Err(refused)),
            Err(error) => Err(Problem::new(Code::TARGET_UNREACHABLE, error.to_string())),
        }
    }
}

fn ended(lost: &Lost) -> Problem {
    Problem::new(Code::TARGET_REFUSED, format!("the dialogue ended with {}: {lost}", lost.code()))
}
