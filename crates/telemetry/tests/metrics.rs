//! The metrics page: what docs/metrics.md describes, with labels that are bounded.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use dds_message::{
    Channel, Code, Completed, DeliveryId, Digest, MessageId, MessageState, ProcedureId, ReleaseId, SourceId,
    TargetId, Timestamp,
};
use dds_telemetry::{
    AttemptEnded, AttemptOutcome, Backlog, DeliveryDeadLettered, Gauges, MessageAccepted, MessageRefused,
    MessageRouted, OTHER, ReleaseActivated, Stage, TargetHeld, Telemetry,
};

const PRODUCT: &str = "fv-steuerwerk@3.2";

/// A page on which everything has happened once.
fn page(telemetry: &Telemetry) -> String {
    let id = "00000000-0000-7000-8000-000000000001";
    let (message, delivery) = (MessageId::parse(id).unwrap(), DeliveryId::parse(id).unwrap());
    let release = ReleaseId(Digest::of(b"release"));
    let (source, target) = (SourceId::parse("amt24").unwrap(), TargetId::parse("a/b/c").unwrap());
    for procedure in ["hundesteuer", "invented"] {
        telemetry.record(&MessageAccepted {
            message,
            source: &source,
            channel: Channel::Rest,
            procedure,
            message_type: "",
            digest: Digest::of(b""),
            size: 0,
            attachments: Vec::new(),
            remarks: &[],
        });
    }
    telemetry.record(&MessageRefused { source: None, channel: Channel::Soap, code: Code::UNKNOWN_TYPE });
    telemetry.record(&MessageRouted {
        message,
        release,
        procedure: "hundesteuer",
        rule: "",
        state: MessageState::Routed,
        code: None,
        deliveries: 0,
        canonical: None,
        stylesheet: None,
        reasons: &[],
        findings: Vec::new(),
    });
    telemetry.record(&AttemptEnded {
        delivery,
        target: &target,
        product: PRODUCT,
        attempt: 1,
        outcome: AttemptOutcome::Delivered,
        code: None,
        detail: None,
        took: Duration::from_millis(30),
    });
    let code = Code::DEADLINE_PASSED;
    telemetry.record(&DeliveryDeadLettered { delivery, target: &target, product: PRODUCT, code });
    telemetry.record(&TargetHeld { target: &target, until: Timestamp(0), code });
    telemetry.record(&ReleaseActivated { release, previous: None, rules: 1, municipalities: 1 });
    let took = Duration::from_secs(300);
    let procedure = ProcedureId::parse("hundesteuer").ok();
    telemetry.record(&Completed { message, procedure, took });
    let metrics = telemetry.metrics();
    metrics.duplicate();
    metrics.took(Stage::Validate, "hundesteuer", Duration::from_millis(3));
    metrics.unreadable("land", 1);
    metrics.certificate("listen.tls", Timestamp(0));
    let backlog = Backlog { deliveries: 3, overdue: 60, paused: 1 };
    let gauges = Gauges {
        states: vec![("message", "routed", 1)],
        products: BTreeMap::from([((PRODUCT.to_owned(), "hundesteuer".to_owned()), backlog)]),
        targets: BTreeMap::from([(target.to_string(), backlog)]),
        targets_waiting: 1,
        workers_lost: 2,
        osci_set_aside: 0,
    };
    metrics.page(&gauges).unwrap()
}

fn telemetry() -> Telemetry {
    let telemetry = Telemetry::default();
    telemetry.metrics().names().replace(["hundesteuer".to_owned()], [PRODUCT.to_owned()]);
    telemetry
}

#[test]
fn counts_and_durations_have_procedure_product_and_outcome() {
    let telemetry = telemetry();
    let page = page(&telemetry);
    for line in [
        r#"dds_messages_accepted_total{channel="rest",procedure="hundesteuer"} 1"#,
        r#"dds_messages_accepted_total{channel="rest",procedure="other"} 1"#,
        r#"dds_step_seconds_count{step="validate",procedure="hundesteuer"} 1"#,
        r#"dds_attempt_seconds_bucket{le="0.05",product="fv-steuerwerk@3.2",outcome="delivered"} 1"#,
        r#"dds_delivery_attempts_total{product="fv-steuerwerk@3.2",outcome="dead_letter",code="DDS-D004"} 1"#,
        r#"dds_message_completed_seconds_bucket{le="120.0",procedure="hundesteuer"} 0"#,
        r#"dds_message_completed_seconds_bucket{le="600.0",procedure="hundesteuer"} 1"#,
        r#"dds_backlog{product="fv-steuerwerk@3.2",procedure="hundesteuer"} 3"#,
        r#"dds_target_oldest_due_seconds{target="a/b/c"} 60"#,
        "dds_oldest_due_seconds 60",
        "dds_workers_lost_total 2",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(page.ends_with("\n# EOF\n") && page.matches("# EOF").count() == 1, "{page}");
    assert!(!page.contains("invented") && page.contains(OTHER), "{page}");
    let next = telemetry.metrics().page(&Gauges::default()).unwrap();
    assert!(!next.contains("a/b/c"), "what no longer waits is gone: {next}");
}

#[test]
fn every_metric_is_described_with_its_labels() {
    let page = page(&telemetry());
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let sample = match kind {
            "counter" => format!("{name}_total"),
            "histogram" => format!("{name}_count"),
            _ => name.to_owned(),
        };
        let line = page.lines().find(|line| line.split(['{', ' ']).next() == Some(&sample)).unwrap();
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let labels =
            labels.split(',').filter_map(|label| label.split_once('=')).map(|(key, _)| key.to_owned());
        let name = if kind == "counter" { sample } else { name.to_owned() };
        found.insert(name, labels.collect());
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let docs = fs::read_to_string(docs).unwrap();
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let described = docs.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        (words(cells[1]).into_iter().next().unwrap(), words(cells[2]))
    });
    assert_eq!(found, described.collect());
}
