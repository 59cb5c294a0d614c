//! Export of spans by OTLP over HTTP (OpenTelemetry Protocol 1, `POST /v1/traces`, binary protobuf).
//!
//! Spans wait in a bounded queue and leave in batches from a thread of their own. A collector that is slow, gone or
//! wrong costs spans, never a message: what does not fit into the queue is dropped.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor as _},
};

use crate::span::{LONGEST_VALUE, Span, SpanSink, Step};

/// Spans that may wait for the collector; more are dropped.
const QUEUE: usize = 8_192;
/// Spans in one request.
const BATCH: usize = 1_024;
/// A span waits at most so long for others to travel with.
const DELAY: Duration = Duration::from_secs(1);
/// One request may take so long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where spans go, and who sends them.
#[derive(Debug, Clone)]
pub struct OtlpOptions {
    /// Base address of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` is appended.
    pub endpoint: String,
    /// Name of this node (`service.instance.id`).
    pub node: String,
    /// Version of the program (`service.version`).
    pub version: String,
}

/// The export could not be set up; says why, in English.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OtlpError(String);

/// Sends spans to a collector.
#[derive(Debug)]
pub struct OtlpExporter {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    spans: AtomicU64,
}

impl OtlpExporter {
    /// Starts the thread that sends. The collector is not asked for anything yet and need not be there. TLS needs the
    /// default provider of rustls to be installed.
    ///
    /// # Errors
    /// If the address is none, or thread or client cannot be made.
    pub fn start(options: &OtlpOptions) -> Result<Self, OtlpError> {
        let endpoint = format!("{}/v1/traces", options.endpoint.trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| OtlpError(error.to_string()))?;
        let limits = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let mut processor = BatchSpanProcessor::new(exporter, limits);
        let resource = Resource::builder()
            .with_service_name("drehscheibe")
            .with_attribute(KeyValue::new("service.instance.id", options.node.clone()))
            .with_attribute(KeyValue::new("service.version", options.version.clone()))
            .build();
        processor.set_resource(&resource);
        Ok(Self {
            processor,
            scope: InstrumentationScope::builder("datendrehscheibe").build(),
            spans: seed(),
        })
    }

    /// Ids of spans need only be unique within their trace: a counter, spread over all 64 bits.
    fn span_id(&self) -> SpanId {
        let count = self.spans.fetch_add(1, Ordering::Relaxed);
        SpanId::from(count.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
}

/// Counters of two lives of the process must not meet in one trace.
#[allow(clippy::disallowed_methods, reason = "a starting point, no time")]
fn seed() -> AtomicU64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    AtomicU64::new(u64::try_from(since_epoch.as_nanos() & u128::from(u64::MAX)).unwrap_or_default())
}

/// A blocking client must be made outside the async runtime, so in a thread of its own. No proxy from the environment,
/// no redirect: spans go where the configuration says.
fn client() -> Result<reqwest::blocking::Client, OtlpError> {
    let build = || {
        reqwest::blocking::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
    };
    match std::thread::spawn(build).join() {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(OtlpError(error.to_string())),
        Err(_) => Err(OtlpError("the HTTP client cannot be made".to_owned())),
    }
}

impl SpanSink for OtlpExporter {
    fn take(&self, from: SystemTime, to: SystemTime, span: &Span<'_>) {
        let trace = span.message.0.as_u128();
        // The root is known to all from the message id alone: its second half.
        let root = SpanId::from(u64::try_from(trace & u128::from(u64::MAX)).unwrap_or_default());
        let (own, parent) = match span.step {
            Step::Accept => (root, SpanId::INVALID),
            _ => (self.span_id(), root),
        };
        let (context, flags) = (TraceId::from(trace), TraceFlags::SAMPLED);
        let mut attributes: Vec<KeyValue> = span
            .attributes
            .iter()
            .map(|(key, value)| {
                KeyValue::new(*key, value.to_string().chars().take(LONGEST_VALUE).collect::<String>())
            })
            .collect();
        attributes.push(KeyValue::new("message.id", span.message.to_string()));
        let status = match span.code {
            Some(code) => {
                attributes.push(KeyValue::new("code", code.as_str()));
                Status::error(code.entry().english)
            }
            None => Status::Unset,
        };
        self.processor.on_end(SpanData {
            span_context: SpanContext::new(context, own, flags, false, TraceState::default()),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: match span.step {
                Step::Accept => SpanKind::Server,
                Step::Deliver => SpanKind::Client,
                _ => SpanKind::Internal,
            },
            name: span.step.name().into(),
            start_time: from,
            end_time: to.max(from),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: self.scope.clone(),
        });
    }

    fn close(&self, patience: Duration) {
        if let Err(error) = self.processor.shutdown_with_timeout(patience) {
            tracing::warn!(%error, "telemetry.spans_lost");
        }
    }
}
