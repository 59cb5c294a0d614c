//! A target that is not ready: when it is tried again, and when not any more.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use dds_delivery::{Options, TargetPolicy};
use dds_message::{Clock, Code, DeliveryState, MessageState};
use support::{Bench, HOUR, LEASE, OPEN, busy, delivered, refused, soon, target};

fn patient(bench: &Bench, retry: &[u64]) {
    let retry = retry.iter().copied().map(Duration::from_secs).collect();
    *bench.desk.targets.usual.lock().unwrap() =
        TargetPolicy { retry, breaker: (100, HOUR), ..TargetPolicy::default() };
}

fn one_at_a_time(bench: &Bench) {
    *bench.desk.targets.usual.lock().unwrap() = TargetPolicy { parallel: 1, ..TargetPolicy::default() };
}

#[tokio::test]
async fn waits_grow_as_the_policy_says_and_the_delivery_keeps_its_id() {
    let mut bench = Bench::start();
    patient(&bench, &[10, 100]);
    let id = bench.one(1, "a").await;
    for (attempt, wait) in [(1, 10), (2, 100), (3, 100)] {
        let call = bench.desk.call().await;
        assert_eq!((call.delivery, call.attempt), (id, attempt));
        call.says(busy());
        let record = bench.until(id, |record| record.attempts == attempt).await;
        let waits = record.due.since(bench.clock.now());
        let full = Duration::from_secs(wait);
        assert!((full / 2..=full).contains(&waits), "attempt {attempt} waits {waits:?}");
        bench.pass(waits - Duration::from_millis(1)).await;
        assert!(bench.desk.is_empty(), "tried before it was due");
        bench.pass(Duration::from_millis(1)).await;
    }
    bench.desk.call().await.says(delivered());
    let record = bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    assert_eq!((record.attempts, record.receipt.as_deref()), (4, Some("A-1")));
    assert_eq!(bench.message(1).await.state, MessageState::Completed);
    bench.stop().await;
}

#[tokio::test]
async fn a_refusal_ends_the_attempts() {
    let mut bench = Bench::start();
    let id = bench.one(1, "a").await;
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    let message = bench.message(1).await;
    assert_eq!((message.state, message.code), (MessageState::Parked, Some(Code::TARGET_REFUSED)));
    bench.pass(72 * HOUR).await;
    assert!(bench.desk.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn after_the_deadline_a_delivery_is_a_dead_letter() {
    let mut bench = Bench::start();
    patient(&bench, &[7_200]);
    let mut delivery = bench.delivery(1, "a");
    delivery.deadline = bench.clock.now().plus(HOUR);
    let id = delivery.id;
    bench.plan(1, vec![delivery]).await;
    // The next attempt would come after the deadline, so there is none.
    bench.desk.call().await.says(busy());
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!(record.code, Some(Code::DEADLINE_PASSED));
    assert_eq!(bench.message(1).await.code, Some(Code::DEADLINE_PASSED));
    bench.stop().await;
}

#[tokio::test]
async fn what_comes_due_after_its_deadline_is_not_sent_any_more() {
    let mut bench = Bench::start();
    let mut delivery = bench.delivery(1, "a");
    delivery.due = bench.clock.now().plus(HOUR);
    delivery.deadline = bench.clock.now().plus(HOUR);
    let id = delivery.id;
    bench.plan(1, vec![delivery]).await;
    bench.pass(HOUR).await;
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!((record.code, record.attempts > 1), (Some(Code::DEADLINE_PASSED), false));
    assert!(bench.desk.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn what_is_not_fetched_before_its_deadline_is_a_dead_letter() {
    let bench = Bench::start();
    let mut delivery = bench.delivery(1, "mailbox");
    (delivery.pull, delivery.deadline) = (true, bench.clock.now().plus(HOUR));
    let id = delivery.id;
    bench.plan(1, vec![delivery]).await;
    bench.pass(HOUR - Duration::from_millis(1)).await;
    assert_eq!(bench.record(id).await.state, DeliveryState::Prepared);
    bench.pass(Duration::from_millis(1)).await;
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!(record.code, Some(Code::DEADLINE_PASSED));
    let message = bench.message(1).await;
    assert_eq!((message.state, message.code), (MessageState::Parked, Some(Code::DEADLINE_PASSED)));
    assert!(bench.events(1).await.contains(&"delivery.dead_letter".to_owned()));
    bench.stop().await;
}

#[tokio::test]
async fn in_its_maintenance_window_a_target_is_left_alone() {
    let mut bench = Bench::start();
    // The clock of the test shows 08:00.
    let policy = TargetPolicy { maintenance: Some((7 * 60, 9 * 60)), ..TargetPolicy::default() };
    bench.desk.targets.policies.lock().unwrap().insert(target("a"), policy);
    let id = bench.one(1, "a").await;
    bench.until(id, |record| record.state == DeliveryState::Prepared).await;
    bench.pass(HOUR - Duration::from_millis(1)).await;
    assert!(bench.desk.is_empty());
    bench.pass(Duration::from_millis(1)).await;
    bench.desk.call().await.says(delivered());
    bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    bench.stop().await;
}

#[tokio::test]
async fn an_attempt_longer_than_a_lease_is_the_only_one() {
    let mut bench = Bench::start();
    *bench.desk.targets.usual.lock().unwrap() =
        TargetPolicy { attempt_timeout: 2 * HOUR, ..TargetPolicy::default() };
    let id = bench.one(1, "slow").await;
    let call = bench.desk.call().await;
    bench.pass(LEASE + HOUR).await;
    assert!(bench.desk.is_empty(), "a second attempt beside the first");
    call.says(delivered());
    let record = bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    assert_eq!(record.attempts, 1);
    bench.stop().await;
}

/// The disk may take its time with an outcome: the target does not wait for it, nor gets more at a time.
#[tokio::test]
async fn an_outcome_that_is_not_durable_yet_keeps_no_place() {
    let mut bench = Bench::start();
    one_at_a_time(&bench);
    let settling = bench.spy.settling.acquire_many(OPEN as u32).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(bench.one(number, "single").await);
    }
    bench.desk.call().await.says(delivered());
    let second = bench.desk.call().await;
    bench.pass(Duration::ZERO).await;
    assert!(bench.desk.is_empty(), "more than the policy takes");
    assert_eq!(bench.record(ids[0]).await.state, DeliveryState::Prepared);
    second.says(delivered());
    bench.desk.call().await.says(delivered());
    drop(settling);
    for id in ids {
        bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    }
    bench.stop().await;
}

/// What is under way may end; what only waits for its place stays for the next start.
#[tokio::test]
async fn at_the_end_of_the_service_no_attempt_begins() {
    let mut bench = Bench::with_grace(Duration::from_secs(30));
    one_at_a_time(&bench);
    let ids = [bench.one(1, "single").await, bench.one(2, "single").await];
    let call = bench.desk.call().await;
    // The other waits for its place.
    soon(bench.spy.leased.subscribe().wait_for(|leases| *leases == 2)).await.unwrap();
    bench.shutdown.send_replace(true);
    for _ in 0..10 {
        // On this one thread the scheduler hears it before the target answers.
        tokio::task::yield_now().await;
    }
    let begun = call.delivery;
    call.says(delivered());
    soon(&mut bench.running).await.unwrap();
    assert!(bench.desk.is_empty());
    for id in ids {
        let (state, attempts) =
            if id == begun { (DeliveryState::Delivered, 1) } else { (DeliveryState::Prepared, 0) };
        let record = bench.record(id).await;
        assert_eq!((record.state, record.attempts), (state, attempts));
    }
}

#[tokio::test]
async fn a_target_gets_as_much_at_a_time_as_the_operator_allows_and_its_policy_takes() {
    let mut bench = Bench::start_with(Options { per_target: 12, ..Options::default() });
    let few = TargetPolicy { parallel: 2, ..TargetPolicy::default() };
    bench.desk.targets.policies.lock().unwrap().insert(target("few"), few);
    for number in 1..=13 {
        bench.one(number, "many").await;
    }
    let mut calls = Vec::new();
    for _ in 0..12 {
        calls.push(bench.desk.call().await);
    }
    bench.pass(Duration::ZERO).await;
    assert!(bench.desk.is_empty(), "more than the operator allows");
    for number in 21..=23 {
        bench.one(number, "few").await;
    }
    calls.push(bench.desk.call().await);
    calls.push(bench.desk.call().await);
    bench.pass(Duration::ZERO).await;
    assert!(bench.desk.is_empty(), "more than the policy takes");
    bench.stop().await;
}
