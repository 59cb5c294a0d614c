//! Events: one struct each that writes the log line, counts the metric and yields the facts of the journal entry, so
//! that the three never tell different stories.
//!
//! No personal data: ids, digests, codes, counts (invariant I9). Label sets are bounded: procedures, products and
//! targets are those of the release in force ([`Names`]), codes those of the table; nothing comes from a message.

mod clock;
mod event;
mod gauges;
mod log;
mod metrics;
mod names;
#[cfg(feature = "otlp")]
mod otlp;
mod span;

use dds_message::EntryFacts;

pub use clock::SystemClock;
pub use event::{
    AttemptEnded, AttemptOutcome, DeliveryDeadLettered, Event, MessageAccepted, MessageRefused,
    MessageRouted, ReleaseActivated, TargetHeld,
};
pub use gauges::{Backlog, Gauges};
pub use log::{LogFormat, LogOptions, check_filter, init as init_log};
pub use metrics::{Metrics, Stage};
pub use names::{Names, OTHER};
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpExporter, OtlpOptions};
pub use span::{Attribute, LONGEST_VALUE, Moment, Span, SpanSink, Step};

/// Cheap to clone; every part of the router holds one.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    metrics: std::sync::Arc<Metrics>,
    spans: Option<std::sync::Arc<dyn SpanSink>>,
}

impl Telemetry {
    /// Logs and counts `event`, and returns the facts for its journal entry.
    pub fn record<E: Event>(&self, event: &E) -> EntryFacts {
        event.log();
        event.count(&self.metrics);
        event.facts()
    }

    /// The metrics, for the `/metrics` page.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
