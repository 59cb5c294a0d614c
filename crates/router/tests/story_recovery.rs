//! The process dies between acceptance and plan: the next one goes on, and nothing is made twice.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::process::Command;

use dds_message::{Code, Digest, Format, JournalEvent, MessageState, ReleaseId};
use dds_store::{AuditLog, Journal, NewEntry, NewPlan, PlanState};
use dds_worker::Job;
use support::{Bench, Captured, application, bring_worker, delivered, soon};

#[tokio::test]
async fn what_was_accepted_is_routed_by_the_next_process() {
    let mut bench = Bench::still().await;
    let mut told = Vec::new();
    for number in 1..=3 {
        told.push(bench.send(None, &application(number)).await.unwrap());
    }
    bench.crash().await;
    for first in &told {
        assert_eq!(bench.record(first.id).await.state, MessageState::Accepted);
    }
    bench.run();
    for _ in &told {
        bench.desk.call().await.says(delivered());
    }
    for first in &told {
        let record = bench.reaches(first.id, MessageState::Completed).await;
        assert_eq!(record.deliveries.len(), 1);
    }
    // What was told before the crash still counts: the sender that asks again gets the same answer.
    let again = bench.send(None, &application(1)).await.unwrap();
    assert_eq!((again.id, again.duplicate, again.accepted), (told[0].id, true, told[0].accepted));
    assert!(bench.desk.is_empty());
    bench.finish().await;
}

#[tokio::test]
async fn planning_twice_makes_nothing_twice() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let before = bench.reaches(sent.id, MessageState::Completed).await;
    let entries = bench.rows().await.len();
    // Whatever a second plan says: the first one stands.
    for state in [PlanState::Routed, PlanState::Rejected(Code::SCHEMA_INVALID)] {
        let plan = NewPlan {
            message: sent.id,
            at: sent.accepted,
            release: ReleaseId(Digest::of(b"another")),
            rule: "andere@1.0".to_owned(),
            authority: None,
            state,
            deliveries: Vec::new(),
            report: None,
            entries: vec![NewEntry::new(JournalEvent::MessageRouted)],
        };
        assert!(!bench.spy.plan(plan).await.unwrap());
    }
    let after = bench.record(sent.id).await;
    assert_eq!((after.state, after.release, after.rule), (before.state, before.release, before.rule));
    assert_eq!(after.deliveries.len(), 1);
    assert_eq!(bench.rows().await.len(), entries);
    bench.finish().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_delivery_repeats_it_under_the_same_id() {
    let mut bench = Bench::still().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.run();
    let first = bench.desk.call().await;
    bench.die().await;
    bench.crash().await;
    bench.run();
    let second = bench.desk.call().await;
    assert_eq!((second.delivery, &second.document), (first.delivery, &first.document));
    second.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    assert_eq!(
        bench
            .spy
            .store
            .history(sent.id)
            .await
            .unwrap()
            .iter()
            .filter(|row| row.event == "message.routed")
            .count(),
        1
    );
    bench.finish().await;
}

#[tokio::test]
async fn without_workers_messages_wait_and_are_routed_afterwards() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_writer(move || writer.clone()).init();
    let mut bench = Bench::start().await;
    std::fs::remove_file(bench.dir.path().join("worker")).unwrap();
    let pid = bench.pool.status()[0].pid.to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let sent = bench.send(None, &application(1)).await.unwrap();
    // Jobs are answered in turn: when these have no worker, that of the message had none either.
    let mut without = 0;
    while without < 3 {
        let job = Job {
            bundle: bench.router.release().id().0,
            document: "<a/>".into(),
            format: Format::Xml,
            schema: None,
            schematrons: Vec::new(),
            canonical: None,
            canonical_schema: None,
            procedure: None,
            targets: Vec::new(),
        };
        let answer = soon(bench.pool.run(job)).await;
        without += u32::from(answer.is_err_and(|error| error.problem.code == Code::WORKER_UNAVAILABLE));
    }
    assert_eq!(bench.record(sent.id).await.state, MessageState::Accepted);
    // Who reads the log is sent to the workers, not to the store.
    let told = || {
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let line = log.lines().find(|line| line.contains(&sent.id.to_string()) && line.contains("DDS-"));
        line.map(str::to_owned)
    };
    soon(async {
        while told().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(told().unwrap().contains("DDS-W003"), "{:?}", told());
    bring_worker(bench.dir.path());
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    bench.finish().await;
}
