//! The active recipient: our mailbox lies at an intermediary elsewhere.

use dds_courier::Trust;
use dds_inbound::osci::{Collector, CollectorOptions, Fetched, Fetcher, FetcherOptions, OwnMailbox};
use dds_message::Code;
use dds_osci::client::Client;
use dds_telemetry::{Gauges, Telemetry};
use dds_testbench::ManualClock;

use crate::{
    wire::{Lost, Seen},
    world::{Machine, Place, application, identity, keys, town},
};

/// The process that fetches and takes over.
pub(crate) struct Process {
    pub(crate) fetcher: Fetcher,
    collector: Collector,
    telemetry: Telemetry,
    trust: Trust,
}

impl Process {
    pub(crate) fn start(machine: &Machine, place: &Place) -> Self {
        Self::named("anderswo", machine, place)
    }

    pub(crate) fn named(name: &str, machine: &Machine, place: &Place) -> Self {
        Self::with(name, &place.address, machine, None)
    }

    /// One that asks for chunks of this size at an address.
    pub(crate) fn at(address: &str, machine: &Machine, chunk_kb: Option<u64>) -> Self {
        Self::with("anderswo", address, machine, chunk_kb)
    }

    fn with(name: &str, address: &str, machine: &Machine, chunk_kb: Option<u64>) -> Self {
        let keys = keys();
        let context = machine.boot();
        let client = Client::new(
            town().clone(),
            keys.town.signature_certificate().clone(),
            keys.intermediary.cipher_certificate().clone(),
            keys.intermediary.signature_certificate().clone(),
        );
        let options = FetcherOptions {
            name: name.to_owned(),
            address: address.to_owned(),
            // Only a process that runs waits between its visits.
            every: std::time::Duration::from_millis(1),
            chunk_kb,
        };
        let own = identity(&keys.town);
        let mailbox = OwnMailbox::fetched(name, own.clone());
        let collector = Collector::new(&context, vec![mailbox], CollectorOptions::default());
        let (telemetry, trust) = (context.telemetry.clone(), context.trust.clone());
        Self { fetcher: Fetcher::new(context, client, own, options), collector, telemetry, trust }
    }

    /// How many deliveries it knows that lie there and cannot be read.
    pub(crate) fn unreadable(&self) -> usize {
        let page = self.telemetry.metrics().page(&Gauges::default()).unwrap();
        let line =
            page.lines().find_map(|line| line.strip_prefix("dds_osci_unreadable{mailbox=\"anderswo\"} "));
        line.unwrap().parse().unwrap()
    }

    /// Takes over everything that can be taken.
    pub(crate) async fn collect(&self) {
        while self.collector.collect().await.unwrap() > 0 {}
    }
}

/// A visit in which the order of this number goes wrong; the process is gone afterwards.
pub(crate) async fn broken_visit(machine: &Machine, place: &Place, number: usize, lost: Lost, seen: Seen) {
    let told = format!("order {number}, {lost:?} lost, {seen:?}");
    place.wire.arm(number, lost, seen);
    let process = Process::start(machine, place);
    tokio::select! {
        ended = process.fetcher.visit() => {
            assert!(seen == Seen::Break, "{told}: {ended:?}");
            assert_eq!(ended.unwrap_err().code, Code::TARGET_UNREACHABLE, "{told}");
        }
        () = place.wire.silent() => {}
    }
    assert_eq!(place.wire.orders().len(), number, "{told}: no word follows one that failed");
}

const EVIDENCE: &[u8] = &[7; 100_000];

/// A visit is five orders: initDialog, fetchDelivery for each of two applications, a third that finds nothing,
/// exitDialog. Each of them is lost in every way, and each time the connection breaks or our process dies.
#[tokio::test]
async fn whatever_is_lost_on_the_wire_each_application_arrives_once() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    let mut sent = Vec::new();
    for number in 1..=5 {
        for lost in [Lost::Order, Lost::Answer, Lost::HalfAnswer] {
            for seen in [Seen::Break, Seen::Silence] {
                let told = format!("order {number}, {lost:?} lost, {seen:?}");
                for attachments in [&[][..], &[("nachweis.pdf", EVIDENCE)]] {
                    sent.push(sent.len());
                    let document = application(sent.len() - 1);
                    place.portal.store_with(town(), document.as_bytes(), attachments).await.unwrap();
                }
                broken_visit(&machine, &place, number, lost, seen).await;

                let second = Process::start(&machine, &place);
                second.fetcher.visit().await.unwrap();
                assert_eq!(second.fetcher.visit().await.unwrap(), Fetched::default(), "{told}");
                second.collect().await;
                assert_eq!(machine.applications(), sent, "{told}");
            }
        }
    }
    let taken = machine.router.taken();
    let attachments = taken.iter().flat_map(|taken| &taken.attachments);
    let whole = attachments.filter(|attachment| attachment.size == EVIDENCE.len() as u64).count();
    assert_eq!(whole * 2, sent.len(), "every second application has its evidence");
    assert!(machine.set_aside().is_empty());
}

/// What was fetched lies in the same postbox as the mailbox it came from, under the same certificate.
#[tokio::test]
async fn who_fetches_from_the_intermediary_of_this_very_process_takes_each_delivery_once() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let process = Process::named("hier", &place.machine, &place);
    for number in 0..3 {
        place.portal.store(town(), application(number).as_bytes()).await.unwrap();
    }
    process.collect().await;
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 3, known: 0 });
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
    process.collect().await;
    assert_eq!(place.machine.applications(), [0, 1, 2]);
    assert!(place.machine.set_aside().is_empty());
}

/// The next order of the dialogue tells the intermediary that we have it: without durability it must not leave, not
/// even exitDialog.
#[tokio::test]
async fn what_cannot_be_made_durable_is_not_acknowledged() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    let documents = [application(0), application(1)];
    for document in &documents {
        let evidence = [("nachweis.pdf", EVIDENCE)];
        place.portal.store_with(town(), document.as_bytes(), &evidence).await.unwrap();
    }
    let process = Process::start(&machine, &place);
    machine.fail_at("INSERT ON delivery");
    for _ in 0..2 {
        place.wire.reset();
        assert_eq!(process.fetcher.visit().await.unwrap_err().code, Code::OSCI_POSTBOX);
        assert_eq!(place.wire.orders().len(), 2, "initDialog and fetchDelivery only");
    }
    process.collect().await;
    assert_eq!(machine.applications(), Vec::<usize>::new());
    assert_eq!(machine.files(), 0, "what was not kept is gone");
    machine.mend();
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 2, known: 0 });
    process.collect().await;
    assert_eq!(machine.applications(), [0, 1]);
}

/// The main path has it already, and the intermediary does not know: its receipt was lost.
#[tokio::test]
async fn a_delivery_that_comes_again_is_acknowledged_and_taken_no_second_time() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    place.wire.arm(3, Lost::Order, Seen::Silence);
    let process = Process::start(&machine, &place);
    tokio::select! {
        ended = process.fetcher.visit() => panic!("{ended:?}"),
        () = place.wire.silent() => {}
    }
    process.collect().await;
    assert_eq!(machine.applications(), [0], "durable before the receipt left");
    drop(process);

    let process = Process::start(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 0, known: 1 });
    process.collect().await;
    assert_eq!(machine.applications(), [0]);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default(), "and now the intermediary knows");
}

/// It would be fetched without end, for nothing; and what lies behind it comes all the same.
#[tokio::test]
async fn a_delivery_that_comes_twice_is_passed_over() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    let id = place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    place.portal.store(town(), application(1).as_bytes()).await.unwrap();
    place.machine.forget_receipts();
    let process = Process::start(&machine, &place);
    for _ in 0..2 {
        place.wire.reset();
        let problem = process.fetcher.visit().await.unwrap_err();
        assert_eq!(problem.code, Code::OSCI_UNREADABLE);
        assert!(problem.detail.english.contains(id.as_str()), "{}", problem.detail);
        assert!(problem.detail.german.contains("noch einmal"), "{}", problem.detail.german);
        // initDialog, fetchDelivery twice, exitDialog; then initDialog, fetchProcessCard, fetchDelivery, exitDialog.
        assert!(place.wire.orders().len() <= 4 + 4);
    }
    process.collect().await;
    assert_eq!(machine.applications(), [0, 1]);
}

/// A MessageId is unique where it was given out, and nowhere else.
#[tokio::test]
async fn two_intermediaries_may_give_out_the_same_message_id() {
    let clock = ManualClock::default();
    let (here, there) = (Place::start(&clock, &[]).await, Place::start(&clock, &[]).await);
    let machine = Machine::new(&clock);
    let id = here.portal.store(town(), application(0).as_bytes()).await.unwrap();
    let other = there.portal.store(town(), application(1).as_bytes()).await.unwrap();
    there.rename(other, id).await;
    for _ in 0..2 {
        for (name, place) in [("hier", &here), ("dort", &there)] {
            let process = Process::named(name, &machine, place);
            process.fetcher.visit().await.unwrap();
            process.collect().await;
        }
    }
    assert_eq!(machine.applications(), [0, 1]);
}

/// Revoked, or ended: not a word goes out. It goes on by itself when the certificate counts again.
#[tokio::test]
async fn nothing_is_fetched_from_an_intermediary_whose_certificates_do_not_count() {
    let clock = ManualClock::default();
    let (place, machine) = (Place::start(&clock, &[]).await, Machine::new(&ManualClock::default()));
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    let process = Process::start(&machine, &place);
    let intermediary = &keys().intermediary;
    let refused = async |what: &str, named: &str| {
        place.wire.reset();
        let problem = process.fetcher.visit().await.unwrap_err();
        assert_eq!(problem.code, Code::OSCI_CERTIFICATE, "{what}");
        let holder = intermediary.cipher_certificate().subject();
        for text in [&problem.detail.german, &problem.detail.english] {
            assert!(text.contains(named) && !text.contains(holder), "{text}");
        }
        assert_eq!(place.wire.orders().len(), 0, "{what}");
    };
    for certificate in [intermediary.cipher_certificate(), intermediary.signature_certificate()] {
        process.trust.replace(keys().policy(&[certificate]));
        refused("revoked", certificate.sha256_hex()).await;
    }
    process.trust.replace(keys().policy(&[]));
    let now = dds_message::Clock::now(&machine.clock);
    let end = intermediary.cipher_certificate().not_after().as_millisecond();
    machine.clock.set(dds_message::Timestamp(end + 1));
    refused("ended", intermediary.cipher_certificate().sha256_hex()).await;

    machine.clock.set(now);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
}
