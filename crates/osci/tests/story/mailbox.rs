//! What goes out of a mailbox, and what does not.

use dds_osci::feedback::FeedbackCode as F;
use dds_osci::intermediary::{Delivery, Mailboxes as _};
use dds_osci::message::{DeliverySelection, MessageId};

use crate::happy::{fetch, open, store};
use crate::world::{PKI, World};

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
