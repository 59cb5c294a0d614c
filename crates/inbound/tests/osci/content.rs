//! What counts of a delivery, and whose it is.

use dds_courier::{AttachmentList, ListedAttachment};
use dds_inbound::{
    AuthorRule, SourceTable,
    osci::{Collector, CollectorOptions, OsciContext, OwnMailbox, RecipientEndpoint, routes},
};
use dds_message::{Digest, Format};
use dds_osci::{
    algorithm::{DigestAlgorithm, Hasher, KeyTransport},
    c14n::canonical_bytes,
    client::{Client, Delivery},
    content::{AttachmentEncryption, Author, ContainerDraft, encrypt_container, package},
    feedback::{Feedback, FeedbackCode, Language},
    intake::{IntakeConfig, read_all},
    intermediary::{Mailboxes as _, Rules},
    keys::{Decrypter, Signer},
    message::{CertificateRole as R, ContentPackage, ControlBlock, Envelope, Message, MessageId, Order},
    outgoing::{AttachmentHead, PartHasher, message_bytes},
    random::SystemRandom,
    recipient::Recipient,
    signature::{PartDigests, Reference, SignatureDraft, SigningOptions, sign},
    trust::TrustPolicy,
    xml::{Document, ENVELOPE_NAMESPACES, limits},
};
use dds_testbench::{ManualClock, OsciIdentity};

use crate::{
    support::{client, source},
    world::{Machine, Place, application, identity, keys, serve, town},
};

/// An intermediary that asks for no signature and no encryption, and whose mailbox of the town goes the main path.
struct World {
    place: Place,
    context: OsciContext,
}

/// A part of a message: Content-ID and octets.
type Part = (&'static str, Vec<u8>);

impl World {
    async fn new() -> Self {
        let rules = Rules { signature_required: false, encryption_required: false, ..Rules::default() };
        let place = Place::with(&ManualClock::default(), rules).await;
        let mut context = place.machine.boot();
        context.trust = dds_courier::Trust::new(keys().policy(&[]));
        Self { place, context }
    }

    fn with(mut self, rule: AuthorRule) -> Self {
        let portal = Digest::of(keys().portal.signature_certificate().der());
        let table = SourceTable::default().with_certificate(source(), portal).with_author(source(), rule);
        self.context.sources = std::sync::Arc::new(table);
        self
    }

    /// Stores a content in the town's mailbox: `sender` signs, or nobody; `announced` stands as the originator.
    async fn store(
        &self,
        content: Vec<u8>,
        announced: (&OsciIdentity, &OsciIdentity),
        sender: Option<&OsciIdentity>,
        parts: &[Part],
    ) {
        let mut delivery = Delivery::new(ContentPackage::new(content), town().clone());
        for author in [&keys().portal, &keys().other] {
            delivery.certificates.add(R::SignatureOtherAuthor, author.signature_certificate());
        }
        self.send(delivery, announced, sender, parts).await;
    }

    async fn send(
        &self,
        delivery: Delivery,
        (cipher, signature): (&OsciIdentity, &OsciIdentity),
        sender: Option<&OsciIdentity>,
        parts: &[Part],
    ) {
        let intermediary = &keys().intermediary;
        let mut client = Client::new(
            cipher.cipher_certificate().clone(),
            signature.signature_certificate().clone(),
            intermediary.cipher_certificate().clone(),
            intermediary.signature_certificate().clone(),
        );
        client.intermediary_cipher = None;
        let (request, _) = client.get_message_id(&mut SystemRandom);
        let answer = self.post(&request.envelope, sender, &[]).await;
        let Order::ResponseToGetMessageId { message_id: Some(id), .. } = answer.order else {
            panic!("{:?}", answer.order)
        };
        let (request, _) = client.store(id, delivery, &mut SystemRandom);
        let answer = self.post(&request.envelope, sender, parts).await;
        assert!(answer.order.feedback().unwrap().is_success(), "{:?}", answer.order.feedback());
    }

    async fn post(&self, order: &Envelope, sender: Option<&OsciIdentity>, parts: &[Part]) -> Envelope {
        let signer = sender.map(|one| (one.signature.as_ref() as &dyn Signer, SigningOptions::default()));
        let digests: Vec<_> = parts.iter().map(|(id, octets)| digests(id, octets)).collect();
        let outgoing = order.seal(signer, None, &digests, &mut SystemRandom).unwrap();
        let parts: Vec<_> = parts.iter().map(|(id, octets)| (head(id, octets), octets.as_slice())).collect();
        let body = message_bytes(outgoing, &parts).unwrap();
        let answer = client().post(&self.place.address).body(body).send().await.unwrap();
        read(&answer.bytes().await.unwrap())
    }

    /// Takes over what waits: what came to the main path, and the codes of what was set aside.
    async fn collect(&self) -> (Vec<crate::support::Taken>, Vec<String>) {
        let own = vec![OwnMailbox::of(identity(&keys().town))];
        let collector = Collector::new(&self.context, own, CollectorOptions::default());
        assert_eq!(collector.collect().await.unwrap(), 1);
        let aside = self.place.machine.set_aside().into_iter().map(|(code, _)| code).collect();
        (self.place.machine.router.taken(), aside)
    }
}

fn head(id: &str, octets: &[u8]) -> AttachmentHead {
    AttachmentHead {
        content_id: id.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        length: Some(octets.len() as u64),
    }
}

fn digests(id: &str, octets: &[u8]) -> PartDigests {
    let mut hasher = PartHasher::new(id, &[DigestAlgorithm::Sha256]);
    hasher.update(octets);
    hasher.finish()
}

fn read(answer: &[u8]) -> Envelope {
    let keys: Vec<&dyn Decrypter> = [&keys().portal, &keys().other, &keys().intermediary]
        .map(|one| one.cipher.as_ref() as &dyn Decrypter)
        .into();
    let received = read_all(&IntakeConfig::default(), &keys, &mut SystemRandom, answer).unwrap();
    match Message::read(&received.document).unwrap() {
        Message::Envelope(envelope) => *envelope,
        Message::Fault(fault) => panic!("{}", fault.code),
    }
}

/// A container, signed by these authors.
fn container(draft: ContainerDraft, authors: &[&OsciIdentity]) -> Vec<u8> {
    container_with(draft, authors, SigningOptions::default())
}

fn container_with(draft: ContainerDraft, authors: &[&OsciIdentity], options: SigningOptions) -> Vec<u8> {
    let named: Vec<_> = authors
        .iter()
        .map(|author| {
            // As `World::store` has put them there.
            let number = usize::from(author.signature_certificate() == keys().other.signature_certificate());
            (R::SignatureOtherAuthor.usual_id(author.signature_certificate(), number), author)
        })
        .collect();
    let authors: Vec<_> = named
        .iter()
        .map(|(key_id, author)| Author { signer: author.signature.as_ref(), key_id, time: None })
        .collect();
    draft.write(&authors, options).unwrap()
}

fn plain(draft: ContainerDraft) -> Vec<u8> {
    package(&[], &[container(draft, &[])])
}

fn document(number: usize) -> ContainerDraft {
    ContainerDraft::new(&format!("Container{number}"))
        .inline(&format!("Antrag{number}"), application(number).as_bytes())
}

#[tokio::test]
async fn the_source_is_who_has_signed_and_not_whose_cipher_certificate_is_named() {
    let (portal, thief) = (&keys().portal, &keys().other);
    let world = World::new().await;
    world.store(plain(document(0)), (portal, thief), Some(thief), &[]).await;
    let (taken, aside) = world.collect().await;
    assert_eq!((taken.len(), aside), (0, vec!["DDS-I001".to_owned()]));

    let world = World::new().await;
    world.store(plain(document(0)), (portal, portal), Some(portal), &[]).await;
    assert_eq!(world.collect().await.0[0].source, source());
}

#[tokio::test]
async fn an_order_that_nobody_has_signed_comes_only_from_who_has_signed_its_content() {
    let (portal, thief) = (&keys().portal, &keys().other);
    let with = |authors: &[&OsciIdentity]| package(&[], &[container(document(0), authors)]);
    let both = package(&[], &[container(document(0), &[thief]), container(document(1), &[portal])]);
    for (content, taken) in [(with(&[]), 0), (with(&[thief]), 0), (both, 0), (with(&[portal]), 1)] {
        let world = World::new().await;
        world.store(content, (portal, portal), None, &[]).await;
        let (found, aside) = world.collect().await;
        assert_eq!((found.len(), aside.len()), (taken, 1 - taken));
    }
}

/// Whoever has seen a signed container may send it again; that makes no second message of its author's.
#[tokio::test]
async fn a_copy_of_what_an_author_has_signed_is_no_new_message() {
    let world = World::new().await;
    let keys = keys();
    let with = |number| package(&[], &[container(document(number), &[&keys.portal])]);
    let signed = with(1);
    for sent in 1..=2 {
        world.store(signed.clone(), (&keys.other, &keys.other), None, &[]).await;
        let (taken, aside) = world.collect().await;
        assert_eq!((taken.len(), aside), (1, Vec::new()), "sent {sent} times");
    }
    world.store(with(2), (&keys.other, &keys.other), None, &[]).await;
    assert_eq!(world.collect().await.0.len(), 2, "another content is another message");
}

/// Another intermediary passes on a reply, and says itself that nobody has signed it (3802).
#[tokio::test]
async fn a_reply_that_nobody_has_signed_is_not_its_originators() {
    use FeedbackCode as F;
    for (codes, taken) in [(&[F::S0800][..], 1), (&[F::S0800, F::S3802], 0)] {
        let world = World::new().await;
        let feedback = Feedback::of(codes, &[Language::German]);
        let order = Order::ResponseToMediateDelivery { feedback, request_card: None, reply_card: None };
        let mut envelope = Envelope::new(ControlBlock::default(), order);
        envelope.certificates.add(R::SignatureOriginator, keys().portal.signature_certificate());
        envelope.content = Some(ContentPackage::new(plain(document(0))));
        let sealed = envelope.seal(None, None, &[], &mut SystemRandom).unwrap();
        let received =
            read_all(&IntakeConfig::default(), &[], &mut SystemRandom, &message_bytes(sealed, &[]).unwrap());
        let reply = dds_osci::intermediary::Delivery {
            id: MessageId::new("antwort/1"),
            mailbox: dds_postbox::REPLIES.to_owned(),
            submitted: jiff::Timestamp::UNIX_EPOCH,
            envelope: received.unwrap().document.bytes().to_vec(),
            attachments: Vec::new(),
        };
        world.context.postbox.run(move |boxes| boxes.put_delivery(&reply)).await.unwrap();
        let own = vec![OwnMailbox::replies(identity(&keys().town))];
        let collector = Collector::new(&world.context, own, CollectorOptions::default());
        assert_eq!(collector.collect().await.unwrap(), 1);
        let aside = world.place.machine.set_aside();
        assert_eq!((world.place.machine.router.taken().len(), aside.len()), (taken, 1 - taken), "{aside:?}");
    }
}

#[tokio::test]
async fn every_inline_content_arrives() {
    let portal = &keys().portal;
    let world = World::new().await;
    let draft = document(0).inline("Bescheid", b"%PDF-1.7 erfunden").inline("Zweites", b"<zweites/>");
    world.store(plain(draft), (portal, portal), Some(portal), &[]).await;
    let (taken, _) = world.collect().await;
    assert_eq!(taken[0].document, application(0));
    let found: Vec<_> = taken[0]
        .attachments
        .iter()
        .map(|one| (one.name.as_str(), one.media_type.as_str(), one.size))
        .collect();
    assert_eq!(found, [("Bescheid", "application/pdf", 17), ("Zweites", "application/xml", 10)]);
}

#[tokio::test]
async fn a_container_for_us_that_cannot_be_read_refuses_the_delivery() {
    let portal = &keys().portal;
    for broken in [false, true] {
        let world = World::new().await;
        let reader = R::CipherAddressee.usual_id(town(), 0);
        let mut encrypted = encrypt_container(
            "Verschluesselt",
            &container(document(1), &[]),
            &[(&reader, town())],
            KeyTransport::DEFAULT,
            &mut SystemRandom,
        )
        .unwrap();
        if broken {
            let text = String::from_utf8(encrypted).unwrap();
            // Within the last CipherValue, that of the container itself.
            let at = text.rfind("</xenc:CipherValue>").or_else(|| text.rfind("CipherValue>")).unwrap() - 20;
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            encrypted = [&text[..at], other, &text[at + 1..]].concat().into_bytes();
        }
        let content = package(&[encrypted], &[container(document(0), &[])]);
        world.store(content, (portal, portal), Some(portal), &[]).await;
        let (taken, aside) = world.collect().await;
        assert_eq!((taken.len(), aside.len()), if broken { (0, 1) } else { (1, 0) }, "broken: {broken}");
    }
}

#[tokio::test]
async fn a_document_may_be_an_encrypted_attachment_of_a_signed_container() {
    let portal = &keys().portal;
    let world = World::new().await;
    let mut sealed = Vec::new();
    let wrap = AttachmentEncryption::key(&mut SystemRandom);
    let mut encryption = AttachmentEncryption::new("antrag.xml", &wrap, DigestAlgorithm::Sha256).unwrap();
    encryption.update(application(3).as_bytes(), &mut sealed);
    let (plaintext, _) = encryption.finish(&mut sealed).unwrap();
    let draft = ContainerDraft::new("Container").encrypted_attachment("Antrag", plaintext, &wrap);
    let reader = R::CipherAddressee.usual_id(town(), 0);
    let encrypted = encrypt_container(
        "Verschluesselt",
        &container(draft, &[portal]),
        &[(&reader, town())],
        KeyTransport::DEFAULT,
        &mut SystemRandom,
    );
    let content = package(&[encrypted.unwrap()], &[]);
    world.store(content, (portal, portal), Some(portal), &[("antrag.xml", sealed)]).await;
    let (taken, aside) = world.collect().await;
    assert_eq!((taken.len(), aside), (1, Vec::new()));
    assert_eq!((taken[0].document.as_ref(), taken[0].format), (application(3).as_bytes(), Format::Xml));
}

/// The digest that an author in an encrypted container has named is computed when the attachment is handed over.
#[tokio::test]
async fn an_author_may_digest_an_attachment_otherwise_than_the_order() {
    let portal = &keys().portal;
    let options = SigningOptions { digest: DigestAlgorithm::Sha512, ..SigningOptions::default() };
    let mut hasher = PartHasher::new("anlage.pdf", &[DigestAlgorithm::Sha512]);
    hasher.update(b"%PDF-1.7 erfunden");
    let signed = container_with(document(1).attachment("Anlage", hasher.finish()), &[portal], options);
    let reader = R::CipherAddressee.usual_id(town(), 0);
    let readers = [(reader.as_str(), town())];
    let layer =
        encrypt_container("Schicht", &signed, &readers, KeyTransport::DEFAULT, &mut SystemRandom).unwrap();
    for (octets, arrives) in [(b"%PDF-1.7 erfunden".to_vec(), true), (b"%PDF-1.7 vertauscht".to_vec(), false)]
    {
        let world = World::new().await;
        let content = package(std::slice::from_ref(&layer), &[]);
        world.store(content, (portal, portal), Some(portal), &[("anlage.pdf", octets)]).await;
        let (taken, aside) = world.collect().await;
        let sizes: Vec<_> = taken.iter().flat_map(|one| &one.attachments).map(|one| one.size).collect();
        if arrives {
            assert_eq!((sizes, aside), (vec![17], Vec::new()));
        } else {
            assert_eq!((sizes, aside), (Vec::new(), vec!["DDS-O011".to_owned()]));
        }
    }
}

/// Whoever carries a signed content could put another container beside it, before it or after.
#[tokio::test]
async fn nothing_stands_beside_what_an_author_has_signed() {
    let portal = &keys().portal;
    let listed = ListedAttachment {
        content_id: "anlage-1".to_owned(),
        name: "Anderes.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
    };
    let list = ContainerDraft::new("Liste").inline("Verzeichnis", &AttachmentList(vec![listed]).write());
    let signed = container(document(1), &[portal]);
    for beside in [container(document(0), &[]), container(list, &[])] {
        for content in
            [package(&[], &[beside.clone(), signed.clone()]), package(&[], &[signed.clone(), beside.clone()])]
        {
            let world = World::new().await;
            world.store(content, (portal, portal), Some(portal), &[]).await;
            let (taken, aside) = world.collect().await;
            assert_eq!((taken.len(), aside), (0, vec!["DDS-O011".to_owned()]));
        }
    }
    let world = World::new().await;
    world.store(package(&[], &[signed]), (portal, portal), Some(portal), &[]).await;
    assert_eq!(world.collect().await.0[0].document, application(1));
}

/// A container whose author has signed nothing but its one layer, as ciphertext (`None`: nobody has signed); such as we
/// read and do not write.
fn signed_layer(inner: &[u8], author: Option<&OsciIdentity>) -> Vec<u8> {
    let reader = R::CipherAddressee.usual_id(town(), 0);
    let readers = [(reader.as_str(), town())];
    let layer =
        encrypt_container("Schicht", inner, &readers, KeyTransport::DEFAULT, &mut SystemRandom).unwrap();
    let layer = String::from_utf8(layer).unwrap();
    let declared: String =
        ENVELOPE_NAMESPACES.iter().map(|(name, uri)| format!(" {name}=\"{uri}\"")).collect();
    let around = |signature: &str| {
        format!("<osci:ContentContainer{declared} Id=\"Aussen\">{signature}{layer}</osci:ContentContainer>")
    };
    let Some(author) = author else { return around("").into_bytes() };
    let document = Document::parse(around("").into_bytes(), &limits()).unwrap();
    let canonical = canonical_bytes(document.by_id("Schicht").unwrap());
    let digest = Hasher::digest(DigestAlgorithm::Sha256, &canonical).unwrap();
    let references = vec![Reference::Element { id: "Schicht".to_owned(), digest }];
    let in_scope = document.root().namespaces();
    let namespaces = in_scope.map(|one| (one.prefix().to_owned(), one.uri().to_owned())).collect();
    let key_id = R::SignatureOtherAuthor.usual_id(author.signature_certificate(), 0);
    let draft = SignatureDraft { references, key_id: &key_id, namespaces: &namespaces, objects: b"" };
    let signature = sign(&draft, author.signature.as_ref(), SigningOptions::default()).unwrap();
    around(std::str::from_utf8(&signature).unwrap()).into_bytes()
}

/// Whoever signs a ciphertext signs what stands in it. The octets of an attachment stand elsewhere.
#[tokio::test]
async fn a_signed_ciphertext_covers_an_attachment_only_with_its_key() {
    let portal = &keys().portal;
    let wrap = AttachmentEncryption::key(&mut SystemRandom);
    let mut sealed = Vec::new();
    let mut encryption = AttachmentEncryption::new("anlage.pdf", &wrap, DigestAlgorithm::Sha256).unwrap();
    encryption.update(b"%PDF-1.7 erfunden", &mut sealed);
    let (plaintext, _) = encryption.finish(&mut sealed).unwrap();
    let clear = b"%PDF-1.7 von wem auch immer".to_vec();
    let plain =
        |draft: ContainerDraft| draft.attachment("Anlage", digests("anlage.pdf", b"%PDF-1.7 erfunden"));
    let with_key = |draft: ContainerDraft| draft.encrypted_attachment("Anlage", plaintext.clone(), &wrap);
    // A key that stands where nobody has signed: the attachment is whose key it is.
    let key = ContainerDraft::new("Daneben").encrypted_attachment("Leer", plaintext.clone(), &wrap);
    let key = String::from_utf8(container(key, &[])).unwrap();
    let (start, rest) = key.split_once("<osci:Content ").unwrap();
    let beside = [start, rest.split_once("</osci:Content>").unwrap().1].concat().into_bytes();
    let unsigned = |draft| container(draft, &[]);
    for (inner, beside, sent, author, taken) in [
        (unsigned(with_key(document(1))), None, &sealed, Some(portal), true),
        (unsigned(plain(document(1))), None, &clear, Some(portal), false),
        (unsigned(plain(document(1))), Some(beside), &sealed, Some(portal), false),
        (container(with_key(document(1)), &[portal]), None, &sealed, Some(portal), true),
        (unsigned(plain(document(1))), None, &clear, None, true),
    ] {
        let mut containers = vec![signed_layer(&inner, author)];
        let case = (author.is_some(), beside.is_some(), sent.len());
        containers.extend(beside);
        let world = World::new().await;
        let parts = [("anlage.pdf", sent.clone())];
        world.store(package(&[], &containers), (portal, portal), Some(portal), &parts).await;
        let (found, aside) = world.collect().await;
        if taken {
            assert_eq!((found.len(), found[0].attachments.len(), aside), (1, 1, Vec::new()), "{case:?}");
        } else {
            assert_eq!((found.len(), aside), (0, vec!["DDS-O011".to_owned()]), "{case:?}");
        }
    }
}

#[tokio::test]
async fn what_an_author_must_be_is_the_rule_of_the_source() {
    use AuthorRule::{Any, Required, Trusted};
    let portal = &keys().portal;
    let none = TrustPolicy::default();
    for (rule, authors, known, remarks) in [
        (Any, &[][..], true, Some(vec![])),
        (Any, &[portal], true, Some(vec![])),
        (Any, &[portal], false, Some(vec!["OSCI 3702".to_owned()])),
        (Trusted, &[], true, Some(vec![])),
        (Trusted, &[portal], true, Some(vec![])),
        (Trusted, &[portal], false, None),
        (Required, &[], true, None),
        (Required, &[portal], true, Some(vec![])),
        (Required, &[portal], false, None),
    ] {
        let world = World::new().await.with(rule);
        if !known {
            world.context.trust.replace(none.clone());
        }
        world
            .store(package(&[], &[container(document(0), authors)]), (portal, portal), Some(portal), &[])
            .await;
        let (taken, _) = world.collect().await;
        let found = taken.first().map(|taken| taken.remarks.clone());
        assert_eq!(found, remarks, "{rule:?}, {} authors, known: {known}", authors.len());
    }
}

/// processDelivery may come without MessageId; then what was pushed is the key itself, all of it.
#[tokio::test]
async fn pushes_without_a_message_id_are_the_same_only_if_all_of_them_is() {
    let (portal, other) = (&keys().portal, &keys().other);
    let machine = Machine::new(&ManualClock::default());
    let mut context = machine.boot();
    let digest = |one: &OsciIdentity| Digest::of(one.signature_certificate().der());
    let table = SourceTable::default()
        .with_certificate(source(), digest(portal))
        .with_certificate(source(), digest(other));
    context.sources = std::sync::Arc::new(table);
    let mut recipient = Recipient::new(
        town().clone(),
        keys().town.signature_certificate().clone(),
        vec![keys().intermediary.signature_certificate().clone()],
    );
    recipient.encryption_required = false;
    let receiving = RecipientEndpoint { context, recipient, identity: identity(&keys().town) };
    let url =
        format!("http://{}/osci/empfang", serve(routes(None, Some(std::sync::Arc::new(receiving)))).await);
    let push = async |from: &OsciIdentity, octets: &[u8]| {
        let order = Order::ProcessDelivery { message_id_response: None, card: None };
        let control = ControlBlock { challenge: Some("4711".to_owned()), ..Default::default() };
        let mut envelope = Envelope::new(control, order);
        envelope.languages = vec!["de".to_owned()];
        let intermediary = &keys().intermediary;
        envelope
            .intermediary_certificates
            .add(R::SignatureIntermediary, intermediary.signature_certificate());
        envelope.certificates.add(R::SignatureOriginator, from.signature_certificate());
        // Only Content-IDs stand in the envelope.
        let draft = ContainerDraft::new("Container").attachment("Antrag", digests("antrag.xml", b""));
        envelope.content = Some(ContentPackage::new(plain(draft)));
        let signer = (intermediary.signature.as_ref() as &dyn Signer, SigningOptions::default());
        let outgoing =
            envelope.seal(Some(signer), None, &[digests("antrag.xml", octets)], &mut SystemRandom).unwrap();
        let body = message_bytes(outgoing, &[(head("antrag.xml", octets), octets)]).unwrap();
        let answer = client().post(&url).body(body).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(read(&answer).order.feedback().unwrap().decisive(), FeedbackCode::S0800);
    };
    for _ in 0..2 {
        push(portal, application(0).as_bytes()).await;
        push(portal, application(1).as_bytes()).await;
        push(other, application(1).as_bytes()).await;
        assert_eq!(machine.applications(), [0, 1, 1]);
    }
}
