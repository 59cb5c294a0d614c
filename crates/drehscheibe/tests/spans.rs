//! Spans of a message's path as an OpenTelemetry collector gets them, and a collector that takes none.

#![cfg(feature = "otlp")]
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use axum::{Router as Routes, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{ResourceSpans, Span, status::StatusCode},
};
use prost::Message as _;
use support::{
    edit,
    stage::{PATIENCE, Router, Stage},
};
use tokio::{net::TcpListener, sync::watch};

/// A collector on loopback that keeps what it gets.
struct Collector {
    address: SocketAddr,
    got: Arc<watch::Sender<Vec<ResourceSpans>>>,
}

impl Collector {
    async fn start() -> Self {
        let got = Arc::new(watch::Sender::new(Vec::new()));
        let routes = Routes::new().route("/v1/traces", post(take)).with_state(Arc::clone(&got));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, got }
    }

    /// The spans of a trace, once there are so many.
    async fn trace(&self, trace: &[u8], count: usize) -> Vec<Span> {
        let mut got = self.got.subscribe();
        let enough = |all: &Vec<ResourceSpans>| of_trace(all, trace).len() >= count;
        let all = tokio::time::timeout(PATIENCE, got.wait_for(enough)).await.expect("spans in time").unwrap();
        of_trace(&all, trace)
    }
}

async fn take(State(got): State<Arc<watch::Sender<Vec<ResourceSpans>>>>, body: Bytes) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    got.send_modify(|all| all.extend(request.resource_spans));
    Vec::new()
}

fn of_trace(all: &[ResourceSpans], trace: &[u8]) -> Vec<Span> {
    let spans = all.iter().flat_map(|one| &one.scope_spans).flat_map(|scope| &scope.spans);
    spans.filter(|span| span.trace_id == trace).cloned().collect()
}

fn attributes(span: &Span) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        other => panic!("attributes are texts: {other:?}"),
    };
    let pair = |one: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        (one.key.clone(), text(one.value.as_ref().unwrap().value.as_ref().unwrap()))
    };
    span.attributes.iter().map(pair).collect()
}

fn point_at(stage: &Stage, endpoint: &str) {
    edit(&stage.config(), "log = \"warn\"\n", &format!("log = \"off\"\notlp_endpoint = \"{endpoint}\"\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_message_is_found_by_its_id() {
    let (stage, collector) = (Stage::new().await, Collector::start().await);
    point_at(&stage, &format!("http://{}", collector.address));
    let router = Router::start(&stage).await;
    let id = stage.send_variant(1);
    stage.until(&id, "completed").await;

    let trace = hex::decode(id.replace('-', "")).unwrap();
    let spans = collector.trace(&trace, 7).await;
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    let wanted = [
        "delivery.attempt",
        "delivery.attempt",
        "message.accept",
        "message.match",
        "message.recognise",
        "message.transform",
        "message.validate",
    ];
    assert_eq!(names, wanted);
    for span in &spans {
        let root = span.name == "message.accept";
        // The root is known from the message id alone; everything else hangs on it.
        assert_eq!(if root { &span.span_id } else { &span.parent_span_id }, &trace[8..]);
        assert_eq!(span.parent_span_id.is_empty(), root);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        assert!(span.status.as_ref().is_none_or(|status| status.code() != StatusCode::Error), "{span:?}");
    }
    let own: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(own.len(), spans.len(), "span ids are unique");

    // Bounded names, bounded values, and nothing about the citizen (I9): the fixture is full of it.
    let allowed: BTreeSet<&str> = [
        "message.id",
        "source",
        "channel",
        "procedure",
        "rule",
        "authority",
        "delivery",
        "target",
        "attempt",
    ]
    .into();
    for (key, value) in spans.iter().flat_map(attributes) {
        assert!(allowed.contains(key.as_str()) && value.len() <= 120, "{key}: {value}");
        for secret in ["Erika", "Mustermann", "1984-05-17", "HST-2026"] {
            assert!(!value.contains(secret), "{key}: {value}");
        }
    }
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_costs_spans_and_nothing_else() {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new().await;
    point_at(&stage, &format!("http://{}", silent.local_addr().unwrap()));
    let router = Router::start(&stage).await;
    for variant in 1..=3 {
        let id = stage.send_variant(variant);
        stage.until(&id, "completed").await;
    }
    assert_eq!(router.terminate().await, Some(0));
}
