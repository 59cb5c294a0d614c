//! What a client does with responses that are not what they must be: it has nothing left to send with.

use dds_osci::client::{Awaiting, IssuedId, Lost, LostReason};
use dds_osci::feedback::{FeedbackCode as F, Refused};
use dds_osci::keys::Signer;
use dds_osci::message::{Envelope, Fault};
use dds_osci::outgoing::Outgoing;
use dds_osci::random::SystemRandom;
use dds_osci::signature::SigningOptions;

use crate::happy::open;
use crate::world::{PKI, World, envelope, intake, octets, stream};

/// An order inside a dialogue, and the intermediary's good answer to it.
fn asked() -> (Awaiting<IssuedId>, Envelope) {
    let mut world = World::new();
    let dialogue = open(&mut world, &PKI.sender);
    let (request, awaiting) = dialogue.get_message_id(&mut SystemRandom);
    let octets = octets(&PKI.sender, &request, &[]);
    let answer = envelope(&world.exchange(&PKI.sender, &octets).unwrap());
    (awaiting, answer)
}

fn answered(
    change: impl FnOnce(&mut Envelope),
    signer: Option<&dyn Signer>,
    encrypted: bool,
) -> Option<Lost> {
    let (awaiting, mut answer) = asked();
    change(&mut answer);
    let target = dds_osci::encryption::TransportTarget::new(PKI.sender.cipher_certificate().clone());
    let signer = signer.map(|signer| (signer, SigningOptions::default()));
    let sealed = answer.seal(signer, encrypted.then_some(&target), &[], &mut SystemRandom).unwrap();
    let received = intake(&stream(sealed, &[]), &PKI.sender).unwrap();
    awaiting.receive(Ok(&received)).err()
}

fn key() -> Option<&'static dyn Signer> {
    Some(&PKI.intermediary.signature)
}

#[test]
fn the_good_answer_is_taken() {
    assert!(answered(|_| {}, key(), true).is_none());
}

#[test]
fn unencrypted_answer_to_an_encrypted_order() {
    let lost = answered(|_| {}, key(), false).unwrap();
    assert!(matches!(lost.reason, LostReason::Unprotected(_)), "{lost}");
}

#[test]
fn unsigned_answer_to_a_signed_order() {
    let lost = answered(|_| {}, None, true).unwrap();
    assert!(matches!(lost.reason, LostReason::Unprotected(_)));
    assert_eq!(lost.code(), F::S9600);
}

#[test]
fn answer_signed_by_a_foreign_intermediary() {
    use dds_osci::message::CertificateRole;
    let stranger: &dyn Signer = &PKI.stranger.signature;
    let lost = answered(
        |answer| {
            answer.intermediary_certificates.entries.clear();
            answer
                .intermediary_certificates
                .add(CertificateRole::SignatureIntermediary, stranger.certificate());
        },
        Some(stranger),
        true,
    );
    assert_eq!(lost.unwrap().code(), F::S9601);
}

#[test]
fn answers_to_another_order() {
    let changes: [fn(&mut Envelope); 4] = [
        |answer| answer.control.response = Some("andere".into()),
        |answer| answer.control.sequence_number = Some(5),
        |answer| answer.control.conversation_id = Some("5".into()),
        |answer| answer.control.challenge = None,
    ];
    for change in changes {
        let lost = answered(change, key(), true).unwrap();
        assert!(matches!(lost.reason, LostReason::WrongDialogue(_)));
        assert_eq!(lost.code(), F::S9400);
    }
}

#[test]
fn what_cannot_be_decrypted_ends_the_dialogue() {
    let (awaiting, _) = asked();
    let refused = Refused::new(F::S9202, "the message cannot be decrypted");
    let lost = awaiting.receive::<crate::world::Blobs>(Err(refused)).unwrap_err();
    assert!(matches!(lost.reason, LostReason::Unreadable(_)));
    assert!(!lost.is_refusal());
}

#[test]
fn a_fault_in_the_clear_is_a_refusal() {
    let (awaiting, _) = asked();
    let fault = Fault::of(F::S9400).write(Default::default());
    let received = intake(&stream(Outgoing::plain(fault, &mut SystemRandom), &[]), &PKI.sender).unwrap();
    let lost = awaiting.receive(Ok(&received)).unwrap_err();
    assert!(lost.is_refusal());
    assert_eq!(lost.code(), F::S9400);
}
