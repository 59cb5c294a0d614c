//! The scheduler: claims what is due, runs attempts side by side, settles them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use dds_message::{Clock, TargetId, Timestamp};
use dds_store::{BlobStore, ClaimFilter, Journal, Vault};
use dds_telemetry::Telemetry;
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};

use crate::{TargetDirectory, attempt, breaker::Breakers, places::Places};

/// How much at a time.
#[derive(Debug, Clone)]
pub struct Options {
    /// Attempts side by side over all targets. However slow the targets of one host are, they leave half of these to
    /// others.
    pub concurrency: usize,
    /// At most so many attempts at one target. The policy of a target can set fewer.
    pub per_target: usize,
    /// A claimed delivery may wait so long for its place; the attempt then has its timeout on top of this.
    pub lease: Duration,
    /// At shutdown, attempts under way get so long to end.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 64,
            per_target: 8,
            lease: Duration::from_secs(300),
            grace: Duration::from_secs(20),
        }
    }
}

/// After so long the scheduler looks again, whatever it knows to be due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// An attempt is over when the target has answered, its lease when the outcome is durable: several times as long. So
/// many times as many deliveries of a target may be under lease as may be attempted, or the target waits for our disk.
const SETTLING: usize = 4;

/// So many deliveries are claimed at a time.
const CLAIM: usize = 64;

/// What the scheduler works with.
#[derive(Clone)]
pub struct Parts {
    /// Deliveries and journal.
    pub journal: Arc<dyn Journal>,
    /// Attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Keys of messages.
    pub vault: Vault,
    /// Targets of the active release.
    pub targets: Arc<dyn TargetDirectory>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Log and metrics.
    pub telemetry: Telemetry,
}

/// Runs deliveries until shutdown.
pub struct Scheduler {
    pub(crate) parts: Parts,
    pub(crate) options: Options,
    pub(crate) places: Arc<Places>,
    pub(crate) breakers: Breakers,
    /// Targets with deliveries that the active release lacks.
    missing: Mutex<HashSet<TargetId>>,
}

impl Scheduler {
    /// Makes a scheduler; nothing runs yet.
    #[must_use]
    pub fn new(parts: Parts, options: Options) -> Self {
        let places = Places::new(options.concurrency);
        Self { parts, options, places, breakers: Breakers::default(), missing: Mutex::default() }
    }

    /// Delivers until `shutdown` turns true, then lets attempts under way end within the grace period. Leases of
    /// attempts that do not end in time, or did not begin, return by themselves.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let this = Arc::new(self);
        let mut attempts = JoinSet::new();
        while !*shutdown.borrow() {
            tokio::select! {
                () = this.round(&mut attempts) => {}
                _ = shutdown.changed() => break,
            }
            while attempts.try_join_next().is_some() {}
        }
        this.places.close();
        let ended = async { while attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(this.options.grace, ended).await.is_err() {
            tracing::warn!("delivery.cut_off");
        }
    }

    /// Claims what is due and starts it, or sleeps until something is due. What is claimed waits for its place apart
    /// from the queue, so that claiming for others never stops. Of one target, [`SETTLING`] times as many are under
    /// lease as may be attempted.
    async fn round(self: &Arc<Self>, attempts: &mut JoinSet<()>) {
        self.give_up_overdue(attempts).await;
        let now = self.parts.clock.now();
        let filter = ClaimFilter::Push { per_target: self.options.per_target.saturating_mul(SETTLING) };
        match self.parts.journal.claim(&filter, CLAIM, self.options.lease, now).await {
            Ok(claimed) if claimed.is_empty() => self.sleep(&filter).await,
            Ok(claimed) => {
                for one in claimed {
                    let this = Arc::clone(self);
                    attempts.spawn(async move { attempt::run(&this, one).await });
                }
            }
            Err(error) => {
                tracing::error!(code = %error.code(), %error, "delivery.not_claimed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// What a target should have fetched before its deadline becomes a dead letter: nobody else would ever notice.
    async fn give_up_overdue(self: &Arc<Self>, attempts: &mut JoinSet<()>) {
        let now = self.parts.clock.now();
        match self.parts.journal.claim(&ClaimFilter::Overdue, 64, self.options.lease, now).await {
            Ok(overdue) => {
                for claimed in overdue {
                    let this = Arc::clone(self);
                    attempts.spawn(async move { attempt::overdue(&this, &claimed).await });
                }
            }
            Err(error) => tracing::error!(code = %error.code(), %error, "delivery.overdue_not_claimed"),
        }
    }

    async fn sleep(&self, filter: &ClaimFilter) {
        let now = self.parts.clock.now();
        let journal = &self.parts.journal;
        let due = journal.next_due(filter).await;
        let overdue = journal.next_due(&ClaimFilter::Overdue).await;
        let until = match (due, overdue) {
            // A new delivery that its target fetches does not wake the scheduler, so its deadline bounds no sleep yet.
            (Ok(due), Ok(overdue)) => due.into_iter().chain(overdue).min().unwrap_or(Timestamp(i64::MAX)),
            _ => now.plus(Duration::from_secs(1)),
        };
        let until = until.min(now.plus(LONGEST_SLEEP));
        self.parts.journal.wait(filter, Some(until), now).await;
    }

    /// Notes whether the active release has `target`. Whether it has just turned out to lack it.
    pub(crate) fn lacks(&self, target: &TargetId, lacks: bool) -> bool {
        let mut missing = self.missing.lock();
        if lacks {
            return missing.insert(target.clone());
        }
        missing.remove(target);
        false
    }
}
