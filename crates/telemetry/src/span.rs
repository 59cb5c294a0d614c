//! Spans (Abschnitte) of a message's path, for OpenTelemetry.
//!
//! The trace id of a message is its message id without the hyphens, so whoever knows the one finds the other. Its root
//! is the acceptance; later steps, also those after a restart, name that span as their parent without having seen it.

use std::{
    fmt::{Debug, Display},
    sync::Arc,
    time::{Duration, SystemTime},
};

use dds_message::{Code, MessageId};

use crate::Telemetry;

/// Step of the path; the set is closed, so the names of spans are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Annahme: from the first byte to the acknowledgement; the root of the trace.
    Accept,
    /// Which procedure, message type and municipality.
    Recognise,
    /// Which rule, authority and targets.
    Match,
    /// Schema and Schematron, in a worker.
    Validate,
    /// Canonical form and the document of each target, in a worker.
    Transform,
    /// Zustellversuch at one target.
    Deliver,
    /// An answer came; stands in the trace of the application that it answers.
    Answer,
}

impl Step {
    /// Name of the span.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "message.accept",
            Self::Recognise => "message.recognise",
            Self::Match => "message.match",
            Self::Validate => "message.validate",
            Self::Transform => "message.transform",
            Self::Deliver => "delivery.attempt",
            Self::Answer => "message.answer",
        }
    }
}

/// A step that ended. Like events, it holds ids, names of the release and codes, never content of a message (I9).
#[derive(Clone, Copy)]
pub struct Span<'a> {
    /// What was done.
    pub step: Step,
    /// Whose trace it belongs to.
    pub message: MessageId,
    /// Why it failed.
    pub code: Option<Code>,
    /// Further facts; values longer than [`LONGEST_VALUE`] are cut.
    pub attributes: &'a [Attribute<'a>],
}

/// Name and value of a further fact.
pub type Attribute<'a> = (&'static str, &'a (dyn Display + Sync));

/// Characters of an attribute's value, at most.
pub const LONGEST_VALUE: usize = 120;

/// Where ended spans go. Must neither block nor fail: the path of a message waits for nothing here.
pub trait SpanSink: Debug + Send + Sync {
    /// Takes a span.
    fn take(&self, from: SystemTime, to: SystemTime, span: &Span<'_>);
    /// Sends what is left, within `patience`.
    fn close(&self, patience: Duration);
}

/// A moment on the way; empty, and free of cost, when no spans are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Moment(Option<SystemTime>);

impl Moment {
    /// So much earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.and_then(|moment| moment.checked_sub(duration)))
    }
}

impl Telemetry {
    /// Telemetry whose spans go to `sink`; without one (`Telemetry::default`) they go nowhere.
    #[must_use]
    pub fn with_spans(sink: Arc<dyn SpanSink>) -> Self {
        Self { spans: Some(sink), ..Self::default() }
    }

    /// Now, if spans are wanted.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "measures how long steps take; no decision depends on it")]
    pub fn moment(&self) -> Moment {
        Moment(self.spans.as_ref().map(|_| SystemTime::now()))
    }

    /// Hands over the span that began at `from` and ends now.
    pub fn span(&self, from: Moment, span: Span<'_>) {
        self.span_between(from, self.moment(), span);
    }

    /// Hands over a span whose both ends are known.
    pub fn span_between(&self, from: Moment, to: Moment, span: Span<'_>) {
        if let (Some(sink), Moment(Some(from)), Moment(Some(to))) = (&self.spans, from, to) {
            sink.take(from, to, &span);
        }
    }

    /// At the end of the process: sends the spans that are left. Blocks for at most `patience`.
    pub fn close(&self, patience: Duration) {
        if let Some(sink) = &self.spans {
            sink.close(patience);
        }
    }
}
