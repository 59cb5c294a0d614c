//! The passive recipient: an intermediary pushes to `/osci/empfang`.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use dds_courier::Trust;
use dds_inbound::osci::{RecipientEndpoint, routes};
use dds_message::Code;
use dds_osci::{
    content::{ContentBody, ContentItem, open},
    feedback::FeedbackCode,
    intake::{IntakeConfig, read_all},
    keys::Decrypter,
    message::{CertificateRole, Envelope, Order, RoleCertificate},
    random::SystemRandom,
    recipient::Recipient,
};
use dds_testbench::ManualClock;

use crate::{
    support::client,
    wire::{Lost, Seen, Wire},
    world::{Machine, Place, application, identity, keys, log, opened, sealed_anew, serve, town},
};

const EVIDENCE: &[u8] = &[7; 100_000];

/// A recipient, and the intermediary that pushes to it.
struct World {
    machine: Machine,
    trust: Trust,
    /// Between the two.
    wire: Wire,
    url: String,
    place: Place,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::default();
        let machine = Machine::new(&clock);
        let keys = keys();
        let context = machine.boot();
        let trust = context.trust.clone();
        let receiving = RecipientEndpoint {
            context,
            recipient: Recipient::new(
                town().clone(),
                keys.town.signature_certificate().clone(),
                [&keys.intermediary, &keys.other].map(|one| one.signature_certificate().clone()).into(),
            ),
            identity: identity(&keys.town),
        };
        let wire = Wire::default();
        let host = serve(wire.before(routes(None, Some(Arc::new(receiving))))).await;
        let url = format!("http://{host}/osci/empfang");
        let place = Place::start(&clock, &[&url]).await;
        Self { machine, trust, wire, url, place }
    }

    /// The feedback the portal gets, if it is no success.
    async fn forward(&self, document: &str) -> Result<(), String> {
        let evidence = [("nachweis.pdf", EVIDENCE)];
        let portal = &self.place.portal;
        let sent = portal.forward_with(&self.url, town(), document.as_bytes(), &evidence).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    /// The order as another intermediary would push it.
    fn from_the_other(order: &[u8]) -> Bytes {
        let (town, other) = (&keys().town, &keys().other);
        let received = opened(town, order);
        let mut envelope = Envelope::read(&received.document).unwrap();
        for entry in &mut envelope.intermediary_certificates.entries {
            if entry.role == CertificateRole::SignatureIntermediary {
                entry.certificate = other.signature_certificate().clone();
            }
        }
        sealed_anew(&received, &envelope, other).into()
    }

    /// So often the metric has a refusal with this code.
    #[track_caller]
    fn assert_counted(&self, code: &str, times: u32) {
        let page = self.machine.telemetry.metrics().page(&dds_telemetry::Gauges::default()).unwrap();
        let row = format!("dds_messages_refused_total{{channel=\"osci\",code=\"{code}\"}} {times}\n");
        assert!(page.contains(&row), "{row}: {page}");
    }

    /// Pushes the same octets once more, as the intermediary would; the feedback of the answer.
    async fn push_again(&self, order: Bytes) -> FeedbackCode {
        let answer = client().post(&self.url).body(order).send().await.unwrap().bytes().await.unwrap();
        let keys: [&dyn Decrypter; 1] = [keys().intermediary.cipher.as_ref()];
        let received = read_all(&IntakeConfig::default(), &keys, &mut SystemRandom, &answer).unwrap();
        match Envelope::read(&received.document).unwrap().order {
            Order::ResponseToAcceptDelivery(feedback) => feedback.decisive(),
            other => panic!("{other:?}"),
        }
    }
}

impl World {
    /// Pushes a processDelivery once more; feedback and document of the reply, which is for the portal.
    async fn replied_to(&self, order: Bytes) -> (FeedbackCode, String) {
        let answer = client().post(&self.url).body(order).send().await.unwrap().bytes().await.unwrap();
        let ours: [&dyn Decrypter; 1] = [keys().intermediary.cipher.as_ref()];
        let config = IntakeConfig::default();
        let received = read_all(&config, &ours, &mut SystemRandom, &answer).unwrap();
        let Order::ResponseToProcessDelivery { feedback, .. } =
            Envelope::read(&received.document).unwrap().order
        else {
            panic!("another answer")
        };
        let portals: [&dyn Decrypter; 1] = [keys().portal.cipher.as_ref()];
        let content =
            open(&received.document, &received.digests(), &portals, &config, &mut SystemRandom).unwrap();
        let [container] = content.all_containers()[..] else { panic!("more than one container") };
        let [ContentItem { body: ContentBody::Inline(octets), .. }] = &container.contents[..] else {
            panic!("more than the receipt")
        };
        (feedback.decisive(), String::from_utf8(octets.clone()).unwrap())
    }
}

#[tokio::test]
async fn the_answer_leaves_only_after_the_main_path_has_it_durably() {
    let world = World::new().await;
    let (waiting, go_on) = world.machine.router.pause();
    let document = application(0);
    let mut answer = pin!(world.forward(&document));
    tokio::select! {
        early = &mut answer => panic!("answered before it was accepted: {early:?}"),
        () = waiting.notified() => {}
    }
    // Another push comes, is refused and answered: time enough for an answer that would not wait.
    tokio::select! {
        biased;
        early = &mut answer => panic!("answered before it was accepted: {early:?}"),
        refused = world.forward("<kaputt>") => assert!(refused.unwrap_err().contains("9805")),
    }
    assert_eq!(world.machine.applications(), Vec::<usize>::new());
    go_on.notify_one();
    answer.await.unwrap();
    assert_eq!(world.machine.applications(), [0]);
    assert_eq!(world.machine.router.taken()[0].attachments[0].size, EVIDENCE.len() as u64);
}

#[tokio::test]
async fn when_the_store_fails_the_sender_learns_it_and_nothing_is_half_accepted() {
    let world = World::new().await;
    *world.machine.router.refuse.lock() = Some(Code::OVERLOADED);
    let refused = world.forward(&application(0)).await.unwrap_err();
    assert!(refused.contains("9808"), "{refused}");
    let order = world.wire.orders().remove(0);
    assert_eq!(world.push_again(order.clone()).await, FeedbackCode::S9808);
    assert_eq!((world.machine.applications(), world.machine.files()), (Vec::new(), 0));

    *world.machine.router.refuse.lock() = None;
    assert_eq!(world.push_again(order).await, FeedbackCode::S0800);
    assert_eq!((world.machine.applications(), world.machine.files()), (vec![0], 0));
}

/// The attachment cannot even be written down: no signed feedback is possible before the order is read, so it is a
/// fault.
#[tokio::test]
async fn when_the_disk_fails_the_intermediary_gets_a_fault() {
    let world = World::new().await;
    world.machine.break_disk();
    let refused = world.forward(&application(0)).await.unwrap_err();
    assert!(refused.contains("9809"), "{refused}");
    assert_eq!(world.machine.applications(), Vec::<usize>::new());
    let order = world.wire.orders().remove(0);
    world.machine.mend_disk();
    assert_eq!(world.push_again(order).await, FeedbackCode::S0800);
    assert_eq!((world.machine.applications(), world.machine.files()), (vec![0], 0));
}

#[tokio::test]
async fn a_push_that_is_repeated_is_answered_like_the_first_and_taken_once() {
    let world = World::new().await;
    world.forward(&application(0)).await.unwrap();
    let order = world.wire.orders().remove(0);
    assert_eq!(world.push_again(order).await, FeedbackCode::S0800);
    assert_eq!(world.machine.applications(), [0]);

    // The answer to the first is lost: the intermediary cannot know.
    for (number, lost) in [(1, Lost::Answer), (2, Lost::HalfAnswer)] {
        world.wire.arm(1, lost, Seen::Break);
        let refused = world.forward(&application(number)).await.unwrap_err();
        assert!(refused.contains("9810"), "{refused}");
        let order = world.wire.orders().remove(0);
        assert_eq!(world.push_again(order).await, FeedbackCode::S0800);
    }
    assert_eq!(world.machine.applications(), [0, 1, 2]);
    // The order itself was lost: what the sender sends anew is the first that arrives.
    world.wire.arm(1, Lost::Order, Seen::Break);
    world.forward(&application(3)).await.unwrap_err();
    assert_eq!(world.machine.applications(), [0, 1, 2]);
    world.forward(&application(3)).await.unwrap();
    assert_eq!(world.machine.applications(), [0, 1, 2, 3]);
}

/// Operator, intermediary and sender must be able to speak of the same delivery.
#[tokio::test]
async fn a_refused_push_is_counted_noted_and_told_once_by_its_names() {
    let world = World::new().await;
    let log = log();
    let refused = world.forward("<anmeldung>Geheimnis").await.unwrap_err();
    assert!(refused.contains("9805"), "{refused}");

    let noted = world.machine.router.noted.lock().clone();
    let [(event, code, facts)] = &noted[..] else { panic!("{noted:?}") };
    assert_eq!((event.as_str(), *code), ("osci.refused", Code::NOT_WELL_FORMED));
    let id = facts["message_id"].as_str().unwrap();
    let (intermediary, portal) =
        [&keys().intermediary, &keys().portal].map(|one| one.signature_certificate().sha256_hex()).into();
    assert_eq!(facts["intermediary"], intermediary);
    assert_eq!(facts["originator"], portal);

    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(id)).collect();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for word in ["WARN", "osci.push_refused", "DDS-I005", intermediary, portal] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!log.contains("Geheimnis"), "{line}");
    world.assert_counted("DDS-I005", 1);
}

/// What the intermediary will bring again is no matter for the journal, but the operator sees how often it came.
#[tokio::test]
async fn a_push_that_cannot_be_taken_now_is_counted_and_not_noted() {
    let world = World::new().await;
    *world.machine.router.refuse.lock() = Some(Code::OVERLOADED);
    world.forward(&application(0)).await.unwrap_err();
    let order = world.wire.orders().remove(0);
    assert_eq!(world.push_again(order).await, FeedbackCode::S9808);
    assert_eq!(world.machine.router.noted.lock().len(), 0);
    world.assert_counted(Code::OVERLOADED.as_str(), 2);
}

/// An intermediary that gives out a MessageId twice: the second delivery is not the first, and is not thrown away as if
/// it were.
#[tokio::test]
async fn another_delivery_under_a_known_message_id_is_refused() {
    let world = World::new().await;
    for number in 0..2 {
        world.forward(&application(number)).await.unwrap();
    }
    let orders = world.wire.orders();
    let [first, second] = [0, 1].map(|number| opened(&keys().town, &orders[number]));
    let [mut mixed, other] = [&first, &second].map(|order| Envelope::read(&order.document).unwrap());
    mixed.content = other.content;
    let mixed = Bytes::from(sealed_anew(&second, &mixed, &keys().intermediary));
    assert_eq!(world.push_again(mixed).await, FeedbackCode::S9805);
    assert_eq!(world.machine.router.noted.lock()[0].1, Code::KEY_REUSED);
    assert_eq!(world.machine.applications(), [0, 1]);
}

/// What was encrypted for another recipient is his, even if its content is readable for us.
#[tokio::test]
async fn a_delivery_for_somebody_else_is_refused() {
    let world = World::new().await;
    world.forward(&application(0)).await.unwrap();
    let order = opened(&keys().town, &world.wire.orders()[0]);
    let mut envelope = Envelope::read(&order.document).unwrap();
    let addressee = |entry: &&mut RoleCertificate| entry.role == CertificateRole::CipherAddressee;
    let entry = envelope.certificates.entries.iter_mut().find(addressee).unwrap();
    entry.certificate = keys().other.cipher_certificate().clone();
    let other = Bytes::from(sealed_anew(&order, &envelope, &keys().intermediary));
    assert_eq!(world.push_again(other).await, FeedbackCode::S9805);
    assert_eq!(world.machine.applications(), [0]);
}

/// A MessageId is unique where it was given out, and nowhere else.
#[tokio::test]
async fn two_intermediaries_may_push_the_same_message_id() {
    let world = World::new().await;
    world.forward(&application(0)).await.unwrap();
    let other = World::from_the_other(&world.wire.orders().remove(0));
    for _ in 0..2 {
        assert_eq!(world.push_again(other.clone()).await, FeedbackCode::S0800);
        assert_eq!(world.machine.applications(), [0, 0]);
    }
}

/// processDelivery: the sender waits for a reply, and an order without one ends in an error (9806) for him, so that he
/// would send again.
#[tokio::test]
async fn a_mediated_delivery_is_answered_with_a_receipt() {
    let world = World::new().await;
    let portal = &world.place.portal;
    let reply = portal.mediate(&world.url, town(), application(0).as_bytes()).await.unwrap();
    assert!(!reply.id.is_empty(), "the reply has a MessageId of its own");
    assert!(reply.signed, "by the town as author");
    let receipt = String::from_utf8(reply.document).unwrap();
    let taken = world.machine.router.taken();
    let [message] = &taken[..] else { panic!("{} messages", taken.len()) };
    for name in ["nachricht", "angenommen"] {
        assert!(receipt.contains(&format!("<{name}>")), "{receipt}");
    }
    assert!(receipt.contains(&message.id.to_string()), "{receipt}");

    // The intermediary, or an attacker, brings it again.
    let order = world.wire.orders().remove(0);
    for _ in 0..2 {
        let (feedback, again) = world.replied_to(order.clone()).await;
        assert_eq!((feedback, again.as_str()), (FeedbackCode::S0800, receipt.as_str()));
    }
    assert_eq!(world.machine.applications(), [0]);

    let refused = portal.mediate(&world.url, town(), b"<kaputt>").await.unwrap_err().to_string();
    assert!(refused.contains("9805"), "{refused}");
}

/// The intermediary is told that we cannot (9808), so that it can try again; each one by itself.
#[tokio::test]
async fn nothing_is_received_from_an_intermediary_whose_certificate_does_not_count() {
    let world = World::new().await;
    let (pinned, other) = (&keys().intermediary, &keys().other);
    world.trust.replace(keys().policy(&[pinned.signature_certificate()]));
    let refused = world.forward(&application(0)).await.unwrap_err();
    assert!(refused.contains("9808"), "{refused}");
    let order = world.wire.orders().remove(0);
    assert_eq!((world.machine.applications(), world.machine.files()), (Vec::new(), 0));
    let from_the_other = World::from_the_other(&order);
    assert_eq!(world.push_again(from_the_other).await, FeedbackCode::S0800);

    world.trust.replace(keys().policy(&[other.signature_certificate()]));
    assert_eq!(world.push_again(order).await, FeedbackCode::S0800);
    assert_eq!(world.machine.applications(), [0, 0]);
}
