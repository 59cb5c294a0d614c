//! The collector of our own mailboxes: from the postbox into the main path.

use std::{sync::Arc, time::Duration};

use dds_inbound::osci::{Collector, CollectorOptions, OwnMailbox};
use dds_message::{Clock as _, Code};
use dds_osci::{
    feedback::{Feedback, FeedbackCode},
    intermediary::Rules,
    message::Envelope,
};
use dds_testbench::{ManualClock, OsciPeer, OsciPrepared};
use tokio::sync::Notify;

use crate::{
    support::client,
    world::{Machine, Place, application, identity, keys, log, opened, town},
};

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

/// Several are accepted at once, also while a long document is packed; what was stored first stays first.
#[tokio::test]
async fn deliveries_are_accepted_in_the_order_in_which_they_came() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    let long = |number| application(number) + &" ".repeat(dds_router::ACCEPTED_IN_ORDER);
    let stored: Vec<String> =
        (0..6).map(|number| if number % 3 == 1 { long(number) } else { application(number) }).collect();
    for document in &stored {
        place.portal.store(town(), document.as_bytes()).await.unwrap();
    }
    assert_eq!(start(machine).collect().await.unwrap(), stored.len());
    let taken: Vec<String> = machine
        .router
        .taken()
        .iter()
        .map(|taken| String::from_utf8(taken.document.to_vec()).unwrap())
        .collect();
    assert_eq!(taken, stored);
}

/// A final refusal waits for a corrected release, a temporary one for a router that has room again; both outlive the
/// process.
#[tokio::test]
async fn what_was_set_aside_comes_back_when_its_time_has_come() {
    let options = CollectorOptions::default();
    for (code, pause) in [(Code::NOT_ALLOWED, options.again), (Code::OVERLOADED, options.soon)] {
        let clock = ManualClock::default();
        let place = Place::start(&clock, &[]).await;
        let machine = &place.machine;
        place.portal.store(town(), application(0).as_bytes()).await.unwrap();
        *machine.router.refuse.lock() = Some(code);
        let first = Duration::try_from(pause).unwrap();
        let mut pause = first;
        for round in 1..=2 {
            let collector = start(machine);
            assert_eq!(collector.collect().await.unwrap(), 1, "{code}, round {round}");
            assert_eq!(collector.collect().await.unwrap(), 0, "{code}, round {round}: not at once");
            let due = clock.now().0 * 1_000 + i64::try_from(pause.as_micros()).unwrap();
            assert_eq!(machine.set_aside(), [(code.to_string(), due)]);
            clock.advance(pause);
            // What is refused for good rests twice as long the next time.
            pause = if code == Code::NOT_ALLOWED { 2 * first } else { first };
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

/// A client that stores what is dear to open and refused again and again holds up nobody.
#[tokio::test]
async fn new_deliveries_go_before_those_set_aside() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = &place.machine;
    for _ in 0..6 {
        place.portal.store(town(), b"<anmeldung>").await.unwrap();
    }
    let collector = start(machine);
    assert_eq!(collector.collect().await.unwrap(), 6);
    assert_eq!(machine.set_aside().len(), 6);
    clock.advance(Duration::try_from(CollectorOptions::default().again).unwrap());
    place.portal.store(town(), application(7).as_bytes()).await.unwrap();
    let (waiting, go_on) = machine.router.pause();
    tokio::select! {
        ended = collector.collect() => panic!("{ended:?}"),
        () = waiting.notified() => {}
    }
    assert_eq!(machine.due(&clock), 6, "none of the old ones was looked at before it");
    *machine.router.pause.lock() = None;
    drop(go_on);
    assert_eq!(collector.collect().await.unwrap(), 1 + 4, "the new one, and a few of the old");
    assert_eq!(machine.applications(), [7]);
    assert_eq!(collector.collect().await.unwrap(), 2, "the others get their turn");
    assert_eq!(collector.collect().await.unwrap(), 0);
}

#[tokio::test]
async fn a_refusal_is_told_once_with_what_names_the_delivery() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = &place.machine;
    let log = log();
    let bad = place.portal.store(town(), b"<anmeldung>Geheimnis").await.unwrap();
    let collector = start(machine);
    let portal = crate::world::keys().portal.signature_certificate().sha256_hex();
    for round in 0..3 {
        assert_eq!(collector.collect().await.unwrap(), 1, "round {round}");
        clock.advance(Duration::from_hours(24));
    }
    let noted = machine.router.noted.lock().clone();
    let [(event, code, facts)] = &noted[..] else { panic!("{noted:?}") };
    assert_eq!((event.as_str(), code.as_str()), ("osci.set_aside", "DDS-I005"));
    assert_eq!(facts["message_id"], bad.as_str());
    assert_eq!(facts["originator"], portal);
    let log = std::fs::read_to_string(log).unwrap();
    let named = |line: &&str| line.contains("osci.set_aside") && line.contains(bad.as_str());
    let lines: Vec<&str> = log.lines().filter(named).collect();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("WARN") && line.contains(portal), "{line}");
    let page = machine.telemetry.metrics().page(&dds_telemetry::Gauges::default()).unwrap();
    assert!(page.contains("dds_messages_refused_total{channel=\"osci\",code=\"DDS-I005\"} 1"), "{page}");
}

#[tokio::test]
async fn a_record_that_cannot_be_opened_holds_up_nothing() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = &place.machine;
    let broken = place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    place.portal.store(town(), application(1).as_bytes()).await.unwrap();
    machine.garble(&broken);
    let collector = start(machine);
    assert_eq!(collector.collect().await.unwrap(), 2);
    assert_eq!(machine.applications(), [1]);
    let pause = CollectorOptions::default().again;
    let due = clock.now().to_jiff().checked_add(pause).unwrap().as_microsecond();
    assert_eq!(machine.set_aside(), [("DDS-O012".to_owned(), due)]);
    assert_eq!(machine.router.noted.lock().len(), 1);
}

/// What a clock that was ahead has noted does not wait until that clock would be right.
#[tokio::test]
async fn what_was_set_aside_by_a_clock_that_was_ahead_is_due() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = &place.machine;
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    *machine.router.refuse.lock() = Some(Code::OVERLOADED);
    let collector = start(machine);
    let now = clock.now();
    clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(collector.collect().await.unwrap(), 1);
    clock.set(now);
    *machine.router.refuse.lock() = None;
    assert_eq!(collector.collect().await.unwrap(), 1);
    assert_eq!(machine.applications(), [0]);
}

#[tokio::test]
async fn what_was_set_aside_is_due_when_a_process_begins() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    *machine.router.refuse.lock() = Some(Code::NOT_ALLOWED);
    assert_eq!(start(machine).collect().await.unwrap(), 1);
    *machine.router.refuse.lock() = None;
    let (waiting, go_on) = machine.router.pause();
    let stop = Arc::new(Notify::new());
    let ended = Arc::clone(&stop);
    let running = tokio::spawn(start(machine).run(async move { ended.notified().await }));
    waiting.notified().await;
    *machine.router.pause.lock() = None;
    go_on.notify_one();
    stop.notify_one();
    running.await.unwrap();
    assert_eq!(machine.applications(), [0]);
}

/// What the intermediary says to an order of the stranger.
async fn answered(place: &Place, order: &OsciPrepared) -> Feedback {
    let answer = client().post(&place.address).body(order.body.clone()).send().await.unwrap();
    let received = opened(&keys().other, &answer.bytes().await.unwrap());
    Envelope::read(&received.document).unwrap().order.feedback().unwrap().clone()
}

/// A mailbox of 20 deliveries: of one sender, 2 may lie there that cannot be taken over.
#[tokio::test]
async fn a_stranger_closes_the_mailbox_to_nobody_but_himself() {
    let rules = Rules { mailbox_deliveries: 20, ..Rules::default() };
    let place = Place::with(&ManualClock::default(), rules).await;
    let (machine, log) = (&place.machine, log());
    let collector = start(machine);
    for number in 0..2 {
        place.stranger.store(town(), application(number).as_bytes()).await.unwrap();
        assert_eq!(collector.collect().await.unwrap(), 1);
    }
    assert_eq!(machine.set_aside().into_iter().map(|(code, _)| code).collect::<Vec<_>>(), ["DDS-I001"; 2]);
    let order = place.stranger.prepare(town(), application(2).as_bytes()).await.unwrap();
    let refused = answered(&place, &order).await;
    assert_eq!(refused.decisive(), FeedbackCode::S9811);
    let texts: Vec<&str> = refused.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("der Betreiber des Empfängers muss handeln")), "{texts:?}");
    let who = keys().other.signature_certificate().sha256_hex().to_owned();
    let log = std::fs::read_to_string(log).unwrap();
    let named = |line: &str| line.contains("osci.not_executed") && line.contains(&who);
    assert!(log.lines().any(named), "{log}");

    // A source goes on, and what it has lying there is its own affair.
    place.portal.store(town(), b"<anmeldung>").await.unwrap();
    place.portal.store(town(), application(3).as_bytes()).await.unwrap();
    assert_eq!(collector.collect().await.unwrap(), 2);
    assert_eq!((machine.applications(), machine.set_aside().len()), (vec![3], 3));
    place.portal.store(town(), application(4).as_bytes()).await.unwrap();

    // The same order is taken when one of them was dropped.
    let postbox = machine.boot().postbox;
    let theirs = who.clone();
    let lying = postbox.run(move |boxes| boxes.set_aside_of(&theirs)).await.unwrap();
    assert_eq!(lying.len(), 2);
    let dropped = lying[0].id.clone();
    postbox.run(move |boxes| boxes.drop_set_aside(&dropped, jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
    assert!(answered(&place, &order).await.is_success());
    assert_eq!(collector.collect().await.unwrap(), 2);
    assert_eq!(machine.applications(), [3, 4]);
    let order = place.stranger.prepare(town(), application(5).as_bytes()).await.unwrap();
    assert_eq!(answered(&place, &order).await.decisive(), FeedbackCode::S9811, "and two lie there again");
}

/// Few large deliveries fill a mailbox as well.
#[tokio::test]
async fn a_stranger_fills_no_more_than_a_tenth_of_the_room() {
    let rules = Rules { mailbox_bytes: 400_000, ..Rules::default() };
    let place = Place::with(&ManualClock::default(), rules).await;
    let collector = start(&place.machine);
    let store = async |peer: &OsciPeer, number| {
        let document = application(number);
        peer.store_with(town(), document.as_bytes(), &[("nachweis.pdf", &[7; 40_000])]).await
    };
    store(&place.stranger, 0).await.unwrap();
    assert_eq!(collector.collect().await.unwrap(), 1);
    let refused = store(&place.stranger, 1).await.unwrap_err().to_string();
    assert!(refused.contains("9811"), "{refused}");
    store(&place.portal, 2).await.unwrap();
}

/// That the router takes nothing more now says nothing about who sends.
#[tokio::test]
async fn what_is_put_aside_for_now_counts_against_nobody() {
    let rules = Rules { mailbox_deliveries: 20, ..Rules::default() };
    let place = Place::with(&ManualClock::default(), rules).await;
    let collector = start(&place.machine);
    *place.machine.router.refuse.lock() = Some(Code::OVERLOADED);
    for number in 0..4 {
        place.portal.store(town(), application(number).as_bytes()).await.unwrap();
        assert_eq!(collector.collect().await.unwrap(), 1);
    }
    assert_eq!(place.machine.set_aside().len(), 4);
}
