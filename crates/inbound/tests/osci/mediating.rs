//! The intermediary between a client that waits for a reply and a recipient that gives it once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, routing::post};
use bytes::Bytes;
use dds_osci::{
    algorithm::DigestAlgorithm,
    content::{ContainerDraft, package},
    intake::{IntakeConfig, read_all},
    keys::{Decrypter, Signer},
    message::{ContentPackage, RoleCertificates},
    outgoing::{AttachmentHead, PartHasher, message_bytes},
    random::SystemRandom,
    recipient::{Incoming, Recipient, Reply},
    signature::{PartDigests, SigningOptions},
};
use dds_testbench::ManualClock;

use crate::{
    wire::{Lost, Seen},
    world::{Place, application, keys, serve, town},
};

const DECISION: &[u8] = &[7; 200_000];

/// A recipient that decides at once, with a file; how many deliveries it took, and its address.
async fn office() -> (Arc<AtomicUsize>, String) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let answer = move |body: Bytes| async move {
        counter.fetch_add(1, Ordering::SeqCst);
        decided(&body)
    };
    let router =
        Router::new().route("/empfang", post(answer)).layer(axum::extract::DefaultBodyLimit::disable());
    (taken, format!("http://{}/empfang", serve(router).await))
}

fn decided(push: &[u8]) -> Vec<u8> {
    let town = &keys().town;
    let recipient = Recipient::new(
        town.cipher_certificate().clone(),
        town.signature_certificate().clone(),
        vec![keys().intermediary.signature_certificate().clone()],
    );
    let deciphers: [&dyn Decrypter; 1] = [town.cipher.as_ref()];
    let received = read_all(&IntakeConfig::default(), &deciphers, &mut SystemRandom, push).unwrap();
    let Ok(Incoming::Process(processing)) = recipient.receive(&received) else { panic!("another order") };
    let draft = ContainerDraft::new("Antwort").inline("Bescheid", b"<bescheid/>");
    let container = draft.attachment("Anlage1", digests()).write(&[], SigningOptions::default()).unwrap();
    let response = processing.reply(Reply {
        content: ContentPackage::new(package(&[], &[container])),
        certificates: RoleCertificates::default(),
        subject: None,
        custom_headers: Vec::new(),
    });
    let signer = (town.signature.as_ref() as &dyn Signer, SigningOptions::default());
    let outgoing = response.seal(Some(signer), &[digests()], &mut SystemRandom).unwrap();
    let head = AttachmentHead {
        content_id: "bescheid.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        length: Some(DECISION.len() as u64),
    };
    message_bytes(outgoing, &[(head, DECISION)]).unwrap()
}

fn digests() -> PartDigests {
    let mut hasher = PartHasher::new("bescheid.pdf", &[DigestAlgorithm::Sha256]);
    hasher.update(DECISION);
    hasher.finish()
}

/// The recipient has replied and the client never heard of it, because the connection broke and the intermediary died:
/// the same order gets the reply from the next process, with its file, and the recipient is not asked again.
#[tokio::test]
async fn a_reply_outlives_the_intermediary_that_passed_it_on() {
    let clock = ManualClock::default();
    let (taken, url) = office().await;
    let place = Place::start(&clock, &[&url]).await;
    let id = place.portal.message_id().await.unwrap();
    // initDialog, then mediateDelivery.
    place.wire.arm(2, Lost::Answer, Seen::Break);
    place.portal.mediate_as(&id, &url, town(), application(0).as_bytes()).await.unwrap_err();
    assert_eq!(taken.load(Ordering::SeqCst), 1);

    let place = place.rebooted(&[&url]).await;
    let swept = dds_message::Timestamp(i64::MAX / 4_000);
    place.machine.boot().postbox.sweep(swept, swept).await.unwrap();
    for _ in 0..2 {
        let reply = place.portal.mediate_as(&id, &url, town(), application(0).as_bytes()).await.unwrap();
        assert_eq!(reply.document, b"<bescheid/>");
        assert_eq!(reply.attachments, [DECISION]);
        assert_eq!(reply.id, id.of_reply().as_str());
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1, "mediated once");
    assert_eq!(place.machine.unreceived(), 1, "nobody has acknowledged it");
}

/// What cannot be kept is not told: the client gets a fault, and learns from the process card that nothing is certain.
#[tokio::test]
async fn a_reply_that_cannot_be_kept_is_not_passed_on() {
    let clock = ManualClock::default();
    let (taken, url) = office().await;
    let place = Place::start(&clock, &[&url]).await;
    place.machine.fail_at("INSERT ON delivery");
    let lost = place.portal.mediate(&url, town(), application(0).as_bytes()).await.unwrap_err();
    assert!(lost.to_string().contains("9000"), "{lost}");
    assert_eq!((taken.load(Ordering::SeqCst), place.machine.files()), (1, 0));
}
