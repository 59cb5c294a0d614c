//! The built-in intermediary and what the main path takes from a mailbox of our own: whose certificates count, names of
//! files, replies. An invented authority, its responder on a real socket.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

#[path = "../../courier/tests/support/responder.rs"]
mod responder;
#[path = "channels/support.rs"]
mod support;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use dds_courier::{
    AttachmentList, Courier, Desk, Identity, ListedAttachment, OwnIntermediary, Package, Responder, Timeouts,
    Trust,
};
use dds_inbound::{
    Limits, Pace, SourceTable,
    osci::{
        Collector, CollectorOptions, Fetcher, FetcherOptions, Gate, GateOptions, IntermediaryEndpoint,
        OsciContext, OwnMailbox, routes,
    },
};
use dds_message::{AnswerKind, Clock, Code, Digest};
use dds_osci::{
    algorithm::{CryptoPolicy, DigestAlgorithm},
    certificate::Certificate,
    client::{
        Answer, Answered, ChunkPlan, ChunkVerdict, Client, Delivery, Lost, Request, Single, partial_id,
    },
    content::{Author, ContainerDraft, package},
    feedback::{FeedbackCode as F, Refused},
    intake::IntakeConfig,
    intermediary::{Attachment, Intermediary, Rules, StoreFailed},
    keys::{Signer, SoftwareKey},
    message::{CertificateRole, ContentPackage, MessageId},
    outgoing::{PartHasher, message_bytes},
    random::{Random, SystemRandom},
    signature::SigningOptions,
    trust::{RevocationDemand, RevocationList, TrustPolicy},
};
use dds_postbox::{Options, Parts, Postbox, Reply, StoredPart};
use dds_store::{MasterKey, Vault};
use dds_telemetry::Telemetry;
use responder::{Authority, Ca, Says, asking, at};
use support::{Fake, source};
use tokio::sync::Notify;

struct Morning;

impl Clock for Morning {
    fn now(&self) -> dds_message::Timestamp {
        dds_message::Timestamp(at().as_millisecond())
    }
}

/// Key pairs take their time; certificates are made anew for the authority of each test.
fn pair(number: usize) -> &'static rcgen::KeyPair {
    static PAIRS: OnceLock<Vec<rcgen::KeyPair>> = OnceLock::new();
    let make =
        || rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
    &PAIRS.get_or_init(|| (0..3).map(|_| make()).collect())[number]
}

fn party(number: usize, name: &str, ca: &Ca) -> Arc<SoftwareKey> {
    let mut params = responder::params(name);
    params.serial_number = Some(serial(name));
    let pem = params.signed_by(pair(number), ca).unwrap().pem();
    Arc::new(SoftwareKey::from_pem(&pair(number).serialize_pem(), &pem).unwrap())
}

fn serial(name: &str) -> rcgen::SerialNumber {
    rcgen::SerialNumber::from(vec![1, name.len().try_into().unwrap()])
}

fn certificate(key: &SoftwareKey) -> Certificate {
    Signer::certificate(key).clone()
}

/// The intermediary with a mailbox of our own, and a sender.
struct World {
    authority: Authority,
    url: String,
    courier: Courier,
    trust: Trust,
    postbox: Postbox,
    collector: Collector,
    at_work: OwnIntermediary,
    fake: Arc<Fake>,
    sender: Arc<SoftwareKey>,
    intermediary: Certificate,
    own: Certificate,
    town: Arc<SoftwareKey>,
    context: OsciContext,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(revocation: RevocationDemand) -> Self {
        let authority = Authority::new("Erfundene Stelle").await;
        let sender = party(0, "Erfundenes Portal", &authority.ca);
        let (office, own) =
            (party(1, "Erfundener Intermediär", &authority.ca), party(2, "Erfundene Stadt", &authority.ca));
        let anchors = vec![authority.anchor()];
        let policy = TrustPolicy { anchors, revocation, ..TrustPolicy::default() };
        let trust = asking(policy, vec![Responder { url: authority.url.clone(), issuer: None }]);
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::apart(&MasterKey::generate().unwrap());
        let options = Options { folder: folder.path().to_owned(), vault, clock: Arc::new(Morning) };
        let postbox = Postbox::open(options).unwrap();
        postbox.register([certificate(&own)]);
        let desk = Desk { intake: Arc::new(IntakeConfig::default()), postbox: postbox.clone() };
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
        let timeouts = Timeouts { silence: Duration::from_secs(900), ..Timeouts::default() };
        let courier = Courier::new(desk, tls, timeouts).unwrap();
        let fake = Arc::new(Fake::default());
        let sources =
            SourceTable::default().with_certificate(source(), Digest::of(certificate(&sender).der()));
        let context = OsciContext {
            handle: fake.clone(),
            sources: Arc::new(sources),
            limits: Limits::default(),
            postbox: postbox.clone(),
            courier: courier.clone(),
            trust: trust.clone(),
            clock: Arc::new(Morning),
            telemetry: Telemetry::default(),
            wake: Arc::new(Notify::new()),
            gate: Gate::new(GateOptions {
                pace: Pace {
                    idle: Duration::from_secs(900),
                    grace: Duration::from_secs(900),
                    ..Pace::default()
                },
                ..GateOptions::default()
            }),
        };
        let identity = |key: &Arc<SoftwareKey>| Identity::new(key.clone(), key.clone());
        let rules = Intermediary {
            cipher: certificate(&office),
            signature: certificate(&office),
            trust: TrustPolicy::clone(&trust.policy()),
            policy: CryptoPolicy::default(),
            rules: Rules::default(),
        };
        let collector =
            Collector::new(&context, vec![OwnMailbox::of(identity(&own))], CollectorOptions::default());
        let at_work = OwnIntermediary::new(rules, Arc::clone(&context.wake));
        let office_at_work = Arc::new(IntermediaryEndpoint {
            context: context.clone(),
            own: at_work.clone(),
            identity: identity(&office),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/osci", listener.local_addr().unwrap());
        let routes = routes(Some(office_at_work), None);
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let (intermediary, town) = (certificate(&office), own);
        let own = certificate(&town);
        Self {
            authority,
            url,
            courier,
            trust,
            postbox,
            collector,
            at_work,
            fake,
            sender,
            intermediary,
            own,
            town,
            context,
            _folder: folder,
        }
    }

    async fn ask<A: Answered>(
        &self,
        order: impl FnOnce(&Client, &mut dyn Random) -> (Request, Single<A>),
        attachments: Vec<Attachment<StoredPart>>,
    ) -> Answer<A> {
        self.try_ask(order, attachments).await.unwrap()
    }

    async fn try_ask<A: Answered>(
        &self,
        order: impl FnOnce(&Client, &mut dyn Random) -> (Request, Single<A>),
        attachments: Vec<Attachment<StoredPart>>,
    ) -> Result<Answer<A>, Lost> {
        let own = certificate(&self.sender);
        let client = Client::new(own.clone(), own, self.intermediary.clone(), self.intermediary.clone());
        let (request, awaiting) = order(&client, &mut SystemRandom);
        let digests: Vec<_> = attachments.iter().map(|one| one.digests.clone()).collect();
        let signer = Some((self.sender.as_ref() as &dyn Signer, SigningOptions::default()));
        let outgoing = request.seal(signer, &digests, &mut SystemRandom).unwrap();
        let package = Package { outgoing, attachments };
        let came = self.courier.exchange(&self.url, package, vec![self.sender.clone()]).await.unwrap();
        awaiting.receive(Ok::<_, Refused>(&came))
    }

    async fn message_id(&self) -> MessageId {
        self.ask(|client, random| client.get_message_id(random), Vec::new()).await.value.message_id.unwrap()
    }

    /// The one delivery in our own mailbox.
    async fn waiting(&self) -> MessageId {
        let own = vec![self.own.sha256_hex().to_owned()];
        let waiting = self.postbox.run(move |boxes| boxes.waiting(&own, at(), 9, 9)).await.unwrap();
        waiting.deliveries[0].0.id.clone()
    }

    /// A letter with one attachment for our own mailbox, with a list of names or without.
    fn letter(
        &self,
        author: &SoftwareKey,
        names: Option<&str>,
        octets: &[u8],
    ) -> (Parts, Delivery, Attachment<StoredPart>) {
        let (parts, attachment) = attachment(&self.postbox, "anlage-1.pdf", octets);
        let mut draft = ContainerDraft::new("Sendung")
            .inline("Dokument", b"<antrag/>")
            .attachment("Anlage", attachment.digests.clone());
        if let Some(name) = names {
            let listed = ListedAttachment {
                content_id: attachment.content_id.clone(),
                name: name.to_owned(),
                media_type: "application/pdf".to_owned(),
            };
            draft = draft.inline("Anlagenverzeichnis", &AttachmentList(vec![listed]).write());
        }
        let mut delivery = Delivery::new(ContentPackage::new(Vec::new()), self.own.clone());
        let key_id =
            delivery.certificates.add(CertificateRole::SignatureOtherAuthor, &certificate(author)).to_owned();
        let authors = [Author { signer: author, key_id: &key_id, time: None }];
        let container = draft.write(&authors, SigningOptions::default()).unwrap();
        delivery.content = ContentPackage::new(package(&[], &[container]));
        (parts, delivery, attachment)
    }

    /// Stores a letter over the wire.
    async fn store(&self, author: &SoftwareKey, names: Option<&str>) {
        let (_parts, delivery, attachment) = self.letter(author, names, b"%PDF");
        let id = self.message_id().await;
        let stored = self.ask(|client, random| client.store(id, delivery, random), vec![attachment]).await;
        assert!(stored.is_success(), "{:?}", stored.feedback);
    }

    /// Puts a letter there without the wire, as our own sender does.
    async fn deposit(&self, names: Option<&str>, octets: &[u8]) {
        let (parts, delivery, attachment) = self.letter(&self.sender, names, octets);
        let (own, rules) = (certificate(&self.sender), self.at_work.rules());
        let client = Client::new(own.clone(), own, self.intermediary.clone(), self.intermediary.clone());
        let deposit = rules.deposit(&client, delivery, vec![attachment], at(), &mut SystemRandom).unwrap();
        let put = self.postbox.run(move |boxes| {
            let put = deposit.put(&rules, boxes)?;
            parts.keep();
            Ok::<_, StoreFailed>(put)
        });
        put.await.unwrap().unwrap();
    }
}

fn attachment(postbox: &Postbox, content_id: &str, octets: &[u8]) -> (Parts, Attachment<StoredPart>) {
    let mut parts = postbox.parts().unwrap();
    let handle = parts.put(octets).unwrap();
    let mut hasher = PartHasher::new(content_id, &[DigestAlgorithm::Sha256]);
    hasher.update(octets);
    let attachment = Attachment {
        content_id: content_id.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        bytes: octets.len() as u64,
        offset: 0,
        digests: hasher.finish(),
        handle,
    };
    (parts, attachment)
}

/// The client has one certificate for both uses, so that of the cipher certificate decides: a fault.
#[tokio::test]
async fn an_order_is_answered_as_the_responder_says() {
    let warned = [F::S3707, F::S3501];
    for (says, demand, refused, warnings) in [
        (Says::Good, RevocationDemand::Require, None, [].as_slice()),
        (Says::Revoked, RevocationDemand::Warn, Some(F::S9502), &[]),
        (Says::Unknown, RevocationDemand::Require, Some(F::S9501), &[]),
        (Says::Trouble, RevocationDemand::Require, Some(F::S9501), &[]),
        (Says::Trouble, RevocationDemand::Warn, None, &warned),
    ] {
        let world = World::new(demand).await;
        world.authority.say(says);
        match world.try_ask(|client, random| client.get_message_id(random), Vec::new()).await {
            Ok(answer) => {
                let codes = answer.feedback.codes();
                assert!(answer.is_success() && refused.is_none(), "{says:?}: {codes:?}");
                let found: Vec<_> = codes.into_iter().filter(|code| warned.contains(code)).collect();
                assert_eq!(found, warnings, "{says:?}");
            }
            Err(lost) => assert_eq!(Some(lost.code()), refused, "{says:?}: {lost}"),
        }
        assert_eq!(world.authority.asked(), 1, "{says:?}");
    }
}

#[tokio::test]
async fn an_author_whose_certificate_is_revoked_signs_nothing_for_us() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    let name = "Erfundene Verfasserin";
    world.store(&party(1, name, &world.authority.ca), None).await;
    // Stored while she was good; revoked before we read it.
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 11, 22),
        next_update: rcgen::date_time_ymd(2026, 12, 1),
        crl_number: rcgen::SerialNumber::from(vec![1]),
        issuing_distribution_point: None,
        revoked_certs: vec![rcgen::RevokedCertParams {
            serial_number: serial(name),
            revocation_time: rcgen::date_time_ymd(2026, 11, 21),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list =
        RevocationList::from_der(list.signed_by(&*world.authority.ca).unwrap().der().to_vec()).unwrap();
    world.trust.replace(TrustPolicy { crls: vec![list], ..TrustPolicy::clone(&world.trust.policy()) });
    assert_eq!(world.collector.collect().await.unwrap(), 1);
    assert_eq!(world.fake.taken().len(), 0);
    assert_eq!(world.postbox.run(|boxes| boxes.count_set_aside()).await.unwrap(), 1);
}

/// The certificates of the intermediary that is fetched from stand in the configuration. The responder is asked about
/// them before a word goes out.
#[tokio::test]
async fn the_responder_is_asked_about_an_intermediary_that_is_fetched_from() {
    for (says, demand, fetched) in [
        (Says::Good, RevocationDemand::Require, true),
        (Says::Revoked, RevocationDemand::IfAvailable, false),
        (Says::Trouble, RevocationDemand::Require, false),
        (Says::Trouble, RevocationDemand::Warn, true),
    ] {
        let world = World::new(RevocationDemand::IfAvailable).await;
        world.store(&world.sender, None).await;
        let anchors = vec![world.authority.anchor()];
        let policy = TrustPolicy { anchors, revocation: demand, ..TrustPolicy::default() };
        let trust = asking(policy, vec![Responder { url: world.authority.url.clone(), issuer: None }]);
        let identity = Identity::new(world.town.clone(), world.town.clone());
        let (own, intermediary) = (world.own.clone(), world.intermediary.clone());
        let client = Client::new(own.clone(), own, intermediary.clone(), intermediary);
        let options = FetcherOptions {
            name: "anderswo".to_owned(),
            address: world.url.clone(),
            every: Duration::from_secs(60),
            chunk_kb: None,
        };
        let context = OsciContext { trust, ..world.context.clone() };
        let fetcher = Fetcher::new(context, client, identity, options);
        let before = world.authority.asked();
        world.authority.say(says);
        match fetcher.visit().await {
            Ok(brought) => assert!(fetched && brought.deliveries == 1, "{says:?}: {brought:?}"),
            Err(problem) => {
                assert!(!fetched && problem.code == Code::OSCI_CERTIFICATE, "{says:?}: {}", problem.detail);
                // One certificate for both uses: asked once. The intermediary asked nothing: no order came.
                assert_eq!(world.authority.asked(), before + 1, "{says:?}");
            }
        }
    }
}

#[tokio::test]
async fn files_keep_the_names_that_the_content_has_for_them() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    world.store(&world.sender, Some("Ausweis Müller.pdf")).await;
    world.store(&world.sender, None).await;
    assert_eq!(world.collector.collect().await.unwrap(), 2);
    let taken = world.fake.taken();
    let names: Vec<_> = taken
        .iter()
        .map(|message| (message.attachments[0].name.as_str(), message.attachments[0].media_type.as_str()))
        .collect();
    let foreign = ("anlage-1.pdf", "application/octet-stream");
    assert_eq!(names, [("Ausweis Müller.pdf", "application/pdf"), foreign]);
    assert!(taken.iter().all(|message| message.document == "<antrag/>"));
}

/// A name leads into no other folder, whatever the sender calls the file.
#[tokio::test]
async fn names_of_files_are_those_that_every_channel_takes() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    let long = "n".repeat(201);
    for name in ["../../etc/cron.d/auftrag.sh", "..", &long] {
        world.store(&world.sender, Some(name)).await;
    }
    assert_eq!(world.collector.collect().await.unwrap(), 3);
    let taken = world.fake.taken();
    let names: Vec<_> = taken.iter().map(|message| message.attachments[0].name.as_str()).collect();
    assert_eq!(names, ["auftrag.sh", "anlage-1", "anlage-1"]);
}

/// A delivery of our own for ourselves goes the main path like any other.
#[tokio::test]
async fn what_lies_there_without_an_order_is_taken_like_any_other() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    world.deposit(Some("Ausweis Müller.pdf"), b"%PDF").await;
    world.store(&world.sender, Some("Ausweis Müller.pdf")).await;
    assert_eq!(world.collector.collect().await.unwrap(), 2);
    let [one, other] = &world.fake.taken()[..] else { panic!("both are taken") };
    assert_eq!(one.document, "<antrag/>");
    assert_eq!((&one.source, &one.document), (&other.source, &other.document));
    let names = |taken: &support::Taken| taken.attachments[0].name.clone();
    assert_eq!((names(one).as_str(), names(other).as_str()), ("Ausweis Müller.pdf", "Ausweis Müller.pdf"));
}

/// Some take long to open, and nobody overtakes them.
#[tokio::test]
async fn deliveries_are_taken_in_the_order_in_which_they_came() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    let names: Vec<String> = (0..9).map(|number| format!("{number}.pdf")).collect();
    for name in &names {
        let long = name == "0.pdf" || name == "5.pdf";
        world.deposit(Some(name), &vec![7; if long { 4_000_000 } else { 4 }]).await;
    }
    assert_eq!(world.collector.collect().await.unwrap(), 9);
    let taken = world.fake.taken();
    let taken: Vec<&String> = taken.iter().map(|taken| &taken.attachments[0].name).collect();
    assert_eq!(taken, names.iter().collect::<Vec<_>>());
}

/// What the sender put into our mailbox as the reply to a mediation.
#[tokio::test]
async fn a_reply_goes_the_way_back_as_an_answer_of_its_case() {
    let world = World::new(RevocationDemand::IfAvailable).await;
    world.store(&world.sender, None).await;
    let (id, message) = (world.waiting().await, dds_message::MessageId(uuid::Uuid::from_u128(7)));
    let reply = Reply { message, kind: AnswerKind::Decision };
    world.postbox.run(move |boxes| boxes.keep_reply(&id, &reply)).await.unwrap();
    world.store(&world.sender, None).await;
    assert_eq!(world.collector.collect().await.unwrap(), 2);
    let taken: Vec<_> = world.fake.taken().into_iter().map(|taken| taken.answer).collect();
    assert_eq!(taken, [Some((AnswerKind::Decision, Some(message), None)), None]);
}

/// The certificates of what comes in chunks are known only when all chunks are there.
#[tokio::test]
async fn the_reader_of_a_delivery_in_chunks_is_asked_about() {
    let world = World::new(RevocationDemand::Require).await;
    let reader = certificate(&party(1, "Erfundene Leserin", &world.authority.ca));
    let id = world.message_id().await;
    let container = ContainerDraft::new("Sendung").inline("Dokument", b"<antrag/>");
    let container = container.write(&[], SigningOptions::default()).unwrap();
    let mut delivery = Delivery::new(ContentPackage::new(package(&[], &[container])), world.own.clone());
    delivery.certificates.add(CertificateRole::CipherOtherReader, &reader);
    let own = certificate(&world.sender);
    let mut plain = Client::new(own.clone(), own, world.intermediary.clone(), world.intermediary.clone());
    plain.intermediary_cipher = None;
    let (request, _) = plain.store(id.clone(), delivery, &mut SystemRandom);
    let signer = Some((world.sender.as_ref() as &dyn Signer, SigningOptions::default()));
    let inside = message_bytes(request.seal(signer, &[], &mut SystemRandom).unwrap(), &[]).unwrap();
    let plan = ChunkPlan::new(inside.len() as u64, 1_000, None).unwrap();
    let (_parts, chunk) = attachment(&world.postbox, ChunkPlan::CONTENT_ID, &inside);
    let order = |client: &Client, random: &mut dyn Random| {
        client.partial_store(partial_id(&id), plan.request(1), &world.own, random)
    };
    let answer = world.ask(order, vec![chunk]).await;
    assert!(matches!(answer.value.verdict(), ChunkVerdict::Done(_)), "{:?}", answer.value);
}
