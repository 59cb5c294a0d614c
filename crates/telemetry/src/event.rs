//! What happens to messages, deliveries and the process.

use std::time::Duration;

use dds_message::{
    Channel, Code, Completed, DeliveryId, Digest, EntryFacts, MessageId, MessageState, ProcedureId,
    ReleaseId, SourceId, TargetId, Text, Timestamp,
};

use crate::{
    Metrics,
    metrics::{Accepted, AttemptTook, Attempted, Held, Procedure, Refused, Routed},
};

/// Something that happened.
pub trait Event {
    /// Writes the log line.
    fn log(&self);
    /// Counts.
    fn count(&self, metrics: &Metrics);
    /// Facts of the journal entry.
    fn facts(&self) -> EntryFacts;
}

/// A message is durable.
#[derive(Debug)]
pub struct MessageAccepted<'a> {
    /// Message.
    pub message: MessageId,
    /// Source.
    pub source: &'a SourceId,
    /// Channel.
    pub channel: Channel,
    /// Procedure; empty for an answer.
    pub procedure: &'a str,
    /// Message type.
    pub message_type: &'a str,
    /// Digest of the document.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: usize,
    /// Digests of the attachments.
    pub attachments: Vec<Digest>,
    /// What the channel noted about the sender, such as `OSCI 3702`.
    pub remarks: &'a [String],
}

impl Event for MessageAccepted<'_> {
    fn log(&self) {
        tracing::info!(
            message = %self.message, source = %self.source, channel = self.channel.as_str(),
            procedure = self.procedure, bytes = self.size, attachments = self.attachments.len(),
            remarks = (!self.remarks.is_empty()).then(|| self.remarks.join(", ")), "message.accepted"
        );
    }

    fn count(&self, metrics: &Metrics) {
        let procedure = metrics.names.procedure(self.procedure);
        let label = Accepted { channel: self.channel.as_str(), procedure };
        metrics.accepted.get_or_create(&label).inc();
    }

    fn facts(&self) -> EntryFacts {
        let mut facts = EntryFacts::new()
            .with("channel", self.channel.as_str())
            .with("type", self.message_type)
            .with("digest", self.digest)
            .with("bytes", self.size)
            .with("attachments", &self.attachments);
        if !self.remarks.is_empty() {
            facts.note("remarks", self.remarks);
        }
        facts
    }
}

/// A submission was refused before acceptance. There is no message, and so no journal entry of it; OSCI notes what the
/// sender cannot ask about as entries of their own.
#[derive(Debug)]
pub struct MessageRefused<'a> {
    /// Source, when known.
    pub source: Option<&'a SourceId>,
    /// Channel.
    pub channel: Channel,
    /// Code.
    pub code: Code,
}

impl Event for MessageRefused<'_> {
    fn log(&self) {
        let source = self.source.map_or("-", SourceId::as_str);
        tracing::warn!(source, channel = self.channel.as_str(), code = %self.code, "message.refused");
    }

    fn count(&self, metrics: &Metrics) {
        let label = Refused { channel: self.channel.as_str(), code: self.code.as_str() };
        metrics.refused.get_or_create(&label).inc();
    }

    fn facts(&self) -> EntryFacts {
        EntryFacts::new().with("code", self.code)
    }
}

/// Routing of a message ended: routed, rejected, parked or completed.
#[derive(Debug)]
pub struct MessageRouted<'a> {
    /// Message.
    pub message: MessageId,
    /// Release it was matched with.
    pub release: ReleaseId,
    /// Procedure.
    pub procedure: &'a str,
    /// Rule, such as `hundesteuer@1.0`.
    pub rule: &'a str,
    /// State after routing.
    pub state: MessageState,
    /// Why it was rejected or parked.
    pub code: Option<Code>,
    /// Number of deliveries.
    pub deliveries: usize,
    /// Digest of the canonical form.
    pub canonical: Option<Digest>,
    /// Stylesheet that made it, and the digest over all its files.
    pub stylesheet: Option<(&'a str, Digest)>,
    /// Reasons of the decision.
    pub reasons: &'a [dds_message::Reason],
    /// Rule and location of each finding, without its text.
    pub findings: Vec<(&'a str, &'a str)>,
}

impl Event for MessageRouted<'_> {
    fn log(&self) {
        tracing::info!(
            message = %self.message, rule = self.rule, state = self.state.as_str(), code = self.code.map(Code::as_str),
            deliveries = self.deliveries, findings = self.findings.len(), "message.routed"
        );
    }

    fn count(&self, metrics: &Metrics) {
        let label = Routed {
            procedure: metrics.names.procedure(self.procedure),
            state: self.state.as_str(),
            code: self.code.map_or("", Code::as_str),
        };
        metrics.routed.get_or_create(&label).inc();
    }

    fn facts(&self) -> EntryFacts {
        let mut facts = EntryFacts::new()
            .with("release", self.release)
            .with("rule", self.rule)
            .with("reasons", self.reasons);
        if let Some(canonical) = self.canonical {
            facts.note("canonical", canonical);
        }
        if let Some((stylesheet, sources)) = self.stylesheet {
            facts.note("stylesheet", stylesheet);
            facts.note("sources", sources);
        }
        if !self.findings.is_empty() {
            facts.note("findings", &self.findings);
        }
        facts
    }
}

/// The store writes the journal entry with the settlement that completed the message.
impl Event for Completed {
    fn log(&self) {
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let procedure = self.procedure.as_ref().map_or("", ProcedureId::as_str);
        tracing::info!(message = %self.message, procedure, ms = took, "message.completed");
    }

    fn count(&self, metrics: &Metrics) {
        let procedure = self.procedure.as_ref().map_or("", ProcedureId::as_str);
        let label = Procedure { procedure: metrics.names.procedure(procedure) };
        metrics.completed_seconds.get_or_create(&label).observe(self.took.as_secs_f64());
    }

    fn facts(&self) -> EntryFacts {
        EntryFacts::new()
    }
}

/// Ausgang eines Zustellversuchs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The target has it.
    Delivered,
    /// Another attempt follows.
    Retry,
    /// Unzustellbar: a person must act.
    DeadLetter,
    /// Called off by a person meanwhile.
    Cancelled,
}

impl AttemptOutcome {
    /// The name in log and metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::DeadLetter => "dead_letter",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One attempt at a target ended.
#[derive(Debug)]
pub struct AttemptEnded<'a> {
    /// Delivery.
    pub delivery: DeliveryId,
    /// Target.
    pub target: &'a TargetId,
    /// Product, such as `fv-steuerwerk@3.2`; empty for answers.
    pub product: &'a str,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// What became of it.
    pub outcome: AttemptOutcome,
    /// Code when it failed.
    pub code: Option<Code>,
    /// Kind of failure, such as `HTTP 503`; `None` when it succeeded.
    pub detail: Option<&'a Text>,
    /// How long it took.
    pub took: Duration,
}

impl Event for AttemptEnded<'_> {
    fn log(&self) {
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        if self.code.is_none() {
            tracing::info!(delivery = %self.delivery, target = %self.target, attempt = self.attempt, ms = took, "delivery.delivered");
        } else {
            tracing::warn!(
                delivery = %self.delivery, target = %self.target, attempt = self.attempt, ms = took,
                outcome = self.outcome.as_str(), code = self.code.map(Code::as_str), detail = self.detail.map(tracing::field::display), "delivery.failed"
            );
        }
    }

    fn count(&self, metrics: &Metrics) {
        let product = metrics.names.product(self.product);
        let outcome = self.outcome.as_str();
        let label = AttemptTook { product: product.clone(), outcome };
        metrics.attempt_seconds.get_or_create(&label).observe(self.took.as_secs_f64());
        let label = Attempted { product, outcome, code: self.code.map_or("", Code::as_str) };
        metrics.attempts.get_or_create(&label).inc();
    }

    fn facts(&self) -> EntryFacts {
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let mut facts = EntryFacts::new().with("attempt", self.attempt).with("ms", took);
        if let Some(detail) = self.detail {
            facts.note("detail", detail);
        }
        facts
    }
}

/// A delivery became unzustellbar without a further attempt.
#[derive(Debug)]
pub struct DeliveryDeadLettered<'a> {
    /// Delivery.
    pub delivery: DeliveryId,
    /// Target.
    pub target: &'a TargetId,
    /// Product, such as `fv-steuerwerk@3.2`; empty for answers.
    pub product: &'a str,
    /// Why.
    pub code: Code,
}

impl Event for DeliveryDeadLettered<'_> {
    fn log(&self) {
        tracing::error!(delivery = %self.delivery, target = %self.target, code = %self.code, "delivery.dead_letter");
    }

    fn count(&self, metrics: &Metrics) {
        let product = metrics.names.product(self.product);
        let outcome = AttemptOutcome::DeadLetter.as_str();
        let label = Attempted { product, outcome, code: self.code.as_str() };
        metrics.attempts.get_or_create(&label).inc();
    }

    fn facts(&self) -> EntryFacts {
        EntryFacts::new()
    }
}

/// A target fails again and again and is left alone for a while; its deliveries wait. No message is concerned alone,
/// so there is no journal entry.
#[derive(Debug)]
pub struct TargetHeld<'a> {
    /// Target.
    pub target: &'a TargetId,
    /// End of the pause.
    pub until: Timestamp,
    /// What it failed with last; with DDS-D010 and DDS-D011 only a person can mend it.
    pub code: Code,
}

impl Event for TargetHeld<'_> {
    fn log(&self) {
        if matches!(self.code, Code::CREDENTIAL_REFUSED | Code::SECRET_MISSING) {
            tracing::error!(target = %self.target, until = %self.until, code = %self.code, "target.held");
        } else {
            tracing::warn!(target = %self.target, until = %self.until, code = %self.code, "target.held");
        }
    }

    fn count(&self, metrics: &Metrics) {
        metrics.held.get_or_create(&Held { code: self.code.as_str() }).inc();
    }

    fn facts(&self) -> EntryFacts {
        EntryFacts::new().with("until", self.until).with("code", self.code)
    }
}

/// A release was activated on this node.
#[derive(Debug)]
pub struct ReleaseActivated {
    /// The release.
    pub release: ReleaseId,
    /// The one before.
    pub previous: Option<ReleaseId>,
    /// Rules in it.
    pub rules: usize,
    /// Municipalities in it.
    pub municipalities: usize,
}

impl Event for ReleaseActivated {
    fn log(&self) {
        tracing::info!(
            release = %self.release, rules = self.rules, municipalities = self.municipalities, "release.activated"
        );
    }

    fn count(&self, metrics: &Metrics) {
        metrics.activations.inc();
    }

    fn facts(&self) -> EntryFacts {
        EntryFacts::new()
            .with("release", self.release)
            .with("previous", self.previous)
            .with("rules", self.rules)
            .with("municipalities", self.municipalities)
    }
}
