//! What goes out of a mailbox, and what does not.

use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intermediary::{Delivery, Mailboxes as _};
use dds_osci::message::{DeliverySelection, MessageId};
use dds_osci::random::SystemRandom;

use crate::happy::{close, fetch, message_id, open, store};
use crate::world::{PKI, World, client, code, delivery, octets};

fn by_id(id: &MessageId) -> Option<DeliverySelection> {
    Some(DeliverySelection::MessageId(id.clone()))
}

/// The next order of a dialogue acknowledges what the last response brought. This one brought nothing.
#[test]
fn a_delivery_that_could_not_go_out_is_not_received() {
    let mut world = World::new();
    let whole = store(&mut world, "eins");
    let mailbox = PKI.recipient.cipher_certificate().sha256_hex().to_owned();
    let (found, _) = world.boxes.find_delivery(&mailbox, by_id(&whole).as_ref()).unwrap().unwrap();
    let broken = MessageId::new("kaputt");
    let spoilt = Delivery { id: broken.clone(), envelope: b"<kaputt>".to_vec(), ..found };
    world.boxes.put_delivery(&spoilt).unwrap();
    let mut card = world.boxes.card(&whole).unwrap().unwrap();
    card.bundle.message_id = broken.clone();
    world.boxes.keep_card(&card).unwrap();

    let dialogue = open(&mut world, &PKI.recipient);
    let (dialogue, answer) = fetch(&mut world, dialogue, by_id(&broken));
    assert_eq!(answer.feedback.decisive(), F::S9811);
    let (_, answer) = fetch(&mut world, dialogue, by_id(&whole));
    assert!(answer.is_success());
    let card = world.boxes.card(&broken).unwrap().unwrap().bundle.card;
    assert_eq!((card.forwarding, card.reception), (None, None));
}

/// Nobody fills the disk by a mailbox that is not fetched; and a refused order may come again, under its MessageId.
#[test]
fn a_full_mailbox_takes_more_when_something_was_received() {
    let mut world = World::new();
    let mailbox = PKI.recipient.cipher_certificate().sha256_hex().to_owned();
    store(&mut world, "eins");
    let (_, one) = world.boxes.load(&mailbox).unwrap();
    store(&mut world, "zwei");
    assert_eq!(world.boxes.load(&mailbox).unwrap().0, 2);
    let id = message_id(&mut world, &PKI.sender);
    let order = |world: &mut World| {
        let (request, _) = client(&PKI.sender).store(id.clone(), delivery("drei"), &mut SystemRandom);
        code(&world.exchange(&PKI.sender, &octets(&PKI.sender, &request, &[])).unwrap())
    };

    world.intermediary.rules.mailbox_deliveries = 2;
    assert_eq!(order(&mut world), F::S9811);
    let told = world.refused.take().unwrap();
    assert!(told.detail.contains(&mailbox) && told.detail.contains("2 deliveries"), "{told}");
    world.intermediary.rules.mailbox_deliveries = 3;
    world.intermediary.rules.mailbox_bytes = 3 * one - one / 2;
    assert_eq!(order(&mut world), F::S9811);

    world.intermediary.rules.mailbox_deliveries = 2;
    let dialogue = open(&mut world, &PKI.recipient);
    let (dialogue, _) = fetch(&mut world, dialogue, None);
    assert_eq!(order(&mut world), F::S9811, "it is not received before the next order");
    close(&mut world, &PKI.recipient, dialogue);
    assert_eq!(order(&mut world), F::S0800);
    assert_eq!(world.boxes.load(&mailbox).unwrap().0, 2);
}
