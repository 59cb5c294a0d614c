//! The collector of our own mailboxes: from the postbox into the main path.

use std::time::Duration;

use dds_inbound::osci::{Collector, CollectorOptions, OwnMailbox};
use dds_message::{Clock as _, Code};
use dds_testbench::ManualClock;

use crate::world::{Machine, Place, application, identity, keys, log, town};

fn start(machine: &Machine) -> Collector {
    Collector::new(&machine.boot(), vec![OwnMailbox::of(identity(&keys().town))], CollectorOptions::default())
}

#[tokio::test]
async fn a_process_that_dies_while_the_main_path_takes_a_delivery_loses_nothing() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    let (waiting, _never) = machine.router.pause();
    let first = start(machine);
    tokio::select! {
        ended = first.collect() => panic!("{ended:?}"),
        () = waiting.notified() => {}
    }
    drop(first);
    *machine.router.pause.lock() = None;
    assert_eq!(machine.applications(), Vec::<usize>::new());

    let second = start(machine);
    assert_eq!(second.collect().await.unwrap(), 1);
    assert_eq!(machine.applications(), [0]);
    assert_eq!(second.collect().await.unwrap(), 0);
}

#[tokio::test]
async fn a_process_that_dies_before_it_notes_what_was_taken_brings_nothing_twice() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    for number in 0..2 {
        place.portal.store(town(), application(number).as_bytes()).await.unwrap();
    }
    machine.fail_at("UPDATE ON delivery");
    let first = start(machine);
    assert_eq!(first.collect().await.unwrap_err().code, Code::OSCI_POSTBOX);
    // Noting goes on behind accepting, so the next one may be taken already.
    let taken = machine.applications();
    assert!(taken == [0] || taken == [0, 1], "taken and not noted: {taken:?}");
    drop(first);
    machine.mend();

    let second = start(machine);
    assert_eq!(second.collect().await.unwrap(), 2, "both are waiting still");
    assert_eq!(machine.applications(), [0, 1]);
    assert_eq!(second.collect().await.unwrap(), 0);
    assert!(machine.set_aside().is_empty());
}

#[tokio::test]
async fn what_the_main_path_refuses_is_named_and_holds_up_nothing() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    let bad = place.portal.store(town(), b"<anmeldung>Geheimnis").await.unwrap();
    place.portal.store(town(), application(1).as_bytes()).await.unwrap();
    let collector = start(machine);
    let log = log();
    assert_eq!(collector.collect().await.unwrap(), 2);
    assert_eq!(machine.applications(), [1]);
    assert_eq!(machine.set_aside().len(), 1);
    assert_eq!(machine.set_aside()[0].0, "DDS-I005");
    let log = std::fs::read_to_string(log).unwrap();
    let named = |line: &&str| line.contains("osci.set_aside") && line.contains(bad.as_str());
    let line = log.lines().find(named).unwrap();
    assert!(line.contains("DDS-I005"), "{line}");
    assert!(!log.contains("Geheimnis"), "{log}");
}

/// A final refusal waits for a corrected release, a temporary one for a router that has room again; both outlive the process.
#[tokio::test]
async fn what_was_set_aside_comes_back_when_its_time_has_come() {
    let options = CollectorOptions::default();
    for (code, pause) in [(Code::NOT_ALLOWED, options.again), (Code::OVERLOADED, options.soon)] {
        let clock = ManualClock::default();
        let place = Place::start(&clock, &[]).await;
        let machine = &place.machine;
        place.portal.store(town(), application(0).as_bytes()).await.unwrap();
        *machine.router.refuse.lock() = Some(code);
        let pause = Duration::try_from(pause).unwrap();
        for round in 1..=2 {
            let collector = start(machine);
            assert_eq!(collector.collect().await.unwrap(), 1, "{code}, round {round}");
            assert_eq!(collector.collect().await.unwrap(), 0, "{code}, round {round}: not at once");
            let due = clock.now().0 * 1_000 + i64::try_from(pause.as_micros()).unwrap();
            assert_eq!(machine.set_aside(), [(code.to_string(), due)]);
            clock.advance(pause);
        }
        *machine.router.refuse.lock() = None;
        let collector = start(machine);
        assert_eq!(collector.collect().await.unwrap(), 1, "{code}");
        assert_eq!(machine.applications(), [0]);
        assert!(machine.set_aside().is_empty());
        clock.advance(pause);
        assert_eq!(collector.collect().await.unwrap(), 0, "{code}");
    }
}
