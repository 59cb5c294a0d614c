//! A target that cannot tell a repeated delivery: nothing is sent to it twice without a person.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dds_delivery::TargetPolicy;
use dds_message::{Code, DeliveryState, JournalEvent, MessageState};
use dds_store::{Journal, NewEntry};
use support::{Bench, HOUR, LEASE, busy, delivered, temporary};

fn forgetful(bench: &Bench) {
    *bench.desk.targets.usual.lock().unwrap() =
        TargetPolicy { deduplicates: false, ..TargetPolicy::default() };
}

#[tokio::test]
async fn an_attempt_is_marked_durably_before_the_first_byte() {
    let mut bench = Bench::start();
    forgetful(&bench);
    let id = bench.one(1, "mail").await;
    let call = bench.desk.call().await;
    assert_eq!(bench.record(id).await.state, DeliveryState::InDoubt);
    assert!(bench.events(1).await.contains(&"delivery.attempting".to_owned()));
    call.says(delivered());
    let record = bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    assert_eq!(record.attempts, 1);
    bench.stop().await;
}

#[tokio::test]
async fn no_answer_after_the_bytes_were_sent_is_for_a_person() {
    let mut bench = Bench::start();
    forgetful(&bench);
    let id = bench.one(1, "mail").await;
    bench.desk.call().await.says(temporary(Code::IN_DOUBT));
    bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    let message = bench.message(1).await;
    assert_eq!((message.state, message.code), (MessageState::Parked, Some(Code::IN_DOUBT)));
    bench.pass(100 * HOUR).await;
    assert!(bench.desk.is_empty(), "sent twice without a person");
    // The person asked the target: it has nothing. Again, under the same id.
    let now = bench.record(id).await.due;
    let entry = NewEntry::new(JournalEvent::DeliveryAgain);
    bench.spy.revive(id, now, now.plus(200 * HOUR), entry).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!((call.delivery, call.attempt), (id, 2));
    call.says(delivered());
    bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    assert_eq!(bench.message(1).await.state, MessageState::Completed);
    bench.stop().await;
}

#[tokio::test]
async fn a_silent_target_that_cannot_deduplicate_is_not_tried_again_by_itself() {
    let mut bench = Bench::start();
    let policy = TargetPolicy {
        deduplicates: false,
        attempt_timeout: std::time::Duration::from_millis(1),
        ..TargetPolicy::default()
    };
    *bench.desk.targets.usual.lock().unwrap() = policy;
    let id = bench.one(1, "mail").await;
    let _silent = bench.desk.call().await;
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!(record.code, Some(Code::IN_DOUBT));
    bench.pass(100 * HOUR).await;
    assert!(bench.desk.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn a_lease_that_ran_out_in_an_attempt_leaves_the_delivery_in_doubt() {
    let mut bench = Bench::start();
    forgetful(&bench);
    let id = bench.one(1, "mail").await;
    let call = bench.desk.call().await;
    bench.pass(LEASE).await;
    bench.pass(HOUR).await;
    assert!(bench.desk.is_empty(), "sent twice without a person");
    assert_eq!(bench.record(id).await.state, DeliveryState::InDoubt);
    // Its receipt counts all the same.
    call.says(delivered());
    bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    assert_eq!(bench.message(1).await.state, MessageState::Completed);
    bench.stop().await;
}

#[tokio::test]
async fn a_target_that_was_certainly_not_reached_is_tried_again() {
    let mut bench = Bench::start();
    forgetful(&bench);
    let id = bench.one(1, "mail").await;
    bench.desk.call().await.says(busy());
    bench.until(id, |record| record.state == DeliveryState::Prepared && record.attempts == 1).await;
    bench.pass(HOUR).await;
    let call = bench.desk.call().await;
    assert_eq!(call.attempt, 2);
    call.says(delivered());
    bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    bench.stop().await;
}
