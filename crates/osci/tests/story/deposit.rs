//! What the process of the intermediary puts into a mailbox itself: for everybody else the same as an order over the
//! wire.

use dds_osci::certificate::Certificate;
use dds_osci::client::{Client, Delivery};
use dds_osci::feedback::{FeedbackCode as F, Refused};
use dds_osci::intermediary::{Attachment, Deposited, IdState, Mailboxes as _};
use dds_osci::keys::{Decrypter, Signer, SoftwareKey};
use dds_osci::message::{CertificateRole, CustomHeader, DeliverySelection, MessageId, NamespaceContext};
use dds_osci::random::SystemRandom;
use dds_osci::trust::{RevocationList, Severity};

use crate::happy::{by_id, cards, close, message_id, open};
use crate::world::{
    ATTACHMENT, Blob, PKI, World, client, code, delivery, digest, octets_signed, text_of, with_attachment,
};

fn attachment(octets: &[u8]) -> Attachment<Blob> {
    Attachment {
        content_id: ATTACHMENT.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        bytes: octets.len() as u64,
        offset: 0,
        digests: digest(ATTACHMENT, octets),
        handle: Blob::new(octets.to_vec()),
    }
}

fn deposit(
    world: &mut World,
    client: &Client,
    delivery: Delivery,
    attachments: Vec<Attachment<Blob>>,
) -> Result<Deposited, Refused> {
    let now = world.now;
    let deposit = world.intermediary.deposit(client, delivery, attachments, now, &mut SystemRandom)?;
    deposit.put(&world.intermediary, &mut world.boxes).unwrap()
}

/// A delivery with everything that one may have.
fn rich() -> Delivery {
    let mut delivery = delivery("eins");
    let container =
        dds_osci::content::ContainerDraft::new("mit").attachment("datei", digest(ATTACHMENT, b"abc"));
    let container = container.write(&[], dds_osci::signature::SigningOptions::default()).unwrap();
    delivery.content = dds_osci::message::ContentPackage::new(dds_osci::content::package(&[], &[container]));
    delivery.certificates.add(CertificateRole::CipherOtherReader, PKI.stranger.cipher_certificate());
    delivery.custom_headers.push(CustomHeader {
        id: "meta".into(),
        name: "Meta".into(),
        namespace: "urn:erfunden".into(),
        xml: br#"<m:Meta xmlns:m="urn:erfunden" Id="meta">x</m:Meta>"#.to_vec(),
        namespaces: NamespaceContext::default(),
    });
    delivery
}

#[test]
fn who_fetches_sees_no_difference() {
    let (mut direct, mut wire) = (World::new(), World::new());
    let own = client(&PKI.sender);
    let deposited = deposit(&mut direct, &own, rich(), vec![attachment(b"abc")]).unwrap();
    assert!(deposited.warnings.is_empty());
    let owner = PKI.sender.signature_certificate().sha256_hex().to_owned();
    assert_eq!(direct.boxes.id_state(&deposited.id, &owner), Ok(IdState::Used));
    let id = message_id(&mut wire, &PKI.sender);
    let (request, awaiting) = own.store(id.clone(), rich(), &mut SystemRandom);
    let answer = wire.send(&PKI.sender, &request, &[(ATTACHMENT, b"abc")]).unwrap();
    let stored = awaiting.receive(Ok(&answer)).unwrap().value.card.unwrap();
    assert_eq!(dds_osci::laufzettel::ProcessCardBundle { message_id: id.clone(), ..deposited.card }, stored);
    assert_eq!(stored.inspections.len(), 4, "originator twice, addressee, reader");

    let look = |world: &mut World, id: &MessageId| {
        world.later(10);
        let dialogue = open(world, &PKI.recipient);
        let selection = Some(DeliverySelection::MessageId(id.clone()));
        let (request, awaiting) = dialogue.fetch(selection, &mut SystemRandom);
        let received = world.send(&PKI.recipient, &request, &[]).unwrap();
        let (dialogue, fetched) = awaiting.receive(Ok(&received)).unwrap();
        assert_eq!(*received.attachments[0].handle, b"abc");
        world.later(10);
        close(world, &PKI.recipient, dialogue);
        // The originator finds its card over the wire, and the id is used up there.
        let card = cards(world, &PKI.sender, by_id(id)).remove(0);
        assert!(card.card.creation.is_some() && card.card.reception.is_some());
        let (request, _) = client(&PKI.sender).store(id.clone(), delivery("zwei"), &mut SystemRandom);
        assert_eq!(code(&world.send(&PKI.sender, &request, &[]).unwrap()), F::S9801);
        let envelope = *fetched.value.envelope;
        let headers: Vec<_> = envelope.custom_headers.iter().map(|header| header.xml.clone()).collect();
        let shown = fetched.value.card.unwrap();
        let shown = (shown.card, shown.inspections, card.card, card.inspections);
        let text = text_of(&envelope);
        (envelope.certificates.entries, text, headers, shown)
    };
    assert_eq!(look(&mut direct, &deposited.id), look(&mut wire, &id));
}

/// One case: how the world is, who sends, and what.
struct Case {
    name: &'static str,
    world: fn(&mut World),
    client: Client,
    delivery: Delivery,
    attachments: Vec<Attachment<Blob>>,
    code: F,
}

impl Case {
    fn new(name: &'static str, code: F) -> Self {
        let client = client(&PKI.sender);
        Self { name, world: |_| {}, client, delivery: delivery("x"), attachments: Vec::new(), code }
    }

    fn world(self, world: fn(&mut World)) -> Self {
        Self { world, ..self }
    }

    fn signed_by(self, key: &SoftwareKey) -> Self {
        let signature = Some(Signer::certificate(key).clone());
        Self { client: Client { signature, ..self.client }, ..self }
    }

    fn to(mut self, addressee: &Certificate) -> Self {
        self.delivery.addressee = addressee.clone();
        self
    }

    fn read_by(mut self, reader: &Certificate) -> Self {
        self.delivery.certificates.add(CertificateRole::CipherOtherReader, reader);
        self
    }

    fn with(self, octets: &[u8], attachments: Vec<Attachment<Blob>>) -> Self {
        Self { delivery: with_attachment(octets), attachments, ..self }
    }
}

fn numbered(count: usize) -> Vec<Attachment<Blob>> {
    let mut attachments = vec![attachment(b"abc"); count];
    for (number, attachment) in attachments.iter_mut().enumerate().skip(1) {
        attachment.content_id = format!("anlage-{number}");
    }
    attachments
}

fn large() -> Vec<u8> {
    vec![7; 200_000]
}

fn revoking(world: &mut World) {
    world.intermediary.trust.crls.push(RevocationList::from_der(PKI.crl.clone()).unwrap());
}

fn cases() -> Vec<Case> {
    let old = Decrypter::certificate(&PKI.expired_cipher);
    let mut old_client = Case::new("cipher certificate of the client ended", F::S9501);
    old_client.client.cipher = old.clone();
    vec![
        Case::new("no mailbox", F::S9706).to(PKI.stranger.cipher_certificate()),
        Case::new("addressee ended", F::S9706).to(old),
        Case::new("reader ended", F::S9708).read_by(old),
        Case::new("client ended", F::S9700).signed_by(&PKI.expired),
        Case::new("client self-signed", F::S9700).signed_by(&PKI.self_signed),
        Case::new("client's key short", F::S9700).signed_by(&PKI.weak),
        Case::new("client revoked", F::S9701).signed_by(&PKI.revoked).world(revoking),
        Case::new("too large", F::S9904)
            .with(&large(), vec![attachment(&large())])
            .world(|world| world.intermediary.rules.max_message_kb = 100),
        Case::new("attachment missing", F::S9100).with(b"abc", Vec::new()),
        Case::new("attachment twice", F::S9100).with(b"abc", vec![attachment(b"abc"); 2]),
        Case::new("too many attachments", F::S9100).with(b"abc", numbered(256)),
        old_client,
    ]
}

/// The code is that of the wire, and nothing is left of what was refused.
#[test]
fn what_an_order_is_refused_for_is_refused() {
    for case in cases() {
        let mut world = World::new();
        // On the wire the id belongs to the signer, who must be good to get one.
        (case.world)(&mut world);
        let before = format!("{:?}", world.boxes);
        let refused =
            deposit(&mut world, &case.client, case.delivery.clone(), case.attachments.clone()).unwrap_err();
        assert_eq!(refused.code, case.code, "{}: {refused}", case.name);
        assert_eq!(format!("{:?}", world.boxes), before, "{}", case.name);

        let signer = [&PKI.expired, &PKI.self_signed, &PKI.weak, &PKI.revoked, &PKI.sender.signature]
            .into_iter()
            .find(|key| case.client.signature.as_ref() == Some(Signer::certificate(*key)))
            .unwrap();
        let id = message_id(&mut world, &PKI.sender);
        let (request, _) = case.client.store(id, case.delivery, &mut SystemRandom);
        let octets: Vec<(&str, &[u8])> =
            case.attachments.iter().map(|one| (one.content_id.as_str(), one.handle.as_slice())).collect();
        let octets = octets_signed(signer, &request, &octets);
        assert_eq!(world.code(&PKI.sender, &octets), case.code, "{} on the wire", case.name);
    }
}

#[test]
fn as_many_attachments_as_a_message_may_have_are_taken() {
    let (mut world, own) = (World::new(), client(&PKI.sender));
    assert!(deposit(&mut world, &own, with_attachment(b"abc"), numbered(255)).is_ok());
    let id = message_id(&mut world, &PKI.sender);
    let (request, _) = own.store(id, with_attachment(b"abc"), &mut SystemRandom);
    let attachments = numbered(255);
    let octets: Vec<(&str, &[u8])> =
        attachments.iter().map(|one| (one.content_id.as_str(), one.handle.as_slice())).collect();
    assert_eq!(code(&world.send(&PKI.sender, &request, &octets).unwrap()), F::S0800);
}

#[test]
fn who_has_no_signature_certificate_deposits_only_where_none_is_demanded() {
    let unsigned = Client { signature: None, ..client(&PKI.sender) };
    let refused = deposit(&mut World::new(), &unsigned, delivery("x"), Vec::new()).unwrap_err();
    assert_eq!(refused.code, F::S9600);
    let deposited = deposit(&mut World::lenient(), &unsigned, delivery("x"), Vec::new()).unwrap();
    assert_eq!(deposited.card.inspections.len(), 2);
}

#[test]
fn warnings_come_back_and_stand_on_the_card() {
    let mut world = World::new();
    world.intermediary.trust.validity = Severity::Warn;
    let old = Case::new("", F::S0800).signed_by(&PKI.expired).client;
    let deposited = deposit(&mut world, &old, delivery("x"), Vec::new()).unwrap();
    assert_eq!(deposited.warnings, [F::S3700]);
    let inspected = &deposited.card.inspections[0];
    assert_eq!(inspected.subject, Signer::certificate(&PKI.expired).subject());
    assert_eq!(inspected.offline, dds_osci::laufzettel::OfflineResult::Invalid);
}

/// An answer of a responder that came after the examination counts.
#[test]
fn what_is_learnt_between_examination_and_deposit_counts() {
    let mut world = World::new();
    let revoked = Case::new("", F::S9701).signed_by(&PKI.revoked).client;
    let now = world.now;
    let examined = world
        .intermediary
        .deposit(&revoked, delivery("x"), Vec::<Attachment<Blob>>::new(), now, &mut SystemRandom)
        .unwrap();
    assert_eq!(examined.certificates().count(), 3);
    revoking(&mut world);
    let examined = examined.recheck(&world.intermediary);
    let refused = examined.put(&world.intermediary, &mut world.boxes).unwrap().unwrap_err();
    assert_eq!(refused.code, F::S9701);
}
