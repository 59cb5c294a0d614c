//! H8–H10, N38, N39: forward and mediate to a passive recipient, and what it may do wrong.

use std::cell::Cell;
use std::rc::Rc;

use dds_osci::client::{Answer, Delivery, Mediated, Open};
use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intermediary::{Mailboxes as _, PushFailure};
use dds_osci::keys::Signer;
use dds_osci::message::{Envelope, MessageId, MessageKind, RoleCertificates};
use dds_osci::outgoing::Outgoing;
use dds_osci::random::SystemRandom;
use dds_osci::recipient::{Incoming, Recipient, Refusal, Reply, Response, ResponseMessage};
use dds_osci::signature::SigningOptions;

use crate::happy::{message_id, open};
use crate::world::{
    Keys, PKI, Pushed, Pushing, RECEIVER, World, client, content, delivery, intake, stream, text_of,
};

fn recipient() -> Recipient {
    Recipient::new(
        PKI.recipient.cipher_certificate().clone(),
        PKI.recipient.signature_certificate().clone(),
        vec![PKI.intermediary.signature_certificate().clone()],
    )
}

fn sealed(response: &Response) -> Pushed {
    let signer: (&dyn Signer, SigningOptions) = (&PKI.recipient.signature, SigningOptions::default());
    Pushed::Answer(stream(response.seal(Some(signer), &[], &mut SystemRandom).unwrap(), &[]))
}

/// A recipient that does this with what it takes.
fn taking(act: impl Fn(Incoming) -> Response + 'static) -> Pushing {
    Box::new(move |octets| {
        let received = intake(octets, &PKI.recipient).unwrap();
        let response = match recipient().receive(&received) {
            Ok(incoming) => act(incoming),
            Err(response) => *response,
        };
        sealed(&response)
    })
}

fn good(incoming: Incoming) -> Response {
    match incoming {
        Incoming::Accept(accepting) => accepting.accepted(),
        Incoming::Process(processing) => {
            let text = text_of(&processing.push().envelope);
            assert!(text.contains("ZWlucw=="));
            processing.reply(Reply {
                content: content("Antwort"),
                certificates: RoleCertificates::default(),
                subject: Some("Re".into()),
                custom_headers: Vec::new(),
            })
        }
    }
}

fn forward(world: &mut World) -> (F, Vec<F>, Option<dds_osci::laufzettel::ProcessCardBundle>) {
    let id = message_id(world, &PKI.sender);
    let (request, awaiting) = client(&PKI.sender).forward(RECEIVER, id, delivery("eins"), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let answer = awaiting.receive(Ok(&answer)).unwrap();
    (answer.feedback.decisive(), answer.feedback.codes(), answer.value.card)
}

/// A mediation under an id that was used before or not, with what the answer brings.
fn mediate_as(world: &mut World, keys: &Keys, id: &MessageId, addressee: &Keys) -> (Open, Answer<Mediated>) {
    let dialogue = open(world, keys);
    let delivery = Delivery::new(content("eins"), addressee.cipher_certificate().clone());
    let (request, awaiting) = dialogue.mediate(RECEIVER, Some(id.clone()), delivery, &mut SystemRandom);
    let answer = world.send(keys, &request, &[]).unwrap();
    awaiting.receive(Ok(&answer)).unwrap()
}

/// A recipient that answers once, unsigned; how often it was asked.
fn once(world: &mut World) -> Rc<Cell<usize>> {
    let asked = Rc::new(Cell::new(0));
    let counter = asked.clone();
    world.recipient = taking(move |incoming| {
        counter.set(counter.get() + 1);
        Response { sign: false, ..good(incoming) }
    });
    asked
}

fn mediate(world: &mut World, logged: bool) -> Answer<Mediated> {
    let dialogue = open(world, &PKI.sender);
    let (dialogue, id) = if logged {
        let (request, awaiting) = dialogue.get_message_id(&mut SystemRandom);
        let answer = world.send(&PKI.sender, &request, &[]).unwrap();
        let (dialogue, answer) = awaiting.receive(Ok(&answer)).unwrap();
        (dialogue, answer.value.message_id)
    } else {
        (dialogue, None)
    };
    let (request, awaiting) = dialogue.mediate(RECEIVER, id, delivery("eins"), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    awaiting.receive(Ok(&answer)).unwrap().1
}

#[test]
fn h8_forward_to_a_passive_recipient() {
    let mut world = World::new();
    world.recipient = taking(|incoming| {
        let push = incoming.push();
        assert_eq!(push.envelope.kind(), MessageKind::AcceptDelivery);
        assert!(push.message_id().is_some());
        assert_eq!(push.signer.as_ref(), Some(PKI.intermediary.signature_certificate()));
        let ids: Vec<_> = push.envelope.certificates.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert!(ids.iter().any(|id| id.starts_with("originator_signature_")), "{ids:?}");
        good(incoming)
    });
    let (code, _, card) = forward(&mut world);
    assert_eq!(code, F::S0800, "{:?}", world.refused);
    let card = card.unwrap().card;
    assert!(card.creation.is_some() && card.forwarding.is_some() && card.reception.is_some());
}

#[test]
fn h9_mediate_with_message_id() {
    let mut world = World::new();
    world.recipient = taking(good);
    let answer = mediate(&mut world, true);
    assert_eq!(answer.feedback.codes(), [F::S0801], "{:?}", world.refused);
    assert!(text_of(&answer.value.envelope).contains("QW50d29ydA=="));
    assert!(answer.value.request_card.unwrap().card.reception.is_some());
    let reply = answer.value.reply_card.unwrap().card;
    assert!(reply.reception.is_none() && reply.forwarding.is_some());
    assert_eq!(reply.subject.as_deref(), Some("Re"));
}

/// The answer never came: the same order brings it, with the warnings of the first time, and pushes nothing. The next
/// order of a dialogue is the receipt; then the MessageId is a used one like any other.
#[test]
fn h9_a_reply_waits_until_it_is_received() {
    let mut world = World::new();
    let asked = once(&mut world);
    let id = message_id(&mut world, &PKI.sender);
    let (_, first) = mediate_as(&mut world, &PKI.sender, &id, &PKI.recipient);
    assert_eq!(first.feedback.codes(), [F::S0801, F::S3802]);
    world.later(60);
    let (dialogue, again) = mediate_as(&mut world, &PKI.sender, &id, &PKI.recipient);
    assert_eq!(again.feedback.codes(), [F::S0801, F::S3802]);
    assert!(text_of(&again.value.envelope).contains("QW50d29ydA=="));
    assert_eq!(again.value.request_card, first.value.request_card);
    assert_eq!(again.value.reply_card, first.value.reply_card);
    let card = |world: &mut World| world.boxes.card(&id.of_reply()).unwrap().unwrap().bundle.card;
    assert!(card(&mut world).reception.is_none());

    let (request, awaiting) = dialogue.exit(&mut SystemRandom);
    awaiting.receive(Ok(&world.send(&PKI.sender, &request, &[]).unwrap())).unwrap();
    assert!(card(&mut world).reception.is_some());
    let (_, late) = mediate_as(&mut world, &PKI.sender, &id, &PKI.recipient);
    assert_eq!(late.feedback.decisive(), F::S9801);
    assert_eq!(asked.get(), 1);
}

#[test]
fn h9_a_reply_is_for_the_client_and_the_order_that_it_answers() {
    let mut world = World::new();
    let asked = once(&mut world);
    let id = message_id(&mut world, &PKI.sender);
    mediate_as(&mut world, &PKI.sender, &id, &PKI.recipient);
    let (_, foreign) = mediate_as(&mut world, &PKI.stranger, &id, &PKI.recipient);
    assert_eq!(foreign.feedback.decisive(), F::S9801);
    let (_, other) = mediate_as(&mut world, &PKI.sender, &id, &PKI.stranger);
    assert_eq!(other.feedback.decisive(), F::S9801, "for another addressee it is another delivery");
    assert!(foreign.value.envelope.content.is_none() && other.value.envelope.content.is_none());
    assert_eq!(asked.get(), 1);
    assert_eq!(mediate_as(&mut world, &PKI.sender, &id, &PKI.recipient).1.feedback.decisive(), F::S3802);
}

/// Nothing is pushed whose reply could not be kept; the MessageId stays unused.
#[test]
fn who_acknowledges_no_replies_gets_no_further_ones() {
    let mut world = World::new();
    world.intermediary.rules.mailbox_deliveries = 1;
    let asked = once(&mut world);
    let first = message_id(&mut world, &PKI.sender);
    let second = message_id(&mut world, &PKI.sender);
    mediate_as(&mut world, &PKI.sender, &first, &PKI.recipient);
    let (_, refused) = mediate_as(&mut world, &PKI.sender, &second, &PKI.recipient);
    assert_eq!(refused.feedback.decisive(), F::S9811);
    assert_eq!(asked.get(), 1);
    let (dialogue, _) = mediate_as(&mut world, &PKI.sender, &first, &PKI.recipient);
    let (request, _) = dialogue.exit(&mut SystemRandom);
    world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(mediate_as(&mut world, &PKI.sender, &second, &PKI.recipient).1.is_success());
    assert_eq!(asked.get(), 2);
}

#[test]
fn h10_mediate_without_message_id() {
    let mut world = World::new();
    world.recipient = taking(good);
    let answer = mediate(&mut world, false);
    assert!(answer.is_success(), "{:?}", world.refused);
    assert!(answer.value.request_card.is_none() && answer.value.reply_card.is_none());
    assert!(text_of(&answer.value.envelope).contains("QW50d29ydA=="));
}

#[test]
fn n38_not_reached_no_answer_refused() {
    let mut world = World::new();
    assert_eq!(forward(&mut world).0, F::S9809);
    world.recipient = Box::new(|_| Pushed::Failed(PushFailure::NoAnswer));
    assert_eq!(forward(&mut world).0, F::S9810);
    world.recipient = taking(|incoming| incoming.refused(Refusal::NotAccepted, "nicht zuständig"));
    assert_eq!(forward(&mut world).0, F::S9805);
    world.recipient = Box::new(|_| Pushed::Answer(b"<html>".to_vec()));
    assert_eq!(forward(&mut world).0, F::S9808);
    world.recipient = taking(|_| Response::fault(dds_osci::feedback::Refused::new(F::S9000, "kaputt")));
    assert_eq!(forward(&mut world).0, F::S9808);
}

#[test]
fn n38_unsigned_and_plain_answers_are_warned_about() {
    let mut world = World::new();
    world.recipient = taking(|incoming| Response { sign: false, ..good(incoming) });
    let (code, codes, card) = forward(&mut world);
    assert!(code.is_success() && codes.contains(&F::S3802), "{codes:?}");
    assert!(card.unwrap().card.reception.is_some());
    world.recipient = taking(|incoming| Response { encrypt: None, ..good(incoming) });
    let (code, codes, _) = forward(&mut world);
    assert!(code.is_success() && codes.contains(&F::S3803), "{codes:?}");
}

fn altered(alter: impl Fn(&mut Envelope) + 'static) -> Pushing {
    taking(move |incoming| {
        let mut response = good(incoming);
        if let ResponseMessage::Envelope(envelope) = &mut response.message {
            alter(envelope);
        }
        response
    })
}

#[test]
fn n38_answers_that_do_not_belong_to_the_push() {
    let mut world = World::new();
    world.recipient = altered(|envelope| envelope.control.response = Some("andere".into()));
    assert_eq!(forward(&mut world).0, F::S9808);
    // Signed by somebody else than the certificate in the answer says.
    world.recipient = Box::new(|octets| {
        let received = intake(octets, &PKI.recipient).unwrap();
        let response = good(recipient().receive(&received).unwrap());
        let signer: (&dyn Signer, SigningOptions) = (&PKI.stranger.signature, SigningOptions::default());
        Pushed::Answer(stream(response.seal(Some(signer), &[], &mut SystemRandom).unwrap(), &[]))
    });
    assert_eq!(forward(&mut world).0, F::S9807);
}

#[test]
fn n38_addresses_that_are_not_allowed() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (request, awaiting) =
        client(&PKI.sender).forward("http://127.0.0.1/intern", id, delivery("eins"), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert_eq!(awaiting.receive(Ok(&answer)).unwrap().feedback.decisive(), F::S9809);
}

#[test]
fn n39_mediation_without_reply() {
    let mut world = World::new();
    world.recipient = taking(|incoming| match incoming {
        Incoming::Process(processing) => processing.accepted(),
        Incoming::Accept(accepting) => accepting.accepted(),
    });
    assert_eq!(mediate(&mut world, true).feedback.decisive(), F::S9806);
}

/// What an author has signed in the reply would lose what it inherits there.
#[test]
fn a_reply_below_attributes_that_stay_behind_is_unreadable() {
    let mut world = World::new();
    world.recipient = Box::new(|octets| {
        let received = intake(octets, &PKI.recipient).unwrap();
        let response = good(recipient().receive(&received).unwrap());
        let ResponseMessage::Envelope(envelope) = response.message else { panic!("a fault") };
        let xml = String::from_utf8(envelope.write().unwrap().assemble(None)).unwrap();
        let spoken = xml.replacen("<soap:Body", "<soap:Body xml:lang=\"de\"", 1);
        Pushed::Answer(stream(Outgoing::plain(spoken.into_bytes(), &mut SystemRandom), &[]))
    });
    assert_eq!(mediate(&mut world, true).feedback.decisive(), F::S9808);
}

/// What the recipient itself answers to an altered push.
fn recipient_says(rules: impl Fn(&mut Recipient) + 'static) -> (F, bool) {
    let seen = std::rc::Rc::new(std::cell::Cell::new(None));
    let mut world = World::new();
    let seen_inside = seen.clone();
    world.recipient = Box::new(move |octets| {
        let received = intake(octets, &PKI.recipient).unwrap();
        let mut strict = recipient();
        rules(&mut strict);
        let response = *strict.receive(&received).unwrap_err();
        seen_inside.set(Some((response.code(), matches!(response.message, ResponseMessage::Fault(_)))));
        sealed(&response)
    });
    if forward(&mut world).0 == F::S0800 {
        panic!("the push went through");
    }
    seen.get().unwrap()
}

#[test]
fn recipient_takes_only_its_own_intermediaries() {
    let said = recipient_says(|recipient| {
        recipient.intermediaries = vec![PKI.stranger.signature_certificate().clone()]
    });
    assert_eq!(said, (F::S9601, false));
}

#[test]
fn recipient_takes_only_what_is_addressed_to_it() {
    let said = recipient_says(|recipient| recipient.cipher = Some(PKI.stranger.cipher_certificate().clone()));
    assert_eq!(said, (F::S9805, false));
}

#[test]
fn recipient_refuses_orders_that_are_not_for_recipients() {
    let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let octets = crate::world::octets(&PKI.sender, &request, &[]);
    let received = intake(&octets, &PKI.intermediary).unwrap();
    let response = recipient().receive(&received).unwrap_err();
    assert_eq!(response.code(), F::S9300);
}

/// What the strict recipient says to a push that was altered and sent by the intermediary itself.
fn altered_push(change: impl FnOnce(&mut Envelope), signed: bool, encrypted: bool) -> Response {
    use dds_osci::encryption::TransportTarget;
    let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let inside = kept.clone();
    let mut world = World::new();
    world.recipient = Box::new(move |octets| {
        *inside.borrow_mut() = octets.to_vec();
        Pushed::Failed(PushFailure::NoAnswer)
    });
    assert_eq!(mediate(&mut world, false).feedback.decisive(), F::S9810);
    let received = intake(&kept.borrow(), &PKI.recipient).unwrap();
    let mut push = Envelope::read(&received.document).unwrap();
    change(&mut push);
    let signer: (&dyn Signer, SigningOptions) = (&PKI.intermediary.signature, SigningOptions::default());
    let target = TransportTarget::new(PKI.recipient.cipher_certificate().clone());
    let sealed =
        push.seal(signed.then_some(signer), encrypted.then_some(&target), &[], &mut SystemRandom).unwrap();
    let received = intake(&stream(sealed, &[]), &PKI.recipient).unwrap();
    let mut strict = recipient();
    strict.message_id_required = true;
    *strict.receive(&received).unwrap_err()
}

fn is_fault(response: &Response) -> bool {
    matches!(response.message, ResponseMessage::Fault(_))
}

#[test]
fn n6_unsigned_push() {
    let response = altered_push(|_| {}, false, true);
    assert_eq!((response.code(), is_fault(&response)), (F::S9600, false));
}

#[test]
fn n17_push_without_challenge_or_with_dialogue_data() {
    let response = altered_push(|push| push.control.challenge = None, true, true);
    assert_eq!((response.code(), is_fault(&response)), (F::S9100, true));
    let response = altered_push(|push| push.control.conversation_id = Some("1".into()), true, true);
    assert_eq!((response.code(), is_fault(&response)), (F::S9400, true));
}

#[test]
fn unencrypted_push() {
    let response = altered_push(|_| {}, true, false);
    assert_eq!((response.code(), is_fault(&response)), (F::S9300, true));
}

#[test]
fn push_without_message_id_where_one_is_demanded() {
    let response = altered_push(|_| {}, true, true);
    assert_eq!((response.code(), is_fault(&response)), (F::S9800, false));
}

#[test]
fn n3_push_without_its_attachment() {
    let response =
        altered_push(|push| push.content = Some(crate::world::with_attachment(b"abc").content), true, true);
    assert_eq!((response.code(), is_fault(&response)), (F::S9100, true));
}
