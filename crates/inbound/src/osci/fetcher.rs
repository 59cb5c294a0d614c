//! The active recipient: fetches a mailbox at an intermediary elsewhere.
//!
//! The intermediary holds a delivery as received when the next order of the dialogue comes (facts 12). So each delivery
//! is put durably into our own postbox first; only then does the next order leave. If anything fails in between, the
//! dialogue is given up without another order, and the delivery is fetched again.
//!
//! A fetch without selection brings the oldest delivery, so one that cannot be read would hold up all behind it. Then,
//! and as long as such a one lies there, the visit goes by process cards ([`by_card`]): those behind it are fetched by
//! their MessageIds, it stays where it is, unacknowledged, and is tried again after a pause that grows.
//!
//! Where it is configured and the intermediary announces it, deliveries come in chunks ([`chunks`]), and one that broke
//! off goes on where it stopped.

mod by_card;
mod chunks;
mod orders;

use std::{
    collections::HashSet,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use dds_courier::{Identity, intermediary_of};
use dds_message::{Code, Problem, Text};
use dds_osci::{client::Client, german};

use super::server::OsciContext;
use orders::Outcome;

/// Which mailbox.
#[derive(Debug, Clone)]
pub struct FetcherOptions {
    /// Name in configuration and log, and before the MessageIds of this intermediary: give it to no other.
    pub name: String,
    /// Address of the intermediary.
    pub address: String,
    /// Time between two looks when the mailbox was empty or could not be reached.
    pub every: Duration,
    /// Size of a chunk in KB (1024 octets): larger deliveries come in chunks. `None`: all come whole.
    pub chunk_kb: Option<u64>,
}

/// Aktiver Empfänger.
pub struct Fetcher {
    context: OsciContext,
    client: Client,
    identity: Identity,
    options: FetcherOptions,
    /// What could not be read before this process began is due at its first visit: a limit may have been raised.
    begun: AtomicBool,
    /// The intermediary has refused to give out chunks, whatever it announces: this process asks for none any more.
    whole_only: AtomicBool,
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
        Self {
            context,
            client,
            identity,
            options,
            begun: AtomicBool::new(false),
            whole_only: AtomicBool::new(false),
        }
    }

    /// Fetches on schedule until `shutdown` resolves.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        let mut trouble = None;
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                visited = self.visit() => self.tell(&mut trouble, visited.err()),
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(self.options.every) => {}
            }
        }
    }

    /// Trouble is told when it begins, changes or ends, and not at each visit.
    fn tell(&self, before: &mut Option<(Code, String)>, now: Option<Problem>) {
        let now = now.map(|problem| (problem.code, problem.detail.english));
        if *before == now {
            return;
        }
        let mailbox = &self.options.name;
        match &now {
            Some((code, detail)) => tracing::warn!(mailbox, %code, detail, "osci.fetch_failed"),
            None => tracing::info!(mailbox, "osci.fetch_works_again"),
        }
        *before = now;
    }

    /// Everything that waits and can be read is fetched.
    ///
    /// # Errors
    /// Why it ended early; what was fetched before is durable, the rest comes again.
    pub async fn visit(&self) -> Result<Fetched, Problem> {
        let mut fetched = Fetched::default();
        if !self.begun.swap(true, Ordering::Relaxed) {
            let name = self.options.name.clone();
            let due = self.context.postbox.run(move |boxes| boxes.retry_unreadable(&name));
            due.await?;
        }
        let visited = self.look(&mut fetched).await;
        let unreadable = self.unreadable().await?.len();
        self.context.telemetry.metrics().unreadable(&self.options.name, unreadable);
        visited.map(|()| fetched)
    }

    async fn look(&self, fetched: &mut Fetched) -> Result<(), Problem> {
        self.context.counts(&intermediary_of(&self.client).collect::<Vec<_>>()).await?;
        if !self.unreadable().await?.is_empty() {
            return self.by_card(fetched).await;
        }
        let Some(reason) = self.oldest_first(fetched).await? else { return Ok(()) };
        self.by_card(fetched).await?;
        if self.unreadable().await?.is_empty() {
            // No card leads to it, or it was a fault of the moment: the next visit knows.
            let Text { german, english } = reason;
            let text = (
                format!("jede Zustellung mit Laufzettel war lesbar, eine andere nicht ({german})"),
                format!("{english}; every delivery with a process card could be read"),
            );
            return Err(Problem::new(Code::OSCI_UNREADABLE, text));
        }
        Ok(())
    }

    /// One dialogue, one delivery after the other as the intermediary brings them; why it had to stop before the last,
    /// if it had to. A delivery that comes twice ends it: an intermediary that forgets what it was told would never let
    /// it end, and what lies behind it would never come.
    async fn oldest_first(&self, fetched: &mut Fetched) -> Result<Option<Text>, Problem> {
        let mut open = self.open().await?;
        let mut seen = HashSet::new();
        let mut begun = self.begun_downloads().await?;
        loop {
            let first = begun.pop();
            match self.fetch(open, first.as_ref()).await? {
                Outcome::Kept { open: next, id, fresh } => {
                    fetched.count(fresh);
                    if !seen.insert(id.clone()) {
                        self.leave(next).await?;
                        let text = (
                            format!("der Intermediär bringt {id} noch einmal, obwohl es quittiert war"),
                            format!("the intermediary brings {id} again, which was acknowledged"),
                        );
                        return Ok(Some(text.into()));
                    }
                    open = next;
                }
                Outcome::Nothing(next) if first.is_some() => open = next,
                Outcome::Nothing(open) => return self.leave(open).await.map(|()| None),
                Outcome::Again => open = self.open().await?,
                Outcome::Unreadable(reason) => return Ok(Some((german::reason(&reason), reason).into())),
            }
        }
    }
}

impl Fetched {
    const fn count(&mut self, fresh: bool) {
        if fresh {
            self.deliveries += 1;
        } else {
            self.known += 1;
        }
    }
}
