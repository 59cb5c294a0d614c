//! Takes deliveries in mailboxes of our own over into the main path.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use dds_courier::Identity;
use dds_message::{Clock, Code, JournalEvent, Problem};
use dds_osci::{
    feedback::FeedbackCode,
    intermediary::{Delivery, Fingerprint},
    message::{Envelope, MessageId},
    xml::{Document, limits},
};
use dds_postbox::{Haste, LONGEST_REST, Postbox, Reply, StoredPart, Waiting, Why};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, OnceCell, Semaphore};

use super::{
    content::unreadable,
    door::{Delivered, Door, Prepared},
    refusal::{Known, Refusals},
    server::OsciContext,
};

/// New deliveries taken at once.
const BATCH: usize = 16;
/// Deliveries set aside that are tried again beside them: however many there are, and whatever they cost, new ones go
/// on.
const AGAIN: usize = 4;
/// Deliveries being opened, being accepted, and being noted.
const AT_ONCE: usize = 4;

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

    /// Those that it keeps for all cipher certificates that this identity has and had before.
    pub fn all_of(identity: &Identity) -> impl Iterator<Item = Self> {
        let former = identity.former_certificates().map(|former| former.sha256_hex().to_owned());
        let before = former.map(|name| Self { name, identity: identity.clone() });
        before.chain([Self::of(identity.clone())])
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
    /// A delivery that was refused for good is tried again after so long, for a corrected release may take it; after
    /// twice as long the next time, and so on up to a day.
    pub again: SignedDuration,
    /// A delivery that could not be taken now, for example because the router takes nothing more, is tried again after
    /// so long.
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
    /// Mailboxes that were ours before, and whose identity is configured no more although something lies in them.
    left: OnceCell<Vec<Fingerprint>>,
    clock: Arc<dyn Clock>,
    refusals: Refusals,
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
            left: OnceCell::new(),
            clock: Arc::clone(&context.clock),
            refusals: context.refusals(),
            wake: Arc::clone(&context.wake),
            options,
        }
    }

    /// Works until `shutdown` resolves; what is under way is finished first. What was set aside before this process
    /// began is due at once: rules and keys may be others now.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        let mut begun = false;
        loop {
            if !begun {
                begun = self.postbox.run(|boxes| boxes.retry_set_aside(None)).await.is_ok();
            }
            let rest = match self.collect().await {
                Ok(0) => self.options.interval,
                Ok(_) => Duration::ZERO,
                Err(problem) => {
                    tracing::warn!(code = %problem.code, detail = %problem.detail, "osci.collector_waits");
                    self.options.interval
                }
            };
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Takes over what waits, at most a batch; answers how many were looked at.
    ///
    /// # Errors
    /// When the postbox cannot work now; everything stays where it is.
    pub async fn collect(&self) -> Result<usize, Problem> {
        let now = self.now();
        let left = self.left.get_or_try_init(|| self.claim()).await?;
        let looked_at: Vec<Fingerprint> = self.own.keys().chain(left).cloned().collect();
        let waiting = self.postbox.run(move |boxes| boxes.waiting(&looked_at, now, BATCH, AGAIN));
        let Waiting { deliveries, broken } = waiting.await?;
        let count = deliveries.len() + broken.len();
        for (id, error) in broken {
            tracing::error!(code = %Code::OSCI_POSTBOX, osci = %id, %error, "osci.record_broken");
            self.set_aside(Known { id: Some(id), ..Known::default() }, error.into(), true).await?;
        }
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for (delivery, reply) in deliveries {
            match self.own.get(&delivery.mailbox) {
                Some(identity) => ours.push((delivery, reply, identity.clone())),
                None => others.push(delivery.id),
            }
        }
        for id in others {
            self.set_aside(Known { id: Some(id), ..Known::default() }, keyless(), true).await?;
        }
        // Opening costs private operations, accepting and noting wait for the disk: each goes on while the others do,
        // and commits are shared. Accepted is in the order in which they came.
        let turns = &Semaphore::new(AT_ONCE);
        let opened = stream::iter(ours)
            .map(|(delivery, reply, identity)| self.open(delivery, reply, identity))
            .buffered(AT_ONCE);
        let accepted = opened.map(|(id, Opened { originator, prepared })| async move {
            let taken = match prepared {
                Ok(prepared) => accept(turns, prepared).await,
                Err(problem) => Err(problem),
            };
            (id, originator, taken)
        });
        let accepted = accepted.buffered(AT_ONCE);
        let noted =
            accepted.map(|(id, originator, taken)| self.note(id, originator, taken)).buffered(AT_ONCE);
        noted.try_collect::<()>().await?;
        Ok(count)
    }

    /// Says which mailboxes are ours; answers those that are no more, and names them: what lies there was acknowledged.
    async fn claim(&self) -> Result<Vec<Fingerprint>, Problem> {
        let own: Vec<Fingerprint> = self.own.keys().cloned().collect();
        let left = self.postbox.run(move |boxes| boxes.claim(&own)).await?;
        for (mailbox, deliveries) in &left {
            tracing::error!(code = %Code::OSCI_KEYS, mailbox, deliveries, "osci.mailbox_without_identity");
        }
        Ok(left.into_iter().map(|(mailbox, _)| mailbox).collect())
    }

    /// Notes in the mailbox what became of a delivery.
    async fn note(
        &self,
        id: MessageId,
        originator: Option<String>,
        taken: Result<(), Problem>,
    ) -> Result<(), Problem> {
        let now = self.now();
        match taken {
            Ok(()) => {
                let noting = self.postbox.run_as(Haste::Patient, move |boxes| boxes.taken(&id, now));
                noting.await.map_err(Problem::from)
            }
            Err(problem) => {
                let last = is_final(&problem);
                self.set_aside(Known { id: Some(id), originator, intermediary: None }, problem, last).await
            }
        }
    }

    /// Nobody waits for an answer: what cannot be taken is kept, named and tried again, and holds up nothing else. It
    /// is told when it is refused for this reason the first time; that it lies there, the gauge says.
    async fn set_aside(&self, known: Known, problem: Problem, last: bool) -> Result<(), Problem> {
        let Some(id) = known.id.clone() else { return Ok(()) };
        let (now, code, refused) = (self.now(), problem.code, is_final(&problem));
        let rests =
            if last { (self.options.again, LONGEST_REST) } else { (self.options.soon, self.options.soon) };
        let named = known.originator.clone();
        let setting = self.postbox.run(move |boxes| {
            let why = Why { code: code.as_str(), originator: named.as_deref(), refused };
            boxes.set_aside(&id, &why, now, rests)
        });
        let Some(aside) = setting.await? else { return Ok(()) };
        let known = Known { originator: aside.originator, ..known };
        let (message_id, originator, again) = (aside.id.as_str(), known.originator.as_deref(), aside.again);
        if aside.is_new {
            tracing::warn!(%code, detail = %problem.detail, message_id, originator, last, %again, "osci.set_aside");
            if last {
                self.refusals.count(code);
                self.refusals.note(JournalEvent::OsciSetAside, code, &known).await;
            }
        } else {
            let tries = aside.tries;
            tracing::debug!(%code, message_id, originator, last, tries, %again, "osci.still_aside");
        }
        Ok(())
    }

    /// Opens a delivery in a task of its own, whether or not anybody asks for it yet.
    fn open(
        &self,
        delivery: Delivery<StoredPart>,
        reply: Option<Reply>,
        identity: Identity,
    ) -> impl Future<Output = (MessageId, Opened)> + use<> {
        let id = delivery.id.clone();
        let opening = tokio::spawn(open(self.door.clone(), delivery, reply, identity));
        async move {
            let gone = |_| {
                let text = (
                    "das Öffnen einer OSCI-Zustellung endete unerwartet",
                    "opening an OSCI delivery ended unexpectedly",
                );
                Opened::failed(Problem::new(Code::INTERNAL, text))
            };
            (id, opening.await.unwrap_or_else(gone))
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().to_jiff()
    }
}

/// Accepts a delivery when it is its turn. Turns are given in the order in which they are asked for: what others could
/// overtake takes all of them.
async fn accept(turns: &Semaphore, prepared: Prepared) -> Result<(), Problem> {
    let needed = if prepared.keeps_its_place() { 1 } else { AT_ONCE as u32 };
    let _turn = turns.acquire_many(needed).await;
    prepared.accept().await.map(drop)
}

/// What opening a delivery came to.
struct Opened {
    /// SHA-256 of the originator's certificate.
    originator: Option<String>,
    prepared: Result<Prepared, Problem>,
}

impl Opened {
    const fn failed(problem: Problem) -> Self {
        Self { originator: None, prepared: Err(problem) }
    }
}

/// A delivery in a mailbox that was ours when it came, and has no key now.
fn keyless() -> Problem {
    let text = (
        "die Identität dieses Postfachs ist nicht mehr konfiguriert; ein ersetzter Schlüssel gehört unter „former“",
        "the identity of this mailbox is configured no more; a key that was replaced belongs to `former`",
    );
    Problem::new(Code::OSCI_KEYS, text)
}

async fn open(
    door: Door,
    delivery: Delivery<StoredPart>,
    reply: Option<Reply>,
    identity: Identity,
) -> Opened {
    match read(delivery, reply) {
        Ok(delivered) => Opened {
            originator: Known::originator(&delivered.envelope),
            prepared: door.prepare(delivered, &identity).await,
        },
        Err(problem) => Opened::failed(problem),
    }
}

fn read(delivery: Delivery<StoredPart>, reply: Option<Reply>) -> Result<Delivered, Problem> {
    let stored = |why: String| unreadable("die Zustellung ist nicht lesbar", &why);
    let document =
        Document::parse(delivery.envelope, &limits()).map_err(|error| stored(error.to_string()))?;
    let envelope = Envelope::read(&document).map_err(|refused| stored(refused.detail))?;
    let key = delivery.id.as_str().to_owned();
    // Our intermediary keeps an originator's signature certificate only of those who signed, and elsewhere only those
    // are pinned whose signed answer is as good; unless it says itself that nobody signed the reply.
    let vouched = !envelope.order.feedback().is_some_and(|feedback| feedback.has(FeedbackCode::S3802));
    Ok(Delivered { document, envelope, attachments: delivery.attachments, key, reply, vouched })
}

/// Only what another try with the same configuration cannot change is final.
pub(super) fn is_final(problem: &Problem) -> bool {
    problem.code.entry().status < 500
}
