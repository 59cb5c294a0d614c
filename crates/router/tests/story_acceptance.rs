//! What an acknowledgement is worth: nothing is told before it is durable (I3), and once per key (I8).
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use dds_message::{Channel, Code, Format, MessageState};
use dds_router::{Begin, Handle};
use dds_store::{AuditLog, Journal, sqlite::SqliteStore};
use support::{Bench, HOUR, OPEN, application, delivered, soon, source, store_options};

#[tokio::test]
async fn nobody_is_told_before_the_message_is_durable() {
    let mut bench = Bench::start().await;
    // The disk takes its time.
    let gate = bench.spy.gate.acquire_many(OPEN as u32).await.unwrap();
    let router = bench.router.clone();
    let sending = tokio::spawn(async move {
        let Begin::New(intake) = router.begin(&source("portal"), Channel::Rest, Some("k")).await.unwrap()
        else {
            panic!("nothing was sent before")
        };
        intake.accept(Bytes::from(application(1)), Format::Xml).await
    });
    soon(bench.spy.accepts.subscribe().wait_for(|count| *count == 1)).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!sending.is_finished(), "acknowledged before it was durable");
    assert!(bench.rows().await.is_empty());
    drop(gate);
    let told = soon(sending).await.unwrap().unwrap();
    // Another connection to the files on disk sees message, payload and entry.
    let reader = SqliteStore::open_read_only(store_options(bench.dir.path(), &bench.clock)).unwrap();
    assert!(reader.message(told.id).await.unwrap().is_some());
    assert_eq!(reader.document(told.id).await.unwrap(), application(1));
    assert_eq!(reader.history(told.id).await.unwrap()[0].event, "message.accepted");
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn a_sender_that_leaves_during_the_commit_leaves_a_message_that_is_routed() {
    let mut bench = Bench::start().await;
    let gate = bench.spy.gate.acquire_many(OPEN as u32).await.unwrap();
    let Begin::New(intake) = bench.begin("portal", Some("k")).await else {
        panic!("nothing was sent before")
    };
    let sending = tokio::spawn(intake.accept(Bytes::from(application(1)), Format::Xml));
    soon(bench.spy.accepts.subscribe().wait_for(|count| *count == 1)).await.unwrap();
    sending.abort();
    assert!(soon(sending).await.unwrap_err().is_cancelled());
    drop(gate);
    bench.desk.call().await.says(delivered());
    // It comes back and asks what became of it.
    let told = bench.send(Some("k"), &application(1)).await.unwrap();
    assert!(told.duplicate);
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn what_could_not_be_stored_was_not_accepted() {
    let mut bench = Bench::start().await;
    bench.spy.failing_accepts.store(1, Ordering::SeqCst);
    let refused = bench.send(Some("k"), &application(1)).await.unwrap_err();
    assert_eq!(refused.code, Code::STORE_UNAVAILABLE);
    bench.pass(HOUR).await;
    assert!(bench.desk.is_empty() && bench.rows().await.is_empty(), "half-accepted");
    // The same key again is a new attempt, not a duplicate.
    let told = bench.send(Some("k"), &application(1)).await.unwrap();
    assert!(!told.duplicate);
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn of_two_connections_with_one_key_the_second_gets_the_answer_of_the_first() {
    let mut bench = Bench::start().await;
    let Begin::New(first) = bench.begin("portal", Some("k")).await else { panic!() };
    let router = bench.router.clone();
    let second =
        tokio::spawn(async move { router.begin(&source("portal"), Channel::Rest, Some("k")).await.unwrap() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!second.is_finished(), "the second did not wait");
    // Another source may use the same key meanwhile.
    assert!(matches!(bench.begin("formular", Some("k")).await, Begin::New(_)));
    let told = first.accept(Bytes::from(application(1)), Format::Xml).await.unwrap();
    let Begin::Known { first: same, .. } = soon(second).await.unwrap() else { panic!("accepted twice") };
    let same = same.unwrap();
    assert_eq!((same.id, same.accepted, same.duplicate), (told.id, told.accepted, true));
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.pass(HOUR).await;
    assert!(bench.desk.is_empty(), "delivered twice");
    bench.finish().await;
}

#[tokio::test]
async fn when_the_first_fails_before_acceptance_the_second_is_processed() {
    let mut bench = Bench::start().await;
    let Begin::New(first) = bench.begin("portal", Some("k")).await else { panic!() };
    let router = bench.router.clone();
    let second =
        tokio::spawn(async move { router.begin(&source("portal"), Channel::Rest, Some("k")).await.unwrap() });
    let refused = first.accept(Bytes::from_static(b"<a><b></a>"), Format::Xml).await.unwrap_err();
    assert_eq!(refused.code, Code::NOT_WELL_FORMED);
    let Begin::New(second) = soon(second).await.unwrap() else { panic!("a duplicate of nothing") };
    let told = second.accept(Bytes::from(application(1)), Format::Xml).await.unwrap();
    assert!(!told.duplicate);
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn many_connections_with_one_message_make_one_delivery() {
    let mut bench = Bench::start().await;
    let bench_router = Arc::new(bench.router.clone());
    let senders: Vec<_> = (0..20)
        .map(|number| {
            let router = Arc::clone(&bench_router);
            tokio::spawn(async move {
                // Half of them with a key; the others are known by the message id they carry.
                let key = (number % 2 == 0).then_some("k");
                let intake = router.begin(&source("portal"), Channel::Rest, key).await.unwrap().intake();
                intake.accept(Bytes::from(application(1)), Format::Xml).await.unwrap()
            })
        })
        .collect();
    let mut told = Vec::new();
    for sender in senders {
        told.push(soon(sender).await.unwrap());
    }
    // A key of the channel and the id in the message are two names: at most one message per name.
    let fresh: Vec<_> = told.iter().filter(|told| !told.duplicate).map(|told| told.id).collect();
    assert_eq!(fresh.len(), 2);
    assert!(told.iter().all(|told| fresh.contains(&told.id)));
    for _ in &fresh {
        bench.desk.call().await.says(delivered());
    }
    for id in fresh {
        bench.reaches(id, MessageState::Completed).await;
    }
    bench.finish().await;
}
