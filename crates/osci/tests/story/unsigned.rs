//! Who did not sign an order is for nobody its originator, whatever certificate he names.

use dds_osci::certificate::Certificate;
use dds_osci::client::{Client, Delivery, Request};
use dds_osci::content::{Author, ContainerDraft, open as open_content, package};
use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intake::IntakeConfig;
use dds_osci::keys::Signer;
use dds_osci::message::{CertificateRole as R, ContentPackage, DeliverySelection, Envelope, MessageId};
use dds_osci::random::SystemRandom;
use dds_osci::signature::{SigningOptions, Verdict};

use crate::happy::open;
use crate::world::{PKI, Pushed, RECEIVER, World, client, envelope, intake, octets, stream};

/// The sender's certificate, under which the content was signed too.
fn sender() -> &'static Certificate {
    PKI.sender.signature_certificate()
}

fn signed_content() -> Delivery {
    let key_id = R::SignatureOriginator.usual_id(sender(), 0);
    let authors = [Author { signer: &PKI.sender.signature as &dyn Signer, key_id: &key_id, time: None }];
    let container = ContainerDraft::new("container").inline("inhalt", b"<antrag/>");
    let container = container.write(&authors, SigningOptions::default()).unwrap();
    let content = ContentPackage::new(package(&[], &[container]));
    Delivery::new(content, PKI.recipient.cipher_certificate().clone())
}

fn by_id(id: &MessageId) -> Option<DeliverySelection> {
    Some(DeliverySelection::MessageId(id.clone()))
}

/// An order in the sender's name, with the sender's signature or without any.
fn order(
    world: &mut World,
    signed: bool,
    order: impl Fn(&Client, MessageId, Delivery) -> Request,
) -> (MessageId, F) {
    let seal = |request: &Request| match signed {
        true => octets(&PKI.sender, request, &[]),
        false => stream(request.envelope.seal(None, None, &[], &mut SystemRandom).unwrap(), &[]),
    };
    let (request, awaiting) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let answer = world.exchange(&PKI.sender, &seal(&request)).unwrap();
    let id = match awaiting.receive(Ok(&answer)) {
        Ok(answer) => answer.value.message_id.unwrap(),
        // The client demands a signed answer; the id is in the unsigned one all the same.
        Err(_) => match envelope(&answer).order {
            dds_osci::message::Order::ResponseToGetMessageId { message_id, .. } => message_id.unwrap(),
            other => panic!("{other:?}"),
        },
    };
    let request = order(&client(&PKI.sender), id.clone(), signed_content());
    let code = world.code(&PKI.sender, &seal(&request));
    (id, code)
}

/// Who is the originator for the recipient, and whether the author's signature is right.
fn read(envelope: &Envelope, received: &dds_osci::xml::Document) -> (Option<Certificate>, bool) {
    let config = IntakeConfig::default();
    let content = open_content(received, &[], &[], &config, &mut SystemRandom).unwrap();
    let valid = content.containers[0].signatures[0].verdict == Verdict::Valid;
    (envelope.certificates.certificate(R::SignatureOriginator).cloned(), valid)
}

#[test]
fn an_unsigned_delivery_is_fetched_without_an_originators_signature_certificate() {
    for signed in [true, false] {
        let mut world = World::lenient();
        let (id, stored) =
            order(&mut world, signed, |client, id, delivery| client.store(id, delivery, &mut SystemRandom).0);
        assert!(stored.is_success(), "{stored}");
        let dialogue = open(&mut world, &PKI.recipient);
        let (request, _) = dialogue.fetch(by_id(&id), &mut SystemRandom);
        let answer = world.send(&PKI.recipient, &request, &[]).unwrap();
        let found = read(&envelope(&answer), &answer.document);
        assert_eq!(found, (signed.then(|| sender().clone()), true), "signed: {signed}");
    }
}

#[test]
fn an_unsigned_delivery_is_pushed_without_an_originators_signature_certificate() {
    for signed in [true, false] {
        let mut world = World::lenient();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
        let into = seen.clone();
        world.recipient = Box::new(move |octets| {
            let received = intake(octets, &PKI.recipient).unwrap();
            *into.lock().unwrap() = Some(read(&envelope(&received), &received.document));
            Pushed::Answer(b"<html>".to_vec())
        });
        order(&mut world, signed, |client, id, delivery| {
            client.forward(RECEIVER, id, delivery, &mut SystemRandom).0
        });
        let found = seen.lock().unwrap().take().unwrap();
        assert_eq!(found, (signed.then(|| sender().clone()), true), "signed: {signed}");
    }
}
