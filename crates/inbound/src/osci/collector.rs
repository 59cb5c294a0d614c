//! Takes deliveries in mailboxes of our own over into the main path.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use dds_courier::Identity;
use dds_message::{Channel, Clock, Code, Problem};
use dds_osci::{
    intermediary::{Delivery, Fingerprint},
    message::{Envelope, MessageId},
    xml::{Document, limits},
};
use dds_postbox::{Postbox, SetAside, StoredPart};
use dds_telemetry::{MessageRefused, Telemetry};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::{
    content::unreadable,
    door::{Delivered, Door, Prepared},
    server::OsciContext,
};

/// Deliveries taken at once.
const BATCH: usize = 16;
/// Deliveries under way before and behind the one that is being accepted.
const AHEAD: usize = 4;

/// A mailbox in our postbox whose deliveries go the main path.
#[derive(Debug, Clone)]
pub struct OwnMailbox {
    /// What the postbox calls it.
    pub(super) name: Fingerprint,
    /// Decrypts what lies in it.
    pub(super) identity: Identity,
}

impl OwnMailbox {
    /// The one that our intermediary keeps for this identity; its cipher certificate names it.
    #[must_use]
    pub fn of(identity: Identity) -> Self {
        Self { name: identity.cipher_certificate().sha256_hex().to_owned(), identity }
    }

    /// Where the active recipient of this name puts what it fetches.
    #[must_use]
    pub fn fetched(recipient: &str, identity: Identity) -> Self {
        Self { name: dds_postbox::fetched_by(recipient), identity }
    }

    /// Where the sender puts the replies to what it mediates.
    #[must_use]
    pub fn replies(identity: Identity) -> Self {
        Self { name: dds_postbox::REPLIES.to_owned(), identity }
    }
}

/// How the collector works.
#[derive(Debug, Clone, Copy)]
pub struct CollectorOptions {
    /// Time between two looks when nobody wakes it.
    pub interval: Duration,
    /// A delivery that was refused for good is tried again after so long: a corrected release may take it.
    pub again: SignedDuration,
    /// A delivery that could not be taken now, for example because the router takes nothing more, is tried again after so long.
    pub soon: SignedDuration,
}

impl Default for CollectorOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            again: SignedDuration::from_mins(15),
            soon: SignedDuration::from_secs(10),
        }
    }
}

/// Abholer der eigenen Postfächer.
pub struct Collector {
    door: Door,
    postbox: Postbox,
    own: HashMap<Fingerprint, Identity>,
    clock: Arc<dyn Clock>,
    telemetry: Telemetry,
    wake: Arc<Notify>,
    options: CollectorOptions,
}

impl Collector {
    /// A collector for these mailboxes.
    #[must_use]
    pub fn new(context: &OsciContext, own: Vec<OwnMailbox>, options: CollectorOptions) -> Self {
        let own = own.into_iter().map(|mailbox| (mailbox.name, mailbox.identity));
        Self {
            door: context.door(),
            postbox: context.postbox.clone(),
            own: own.collect(),
            clock: Arc::clone(&context.clock),
            telemetry: context.telemetry.clone(),
            wake: Arc::clone(&context.wake),
            options,
        }
    }

    /// Works until `shutdown` resolves; what is under way is finished first.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        loop {
            let more = match self.collect().await {
                Ok(taken) => taken == BATCH,
                Err(problem) => {
                    tracing::warn!(code = %problem.code, detail = %problem.detail, "osci.collector_waits");
                    false
                }
            };
            if more {
                continue;
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.options.interval) => {}
            }
        }
    }

    /// Takes over what waits, at most a batch; answers how many were looked at.
    ///
    /// # Errors
    /// When the postbox cannot work now; everything stays where it is.
    pub async fn collect(&self) -> Result<usize, Problem> {
        let now = self.now();
        let own: Vec<Fingerprint> = self.own.keys().cloned().collect();
        let waiting =
            self.postbox.run(move |boxes| boxes.waiting(&own, now, BATCH)).await.map_err(unusable)?;
        let count = waiting.len();
        // Opening costs private operations, accepting and noting wait for the disk: each goes on while the others do. Accepted is one
        // after the other, in the order in which they came.
        let opened = stream::iter(waiting).map(|delivery| self.open(delivery)).buffered(AHEAD);
        let accepted = opened.then(|(id, prepared)| async {
            match prepared {
                Ok(prepared) => (id, prepared.accept().await.map(drop)),
                Err(problem) => (id, Err(problem)),
            }
        });
        let noted = accepted.map(|(id, taken)| self.note(id, taken)).buffered(AHEAD);
        noted.try_collect::<()>().await?;
        Ok(count)
    }

    /// Notes in the mailbox what became of a delivery.
    async fn note(&self, id: MessageId, taken: Result<(), Problem>) -> Result<(), Problem> {
        let now = self.now();
        match taken {
            Ok(()) => self.postbox.run(move |boxes| boxes.taken(&id, now)).await.map_err(unusable),
            Err(problem) => {
                // Nobody waits for an answer: what cannot be taken is kept, named and tried again, and holds up nothing else.
                let last = is_final(&problem);
                if last {
                    let event = MessageRefused { source: None, channel: Channel::Osci, code: problem.code };
                    let _facts = self.telemetry.record(&event);
                }
                tracing::warn!(code = %problem.code, detail = %problem.detail, osci = %id, last, "osci.set_aside");
                let pause = if last { self.options.again } else { self.options.soon };
                let again = now.checked_add(pause).unwrap_or(Timestamp::MAX);
                let aside = SetAside { id, code: problem.code.to_string(), at: now, again };
                self.postbox.run(move |boxes| boxes.set_aside(&aside)).await.map_err(unusable)
            }
        }
    }

    /// Opens a delivery in a task of its own, whether or not anybody asks for it yet.
    fn open(
        &self,
        delivery: Delivery<StoredPart>,
    ) -> impl Future<Output = (MessageId, Result<Prepared, Problem>)> + use<> {
        let id = delivery.id.clone();
        let identity = self.own.get(&delivery.mailbox).cloned();
        let opening = tokio::spawn(open(self.door.clone(), delivery, identity));
        async move {
            let gone = |_| {
                let text = (
                    "das Öffnen einer OSCI-Zustellung endete unerwartet",
                    "opening an OSCI delivery ended unexpectedly",
                );
                Err(Problem::new(Code::INTERNAL, text))
            };
            (id, opening.await.unwrap_or_else(gone))
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().to_jiff()
    }
}

async fn open(
    door: Door,
    delivery: Delivery<StoredPart>,
    identity: Option<Identity>,
) -> Result<Prepared, Problem> {
    let Some(identity) = identity else {
        let text = (
            "die Identität dieses Postfachs ist nicht mehr konfiguriert",
            "the identity of this mailbox is configured no more",
        );
        return Err(Problem::new(Code::OSCI_KEYS, text));
    };
    let stored = |why: String| unreadable("die Zustellung ist nicht lesbar", &why);
    let document =
        Document::parse(delivery.envelope, &limits()).map_err(|error| stored(error.to_string()))?;
    let envelope = Envelope::read(&document).map_err(|refused| stored(refused.detail))?;
    let id = delivery.id.clone();
    let reply = door.postbox.run(move |boxes| boxes.reply(&id)).await.map_err(unusable)?;
    let key = delivery.id.as_str().to_owned();
    // Our intermediary keeps an originator's signature certificate only of those who signed, and elsewhere only those are pinned
    // whose signed answer is as good.
    let vouched = true;
    let delivered = Delivered { document, envelope, attachments: delivery.attachments, key, reply, vouched };
    door.prepare(delivered, &identity).await
}

/// Only what another try with the same configuration cannot change is final.
pub(super) fn is_final(problem: &Problem) -> bool {
    problem.code.entry().status < 500
}

pub(super) fn unusable(error: dds_postbox::PostboxError) -> Problem {
    let german = format!("die OSCI-Ablage ist nicht verfügbar (Meldung: „{}“)", error.0);
    Problem::new(Code::OSCI_POSTBOX, (german, error.0))
}
