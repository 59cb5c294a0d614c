//! A target that fails again and again is paused and probed, and delays nobody else.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use dds_delivery::{Options, TargetPolicy};
use dds_message::{Clock, Code, DeliveryId, DeliveryState, JournalEvent};
use dds_store::{Journal, NewEntry};
use support::{Bench, HOUR, LEASE, busy, delivered, target, temporary};

const PAUSE: Duration = Duration::from_secs(30);

fn quick(bench: &Bench) {
    *bench.desk.targets.usual.lock().unwrap() = TargetPolicy {
        retry: vec![Duration::from_millis(1)],
        breaker: (3, PAUSE),
        ..TargetPolicy::default()
    };
}

/// Three failures in a row of three deliveries open the breaker.
async fn break_down(bench: &mut Bench, code: Code) -> [DeliveryId; 3] {
    let ids = [bench.one(1, "dead").await, bench.one(2, "dead").await, bench.one(3, "dead").await];
    let calls = [bench.desk.call().await, bench.desk.call().await, bench.desk.call().await];
    for call in calls {
        call.says(temporary(code));
    }
    for id in ids {
        let record = bench.until(id, |record| record.attempts == 1).await;
        assert_eq!((record.state, record.code), (DeliveryState::Prepared, Some(code)));
    }
    bench.idle().await;
    ids
}

/// A probe succeeds: the others follow, and not a pause later.
async fn goes_on(mut bench: Bench, ids: [DeliveryId; 3]) {
    bench.desk.call().await.says(delivered());
    bench.pass(Duration::from_secs(1)).await;
    for _ in 0..2 {
        bench.desk.call().await.says(delivered());
    }
    for id in ids {
        bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_dead_target_is_paused_then_probed_once() {
    let mut bench = Bench::start();
    quick(&bench);
    let ids = break_down(&mut bench, Code::TARGET_BUSY).await;
    bench.pass(PAUSE - Duration::from_millis(1)).await;
    assert!(bench.desk.is_empty(), "tried while paused");
    bench.pass(Duration::from_millis(1)).await;
    let probe = bench.desk.call().await;
    bench.pass(Duration::from_millis(1)).await;
    assert!(bench.desk.is_empty(), "more than one probe");
    // The probe fails: paused again, at once.
    let probed = probe.delivery;
    probe.says(busy());
    bench.until(probed, |record| record.attempts == 2).await;
    bench.idle().await;
    bench.pass(PAUSE - Duration::from_millis(1)).await;
    assert!(bench.desk.is_empty(), "tried while paused after a failed probe");
    // The second probe succeeds.
    bench.pass(PAUSE).await;
    goes_on(bench, ids).await;
}

/// A wrong token: the backlog waits, is tried slowly, and goes on by itself once the token is right.
#[tokio::test]
async fn a_target_that_refuses_our_credential_kills_no_backlog() {
    let mut bench = Bench::start();
    quick(&bench);
    let ids = break_down(&mut bench, Code::CREDENTIAL_REFUSED).await;
    // Slower than after other faults, and one at a time.
    bench.pass(PAUSE * 9).await;
    assert!(bench.desk.is_empty(), "asked again while a person renews the token");
    for attempt in 2..20 {
        bench.pass(PAUSE).await;
        let probe = bench.desk.call().await;
        assert!(bench.desk.is_empty(), "more than one probe");
        let (probed, number) = (probe.delivery, probe.attempt);
        probe.says(temporary(Code::CREDENTIAL_REFUSED));
        bench.until(probed, |record| record.attempts == number).await;
        bench.idle().await;
        let tried: u32 = bench.attempts(&ids).await;
        assert_eq!(tried, 3 + attempt - 1);
        bench.pass(PAUSE * 9).await;
    }
    for id in ids {
        assert_eq!(
            bench.record(id).await.state,
            DeliveryState::Prepared,
            "a dead letter before its deadline"
        );
    }
    // The token is right again.
    bench.pass(PAUSE).await;
    goes_on(bench, ids).await;
}

#[tokio::test]
async fn a_probe_that_could_not_be_made_does_not_silence_the_target_for_ever() {
    let mut bench = Bench::start();
    quick(&bench);
    break_down(&mut bench, Code::TARGET_BUSY).await;
    // Reading what the probe would send fails once.
    bench.spy.failing_outputs.store(1, Ordering::SeqCst);
    bench.pass(PAUSE).await;
    bench.pass(HOUR).await;
    bench.pass(HOUR).await;
    bench.desk.call().await.says(delivered());
    bench.stop().await;
}

/// The target is well: attachments of three applications are damaged, of three others they cannot be read just now.
#[tokio::test]
async fn what_we_cannot_read_holds_no_target_back() {
    let mut bench = Bench::start();
    let policy = TargetPolicy { retry: vec![HOUR], breaker: (3, PAUSE), ..TargetPolicy::default() };
    *bench.desk.targets.usual.lock().unwrap() = policy;
    for (numbers, code, state) in [
        (1..4, Code::STORE_CORRUPT, DeliveryState::DeadLetter),
        (4..7, Code::STORE_UNAVAILABLE, DeliveryState::Prepared),
    ] {
        for number in numbers {
            let id = bench.one(number, "fine").await;
            bench.desk.call().await.says(temporary(code));
            let record = bench.until(id, |record| record.attempts == 1).await;
            assert_eq!((record.state, record.code), (state, Some(code)));
        }
    }
    others_go_on(&mut bench).await;
    // Those that could not be read follow on their own.
    bench.pass(HOUR).await;
    for _ in 4..7 {
        bench.desk.call().await.says(delivered());
    }
    bench.stop().await;
}

/// The probe of a paused target turns out to be damaged: the next one probes.
#[tokio::test]
async fn a_damaged_probe_leaves_the_probing_to_the_next() {
    let mut bench = Bench::start();
    quick(&bench);
    break_down(&mut bench, Code::TARGET_BUSY).await;
    bench.pass(PAUSE).await;
    let probe = bench.desk.call().await;
    let damaged = probe.delivery;
    assert!(bench.desk.is_empty());
    probe.says(temporary(Code::STORE_CORRUPT));
    bench.until(damaged, |record| record.state == DeliveryState::DeadLetter).await;
    bench.pass(Duration::from_secs(1)).await;
    let probe = bench.desk.call().await;
    bench.pass(Duration::from_secs(1)).await;
    assert!(bench.desk.is_empty(), "it says nothing of the target, so one probes again");
    probe.says(delivered());
    bench.pass(Duration::from_secs(1)).await;
    bench.desk.call().await.says(delivered());
    bench.stop().await;
}

/// A document that does not open any more waits for a person, and others for nothing.
#[tokio::test]
async fn a_damaged_document_becomes_a_dead_letter() {
    let mut bench = Bench::start();
    quick(&bench);
    let delivery = bench.delivery(1, "fine");
    let id = delivery.id;
    *bench.spy.damaged.lock().unwrap() = Some(id);
    bench.plan(1, vec![delivery]).await;
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!((record.code, record.attempts), (Some(Code::STORE_CORRUPT), 1));
    others_go_on(&mut bench).await;
    // It was restored.
    *bench.spy.damaged.lock().unwrap() = None;
    let now = bench.clock.now();
    let again = NewEntry::new(JournalEvent::DeliveryAgain);
    bench.spy.revive(id, now, now.plus(HOUR), again).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    bench.stop().await;
}

#[tokio::test]
async fn one_dead_target_does_not_delay_others() {
    let mut bench = Bench::start();
    // The dead one accepts connections and never answers: all its places are taken.
    for number in 0..40 {
        bench.one(number, "dead").await;
    }
    let mut hanging = Vec::new();
    for _ in 0..Options::default().per_target {
        hanging.push(bench.desk.call().await);
    }
    others_go_on(&mut bench).await;
    bench.stop().await;
}

/// A delivery to a healthy target is the next to be tried, and done.
async fn others_go_on(bench: &mut Bench) {
    let fine = bench.one(100, "fine").await;
    let call = bench.desk.call().await;
    assert_eq!((call.delivery, &call.target), (fine, &target("fine")));
    call.says(delivered());
    bench.until(fine, |record| record.state == DeliveryState::Delivered).await;
}

/// Forty targets of one provider, which accepts connections and never answers.
#[tokio::test]
async fn a_dead_provider_does_not_delay_others() {
    let mut bench = Bench::start();
    let never = TargetPolicy { attempt_timeout: HOUR, ..TargetPolicy::default() };
    *bench.desk.targets.usual.lock().unwrap() = never;
    for number in 0..8 {
        let deliveries = (0..40).map(|n| bench.delivery(number, &format!("dead/{n}"))).collect();
        bench.plan(number, deliveries).await;
    }
    let mut hanging = Vec::new();
    for _ in 0..Options::default().concurrency / 2 {
        hanging.push(bench.desk.call().await);
    }
    others_go_on(&mut bench).await;
    bench.stop().await;
}

#[tokio::test]
async fn more_attempts_side_by_side_need_no_restart() {
    let mut bench = Bench::start();
    let allow = |bench: &Bench, parallel| {
        *bench.desk.targets.usual.lock().unwrap() = TargetPolicy { parallel, ..TargetPolicy::default() };
    };
    allow(&bench, 1);
    let first = bench.one(1, "narrow").await;
    let under_way = bench.desk.call().await;
    assert_eq!(under_way.delivery, first);
    allow(&bench, 2);
    let second = bench.one(2, "narrow").await;
    assert_eq!(bench.desk.call().await.delivery, second);
    bench.stop().await;
}

#[tokio::test]
async fn who_waits_for_a_place_at_its_target_takes_none_from_others() {
    let mut bench = Bench::with_places(3);
    let narrow = TargetPolicy { parallel: 1, ..TargetPolicy::default() };
    bench.desk.targets.policies.lock().unwrap().insert(target("dead"), narrow);
    for number in 0..8 {
        bench.one(number, "dead").await;
    }
    let _hanging = bench.desk.call().await;
    others_go_on(&mut bench).await;
    bench.stop().await;
}

#[tokio::test]
async fn what_waits_for_a_target_that_the_release_lacks_goes_out_when_it_is_back() {
    let mut bench = Bench::start();
    bench.desk.targets.absent.lock().unwrap().insert(target("moved"));
    let ids = [bench.one(1, "moved").await, bench.one(2, "moved").await];
    bench.pass(HOUR).await;
    bench.idle().await;
    for id in ids {
        let record = bench.record(id).await;
        assert_eq!((record.state, record.attempts), (DeliveryState::Prepared, 0), "{:?}", record.code);
    }
    // The release before is in force again.
    bench.desk.targets.absent.lock().unwrap().clear();
    bench.pass(Duration::from_secs(60)).await;
    for _ in ids {
        bench.desk.call().await.says(delivered());
    }
    for id in ids {
        bench.until(id, |record| record.state == DeliveryState::Delivered).await;
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_target_that_stays_missing_makes_dead_letters_at_the_deadline() {
    let bench = Bench::start();
    bench.desk.targets.absent.lock().unwrap().insert(target("gone"));
    let id = bench.one(1, "gone").await;
    bench.pass(71 * HOUR).await;
    bench.idle().await;
    assert_eq!(bench.record(id).await.state, DeliveryState::Prepared);
    bench.pass(HOUR).await;
    let record = bench.until(id, |record| record.state == DeliveryState::DeadLetter).await;
    assert_eq!(record.code, Some(Code::TARGET_UNKNOWN));
    bench.stop().await;
}

#[tokio::test]
async fn an_attempt_begins_only_under_a_lease_that_is_still_held() {
    let mut bench = Bench::start();
    let policy = TargetPolicy { parallel: 1, ..TargetPolicy::default() };
    bench.desk.targets.policies.lock().unwrap().insert(target("slow"), policy);
    let (one, two) = (bench.one(1, "slow").await, bench.one(2, "slow").await);
    let first = bench.desk.call().await;
    // The other one is leased and waits for the only place; its lease runs out and it is leased anew.
    bench.pass(LEASE).await;
    let other = if first.delivery == one { two } else { one };
    first.says(delivered());
    let call = bench.desk.call().await;
    assert_eq!(call.delivery, other);
    call.says(delivered());
    bench.until(other, |record| record.state == DeliveryState::Delivered).await;
    // Who waited under a lost lease came to nothing: the next attempt is at something new.
    let third = bench.one(3, "slow").await;
    let call = bench.desk.call().await;
    assert_eq!(call.delivery, third, "sent once more under a lost lease");
    call.says(delivered());
    bench.stop().await;
}

#[tokio::test]
async fn an_ordered_lane_holds() {
    let mut bench = Bench::start();
    *bench.desk.targets.usual.lock().unwrap() = TargetPolicy {
        retry: vec![Duration::from_secs(60)],
        breaker: (100, HOUR),
        ..TargetPolicy::default()
    };
    let mut ids = Vec::new();
    for number in 1..=3 {
        let mut delivery = bench.delivery(number, "a");
        delivery.lane = Some(7);
        ids.push(delivery.id);
        bench.plan(number, vec![delivery]).await;
    }
    let free = bench.one(9, "a").await;
    let calls = [bench.desk.call().await, bench.desk.call().await];
    let mut seen: Vec<_> = calls.iter().map(|call| call.delivery).collect();
    seen.sort();
    let mut wanted = vec![ids[0], free];
    wanted.sort();
    assert_eq!(seen, wanted, "only the first of the lane, and what is in no lane");
    for call in calls {
        let verdict = if call.delivery == ids[0] { busy() } else { delivered() };
        call.says(verdict);
    }
    let record = bench.until(ids[0], |record| record.attempts == 1).await;
    assert_eq!(record.code, Some(Code::TARGET_BUSY));
    bench.until(free, |record| record.state == DeliveryState::Delivered).await;
    bench.pass(Duration::from_secs(29)).await;
    assert!(bench.desk.is_empty(), "one overtook the first of its lane");
    bench.pass(Duration::from_secs(31)).await;
    for id in ids {
        let call = bench.desk.call().await;
        assert_eq!(call.delivery, id);
        bench.pass(Duration::from_millis(1)).await;
        assert!(bench.desk.is_empty(), "two of one lane at the same time");
        call.says(delivered());
    }
    bench.stop().await;
}
