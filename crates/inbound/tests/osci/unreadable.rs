//! A delivery at an intermediary elsewhere that our process cannot read: what lies behind it comes all the same.

use std::{sync::atomic::Ordering, time::Duration};

use dds_inbound::osci::Fetched;
use dds_message::Code;
use dds_osci::{intermediary::Rules, message::MessageId};
use dds_testbench::ManualClock;

use crate::{
    fetching::{Process, broken_visit},
    wire::{Lost, Seen},
    world::{Machine, Place, application, log, town},
};

const LARGE: &[u8] = &[7; 200_000];
/// Larger than an application, smaller than one with [`LARGE`].
const LIMIT: u64 = 100_000;

/// A machine that reads nothing large.
fn small(clock: &ManualClock) -> Machine {
    let machine = Machine::new(clock);
    machine.message_bytes.store(LIMIT, Ordering::Relaxed);
    machine
}

async fn store(place: &Place, number: usize) -> MessageId {
    place.portal.store(town(), application(number).as_bytes()).await.unwrap()
}

async fn store_large(place: &Place, number: usize) -> MessageId {
    let evidence = [("nachweis.pdf", LARGE)];
    place.portal.store_with(town(), application(number).as_bytes(), &evidence).await.unwrap()
}

/// Lines of the log about a delivery that name the code.
fn told(id: &MessageId) -> Vec<String> {
    let log = std::fs::read_to_string(log()).unwrap();
    let about = log.lines().filter(|line| line.contains(id.as_str()) && line.contains("DDS-O014"));
    about.map(str::to_owned).collect()
}

#[tokio::test]
async fn one_that_is_too_large_holds_up_nothing_and_comes_when_the_limit_is_raised() {
    log();
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = small(&clock);
    store(&place, 0).await;
    let large = store_large(&place, 1).await;
    store(&place, 2).await;
    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 2, known: 0 });
    process.collect().await;
    assert_eq!(machine.applications(), [0, 2]);
    assert_eq!((place.machine.unreceived(), process.unreadable()), (1, 1), "it lies there, unacknowledged");

    // Left alone until its pause has ended; then fetched in vain, and not told again.
    store(&place, 3).await;
    place.wire.reset();
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    assert_eq!(
        place.wire.orders().len(),
        4,
        "initDialog, fetchProcessCard, fetchDelivery of the new one, exitDialog"
    );
    place.wire.reset();
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
    assert_eq!(place.wire.orders().len(), 3);
    for pause in [60, 120, 240] {
        for (passed, orders) in [(pause - 1, 3), (1, 6)] {
            clock.advance(Duration::from_secs(passed));
            place.wire.reset();
            assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
            assert_eq!(place.wire.orders().len(), orders, "after {passed} of {pause} s");
        }
    }
    let lines = told(&large);
    assert_eq!(lines.len(), 1, "{lines:?}");
    for fact in ["ERROR", "anderswo", "longer than 100000 octets", "from=", " of \\\"CN="] {
        assert!(lines[0].contains(fact), "{fact} in {}", lines[0]);
    }
    assert!(!lines[0].contains("unknown"), "{}", lines[0]);

    // A restart helps nothing by itself, and says so.
    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
    assert_eq!((told(&large).len(), process.unreadable()), (2, 1));

    // The operator raises the limit and starts anew: at once, whatever the pause.
    machine.message_bytes.store(1 << 30, Ordering::Relaxed);
    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    process.collect().await;
    assert_eq!(machine.applications(), [0, 1, 2, 3]);
    assert_eq!((place.machine.unreceived(), process.unreadable()), (0, 0));
    place.wire.reset();
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
    assert_eq!(place.wire.orders().len(), 3, "initDialog, fetchDelivery without selection, exitDialog");
}

/// The way round is eight orders: initDialog, fetchProcessCard and the one fetched in vain, which ends the dialogue;
/// then initDialog, fetchProcessCard, fetchDelivery for each of two, exitDialog. Each of them is lost in every way, and
/// each time the connection breaks or our process dies.
#[tokio::test]
async fn whatever_is_lost_on_the_way_round_each_application_arrives_once() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = small(&clock);
    store_large(&place, 0).await;
    Process::start(&machine, &place).fetcher.visit().await.unwrap();
    let mut sent = Vec::new();
    for number in 1..=8 {
        for lost in [Lost::Order, Lost::Answer, Lost::HalfAnswer] {
            if number == 3 && lost == Lost::HalfAnswer {
                continue; // Half of it is too large as well: nothing is lost on the wire.
            }
            for seen in [Seen::Break, Seen::Silence] {
                let what = format!("order {number}, {lost:?} lost, {seen:?}");
                for _ in 0..2 {
                    sent.push(sent.len() + 1);
                    store(&place, sent.len()).await;
                }
                broken_visit(&machine, &place, number, lost, seen).await;

                let second = Process::start(&machine, &place);
                second.fetcher.visit().await.unwrap();
                assert_eq!(second.fetcher.visit().await.unwrap(), Fetched::default(), "{what}");
                second.collect().await;
                assert_eq!(machine.applications(), sent, "{what}");
                assert_eq!((place.machine.unreceived(), second.unreadable()), (1, 1), "{what}");
            }
        }
    }
    assert_eq!(machine.files(), 0, "nothing of the large one stays");
}

/// An answer that arrives altered says nothing about the delivery: fetched once more by its card it is whole.
#[tokio::test]
async fn a_fault_of_the_moment_is_overcome_in_the_same_visit() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    store(&place, 0).await;
    store(&place, 1).await;
    place.wire.arm(2, Lost::Garbled, Seen::Break);
    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap_err().code, Code::OSCI_UNREADABLE);
    process.collect().await;
    assert_eq!(machine.applications(), [0, 1]);
    assert_eq!((place.machine.unreceived(), process.unreadable()), (0, 0));
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
}

/// Fetches what came behind this delivery, and not the delivery itself; what the log says of it.
async fn passed_over(place: &Place, clock: &ManualClock, id: &MessageId) -> String {
    log();
    let machine = Machine::new(clock);
    store(place, 1).await;
    let process = Process::start(&machine, place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    process.collect().await;
    assert_eq!((machine.applications(), place.machine.unreceived(), process.unreadable()), (vec![1], 1, 1));
    let [line] = &told(id)[..] else { panic!("{:?}", told(id)) };
    line.clone()
}

#[tokio::test]
async fn one_that_the_intermediary_cannot_give_out_holds_up_nothing() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let spoilt = MessageId::new("verdorben".to_owned());
    place.spoil(store(&place, 0).await, spoilt.clone()).await;
    let line = passed_over(&place, &clock, &spoilt).await;
    assert!(line.contains("9811"), "{line}");
}

/// What the intermediary hands out to us and was meant for somebody else is not acknowledged.
#[tokio::test]
async fn one_that_is_addressed_to_somebody_else_stays_there_and_holds_up_nothing() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let foreign = MessageId::new("fremd".to_owned());
    place.misaddress(store(&place, 0).await, foreign.clone()).await;
    let line = passed_over(&place, &clock, &foreign).await;
    assert!(line.contains("addressed to another"), "{line}");
}

/// Without its card a delivery has no MessageId for us. It is not acknowledged, and the operator hears of it at each
/// visit.
#[tokio::test]
async fn one_without_a_process_card_stays_there_and_holds_up_nothing() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    place.machine.lose_card(&store(&place, 0).await);
    store(&place, 1).await;
    let process = Process::start(&machine, &place);
    for _ in 0..2 {
        let problem = process.fetcher.visit().await.unwrap_err();
        assert_eq!(problem.code, Code::OSCI_UNREADABLE);
        assert!(problem.detail.english.contains("process card"), "{}", problem.detail);
        process.collect().await;
        assert_eq!((machine.applications(), place.machine.unreceived()), (vec![1], 1));
    }
}

/// More of them than process cards in one answer.
#[tokio::test]
async fn many_that_cannot_be_read_hold_up_nothing_either() {
    let clock = ManualClock::default();
    let place = Place::with(&clock, Rules { cards: 2, ..Rules::default() }).await;
    let machine = small(&clock);
    // Cards of one and the same moment could not be told apart by a question for later ones.
    place.wire.tick(&clock);
    for number in 0..5 {
        store_large(&place, number).await;
    }
    store(&place, 5).await;
    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    process.collect().await;
    assert_eq!((machine.applications(), place.machine.unreceived(), process.unreadable()), (vec![5], 5, 5));
}

/// Somebody else fetched it, or the intermediary removed it: nothing is left to tell of.
#[tokio::test]
async fn one_that_lies_there_no_more_is_forgotten() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = small(&clock);
    let large = store_large(&place, 0).await;
    let process = Process::start(&machine, &place);
    process.fetcher.visit().await.unwrap();
    assert_eq!(process.unreadable(), 1);
    place.receive_elsewhere(&large).await;
    process.fetcher.visit().await.unwrap();
    assert_eq!(process.unreadable(), 0);
}

/// A disk of ours that fails is no fault of a delivery.
#[tokio::test]
async fn our_own_trouble_is_not_blamed_on_a_delivery() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    store_large(&place, 0).await;
    let process = Process::start(&machine, &place);
    machine.break_disk();
    assert_eq!(process.fetcher.visit().await.unwrap_err().code, Code::OSCI_POSTBOX);
    assert_eq!(process.unreadable(), 0);
    machine.mend_disk();
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
}

/// A mailbox is looked at every minute or oftener: what lasts is told when it begins, and when it ends.
#[tokio::test]
async fn lasting_trouble_is_told_once() {
    log();
    let clock = ManualClock::default();
    let (place, machine) = (Place::start(&clock, &[]).await, Machine::new(&clock));
    let stuck = store(&place, 0).await;
    place.machine.lose_card(&stuck);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let fetcher = Process::named("beharrlich", &machine, &place).fetcher;
    let running = tokio::spawn(fetcher.run(async { drop(ended.await) }));
    let visits = async |count: usize| {
        place.wire.reset();
        let seen = async {
            while place.wire.orders().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap();
    };
    // Each visit in vain is five orders, a quiet one three.
    visits(16).await;
    place.receive_elsewhere(&stuck).await;
    visits(10).await;
    end.send(()).unwrap();
    running.await.unwrap();
    let log = std::fs::read_to_string(log()).unwrap();
    let mut lines = log.lines().filter(|line| line.contains("beharrlich"));
    let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
    assert!(first.contains("osci.fetch_failed") && first.contains("DDS-O014"), "{first}");
    assert!(second.contains("osci.fetch_works_again"), "{second}");
    assert_eq!(lines.next(), None);
}
