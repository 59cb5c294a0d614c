//! The OSCI sender against a real intermediary.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

#[path = "../../courier/tests/support/responder.rs"]
mod responder;
mod support;
#[path = "support/osci.rs"]
mod world;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use dds_courier::{Responder, Trust};
use dds_delivery::{Consignment, Verdict};
use dds_message::{
    AnswerKind, Channel, Clock as _, Code, DeliveryId, Digest, Direction, Format, JournalEvent, MessageId,
    ReleaseId, SourceId,
};
use dds_osci::{
    algorithm::CryptoPolicy,
    message::MessageKind,
    trust::{RevocationDemand, TrustPolicy},
};
use dds_outbound::{
    Options, OsciSender, Targets,
    osci::{Tracker, TrackerParts},
};
use dds_postbox::{REPLIES, Reply, Sent, SentState, Transfer};
use dds_store::{
    AuditLog as _, Journal as _, MasterKey, NewDelivery, NewEntry, NewMessage, NewPlan, Output, PlanState,
    sqlite::SqliteStore,
};
use dds_testbench::ManualClock;
use responder::{Authority, Says, asking};
use serde_json::{Value, json};
use support::{Made, Town, consignment, deliver, target, told};
use uuid::Uuid;
use world::{Addressee, Desktop, Office, Party, Place, keys, way};

/// Router and intermediary.
struct World {
    clock: ManualClock,
    place: Place,
    desktop: Desktop,
}

impl World {
    async fn new() -> Self {
        Self::pushing_to(&[]).await
    }

    async fn pushing_to(receivers: &[&str]) -> Self {
        let clock = ManualClock::default();
        Self { place: Place::start(&clock, receivers).await, desktop: Desktop::new(&clock), clock }
    }

    fn targets(&self, change: impl FnOnce(&mut Value)) -> Targets {
        let mut way = way(&self.place.url);
        change(&mut way);
        let options = Options { osci: Some(self.desktop.sender(&self.clock)), ..Options::default() };
        Town { osci: Some(way), options, ..Town::default() }.targets()
    }

    /// As [`Self::targets`], with a sender that trusts so.
    fn trusting(&self, trust: Trust, change: impl FnOnce(&mut Value)) -> Targets {
        let mut way = way(&self.place.url);
        change(&mut way);
        let sender = OsciSender { trust, ..self.desktop.sender(&self.clock) };
        let options = Options { osci: Some(sender), ..Options::default() };
        Town { osci: Some(way), options, ..Town::default() }.targets()
    }

    async fn sent(&self, delivery: DeliveryId) -> Option<Sent> {
        self.desktop.postbox.run(move |boxes| boxes.sent(delivery)).await.unwrap()
    }

    async fn transfer(&self, delivery: DeliveryId) -> Option<Transfer> {
        self.desktop.postbox.run(move |boxes| boxes.transfer(delivery)).await.unwrap()
    }
}

#[tokio::test]
async fn a_delivery_is_stored_once_and_readable_by_the_addressee_alone() {
    let world = World::new().await;
    let attachment = Made::source("Größe (1).pdf", 200_000);
    let sent = consignment("osci", 1, vec![attachment.clone(), Made::source("leer.txt", 0)]);
    let verdict = deliver(&world.targets(|_| {}), &sent).await;
    let (outcome, _, reference) = told(&verdict);
    assert_eq!(outcome, "delivered", "{verdict:?}");
    let kept = world.sent(sent.delivery).await.unwrap();
    assert_eq!((kept.message_id.as_str(), kept.state), (reference.as_str(), SentState::Stored));

    let addressee = Addressee::new(&world.place);
    let mut fetched = addressee.fetch_all().await;
    assert_eq!(fetched.len(), 1);
    let letter = addressee.read(fetched.remove(0)).await;
    assert_eq!(letter.document, sent.document.bytes);
    assert!(!letter.clear, "the content is readable without a key");
    let ids: Vec<_> = letter.attachments.iter().map(|one| (one.0.as_str(), one.1)).collect();
    assert_eq!(ids, [("anlage-1.pdf", 200_000), ("anlage-2.txt", 0)]);
    // Names of files are for the reader alone.
    let names: Vec<_> = letter.list.0.iter().map(|file| (&*file.content_id, &*file.name)).collect();
    assert_eq!(names, [("anlage-1.pdf", "Größe (1).pdf"), ("anlage-2.txt", "leer.txt")]);
    assert_eq!(letter.list.0[0].media_type, attachment.describe().media_type);
    for name in ["Größe", "Groesse", "leer"] {
        assert!(!letter.envelope.contains(name), "{name} stands in the clear");
    }
    assert_eq!(letter.attachments[0].2, attachment.describe().digest.0);
    assert_eq!(letter.signatures, [("Valid".to_owned(), keys().sender.certificate())]);
}

#[tokio::test]
async fn a_lost_answer_costs_no_second_delivery() {
    let world = World::new().await;
    let targets = world.targets(|_| {});
    let sent = consignment("osci", 2, vec![Made::source("a.pdf", 1_000)]);
    world.place.lose_answers.store(1, Ordering::SeqCst);
    let first = deliver(&targets, &sent).await;
    assert_eq!(told(&first).1, Some(Code::IN_DOUBT), "{first:?}");
    let begun = world.sent(sent.delivery).await.unwrap();
    assert_eq!(begun.state, SentState::Begun);
    let second = deliver(&targets, &sent).await;
    assert_eq!(told(&second), ("delivered", None, begun.message_id.to_string()));
    // And once more, as after a crash between our note and the settlement.
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 1);
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
}

#[tokio::test]
async fn an_order_that_never_arrived_goes_again_under_its_id() {
    let world = World::new().await;
    let targets = world.targets(|_| {});
    let sent = consignment("osci", 3, Vec::new());
    world.place.lose_orders.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&targets, &sent).await).0, "temporary");
    let begun = world.sent(sent.delivery).await.unwrap();
    assert_eq!(told(&deliver(&targets, &sent).await), ("delivered", None, begun.message_id.to_string()));
    assert_eq!(world.place.count(MessageKind::GetMessageId), 1);
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
}

#[tokio::test]
async fn an_id_that_the_intermediary_has_forgotten_is_replaced() {
    let world = World::new().await;
    let sent = consignment("osci", 4, Vec::new());
    let forgotten = Sent {
        delivery: sent.delivery,
        target: sent.target.clone(),
        message_id: dds_osci::message::MessageId::new("never-issued"),
        state: SentState::Begun,
        at: jiff::Timestamp::from_millisecond(world.clock.now().0).unwrap(),
    };
    world.desktop.postbox.run(move |boxes| boxes.keep_sent(&forgotten)).await.unwrap();
    let verdict = deliver(&world.targets(|_| {}), &sent).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
}

/// Under a MessageId of another delivery the intermediary would take nothing, and its process card would say that it
/// arrived.
#[tokio::test]
async fn a_message_id_that_is_given_out_twice_delivers_nothing() {
    let world = World::new().await;
    let targets = world.targets(|_| {});
    let (first, second) = (consignment("osci", 8, Vec::new()), consignment("osci", 9, Vec::new()));
    assert_eq!(told(&deliver(&targets, &first).await).0, "delivered");
    *world.place.give.lock() = Some(world.sent(first.delivery).await.unwrap().message_id);
    let verdict = deliver(&targets, &second).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::OSCI_ANSWER)), "{verdict:?}");
    *world.place.give.lock() = None;
    assert_eq!(told(&deliver(&targets, &second).await).0, "delivered");
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_delivered_says_why() {
    let world = World::new().await;
    let sent = consignment("osci", 5, Vec::new());
    let nobody = world.targets(|way| way["addressee"] = json!(keys().sender.pem));
    let verdict = deliver(&nobody, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("permanent", Some(Code::OSCI_NO_MAILBOX)),
        "{verdict:?}"
    );
    let impostor = world.targets(|way| way["intermediary_signature"] = json!(keys().sender.pem));
    let verdict = deliver(&impostor, &consignment("osci", 6, Vec::new())).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::OSCI_ANSWER)), "{verdict:?}");
    let closed = world.targets(|way| way["intermediary"] = json!("http://127.0.0.1:9/osci"));
    let verdict = deliver(&closed, &consignment("osci", 7, Vec::new())).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::TARGET_UNREACHABLE)),
        "{verdict:?}"
    );
    let damaged = world.targets(|way| way["addressee"] = json!("no certificate"));
    let verdict = deliver(&damaged, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::OSCI_CERTIFICATE)),
        "{verdict:?}"
    );
    let nameless = Town { osci: Some(way(&world.place.url)), ..Town::default() }.targets();
    let verdict = deliver(&nameless, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::TARGET_UNKNOWN)),
        "{verdict:?}"
    );
}

/// The live test system refuses with a warning alone (3707).
#[tokio::test]
async fn a_warning_alone_is_a_delivery_only_by_the_process_card() {
    let world = World::new().await;
    world.place.warn.store(2, Ordering::SeqCst);
    let refused = world.targets(|way| way["addressee"] = json!(keys().sender.pem));
    let sent = consignment("osci", 80, Vec::new());
    let verdict = deliver(&refused, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::OSCI_CERTIFICATE)),
        "{verdict:?}"
    );
    let Verdict::Temporary { fault, .. } = verdict else { return };
    assert!(fault.detail.german.starts_with("OSCI 3707: "), "{}", fault.detail);
    assert_eq!(world.sent(sent.delivery).await.unwrap().state, SentState::Begun);

    // Executed, with the same answer.
    let sent = consignment("osci", 81, Vec::new());
    let verdict = deliver(&world.targets(|_| {}), &sent).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    assert_eq!(world.place.count(MessageKind::FetchProcessCard), 2, "the cards were asked");
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
}

#[tokio::test]
async fn a_damaged_attachment_is_never_sent() {
    let world = World::new().await;
    let sent = consignment("osci", 8, vec![support::Damaged::source()]);
    let verdict = deliver(&world.targets(|_| {}), &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::STORE_CORRUPT)), "{verdict:?}");
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 0);
}

/// An office whose certificate no longer counts: its deliveries wait for another one, and nothing is encrypted for the
/// old one.
#[tokio::test]
async fn nothing_is_encrypted_for_a_certificate_that_has_ended() {
    let world = World::new().await;
    let stale = Party::until("Altes Amt", (2026, 11, 21)).pem;
    for (number, role) in
        ["addressee", "readers", "intermediary_cipher", "intermediary_signature"].iter().enumerate()
    {
        let targets = world.targets(|way| {
            way[*role] = if *role == "readers" { json!([stale]) } else { json!(stale) };
        });
        let verdict = deliver(&targets, &consignment("osci", 20 + number as u128, Vec::new())).await;
        let (outcome, code, _) = told(&verdict);
        assert_eq!((outcome, code), ("temporary", Some(Code::OSCI_CERTIFICATE)), "{role}: {verdict:?}");
        let Verdict::Temporary { fault, .. } = verdict else { return };
        assert!(
            fault.detail.english.contains("is valid from") && !fault.detail.german.contains("Altes Amt"),
            "{}",
            fault.detail
        );
    }
    assert_eq!(world.place.executed.lock().len(), 0, "not even a MessageId was asked for");
}

/// The reader's authority has a responder.
#[tokio::test]
async fn a_reader_is_asked_about_before_anything_is_encrypted_for_him() {
    let authority = Authority::new("Erfundene Stelle").await;
    let clock = ManualClock::default();
    let place = Place::trusting(&clock, &[], vec![authority.anchor()]).await;
    let world = World { place, desktop: Desktop::new(&clock), clock };
    let reader = Party::issued("Erfundene Leserin", &authority.ca).pem;
    let trust = |revocation| {
        let policy = TrustPolicy { anchors: vec![authority.anchor()], revocation, ..TrustPolicy::default() };
        asking(policy, vec![Responder { url: authority.url.clone(), issuer: None }])
    };
    let by = |trust: Trust| world.trusting(trust, |way| way["readers"] = json!([reader]));
    let verdict = |says, demand, number| {
        authority.say(says);
        let targets = by(trust(demand));
        async move { deliver(&targets, &consignment("osci", number, Vec::new())).await }
    };
    use RevocationDemand::{Require, Warn};
    for (number, (says, demand, outcome)) in [
        (Says::Revoked, Warn, "temporary"),
        (Says::Trouble, Require, "temporary"),
        (Says::Trouble, Warn, "delivered"),
        (Says::Good, Require, "delivered"),
    ]
    .into_iter()
    .enumerate()
    {
        let verdict = verdict(says, demand, 30 + number as u128).await;
        assert_eq!(told(&verdict).0, outcome, "{number}: {verdict:?}");
        assert_eq!(authority.asked(), number + 1);
    }
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 2);
}

/// `min_rsa_bits` counts for the signatures of answers too.
#[tokio::test]
async fn an_answer_is_judged_by_the_policy_of_the_process() {
    let world = World::new().await;
    let strict = CryptoPolicy { min_rsa_bits: 4_096, ..CryptoPolicy::default() };
    let sender = OsciSender {
        courier: world::courier(&world.desktop.postbox, strict),
        ..world.desktop.sender(&world.clock)
    };
    let options = Options { osci: Some(sender), ..Options::default() };
    let targets = Town { osci: Some(way(&world.place.url)), options, ..Town::default() }.targets();
    let verdict = deliver(&targets, &consignment("osci", 83, Vec::new())).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::OSCI_ANSWER)), "{verdict:?}");
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 0, "the first answer was not believed");
}

/// Router, intermediary and a passive recipient.
async fn pushing(mode: &str) -> (World, Office, Targets) {
    let clock = ManualClock::default();
    let office = Office::start(&clock).await;
    let world = World::pushing_to(&[&office.url, "http://127.0.0.1:9/"]).await;
    let receiver = office.url.clone();
    let targets = world.targets(|way| {
        way["mode"] = json!(mode);
        way["receiver"] = json!(receiver);
    });
    (world, office, targets)
}

#[tokio::test]
async fn a_push_is_taken_once_even_if_our_answer_is_lost() {
    let (world, office, targets) = pushing("forward").await;
    let sent = consignment("osci", 9, vec![Made::source("a.pdf", 1_000)]);
    world.place.lose_answers.store(1, Ordering::SeqCst);
    let first = deliver(&targets, &sent).await;
    assert_eq!(told(&first).1, Some(Code::IN_DOUBT), "{first:?}");
    let second = deliver(&targets, &sent).await;
    assert_eq!(told(&second).0, "delivered", "{second:?}");
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_mediation_without_reply_is_delivered() {
    let (_world, office, targets) = pushing("mediate").await;
    let verdict = deliver(&targets, &consignment("osci", 10, Vec::new())).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

/// The process ends after the MessageId is durable and before the answer to the order: whether the order arrived or
/// not.
#[tokio::test]
async fn a_crash_between_the_id_and_the_answer_costs_nothing() {
    for (number, (orders, answers)) in [(1, 0), (0, 1)].into_iter().enumerate() {
        let world = World::new().await;
        let sent = consignment("osci", 70 + number as u128, vec![Made::source("a.pdf", 1_000)]);
        world.place.lose_orders.store(orders, Ordering::SeqCst);
        world.place.lose_answers.store(answers, Ordering::SeqCst);
        assert_eq!(told(&deliver(&world.targets(|_| {}), &sent).await).1, Some(Code::IN_DOUBT));
        let begun = world.sent(sent.delivery).await.unwrap();
        assert_eq!(begun.state, SentState::Begun);
        let world = World { desktop: world.desktop.reopened(&world.clock), ..world };
        let second = deliver(&world.targets(|_| {}), &sent).await;
        assert_eq!(told(&second), ("delivered", None, begun.message_id.to_string()), "{second:?}");
        assert_eq!(world.place.count(MessageKind::StoreDelivery), 1);
        assert_eq!(world.place.count(MessageKind::GetMessageId), 1);
        found_once(&world, &sent).await;
    }
}

/// The recipient refused and nobody told us: the card knows the push and no reception.
#[tokio::test]
async fn a_card_without_reception_becomes_the_affair_of_a_person() {
    let (world, office, targets) = pushing("forward").await;
    let sent = consignment("osci", 72, Vec::new());
    office.refuse.store(1, Ordering::SeqCst);
    world.place.lose_answers.store(1, Ordering::SeqCst);
    for _ in 0..2 {
        // It may still be under way: nobody pushes a second time.
        let verdict = deliver(&targets, &sent).await;
        assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::IN_DOUBT)), "{verdict:?}");
    }
    world.clock.advance(Duration::from_secs(11 * 60));
    let verdict = deliver(&targets, &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::IN_DOUBT)), "{verdict:?}");
    assert_eq!(office.taken.load(Ordering::SeqCst), 0);
    assert_eq!(world.place.count(MessageKind::ForwardDelivery), 1);
    // The person has asked the office, and sends it again.
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

/// The reply lies in our own mailbox, as an answer to the message, before the intermediary learns that we have it.
#[tokio::test]
async fn the_reply_to_a_mediation_is_kept_for_the_way_back() {
    let (world, office, _) = pushing("mediate").await;
    let targets = world.targets(|way| {
        way["mode"] = json!("mediate");
        way["receiver"] = json!(office.url);
        way["reply"] = json!("decision");
    });
    office.reply.store(1, Ordering::SeqCst);
    let sent = consignment("osci", 14, Vec::new());
    let verdict = deliver(&targets, &sent).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    let now = jiff::Timestamp::from_millisecond(world.clock.now().0).unwrap();
    let own = vec![REPLIES.to_owned()];
    let waiting = world.desktop.postbox.run(move |boxes| boxes.waiting(&own, now, 9, 9)).await.unwrap();
    let named = vec![keys().sender.certificate().sha256_hex().to_owned()];
    let reachable = world.desktop.postbox.run(move |boxes| boxes.waiting(&named, now, 9, 9)).await.unwrap();
    assert!(reachable.deliveries.is_empty(), "nobody who fetches at our intermediary finds it");
    let [(reply, answers)] = waiting.deliveries.as_slice() else { panic!("{waiting:?}") };
    assert!(String::from_utf8_lossy(&reply.envelope).contains("PGJlc2NoZWlkLz4"), "the content of the reply");
    assert_eq!(*answers, Some(Reply { message: sent.message, kind: AnswerKind::Decision }));
    let executed = world.place.executed.lock().clone();
    let mediated = executed.iter().position(|kind| *kind == MessageKind::MediateDelivery).unwrap();
    assert_eq!(executed[mediated + 1..], [MessageKind::ExitDialog], "the receipt for the reply");
}

/// The recipient has replied, and both the intermediary and we end before we have it. The intermediary keeps replies,
/// so the next attempt brings it; the recipient is asked once.
#[tokio::test]
async fn a_reply_outlives_both_processes() {
    let (world, office, _) = pushing("mediate").await;
    let way = |way: &mut Value| {
        way["mode"] = json!("mediate");
        way["receiver"] = json!(office.url);
    };
    office.reply.store(1, Ordering::SeqCst);
    world.place.lose_answers.store(1, Ordering::SeqCst);
    let sent = consignment("osci", 73, Vec::new());
    assert_eq!(told(&deliver(&world.targets(way), &sent).await).1, Some(Code::IN_DOUBT));

    let (place, desktop) = (world.place.rebooted().await, world.desktop.reopened(&world.clock));
    let world = World { place, desktop, ..world };
    // We have it, and end before the receipt for it leaves: once more it comes, and is kept once. Two dialogues before
    // it ask for cards.
    world.place.lose_exits.store(3, Ordering::SeqCst);
    for _ in 0..2 {
        let verdict = deliver(&world.targets(way), &sent).await;
        assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
        let begun = Sent { state: SentState::Begun, ..world.sent(sent.delivery).await.unwrap() };
        world.desktop.postbox.run(move |boxes| boxes.keep_sent(&begun)).await.unwrap();
    }
    let own = vec![REPLIES.to_owned()];
    let now = jiff::Timestamp::from_millisecond(world.clock.now().0).unwrap();
    let waiting = world.desktop.postbox.run(move |boxes| boxes.waiting(&own, now, 9, 9)).await.unwrap();
    assert_eq!(waiting.deliveries.len(), 1, "{waiting:?}");
    let orders = world.place.count(MessageKind::MediateDelivery);
    assert_eq!(told(&deliver(&world.targets(way), &sent).await).0, "delivered");
    assert_eq!(world.place.count(MessageKind::MediateDelivery), orders, "it was acknowledged");
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_recipient_that_was_not_reached_is_pushed_to_again() {
    let (world, office, targets) = pushing("forward").await;
    let sent = consignment("osci", 11, Vec::new());
    let nowhere = world.targets(|way| {
        way["mode"] = json!("forward");
        way["receiver"] = json!("http://127.0.0.1:9/empfang");
    });
    let verdict = deliver(&nowhere, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::TARGET_UNREACHABLE)),
        "{verdict:?}"
    );
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_push_of_unknown_end_waits_for_a_person_who_may_send_it_again() {
    let (world, office, targets) = pushing("forward").await;
    let sent = consignment("osci", 12, Vec::new());
    office.lose_answers.store(1, Ordering::SeqCst);
    let verdict = deliver(&targets, &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::IN_DOUBT)), "{verdict:?}");
    assert_eq!(world.sent(sent.delivery).await, None);
    // The person asked; the office has nothing.
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
}

/// The office took it, and its proxy says 503 because the office broke off.
#[tokio::test]
async fn a_push_that_a_proxy_answers_with_503_is_not_pushed_again() {
    let (world, office, targets) = pushing("forward").await;
    office.unavailable.store(1, Ordering::SeqCst);
    let verdict = deliver(&targets, &consignment("osci", 82, Vec::new())).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::IN_DOUBT)), "{verdict:?}");
    assert_eq!(world.place.count(MessageKind::ForwardDelivery), 1);
    assert_eq!(office.taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_recipient_that_refuses_is_not_asked_again() {
    let (_world, office, targets) = pushing("forward").await;
    office.refuse.store(1, Ordering::SeqCst);
    let verdict = deliver(&targets, &consignment("osci", 13, Vec::new())).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("permanent", Some(Code::TARGET_REFUSED)),
        "{verdict:?}"
    );
    let Verdict::Permanent(fault) = verdict else { return };
    assert!(fault.detail.german.starts_with("OSCI 9805: "), "{}", fault.detail);
}

/// What goes in chunks of 64 KB: four of them.
async fn chunked(number: u128) -> (World, Targets, Consignment) {
    let world = World::new().await;
    let targets = world.targets(|way| way["chunk_kb"] = json!(64));
    (world, targets, consignment("osci", number, vec![Made::source("a.pdf", 200_000)]))
}

/// The one delivery that the addressee finds: whole, with a valid signature.
async fn found_once(world: &World, sent: &Consignment) {
    let addressee = Addressee::new(&world.place);
    let mut fetched = addressee.fetch_all().await;
    assert_eq!(fetched.len(), 1);
    let letter = addressee.read(fetched.remove(0)).await;
    assert_eq!(letter.document, sent.document.bytes);
    assert_eq!(letter.attachments[0].2, sent.attachments[0].describe().digest.0);
    assert_eq!(letter.signatures, [("Valid".to_owned(), keys().sender.certificate())]);
}

#[tokio::test]
async fn a_large_delivery_goes_in_chunks_and_a_small_one_whole() {
    let (world, targets, sent) = chunked(40).await;
    let verdict = deliver(&targets, &sent).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    // The question what is there already, and the chunks.
    assert_eq!(world.place.count(MessageKind::PartialStoreDelivery), 1 + 4);
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 0);
    assert_eq!(world.transfer(sent.delivery).await, None, "the chunks are gone when it is delivered");
    found_once(&world, &sent).await;
    assert_eq!(told(&deliver(&targets, &consignment("osci", 41, Vec::new())).await).0, "delivered");
    assert_eq!(world.place.count(MessageKind::StoreDelivery), 1);
}

#[tokio::test]
async fn chunks_go_on_where_they_stopped_after_a_crash() {
    // A chunk that never arrived; one whose answer was lost; the last one, whose answer is the verdict.
    for (number, (orders, answers, after)) in [(1, 0, 2), (0, 1, 2), (0, 1, 3)].into_iter().enumerate() {
        let (world, targets, sent) = chunked(50 + number as u128).await;
        world.place.pass.store(after, Ordering::SeqCst);
        world.place.lose_orders.store(orders, Ordering::SeqCst);
        world.place.lose_answers.store(answers, Ordering::SeqCst);
        let first = deliver(&targets, &sent).await;
        assert_eq!(told(&first).1, Some(Code::IN_DOUBT), "{first:?}");
        let begun = world.sent(sent.delivery).await.unwrap();
        assert_eq!(begun.state, SentState::Begun);
        assert!(world.transfer(sent.delivery).await.is_some());
        // Another process on the same folder.
        let world = World { desktop: world.desktop.reopened(&world.clock), ..world };
        let targets = world.targets(|way| way["chunk_kb"] = json!(64));
        let second = deliver(&targets, &sent).await;
        assert_eq!(told(&second), ("delivered", None, begun.message_id.to_string()), "{second:?}");
        assert_eq!(world.place.chunks.load(Ordering::SeqCst), 4, "each chunk was taken once");
        found_once(&world, &sent).await;
    }
}

/// The intermediary ended when it had all and had read nothing: the last chunk once more reminds it.
#[tokio::test]
async fn an_intermediary_that_forgot_to_read_is_reminded() {
    let (world, targets, sent) = chunked(63).await;
    world.place.forget.store(1, Ordering::SeqCst);
    world.place.pass.store(3, Ordering::SeqCst);
    world.place.lose_answers.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&targets, &sent).await).1, Some(Code::IN_DOUBT));
    let second = deliver(&targets, &sent).await;
    assert_eq!(told(&second).0, "delivered", "{second:?}");
    assert_eq!(world.place.chunks.load(Ordering::SeqCst), 4 + 1);
    found_once(&world, &sent).await;
}

/// What is inside may still be refused: "still working" is no delivery.
#[tokio::test]
async fn an_intermediary_that_is_still_working_is_asked_again() {
    let (world, targets, sent) = chunked(64).await;
    world.place.silent.store(1, Ordering::SeqCst);
    let first = deliver(&targets, &sent).await;
    assert_eq!((told(&first).0, told(&first).1), ("temporary", Some(Code::TARGET_BUSY)), "{first:?}");
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(world.place.chunks.load(Ordering::SeqCst), 4);
    found_once(&world, &sent).await;
}

/// The part files of the first cut are gone, as after a sweep: what is cut anew must not mix with what the intermediary
/// has.
#[tokio::test]
async fn chunks_of_two_cuts_never_meet() {
    let (world, targets, sent) = chunked(60).await;
    world.place.pass.store(2, Ordering::SeqCst);
    world.place.lose_orders.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&targets, &sent).await).1, Some(Code::IN_DOUBT));
    let begun = world.sent(sent.delivery).await.unwrap();
    let delivery = sent.delivery;
    world.desktop.postbox.run(move |boxes| boxes.end_transfer(delivery)).await.unwrap();
    let second = deliver(&targets, &sent).await;
    assert_eq!(told(&second).0, "delivered", "{second:?}");
    assert_ne!(told(&second).2, begun.message_id.to_string());
    found_once(&world, &sent).await;
}

/// The certificate of the office was replaced between two chunks: nothing more goes to whoever has the old key.
#[tokio::test]
async fn chunks_for_a_certificate_that_was_replaced_are_cut_anew() {
    let (world, targets, sent) = chunked(65).await;
    let former = world.targets(|way| {
        way["chunk_kb"] = json!(64);
        way["readers"] = json!([keys().sender.pem]);
    });
    world.place.pass.store(2, Ordering::SeqCst);
    world.place.lose_orders.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&former, &sent).await).1, Some(Code::IN_DOUBT));
    let begun = world.sent(sent.delivery).await.unwrap();
    let second = deliver(&targets, &sent).await;
    assert_eq!(told(&second).0, "delivered", "{second:?}");
    assert_ne!(told(&second).2, begun.message_id.to_string());
    found_once(&world, &sent).await;
}

#[tokio::test]
async fn chunks_that_contradict_the_ones_before_are_refused() {
    let (world, targets, sent) = chunked(61).await;
    world.place.pass.store(2, Ordering::SeqCst);
    world.place.lose_orders.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&targets, &sent).await).1, Some(Code::IN_DOUBT));
    let mut transfer = world.transfer(sent.delivery).await.unwrap();
    transfer.octets -= 64 * 1024;
    let now = jiff::Timestamp::from_millisecond(world.clock.now().0).unwrap();
    world.desktop.postbox.run(move |boxes| boxes.keep_transfer(&transfer, now)).await.unwrap();
    let second = deliver(&targets, &sent).await;
    assert_eq!((told(&second).0, told(&second).1), ("permanent", Some(Code::OSCI_REFUSED)), "{second:?}");
    let Verdict::Permanent(fault) = second else { return };
    assert!(fault.detail.german.starts_with("OSCI 9905: "), "{}", fault.detail);
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 0);
}

#[tokio::test]
async fn what_is_refused_inside_the_chunks_is_not_delivered() {
    let (world, _, sent) = chunked(62).await;
    let nobody = world.targets(|way| {
        way["chunk_kb"] = json!(64);
        way["addressee"] = json!(keys().sender.pem);
    });
    let verdict = deliver(&nobody, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("permanent", Some(Code::OSCI_NO_MAILBOX)),
        "{verdict:?}"
    );
    assert_eq!(world.transfer(sent.delivery).await, None);
}

#[tokio::test]
async fn the_process_card_fills_the_laufzettel() {
    let world = World::new().await;
    followed(&world, world.desktop.sender(&world.clock), &world.place.url).await;
    assert_eq!(world.place.count(MessageKind::FetchProcessCard), 2);
}

/// Our own intermediary is looked at, not asked.
#[tokio::test]
async fn the_process_card_of_our_own_intermediary_fills_the_laufzettel() {
    let world = World::new().await;
    let world = World { desktop: world.place.desktop.clone(), ..world };
    followed(&world, world.place.own_sender(), "http://127.0.0.1:9/osci").await;
    assert_eq!(world.place.count(MessageKind::FetchProcessCard), 0);
}

/// From the delivery to the note that it was received.
async fn followed(world: &World, sender: OsciSender, url: &str) {
    let options = Options { osci: Some(sender.clone()), ..Options::default() };
    let targets = Town { osci: Some(way(url)), options, ..Town::default() }.targets();
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    let options =
        dds_store::sqlite::Options::new(folder.path().join("store"), key, Arc::new(world.clock.clone()));
    let store = SqliteStore::open(options).unwrap();
    let mut sent = consignment("osci", 0, Vec::new());
    (sent.message, sent.delivery) = planned(&store, &world.clock).await;
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");

    let tracker = Tracker::new(TrackerParts {
        sender,
        targets: targets.clone(),
        journal: Arc::new(store.clone()),
        telemetry: dds_telemetry::Telemetry::default(),
        every: Duration::from_secs(60),
    });
    assert_eq!(tracker.round().await.unwrap(), 0);
    assert_eq!(world.sent(sent.delivery).await.unwrap().state, SentState::Stored);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
    assert_eq!(tracker.round().await.unwrap(), 1);
    assert_eq!(world.sent(sent.delivery).await.unwrap().state, SentState::Received);
    assert_eq!(tracker.round().await.unwrap(), 0);

    let history = store.history(sent.message).await.unwrap();
    let noted: Vec<_> = history.iter().filter(|row| row.event == "osci.received").collect();
    let [row] = noted.as_slice() else { panic!("{history:#?}") };
    assert_eq!((row.delivery, row.target.as_deref()), (Some(sent.delivery), Some(sent.target.as_str())));
    assert_eq!(row.data["creation"], "2026-11-22T08:00:00Z");
    assert_eq!(row.data["reception"], "2026-11-22T09:00:00Z");
    assert!(!row.data.contains_key("subject"));
}

/// An office that left OSCI with many deliveries nobody fetched: those of the others are asked for all the same.
#[tokio::test]
async fn what_a_gone_target_left_hides_no_reception() {
    let world = World::new().await;
    let sender = world.desktop.sender(&world.clock);
    let options = Options { osci: Some(sender.clone()), ..Options::default() };
    let targets = Town { osci: Some(way(&world.place.url)), options, ..Town::default() }.targets();
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    let options =
        dds_store::sqlite::Options::new(folder.path().join("store"), key, Arc::new(world.clock.clone()));
    let store = SqliteStore::open(options).unwrap();
    let at = world.clock.now().to_jiff().checked_sub(jiff::SignedDuration::from_hours(1)).unwrap();
    let left = sender.postbox.run(move |boxes| {
        for number in 0..1_000 {
            boxes.keep_sent(&dds_postbox::Sent {
                delivery: DeliveryId(Uuid::from_u128(number)),
                target: target("gone"),
                message_id: dds_osci::message::MessageId::new(format!("gone-{number}")),
                state: SentState::Stored,
                at,
            })?;
        }
        Ok::<_, dds_postbox::PostboxError>(())
    });
    left.await.unwrap();
    let mut sent = consignment("osci", 0, Vec::new());
    (sent.message, sent.delivery) = planned(&store, &world.clock).await;
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 1);
    let tracker = Tracker::new(TrackerParts {
        sender,
        targets,
        journal: Arc::new(store),
        telemetry: dds_telemetry::Telemetry::default(),
        every: Duration::from_secs(60),
    });
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(tracker.round().await.unwrap(), 0);
    assert_eq!(tracker.round().await.unwrap(), 1);
}

/// The intermediary answers with one card at a time: what it holds back is asked for, so that no card stands in the way
/// of another.
#[tokio::test]
async fn cards_that_are_held_back_are_asked_for() {
    let world = World::new().await;
    let sender = world.desktop.sender(&world.clock);
    let options = Options { osci: Some(sender.clone()), ..Options::default() };
    let targets = Town { osci: Some(way(&world.place.url)), options, ..Town::default() }.targets();
    for number in 50..53 {
        let sent = consignment("osci", number, Vec::new());
        assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    }
    assert_eq!(Addressee::new(&world.place).fetch_all().await.len(), 3);
    let folder = tempfile::tempdir().unwrap();
    let key = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    let options =
        dds_store::sqlite::Options::new(folder.path().join("store"), key, Arc::new(world.clock.clone()));
    let tracker = Tracker::new(TrackerParts {
        sender,
        targets,
        journal: Arc::new(SqliteStore::open(options).unwrap()),
        telemetry: dds_telemetry::Telemetry::default(),
        every: Duration::from_secs(60),
    });
    assert_eq!(tracker.round().await.unwrap(), 3);
}

/// A message with one delivery to the office.
async fn planned(store: &SqliteStore, clock: &ManualClock) -> (MessageId, DeliveryId) {
    let id = MessageId(Uuid::from_u128((7 << 76) | (2 << 62) | 1));
    let (_, wrapped) = store.vault().new_message_key(id).unwrap();
    let document = Bytes::from_static(b"<antrag/>");
    let accepted = store.accept(NewMessage {
        id,
        at: clock.now(),
        direction: Direction::Application,
        answers: None,
        source: SourceId::parse("amt24").unwrap(),
        channel: Channel::Rest,
        sender_key: "key".to_owned(),
        key: wrapped,
        digest: Digest::of(&document),
        document: document.clone(),
        format: Format::Xml,
        attachments: Vec::new(),
        procedure: None,
        message_type: None,
        municipality: None,
        addressee: None,
        case: None,
        entry: NewEntry::new(JournalEvent::MessageAccepted),
    });
    accepted.await.unwrap();
    let delivery = DeliveryId::derive(id, &target("osci"), "hundesteuer@1.0", 0);
    let planned = store.plan(NewPlan {
        message: id,
        at: clock.now(),
        release: ReleaseId(Digest::of(b"release")),
        rule: "hundesteuer@1.0".to_owned(),
        authority: None,
        state: PlanState::Routed,
        deliveries: vec![NewDelivery {
            id: delivery,
            target: target("osci"),
            authority: None,
            product: Some("fv-osci@1.0".to_owned()),
            output: Some(Output {
                digest: Digest::of(&document),
                bytes: document,
                media_type: "application/xml".to_owned(),
                file_name: "vorgang.xml".to_owned(),
            }),
            lane: None,
            pull: false,
            due: clock.now(),
            deadline: clock.now().plus(Duration::from_secs(72 * 3_600)),
        }],
        report: None,
        entries: Vec::new(),
    });
    assert!(planned.await.unwrap());
    (id, delivery)
}
