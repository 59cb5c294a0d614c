//! H1–H10, H14, H21–H23, H25: what must work.

use dds_osci::client::{Answer, Fetched, Open, Stored};
use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intermediary::{Client, Mailboxes as _};
use dds_osci::message::{
    CardQuery, CardSelection, CustomHeader, DateSelection, DeliverySelection, MessageId, NamespaceContext,
    Quality, Role,
};
use dds_osci::random::SystemRandom;

use crate::world::{
    ATTACHMENT, Keys, PKI, World, client, delivery, envelope, octets, plain, text_of, with_attachment,
};

pub(crate) fn open(world: &mut World, keys: &Keys) -> Open {
    let (request, awaiting) = client(keys).init(&mut SystemRandom);
    let answer = world.send(keys, &request, &[]);
    awaiting.receive(answer.as_ref().map_err(Clone::clone)).unwrap()
}

pub(crate) fn close(world: &mut World, keys: &Keys, dialogue: Open) {
    let (request, awaiting) = dialogue.exit(&mut SystemRandom);
    let answer = world.send(keys, &request, &[]).unwrap();
    assert_eq!(envelope(&answer).control.challenge, None);
    let answer = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(answer.feedback.codes(), [F::S0800]);
}

/// Stores a delivery in two single orders.
pub(crate) fn store(world: &mut World, text: &str) -> MessageId {
    let id = message_id(world, &PKI.sender);
    let (request, awaiting) = client(&PKI.sender).store(id.clone(), delivery(text), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let stored: Answer<Stored> = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(stored.feedback.codes(), [F::S0800], "{:?}", world.refused);
    id
}

pub(crate) fn message_id(world: &mut World, keys: &Keys) -> MessageId {
    let (request, awaiting) = client(keys).get_message_id(&mut SystemRandom);
    let answer = world.send(keys, &request, &[]).unwrap();
    awaiting.receive(Ok(&answer)).unwrap().value.message_id.unwrap()
}

pub(crate) fn fetch(
    world: &mut World,
    dialogue: Open,
    selection: Option<DeliverySelection>,
) -> (Open, Answer<Fetched>) {
    let (request, awaiting) = dialogue.fetch(selection, &mut SystemRandom);
    let answer = world.send(&PKI.recipient, &request, &[]).unwrap();
    awaiting.receive(Ok(&answer)).unwrap()
}

/// Whoever is refused a MessageId holds no more of them for having asked: else he, or who repeats his order, would be
/// refused for ever.
#[test]
fn a_message_id_that_is_refused_is_not_kept() {
    let mut world = World::new();
    world.intermediary.rules.unused_ids = 2;
    let codes = [(); 5].map(|()| {
        let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
        world.code(&PKI.sender, &octets(&PKI.sender, &request, &[]))
    });
    assert_eq!(codes, [F::S0800, F::S0800, F::S9811, F::S9811, F::S9811]);
    let sender = Client {
        cipher: Some(PKI.sender.cipher_certificate().clone()),
        signature: Some(PKI.sender.signature_certificate().clone()),
    };
    assert_eq!(world.boxes.unused_ids(&sender.fingerprint()).unwrap(), 2);
}

/// Goes on with a dialogue, and leaves it open.
pub(crate) fn begin(world: &mut World, keys: &Keys, dialogue: Open) {
    let (request, _) = dialogue.get_message_id(&mut SystemRandom);
    let octets = octets(keys, &request, &[]);
    assert_eq!(world.code(keys, &octets), F::S0801);
}

/// A client that leaves its dialogues open shuts out nobody but itself.
#[test]
fn h25_a_client_has_only_so_many_dialogues_open() {
    let mut world = World::new();
    world.intermediary.rules.client_dialogues = 2;
    for _ in 0..2 {
        let dialogue = open(&mut world, &PKI.sender);
        begin(&mut world, &PKI.sender, dialogue);
    }
    let mut init = |keys: &Keys| {
        let (request, _) = client(keys).init(&mut SystemRandom);
        let octets = octets(keys, &request, &[]);
        (world.code(keys, &octets), world.refused.take().map(|refused| refused.code))
    };
    assert_eq!(init(&PKI.sender), (F::S9811, Some(F::S9811)));
    assert_eq!(init(&PKI.recipient), (F::S0801, None));
    world.later(16 * 60);
    let (request, _) = client(&PKI.sender).init(&mut SystemRandom);
    let octets = octets(&PKI.sender, &request, &[]);
    assert_eq!(world.code(&PKI.sender, &octets), F::S0801, "the idle ones have ended");
}

#[test]
fn h1_explicit_dialogue() {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    assert_eq!(dialogue.feedback().codes(), [F::S0801]);
    assert!(dialogue.partner().unwrap().max_chunk_size.is_some());
    let (request, awaiting) = dialogue.get_message_id(&mut SystemRandom);
    assert_eq!(request.envelope.control.sequence_number, Some(0));
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(answer.transport.is_some());
    let (dialogue, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(answer.feedback.codes(), [F::S0801]);
    let id = answer.value.message_id.unwrap();
    let (request, awaiting) = dialogue.store(id.clone(), delivery("eins"), &mut SystemRandom);
    assert_eq!(request.envelope.control.sequence_number, Some(1));
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let (dialogue, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert_eq!(answer.feedback.codes(), [F::S0801], "{:?}", world.refused);
    let card = answer.value.card.unwrap();
    assert_eq!(card.message_id, id);
    assert!(card.card.creation.is_some() && card.card.forwarding.is_none());
    assert_eq!(card.inspections.len(), 3);
    close(&mut world, &PKI.sender, dialogue);
}

#[test]
fn h2_implicit_dialogues_with_invented_conversation_id() {
    let mut world = World::new();
    let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let control = envelope(&answer).control;
    assert!(control.conversation_id.unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(control.sequence_number, Some(0));
    store(&mut world, "eins");
}

#[test]
fn h3_second_implicit_order_with_a_stale_response() {
    let mut world = World::new();
    let (mut request, awaiting) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    request.envelope.control.response = Some("veraltet".into());
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(awaiting.receive(Ok(&answer)).unwrap().is_success());
}

#[test]
fn h4_fetch_by_id_and_reception_by_the_next_order() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let octets = vec![7_u8; 100_000];
    let (request, awaiting) =
        client(&PKI.sender).store(id.clone(), with_attachment(&octets), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[(ATTACHMENT, &octets)]).unwrap();
    assert!(awaiting.receive(Ok(&answer)).unwrap().is_success(), "{:?}", world.refused);
    world.later(10);
    let dialogue = open(&mut world, &PKI.recipient);
    let (request, awaiting) =
        dialogue.fetch(Some(DeliverySelection::MessageId(id.clone())), &mut SystemRandom);
    let received = world.send(&PKI.recipient, &request, &[]).unwrap();
    let (dialogue, fetched) = awaiting.receive(Ok(&received)).unwrap();
    assert_eq!(fetched.feedback.codes(), [F::S0801]);
    assert_eq!(*received.attachments[0].handle, octets);
    assert_eq!(fetched.value.envelope.content.as_ref(), request_content(&with_attachment(&octets)));
    let card = fetched.value.card.unwrap().card;
    assert!(card.creation.is_some() && card.forwarding.is_some() && card.reception.is_none());
    // The Ids of the certificates are what signatures and keys point to.
    let sent = &fetched.value.envelope.certificates;
    assert!(sent.entries.iter().any(|entry| entry.id.starts_with("originator_signature_")));
    world.later(10);
    close(&mut world, &PKI.recipient, dialogue);
    let cards = cards(&mut world, &PKI.sender, by_id(&id));
    assert!(cards[0].card.reception.is_some());
}

fn request_content(delivery: &dds_osci::client::Delivery) -> Option<&dds_osci::message::ContentPackage> {
    Some(&delivery.content)
}

pub(crate) fn by_id(id: &MessageId) -> CardQuery {
    CardQuery { selection: Some(CardSelection::MessageIds(vec![id.clone()])), limit: None }
}

pub(crate) fn cards(
    world: &mut World,
    keys: &Keys,
    query: CardQuery,
) -> Vec<dds_osci::laufzettel::ProcessCardBundle> {
    let dialogue = open(world, keys);
    let (request, awaiting) = dialogue.fetch_process_cards(query, &mut SystemRandom);
    let answer = world.send(keys, &request, &[]).unwrap();
    awaiting.receive(Ok(&answer)).unwrap().1.value.cards
}

#[test]
fn h5_oldest_first_and_3800_while_more_wait() {
    let mut world = World::new();
    store(&mut world, "eins");
    world.later(5);
    store(&mut world, "zwei");
    let dialogue = open(&mut world, &PKI.recipient);
    let (dialogue, first) = fetch(&mut world, dialogue, None);
    assert!(first.feedback.has(F::S3800) && first.is_success());
    let (dialogue, second) = fetch(&mut world, dialogue, None);
    assert_eq!(second.feedback.codes(), [F::S0801]);
    assert_ne!(text_of(&first.value.envelope), text_of(&second.value.envelope));
    let (_, third) = fetch(&mut world, dialogue, None);
    assert_eq!(third.feedback.codes(), [F::S9803]);
}

#[test]
fn h5_without_a_receipt_the_delivery_comes_again() {
    let mut world = World::new();
    store(&mut world, "eins");
    let dialogue = open(&mut world, &PKI.recipient);
    let (_lost, first) = fetch(&mut world, dialogue, None);
    let dialogue = open(&mut world, &PKI.recipient);
    let (_, again) = fetch(&mut world, dialogue, None);
    assert_eq!(text_of(&first.value.envelope), text_of(&again.value.envelope));
}

#[test]
fn h6_by_time_of_submission() {
    let mut world = World::new();
    let before = world.now;
    store(&mut world, "eins");
    world.later(100);
    let after = world.now;
    let dialogue = open(&mut world, &PKI.recipient);
    let (dialogue, hit) = fetch(&mut world, dialogue, Some(DeliverySelection::ReceptionOfDelivery(before)));
    assert!(hit.is_success());
    let (_, miss) = fetch(&mut world, dialogue, Some(DeliverySelection::ReceptionOfDelivery(after)));
    assert_eq!(miss.feedback.decisive(), F::S9803);
}

#[test]
fn h7_process_cards_by_every_rule() {
    let mut world = World::new();
    let start = world.now;
    let first = store(&mut world, "eins");
    world.later(5);
    store(&mut world, "zwei");
    assert_eq!(cards(&mut world, &PKI.sender, by_id(&first)).len(), 1);
    let since = |role, no_reception| CardQuery {
        selection: Some(CardSelection::RecentModification(DateSelection { from: start, no_reception, role })),
        limit: None,
    };
    assert_eq!(cards(&mut world, &PKI.sender, since(Some(Role::Originator), None)).len(), 2);
    assert_eq!(cards(&mut world, &PKI.recipient, since(Some(Role::Addressee), Some(true))).len(), 2);
    assert_eq!(cards(&mut world, &PKI.sender, since(Some(Role::Addressee), None)).len(), 0);
    let dialogue = open(&mut world, &PKI.sender);
    let (request, awaiting) =
        dialogue.fetch_process_cards(CardQuery { selection: None, limit: Some(1) }, &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let (_, answer) = awaiting.receive(Ok(&answer)).unwrap();
    assert!(answer.feedback.has(F::S3801) && answer.is_success());
    assert_eq!(answer.value.cards.len(), 1);
}

#[test]
fn h14_plain_and_unsigned_where_the_rules_allow_it() {
    let mut world = World::lenient();
    let mut bare = plain(&PKI.sender);
    bare.signature = None;
    let (request, awaiting) = bare.get_message_id(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(answer.transport.is_none());
    assert!(awaiting.receive(Ok(&answer)).unwrap().is_success());
    // Where they do not: a fault, and a typed 9600.
    let mut world = World::new();
    assert_eq!(world.code(&PKI.sender, &octets(&PKI.sender, &request, &[])), F::S9300);
    world.intermediary.rules.encryption_required = false;
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert_eq!(envelope(&answer).order.feedback().unwrap().codes(), [F::S9600]);
}

#[test]
fn h21_custom_header_arrives_unchanged() {
    let mut world = World::new();
    let xml = b"<meta:MessageMetaData xmlns:meta=\"http://www.osci.eu/ws/2014/10/transport\"  Id='MetaData'><meta:TestMsg/></meta:MessageMetaData>";
    let header = CustomHeader {
        id: "MetaData".into(),
        namespace: "http://www.osci.eu/ws/2014/10/transport".into(),
        name: "MessageMetaData".into(),
        xml: xml.to_vec(),
        namespaces: NamespaceContext::default(),
    };
    let id = message_id(&mut world, &PKI.sender);
    let mut delivery = delivery("eins");
    delivery.custom_headers.push(header.clone());
    let (request, awaiting) = client(&PKI.sender).store(id, delivery, &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(awaiting.receive(Ok(&answer)).unwrap().is_success(), "{:?}", world.refused);
    let dialogue = open(&mut world, &PKI.recipient);
    let (_, fetched) = fetch(&mut world, dialogue, None);
    assert_eq!(fetched.value.envelope.custom_headers[0].xml, header.xml);
}

#[test]
fn h22_feedback_in_the_languages_wished_for() {
    let mut world = World::new();
    let mut both = client(&PKI.sender);
    both.languages = vec!["en".into(), "de".into()];
    let (request, awaiting) = both.get_message_id(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let feedback = awaiting.receive(Ok(&answer)).unwrap().feedback;
    let tags: Vec<_> = feedback.entries.iter().map(|entry| entry.language.as_deref().unwrap()).collect();
    assert_eq!(tags, ["en", "de"]);
}

#[test]
fn h23_cryptographic_time_stamp_becomes_a_plain_one() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (mut request, awaiting) = client(&PKI.sender).store(id, delivery("eins"), &mut SystemRandom);
    request.envelope.qualities.creation = Some(Quality::Cryptographic);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    let card = awaiting.receive(Ok(&answer)).unwrap().value.card.unwrap();
    assert!(matches!(card.card.creation, Some(dds_osci::laufzettel::Stamp::Plain(_))));
}

#[test]
fn h25_dialogues_side_by_side_do_not_mix() {
    let mut world = World::new();
    let mut dialogues: Vec<_> = (0..5).map(|_| open(&mut world, &PKI.sender)).collect();
    for _ in 0..2 {
        dialogues = dialogues
            .into_iter()
            .rev()
            .map(|dialogue| {
                let (request, awaiting) = dialogue.get_message_id(&mut SystemRandom);
                let answer = world.send(&PKI.sender, &request, &[]).unwrap();
                awaiting.receive(Ok(&answer)).unwrap().0
            })
            .collect();
    }
    for dialogue in dialogues {
        close(&mut world, &PKI.sender, dialogue);
    }
}

/// A sender may give his content the Ids that an intermediary uses for its own blocks. His delivery must not make the
/// response unreadable: it would block the mailbox.
#[test]
fn ids_of_the_sender_do_not_block_the_mailbox() {
    use dds_osci::message::{CertificateRole, RoleCertificate};
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let mut hostile = with_attachment(b"abc");
    let xml = String::from_utf8(hostile.content.xml).unwrap();
    hostile.content.xml = xml
        .replace("\"container\"", "\"suppliersignature\"")
        .replace("\"inhalt\"", "\"b&#111;dy\"")
        .into_bytes();
    hostile.custom_headers.push(CustomHeader {
        id: "responsetofetchdelivery".into(),
        namespace: "urn:x".into(),
        name: "kopf".into(),
        xml: b"<x:kopf xmlns:x=\"urn:x\" Id=\"responsetofetchdelivery\"><x:a Id=\"controlblock\"/></x:kopf>"
            .to_vec(),
        namespaces: NamespaceContext::default(),
    });
    hostile.certificates.entries.push(RoleCertificate {
        role: CertificateRole::SignatureOtherAuthor,
        id: CertificateRole::SignatureIntermediary.usual_id(PKI.intermediary.signature_certificate(), 0),
        certificate: PKI.stranger.signature_certificate().clone(),
    });
    let (request, awaiting) = client(&PKI.sender).store(id, hostile, &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[(ATTACHMENT, b"abc")]).unwrap();
    assert!(awaiting.receive(Ok(&answer)).unwrap().is_success(), "{:?}", world.refused);
    let dialogue = open(&mut world, &PKI.recipient);
    let (_, fetched) = fetch(&mut world, dialogue, None);
    assert!(fetched.is_success());
    assert_eq!(fetched.value.envelope.custom_headers[0].id, "responsetofetchdelivery");
}
