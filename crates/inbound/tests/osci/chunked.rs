//! The active recipient takes large deliveries in chunks.

use std::sync::Arc;

use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use dds_inbound::osci::Fetched;
use dds_message::Code;
use dds_osci::{
    feedback::FeedbackCode,
    message::{Envelope, Fault, FeatureDescription, MessageKind},
    outgoing::{Outgoing, message_bytes},
    random::SystemRandom,
};
use dds_testbench::ManualClock;

use crate::{
    fetching::Process,
    support::client,
    wire::{Lost, Seen},
    world::{Machine, Place, application, keys, opened, sealed_anew, serve, town},
};

/// With its envelope five chunks.
const EVIDENCE: &[u8] = &[7; 300_000];
const CHUNK_KB: u64 = 64;
const CHUNKS: usize = 5;

async fn store(place: &Place, number: usize, evidence: &[u8]) {
    let all = [("nachweis.pdf", evidence)];
    let attachments = if evidence.is_empty() { &all[..0] } else { &all };
    place.portal.store_with(town(), application(number).as_bytes(), attachments).await.unwrap();
}

fn process(machine: &Machine, place: &Place) -> Process {
    Process::at(&place.address, machine, Some(CHUNK_KB))
}

#[tokio::test]
async fn large_deliveries_come_in_chunks_and_small_ones_in_one() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    store(&place, 0, &[]).await;
    store(&place, 1, EVIDENCE).await;
    place.wire.reset();
    let process = process(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 2, known: 0 });
    // initDialog, the small one, the chunks, nothing more, exitDialog.
    assert_eq!(place.wire.orders().len(), 1 + 1 + CHUNKS + 1 + 1);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default(), "all was acknowledged");
    process.collect().await;
    assert_eq!(machine.applications(), [0, 1]);
    let sizes: Vec<u64> =
        machine.router.taken().iter().flat_map(|one| &one.attachments).map(|one| one.size).collect();
    assert_eq!(sizes, [EVIDENCE.len() as u64]);
    assert_eq!(machine.files(), 1, "of the chunks nothing stays");
}

/// Every order of a visit is lost in every way; the next visit asks for what is missing and for no chunk twice.
#[tokio::test]
async fn a_visit_that_broke_off_goes_on_where_it_stopped() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    let mut sent = Vec::new();
    for number in 1..=CHUNKS + 3 {
        for (lost, seen) in [(Lost::Order, Seen::Break), (Lost::Answer, Seen::Silence)] {
            let told = format!("order {number}, {lost:?} lost, {seen:?}");
            sent.push(sent.len());
            store(&place, sent.len() - 1, EVIDENCE).await;
            place.wire.arm(number, lost, seen);
            let first = process(&machine, &place);
            tokio::select! {
                ended = first.fetcher.visit() => {
                    assert_eq!(ended.unwrap_err().code, Code::TARGET_UNREACHABLE, "{told}");
                }
                () = place.wire.silent() => {}
            }
            assert_eq!(place.wire.orders().len(), number, "{told}: no word follows one that failed");
            drop(first);

            place.wire.reset();
            let second = process(&machine, &place);
            let fetched = second.fetcher.visit().await.unwrap();
            // Order 1 is initDialog; chunk n is order n + 1.
            let came = number.saturating_sub(2).min(CHUNKS);
            let (orders, expected) = match (came < CHUNKS, number == CHUNKS + 2, lost) {
                (true, ..) => (1 + CHUNKS - came + 2, Fetched { deliveries: 1, known: 0 }),
                // It is durable and its receipt never came: the first chunk says which it is, the last one brings the
                // receipt.
                (false, true, Lost::Order) => (1 + 2 + 2, Fetched { deliveries: 0, known: 1 }),
                _ => (1 + 2, Fetched::default()),
            };
            assert_eq!((place.wire.orders().len(), fetched), (orders, expected), "{told}");
            assert_eq!(
                process(&machine, &place).fetcher.visit().await.unwrap(),
                Fetched::default(),
                "{told}"
            );
            second.collect().await;
            assert_eq!(machine.applications(), sent, "{told}");
        }
    }
    assert_eq!(machine.files(), sent.len(), "one attachment each, and of the chunks nothing");
}

/// The intermediary has written the delivery anew: chunks of both make no message. Nothing is acknowledged before it
/// came from one piece.
#[tokio::test]
async fn chunks_of_two_writings_never_meet() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    store(&place, 0, EVIDENCE).await;
    place.wire.arm(4, Lost::Order, Seen::Break);
    process(&machine, &place).fetcher.visit().await.unwrap_err();
    place.machine.forget_rendered();
    let process = process(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    process.collect().await;
    assert_eq!(machine.applications(), [0]);
    assert_eq!(machine.router.taken()[0].attachments[0].size, EVIDENCE.len() as u64);
    assert_eq!(machine.files(), 1);
}

/// It would never fit: one chunk says so, the others are not asked for.
#[tokio::test]
async fn what_is_larger_than_any_message_is_not_fetched() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let machine = Machine::new(&clock);
    machine.message_bytes.store(150_000, std::sync::atomic::Ordering::Relaxed);
    store(&place, 0, EVIDENCE).await;
    place.wire.reset();
    let process = process(&machine, &place);
    assert_eq!(process.fetcher.visit().await.unwrap(), Fetched::default());
    assert_eq!(process.unreadable(), 1);
    // Oldest first, then by its card, each time one chunk.
    assert_eq!(place.wire.orders().len(), 2 + 3 + 3);
    assert_eq!((machine.files(), place.machine.unreceived()), (0, 1));
}

/// How an intermediary has no chunks to give.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    /// It does not announce them.
    Unannounced,
    /// It announces them and knows no such order.
    Refused,
}

/// In front of the intermediary, as if it were one itself: it has its keys.
async fn before(place: &Place, without: Without) -> String {
    let behind = Arc::new(place.address.clone());
    let answer = move |State(behind): State<Arc<String>>, body: Bytes| async move {
        let order = opened(&keys().intermediary, &body);
        if order.kind == MessageKind::PartialFetchDelivery {
            assert!(without == Without::Refused, "asked for a chunk that nobody has announced");
            let fault = Fault::of(FeedbackCode::S9300).write(dds_osci::feedback::Language::German);
            return message_bytes(Outgoing::plain(fault, &mut SystemRandom), &[]).unwrap();
        }
        let answer = client().post(&*behind).body(body).send().await.unwrap().bytes().await.unwrap();
        if without == Without::Refused { answer.to_vec() } else { unannounced(&answer) }
    };
    let router = Router::new().route("/osci", post(answer)).with_state(behind);
    format!("http://{}/osci", serve(router).await)
}

/// The same answer, which announces no chunks.
fn unannounced(answer: &[u8]) -> Vec<u8> {
    let received = opened(&keys().town, answer);
    let mut envelope = Envelope::read(&received.document).unwrap();
    if let Some(features) = &mut envelope.features {
        features.features.retain(|feature| feature.key != FeatureDescription::PARTIAL.0);
    }
    sealed_anew(&received, &envelope, &keys().intermediary)
}

#[tokio::test]
async fn where_nobody_gives_out_chunks_deliveries_come_whole() {
    let clock = ManualClock::default();
    for without in [Without::Unannounced, Without::Refused] {
        let place = Place::start(&clock, &[]).await;
        let machine = Machine::new(&clock);
        let process = Process::at(&before(&place, without).await, &machine, Some(CHUNK_KB));
        for number in 0..2 {
            store(&place, number, EVIDENCE).await;
            assert_eq!(process.fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
        }
        process.collect().await;
        assert_eq!(machine.applications(), [0, 1]);
        assert_eq!(place.machine.unreceived(), 0);
    }
}
