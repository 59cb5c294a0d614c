//! Prometheus metrics.

use std::time::Duration;

use dds_message::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Accepted {
    pub(crate) channel: &'static str,
    pub(crate) procedure: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Refused {
    pub(crate) channel: &'static str,
    pub(crate) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Routed {
    pub(crate) procedure: String,
    pub(crate) state: &'static str,
    pub(crate) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Attempted {
    pub(crate) product: String,
    pub(crate) outcome: &'static str,
    pub(crate) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Held {
    pub(crate) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Step {
    pub(crate) step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct State {
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Mailbox {
    pub(crate) mailbox: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Served {
    pub(crate) served: &'static str,
}

/// All metrics of the process; names begin with `dds_`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(crate) accepted: Family<Accepted, Counter>,
    pub(crate) duplicates: Counter,
    pub(crate) refused: Family<Refused, Counter>,
    pub(crate) routed: Family<Routed, Counter>,
    pub(crate) attempts: Family<Attempted, Counter>,
    pub(crate) seconds: Family<Step, Histogram, fn() -> Histogram>,
    pub(crate) held: Family<Held, Counter>,
    workers_lost: Counter,
    pub(crate) activations: Counter,
    unreadable: Family<Mailbox, Gauge>,
    not_after: Family<Served, Gauge>,
    set_aside: Gauge,
    waiting: Family<State, Gauge>,
    oldest_due: Gauge,
    targets_waiting: Gauge,
}

/// Values that are read from store and workers when the metrics page is asked for.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// `message` or `delivery`, its state, how many.
    pub states: Vec<(&'static str, &'static str, u64)>,
    /// Seconds that the oldest due delivery is overdue; 0 when none is.
    pub oldest_due_seconds: u64,
    /// Targets with waiting deliveries.
    pub targets_waiting: u64,
    /// Worker processes lost since the start.
    pub workers_lost: u64,
    /// OSCI deliveries set aside.
    pub osci_set_aside: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("dds");
        let buckets: fn() -> Histogram =
            || Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0]);
        let accepted = Family::<Accepted, Counter>::default();
        registry.register(
            "messages_accepted",
            "Messages accepted, by channel and procedure",
            accepted.clone(),
        );
        let duplicates = Counter::default();
        registry.register("duplicates", "Messages recognised as duplicates", duplicates.clone());
        let refused = Family::<Refused, Counter>::default();
        registry.register(
            "messages_refused",
            "Submissions refused before acceptance, by code",
            refused.clone(),
        );
        let routed = Family::<Routed, Counter>::default();
        registry.register(
            "messages_routed",
            "Messages routed, rejected or parked, by procedure",
            routed.clone(),
        );
        let attempts = Family::<Attempted, Counter>::default();
        registry.register("delivery_attempts", "Delivery attempts, by product and outcome", attempts.clone());
        let seconds = Family::<Step, Histogram, fn() -> Histogram>::new_with_constructor(buckets);
        registry.register("step_seconds", "Duration of the steps of a message", seconds.clone());
        let held = Family::<Held, Counter>::default();
        registry.register("targets_held", "Targets paused because they fail, by code", held.clone());
        let workers_lost = Counter::default();
        registry.register(
            "workers_lost",
            "Worker processes that died, were killed or did not start",
            workers_lost.clone(),
        );
        let activations = Counter::default();
        registry.register("release_activations", "Releases activated", activations.clone());
        let unreadable = Family::<Mailbox, Gauge>::default();
        registry.register(
            "osci_unreadable",
            "Deliveries that lie in a mailbox elsewhere and cannot be fetched, by [osci.fetch] section",
            unreadable.clone(),
        );
        let not_after = Family::<Served, Gauge>::default();
        registry.register(
            "certificate_not_after_seconds",
            "End of the certificate that is being served, in Unix time, by section of the configuration",
            not_after.clone(),
        );
        let set_aside = Gauge::default();
        registry.register(
            "osci_set_aside",
            "Deliveries in OSCI mailboxes of our own that cannot be taken over and wait",
            set_aside.clone(),
        );
        let waiting = Family::<State, Gauge>::default();
        registry.register("in_state", "Messages and deliveries per state", waiting.clone());
        let oldest_due = Gauge::default();
        registry.register(
            "oldest_due_seconds",
            "How long the oldest due delivery is overdue",
            oldest_due.clone(),
        );
        let targets_waiting = Gauge::default();
        registry.register("targets_waiting", "Targets with waiting deliveries", targets_waiting.clone());
        Self {
            registry,
            accepted,
            duplicates,
            refused,
            routed,
            attempts,
            seconds,
            held,
            workers_lost,
            activations,
            unreadable,
            not_after,
            set_aside,
            waiting,
            oldest_due,
            targets_waiting,
        }
    }
}

impl Metrics {
    /// Notes how long a step took: `accept`, `worker`, `deliver`.
    pub fn took(&self, step: &'static str, duration: Duration) {
        self.seconds.get_or_create(&Step { step }).observe(duration.as_secs_f64());
    }

    /// Notes how many deliveries lie in a mailbox elsewhere that cannot be fetched; `mailbox` names its section of the
    /// configuration.
    pub fn unreadable(&self, mailbox: &str, count: usize) {
        let label = Mailbox { mailbox: mailbox.to_owned() };
        self.unreadable.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Notes until when the certificate served under a section of the configuration (`listen.tls`) is valid.
    pub fn certificate(&self, served: &'static str, not_after: Timestamp) {
        self.not_after.get_or_create(&Served { served }).set(not_after.0.div_euclid(1_000));
    }

    /// The metrics page (OpenMetrics text format).
    #[must_use]
    pub fn page(&self, gauges: &Gauges) -> String {
        for (kind, state, count) in &gauges.states {
            let label = State { kind, state };
            self.waiting.get_or_create(&label).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        self.oldest_due.set(i64::try_from(gauges.oldest_due_seconds).unwrap_or(i64::MAX));
        self.set_aside.set(i64::try_from(gauges.osci_set_aside).unwrap_or(i64::MAX));
        self.targets_waiting.set(i64::try_from(gauges.targets_waiting).unwrap_or(i64::MAX));
        // A counter only rises: what the pool counted since the page before is added.
        self.workers_lost.inc_by(gauges.workers_lost.saturating_sub(self.workers_lost.get()));
        let mut page = String::new();
        match text::encode(&mut page, &self.registry) {
            Ok(()) => page,
            // Writing to a string fails only if an encoder of a label does; better an empty page than a dead one.
            Err(std::fmt::Error) => String::new(),
        }
    }
}

impl Metrics {
    /// A message was recognised as a duplicate of one accepted before.
    pub fn duplicate(&self) {
        self.duplicates.inc();
    }
}
