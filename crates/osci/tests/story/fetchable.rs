//! Whatever a delivery is like, it is refused or its reader can read it: nothing stands in a mailbox for good.

use dds_osci::client::Delivery;
use dds_osci::feedback::FeedbackCode as F;
use dds_osci::message::{ContentPackage, CustomHeader, NamespaceContext};
use dds_osci::random::SystemRandom;

use crate::happy::{fetch, message_id, open, store};
use crate::world::{PKI, World, client, code, delivery, envelope, octets};

/// What is answered to a delivery.
fn stored(delivery: Delivery) -> (F, World) {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (mut request, _) = client(&PKI.sender).store(id, delivery, &mut SystemRandom);
    // It would take a namespace more than the delivery itself.
    request.envelope.features = None;
    let answer = world.exchange(&PKI.sender, &octets(&PKI.sender, &request, &[])).unwrap();
    (code(&answer), world)
}

fn refused(delivery: Delivery) {
    let (code, mut world) = stored(delivery);
    assert_eq!(code, F::S9100);
    let why = world.refused.take().unwrap();
    assert!(why.detail.starts_with("not to be fetched"), "{why}");
    let next = store(&mut world, "gut");
    let dialogue = open(&mut world, &PKI.recipient);
    assert_eq!(fetch(&mut world, dialogue, None).1.value.card.unwrap().message_id, next);
}

/// The order has as many namespaces as a reader takes; the response announces features in one more.
#[test]
fn a_delivery_with_too_many_namespaces_for_its_response_is_refused() {
    let more: Vec<_> = (0..27).map(|number| (format!("n{number}"), format!("urn:n{number}"))).collect();
    let more = more.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str()));
    let mut crowded = delivery("x");
    crowded.content.namespaces = NamespaceContext::default().with(more);
    refused(crowded);
}

/// Content with nearly as many elements as an envelope may have: the process card is too much.
#[test]
fn a_delivery_with_too_many_elements_for_its_response_is_refused() {
    let many = "<osci:ContentContainer/>".repeat(199_900);
    let many = format!("<osci:ContentPackage>{many}</osci:ContentPackage>");
    refused(Delivery { content: ContentPackage::new(many.into_bytes()), ..delivery("x") });
}

#[test]
fn a_delivery_with_foreign_namespaces_and_headers_is_fetched() {
    let mut strange = delivery("x");
    let around = NamespaceContext::default().with([("a", "urn:a"), ("", "urn:erfunden")]);
    strange.content.namespaces = NamespaceContext::default().with([("n", "urn:n")]);
    strange.custom_headers.push(CustomHeader {
        id: "meta".into(),
        name: "Meta".into(),
        namespace: "urn:erfunden".into(),
        xml: br#"<Meta Id="meta" title="a>b xmlns:a " a:x="1"></Meta>"#.to_vec(),
        namespaces: around,
    });
    let (code, mut world) = stored(strange);
    assert_eq!(code, F::S0800, "{:?}", world.refused);
    let dialogue = open(&mut world, &PKI.recipient);
    let (request, _) = dialogue.fetch(None, &mut SystemRandom);
    let fetched = envelope(&world.send(&PKI.recipient, &request, &[]).unwrap());
    let header = &fetched.custom_headers[0];
    assert_eq!((header.namespace.as_str(), header.name.as_str()), ("urn:erfunden", "Meta"));
}
