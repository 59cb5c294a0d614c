//! N5, N6, N11–N26: what the intermediary refuses for its dialogue, its signer or its certificates.

use dds_osci::certificate::Certificate;
use dds_osci::client::{Delivery, Request};
use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intermediary::{Mailboxes as _, Rules};
use dds_osci::message::{CardQuery, CardSelection, CertificateRole, DeliverySelection, MessageId, Order};
use dds_osci::outgoing::Outgoing;
use dds_osci::random::SystemRandom;

use crate::happy::{begin, close, fetch, message_id, open, store};
use crate::world::{
    PKI, RECEIVER, World, client, code, delivery, envelope, is_fault, octets, octets_signed, plain, stream,
};

#[test]
fn n5_signed_with_another_key_than_announced() {
    let mut world = World::new();
    let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let octets = octets_signed(&PKI.stranger.signature, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &octets), F::S9601);
}

#[test]
fn n5_a_dialogue_belongs_to_who_opened_it() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (mut request, _) = dialogue.get_message_id(&mut SystemRandom);
    request.envelope.certificates.entries.clear();
    request
        .envelope
        .certificates
        .add(CertificateRole::SignatureOriginator, PKI.stranger.signature_certificate());
    let octets = octets_signed(&PKI.stranger.signature, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &octets), F::S9601);
}

#[test]
fn n6_unsigned_order_where_signatures_are_demanded() {
    let mut world = World::new();
    let mut unsigned = client(&PKI.sender);
    unsigned.signature = None;
    let (request, _) = unsigned.get_message_id(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert_eq!(code(&answer), F::S9600);
    assert!(!is_fault(&answer));
}

#[test]
fn n11_replayed_order() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (request, _) = dialogue.get_message_id(&mut SystemRandom);
    let octets = octets(&PKI.sender, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &octets), F::S0801);
    let again = world.exchange(&PKI.sender, &octets).unwrap();
    assert!(is_fault(&again));
    assert_eq!(code(&again), F::S9400);
}

#[test]
fn n11_replayed_store_outside_a_dialogue() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (request, _) = client(&PKI.sender).store(id, delivery("eins"), &mut SystemRandom);
    let octets = octets(&PKI.sender, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &octets), F::S0800);
    assert_eq!(world.code(&PKI.sender, &octets), F::S9801);
}

/// Somebody without any key posts an order that he has seen again and again. A client whose answer was lost may do so
/// too.
#[test]
fn n11_replayed_get_message_id_takes_no_further_ids() {
    let mut world = World::new();
    world.intermediary.rules.unused_ids = 2;
    let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let seen = octets(&PKI.sender, &request, &[]);
    let mut issued = || {
        let answer = world.exchange(&PKI.sender, &seen).unwrap();
        let Order::ResponseToGetMessageId { message_id, .. } = envelope(&answer).order else { panic!() };
        message_id.ok_or_else(|| code(&answer))
    };
    let id = issued().unwrap();
    assert_eq!([issued(), issued(), issued()], [(); 3].map(|()| Ok(id.clone())));
    let (store, _) = client(&PKI.sender).store(id, delivery("x"), &mut SystemRandom);
    let store = octets(&PKI.sender, &store, &[]);
    assert_eq!(world.code(&PKI.sender, &store), F::S0800);
    let again = world.exchange(&PKI.sender, &seen).unwrap();
    assert_eq!((code(&again), is_fault(&again)), (F::S9400, false));
    // The client is not shut out.
    assert_ne!(message_id(&mut world, &PKI.sender), message_id(&mut world, &PKI.sender));
}

#[test]
fn n11_replayed_init_dialog_shuts_out_nobody() {
    for bound in [|rules: &mut Rules| rules.client_dialogues = 3, |rules: &mut Rules| rules.dialogues = 3] {
        let mut world = World::new();
        bound(&mut world.intermediary.rules);
        let dialogue = open(&mut world, &PKI.recipient);
        let (dialogue, _) = fetch(&mut world, dialogue, None);
        let (request, _) = client(&PKI.recipient).init(&mut SystemRandom);
        let seen = octets(&PKI.recipient, &request, &[]);
        for _ in 0..5 {
            assert_eq!(world.code(&PKI.recipient, &seen), F::S0801);
        }
        close(&mut world, &PKI.recipient, dialogue);
        world.later(1);
        let dialogue = open(&mut world, &PKI.recipient);
        world.later(1);
        assert_eq!(world.code(&PKI.recipient, &seen), F::S0801);
        close(&mut world, &PKI.recipient, dialogue);
    }
}

#[test]
fn n12_wrong_or_missing_sequence_number() {
    for number in [Some(1), Some(7), None] {
        let mut world = World::new();
        let dialogue = open(&mut world, &PKI.sender);
        let (mut request, _) = dialogue.get_message_id(&mut SystemRandom);
        request.envelope.control.sequence_number = number;
        let answer = world.send(&PKI.sender, &request, &[]).unwrap();
        assert!(is_fault(&answer));
        assert_eq!(code(&answer), F::S9400, "{number:?}");
    }
}

#[test]
fn n13_wrong_or_missing_response() {
    for response in [Some("falsch".to_owned()), Some(String::new()), None] {
        let mut world = World::new();
        let dialogue = open(&mut world, &PKI.sender);
        let (mut request, _) = dialogue.get_message_id(&mut SystemRandom);
        request.envelope.control.response = response;
        assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S9400);
    }
}

#[test]
fn n14_unknown_conversation_and_none() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (mut request, _) = dialogue.get_message_id(&mut SystemRandom);
    request.envelope.certificates =
        client(&PKI.sender).get_message_id(&mut SystemRandom).0.envelope.certificates;
    request.envelope.control.conversation_id = Some("4711".into());
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S9400);
    request.envelope.control.conversation_id = None;
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S0800);
}

#[test]
fn n15_fetch_without_a_dialogue() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.recipient);
    let (mut request, _) = dialogue.fetch(None, &mut SystemRandom);
    request.envelope.control.conversation_id = None;
    request.envelope.control.response = None;
    request.envelope.certificates.add(CertificateRole::CipherOriginator, PKI.recipient.cipher_certificate());
    let answer = world.send(&PKI.recipient, &request, &[]).unwrap();
    assert!(!is_fault(&answer));
    assert_eq!(code(&answer), F::S9802);
}

#[test]
fn n16_order_after_the_end() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (request, _) = dialogue.exit(&mut SystemRandom);
    let ended = octets(&PKI.sender, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &ended), F::S0800);
    assert_eq!(world.code(&PKI.sender, &ended), F::S9400);
}

#[test]
fn n16_order_after_the_time_of_the_dialogue() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (request, _) = dialogue.get_message_id(&mut SystemRandom);
    world.later(3600);
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S9400);
}

#[test]
fn n16_only_so_many_dialogues() {
    let mut world = World::new();
    world.intermediary.rules.dialogues = 1;
    let held = open(&mut world, &PKI.recipient);
    begin(&mut world, &PKI.recipient, held);
    let (request, awaiting) = client(&PKI.sender).init(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(awaiting.receive(Ok(&answer)).is_err());
}

#[test]
fn n17_missing_challenge() {
    let mut world = World::new();
    let (mut request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    request.envelope.control.challenge = None;
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(is_fault(&answer));
    assert_eq!(code(&answer), F::S9100);
}

#[test]
fn n18_message_id_never_issued_used_twice_or_foreign() {
    let mut world = World::new();
    let store_with = |id: MessageId, world: &mut World| {
        let (request, _) = client(&PKI.sender).store(id, delivery("x"), &mut SystemRandom);
        let answer = world.send(&PKI.sender, &request, &[]).unwrap();
        assert!(!is_fault(&answer));
        code(&answer)
    };
    assert_eq!(store_with(MessageId::new("ausgedacht"), &mut world), F::S9801);
    let used = store(&mut world, "eins");
    assert_eq!(store_with(used, &mut world), F::S9801);
    let foreign = message_id(&mut world, &PKI.stranger);
    assert_eq!(store_with(foreign, &mut world), F::S9801);
}

#[test]
fn n19_addressee_without_a_mailbox() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let mut to_nobody = delivery("x");
    to_nobody.addressee = PKI.stranger.cipher_certificate().clone();
    let (request, _) = client(&PKI.sender).store(id, to_nobody, &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert_eq!(code(&answer), F::S9706);
    assert!(envelope(&answer).order.feedback().unwrap().entries[0].text.contains("Postfach"));
}

#[test]
fn n20_a_foreign_delivery_is_not_found() {
    let mut world = World::new();
    let id = store(&mut world, "eins");
    let dialogue = open(&mut world, &PKI.stranger);
    let (request, awaiting) =
        dialogue.fetch(Some(DeliverySelection::MessageId(id.clone())), &mut SystemRandom);
    let answer = world.send(&PKI.stranger, &request, &[]).unwrap();
    let (_, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(answer.feedback.codes(), [F::S9803]);
    assert!(answer.value.envelope.content.is_none());
    // Its owner still gets it.
    let dialogue = open(&mut world, &PKI.recipient);
    assert!(fetch(&mut world, dialogue, Some(DeliverySelection::MessageId(id))).1.is_success());
}

#[test]
fn n20_whoever_opens_a_dialogue_for_a_foreign_mailbox_cannot_go_on() {
    let mut world = World::new();
    store(&mut world, "eins");
    // The stranger signs with his own key but names the recipient's cipher certificate: he cannot read the challenge.
    let mut thief = client(&PKI.stranger);
    thief.cipher = PKI.recipient.cipher_certificate().clone();
    let (request, awaiting) = thief.init(&mut SystemRandom);
    let answer = world.send(&PKI.stranger, &request, &[]);
    assert_eq!(answer.as_ref().unwrap_err().code, F::S9200);
    assert!(awaiting.receive(answer.as_ref().map_err(Clone::clone)).is_err());
    // In the clear, no mailbox is opened at all.
    world.intermediary.rules.encryption_required = false;
    let mut thief = plain(&PKI.stranger);
    thief.cipher = PKI.recipient.cipher_certificate().clone();
    let (request, awaiting) = thief.init(&mut SystemRandom);
    let answer = world.send(&PKI.stranger, &request, &[]).unwrap();
    let dialogue = awaiting.receive(Ok(&answer)).unwrap();
    let (request, _) = dialogue.fetch(None, &mut SystemRandom);
    let answer = world.send(&PKI.stranger, &request, &[]).unwrap();
    assert!(is_fault(&answer));
}

#[test]
fn n21_a_foreign_process_card_is_not_found() {
    let mut world = World::new();
    let id = store(&mut world, "eins");
    let dialogue = open(&mut world, &PKI.stranger);
    let query = CardQuery { selection: Some(CardSelection::MessageIds(vec![id])), limit: None };
    let (request, awaiting) = dialogue.fetch_process_cards(query, &mut SystemRandom);
    let answer = world.send(&PKI.stranger, &request, &[]).unwrap();
    let (_, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(answer.feedback.codes(), [F::S9804]);
    assert!(answer.value.cards.is_empty());
}

fn with_signature(key: &dds_osci::keys::SoftwareKey, world: &mut World) -> F {
    let mut other = client(&PKI.sender);
    other.signature = Some(dds_osci::keys::Signer::certificate(key).clone());
    let (request, _) = other.get_message_id(&mut SystemRandom);
    world.code(&PKI.sender, &octets_signed(key, &request, &[]))
}

#[test]
fn n22_expired_signature_certificate_of_the_client() {
    let mut world = World::new();
    let refused = with_signature(&PKI.expired, &mut world);
    assert!(!refused.is_success(), "{refused}");
    world.intermediary.trust.validity = dds_osci::trust::Severity::Warn;
    let warned = with_signature(&PKI.expired, &mut world);
    assert_eq!(warned, F::S3700);
}

#[test]
fn n25_self_signed_certificate() {
    assert_eq!(with_signature(&PKI.self_signed, &mut World::new()), F::S9700);
}

#[test]
fn n26_key_shorter_than_3072_bits() {
    assert_eq!(with_signature(&PKI.weak, &mut World::new()), F::S9700);
}

#[test]
fn n23_expired_cipher_certificate_of_the_client() {
    let mut world = World::new();
    world.intermediary.trust.validity = dds_osci::trust::Severity::Warn;
    let mut old = client(&PKI.sender);
    old.cipher = dds_osci::keys::Decrypter::certificate(&PKI.expired_cipher).clone();
    let (request, _) = old.get_message_id(&mut SystemRandom);
    let received = world.post(&octets(&PKI.sender, &request, &[]));
    // The answer is for that certificate; what it says shows in its feedback.
    let config = dds_osci::intake::IntakeConfig::default();
    let keys: [&dyn dds_osci::keys::Decrypter; 1] = [&PKI.expired_cipher];
    let blobs = crate::world::Blobs::default();
    let mut intake = dds_osci::intake::Intake::new(&config, &keys, &mut SystemRandom, blobs);
    intake.push(&received).unwrap();
    let feedback = envelope(&intake.finish().unwrap()).order.feedback().cloned().unwrap();
    assert!(feedback.is_success() && feedback.has(F::S3500), "{:?}", feedback.codes());
}

#[test]
fn n24_revoked_signature_certificate_of_the_client() {
    let mut world = World::new();
    assert_eq!(with_signature(&PKI.revoked, &mut world), F::S0800);
    let list = dds_osci::trust::RevocationList::from_der(PKI.crl.clone()).unwrap();
    world.intermediary.trust.crls.push(list);
    assert_eq!(with_signature(&PKI.revoked, &mut world), F::S9701);
}

/// Many certificates that are one but for their last octets, as those of other authors: nobody asks how good they are.
fn with_authors(mut delivery: Delivery, number: u16) -> Delivery {
    let der = PKI.stranger.signature_certificate().der();
    let (start, _) = der.split_at(der.len() - 2);
    for other in 0..number {
        let certificate = Certificate::from_der([start, &other.to_be_bytes()].concat()).unwrap();
        delivery.certificates.add(CertificateRole::SignatureOtherAuthor, &certificate);
    }
    delivery
}

#[test]
fn more_certificates_than_a_message_has_are_refused() {
    let mut world = World::new();
    let mut order = |number| {
        let id = message_id(&mut world, &PKI.sender);
        let delivery = with_authors(delivery("x"), number);
        let (request, _) = client(&PKI.sender).store(id, delivery, &mut SystemRandom);
        world.code(&PKI.sender, &octets(&PKI.sender, &request, &[]))
    };
    // Beside the originator's two and the addressee's.
    assert_eq!(order(253), F::S3702);
    assert_eq!(order(254), F::S9100);
    let long = Delivery { subject: Some("x".repeat((16 << 10) + 1)), ..delivery("x") };
    let id = message_id(&mut world, &PKI.sender);
    let (request, _) = client(&PKI.sender).store(id, long, &mut SystemRandom);
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S9100);
}

/// Each card tells of each certificate: all together would be more than their reader takes.
#[test]
fn a_list_of_process_cards_ends_before_it_is_too_long() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (request, _) =
        client(&PKI.sender).store(id.clone(), with_authors(delivery("x"), 250), &mut SystemRandom);
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S3702);
    let card = world.boxes.card(&id).unwrap().unwrap();
    for number in 1..100 {
        let mut card = card.clone();
        card.bundle.message_id = MessageId::new(format!("{number}"));
        world.boxes.keep_card(&card).unwrap();
    }
    let dialogue = open(&mut world, &PKI.recipient);
    let query = CardQuery { selection: None, limit: None };
    let (request, awaiting) = dialogue.fetch_process_cards(query, &mut SystemRandom);
    let answer = world.send(&PKI.recipient, &request, &[]).unwrap();
    let (_, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert!(answer.feedback.has(F::S3801), "{:?}", answer.feedback.codes());
    assert!((10..100).contains(&answer.value.cards.len()), "{}", answer.value.cards.len());
}

/// An author's signature covers what his content inherits; a response is another Envelope.
#[test]
fn content_below_attributes_that_stay_behind_is_refused() {
    let mut world = World::lenient();
    let mut posted = |request: &Request, element: &str| {
        let xml = String::from_utf8(request.envelope.write().unwrap().assemble(None)).unwrap();
        let spoken = xml.replacen(element, &format!("{element} xml:lang=\"de\""), 1);
        assert_ne!(spoken, xml);
        let octets = stream(Outgoing::plain(spoken.into_bytes(), &mut SystemRandom), &[]);
        world.code(&PKI.sender, &octets)
    };
    let own = plain(&PKI.sender);
    let (store, _) = own.store(MessageId::new("1"), delivery("x"), &mut SystemRandom);
    let (forward, _) = own.forward(RECEIVER, MessageId::new("1"), delivery("x"), &mut SystemRandom);
    for element in ["<soap:Envelope", "<soap:Body"] {
        assert_eq!(posted(&store, element), F::S9100, "{element}");
        assert_eq!(posted(&forward, element), F::S9100, "{element}");
        assert_eq!(posted(&own.get_message_id(&mut SystemRandom).0, element), F::S0800, "no content");
    }
    assert_eq!(posted(&store, "<osci:ContentPackage"), F::S9801, "the content brings it along");
}
