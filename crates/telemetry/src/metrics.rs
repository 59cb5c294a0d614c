//! Prometheus metrics.

use std::time::Duration;

use dds_message::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{Gauges, Names};

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
pub(crate) struct AttemptTook {
    pub(crate) product: String,
    pub(crate) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Held {
    pub(crate) code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    step: &'static str,
    procedure: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Procedure {
    pub(crate) procedure: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Mailbox {
    pub(crate) mailbox: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Served {
    pub(crate) served: &'static str,
}

/// Step of a message's path, as its durations are counted. The set is closed, so the label is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Annahme: from the first byte until message and journal entry are durable.
    Accept,
    /// In a worker, with the time it took to find one that is free.
    Worker,
    /// Schema and Schematron; part of [`Stage::Worker`].
    Validate,
    /// Canonical form and the documents of all targets; part of [`Stage::Worker`].
    Transform,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Worker => "worker",
            Self::Validate => "validate",
            Self::Transform => "transform",
        }
    }
}

/// What all names of metrics begin with.
pub(crate) const PREFIX: &str = "dds";

/// Durations in seconds.
type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Of what the router does itself, and of attempts.
fn short() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0])
}

/// Of what waits for others, from a tenth of a second to three days: the usual deadline of a rule.
fn long() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 14400.0, 86400.0, 259200.0])
}

/// All metrics of the process; names begin with `dds_`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(crate) names: Names,
    pub(crate) accepted: Family<Accepted, Counter>,
    pub(crate) duplicates: Counter,
    pub(crate) refused: Family<Refused, Counter>,
    pub(crate) routed: Family<Routed, Counter>,
    pub(crate) attempts: Family<Attempted, Counter>,
    pub(crate) attempt_seconds: Durations<AttemptTook>,
    seconds: Durations<Took>,
    pub(crate) completed_seconds: Durations<Procedure>,
    pub(crate) held: Family<Held, Counter>,
    workers_lost: Counter,
    pub(crate) activations: Counter,
    unreadable: Family<Mailbox, Gauge>,
    not_after: Family<Served, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
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
        let attempt_seconds = Durations::<AttemptTook>::new_with_constructor(short);
        registry.register(
            "attempt_seconds",
            "Duration of delivery attempts, by product and outcome",
            attempt_seconds.clone(),
        );
        let seconds = Durations::<Took>::new_with_constructor(short);
        registry.register(
            "step_seconds",
            "Duration of the steps of a message, by procedure",
            seconds.clone(),
        );
        let completed_seconds = Durations::<Procedure>::new_with_constructor(long);
        registry.register(
            "message_completed_seconds",
            "From the acceptance of a message until everybody has got it who shall have it, by procedure",
            completed_seconds.clone(),
        );
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
        Self {
            registry,
            names: Names::default(),
            accepted,
            duplicates,
            refused,
            routed,
            attempts,
            attempt_seconds,
            seconds,
            completed_seconds,
            held,
            workers_lost,
            activations,
            unreadable,
            not_after,
        }
    }
}

impl Metrics {
    /// The names that may stand in labels; those of the release in force.
    #[must_use]
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// Notes how long a step of a message took; `procedure` is empty for an answer.
    pub fn took(&self, stage: Stage, procedure: &str, duration: Duration) {
        let label = Took { step: stage.as_str(), procedure: self.names.procedure(procedure) };
        self.seconds.get_or_create(&label).observe(duration.as_secs_f64());
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
    ///
    /// # Errors
    /// If a value or label cannot be written. Half a page would look like a counter that began anew.
    pub fn page(&self, gauges: &Gauges) -> Result<String, std::fmt::Error> {
        // A counter only rises: what the pool counted since the page before is added.
        self.workers_lost.inc_by(gauges.workers_lost.saturating_sub(self.workers_lost.get()));
        let mut page = String::new();
        text::encode_registry(&mut page, &self.registry)?;
        text::encode_registry(&mut page, &gauges.registry())?;
        text::encode_eof(&mut page)?;
        Ok(page)
    }

    /// A message was recognised as a duplicate of one accepted before.
    pub fn duplicate(&self) {
        self.duplicates.inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl Collector for Broken {
        fn encode(&self, _encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
            Err(std::fmt::Error)
        }
    }

    #[test]
    fn a_page_that_cannot_be_written_is_an_error() {
        let mut metrics = Metrics::default();
        assert!(metrics.page(&Gauges::default()).is_ok());
        metrics.registry.register_collector(Box::new(Broken));
        assert!(metrics.page(&Gauges::default()).is_err());
    }
}
