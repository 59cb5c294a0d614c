//! The OSCI sender and the intermediary of its own process: into the mailbox without an order, and for whoever fetches
//! no difference.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

#[path = "../../courier/tests/support/responder.rs"]
mod responder;
mod support;
#[path = "support/osci.rs"]
mod world;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use dds_courier::{Identity, OwnIntermediary, Responder};
use dds_delivery::AttachmentSource;
use dds_message::{Attachment, Clock as _, Code, DeliveryId};
use dds_osci::{
    algorithm::{KeyTransport, SignatureAlgorithm},
    certificate::Certificate,
    intermediary::{IdState, Intermediary, Mailboxes as _},
    keys::{Decrypter, KeyError, Signer, SoftwareKey},
    laufzettel::{ProcessCardBundle, Stamp},
    message::{Envelope, MessageKind, Order},
    trust::{RevocationList, TrustPolicy},
};
use dds_outbound::{Options, OsciSender, Targets};
use dds_postbox::{Sent, SentState};
use dds_store::{ByteStream, StoreError};
use dds_testbench::{ManualClock, OsciPki};
use futures::FutureExt as _;
use responder::{Authority, Says, asking};
use rustls_pki_types::{CertificateRevocationListDer, pem::PemObject as _};
use serde_json::{Value, json};
use support::{Made, Town, consignment, deliver, told};
use world::{Addressee, Office, Party, Place, keys, way};
use zeroize::Zeroizing;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/osci";

async fn place() -> Place {
    Place::start(&ManualClock::default(), &[]).await
}

fn targets(sender: OsciSender, url: &str, change: impl FnOnce(&mut Value)) -> Targets {
    let mut way = way(url);
    change(&mut way);
    let options = Options { osci: Some(sender), ..Options::default() };
    Town { osci: Some(way), options, ..Town::default() }.targets()
}

/// Over no wire at all.
fn direct(place: &Place) -> Targets {
    targets(place.own_sender(), NOWHERE, |_| {})
}

/// The same process before it knew what its own intermediary is good for.
fn by_wire(place: &Place) -> Targets {
    targets(OsciSender { own: None, ..place.own_sender() }, &place.url, |_| {})
}

async fn sent(place: &Place, delivery: DeliveryId) -> Option<Sent> {
    place.desktop.postbox.run(move |boxes| boxes.sent(delivery)).await.unwrap()
}

/// Whatever a step may leave behind: rows of the tables it writes.
fn rows(place: &Place) -> Vec<i64> {
    let connection = place.desktop.connection();
    let count = |table| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    ["message_id", "delivery", "part", "card", "card_part", "sent"]
        .map(|table| count(table).unwrap())
        .to_vec()
}

#[tokio::test]
async fn what_lies_there_without_an_order_is_fetched_like_any_other() {
    let place = place().await;
    let attachments = || vec![Made::source("Größe (1).pdf", 200_000), Made::source("leer.txt", 0)];
    let (own, wire) = (consignment("osci", 1, attachments()), consignment("osci", 2, attachments()));
    let verdict = deliver(&direct(&place), &own).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    assert_eq!(place.executed.lock().len(), 0, "no order was sent, nor could one have arrived");
    assert!(place.wake.notified().now_or_never().is_some(), "the collector looks whether it is for us");
    let kept = sent(&place, own.delivery).await.unwrap();
    assert_eq!((kept.message_id.as_str(), kept.state), (told(&verdict).2.as_str(), SentState::Stored));
    assert_eq!(told(&deliver(&by_wire(&place), &wire).await).0, "delivered");

    let addressee = Addressee::new(&place);
    let fetched = addressee.fetch_all().await;
    assert_eq!(fetched.len(), 2);
    let (mut cards, mut roles) = (Vec::new(), Vec::new());
    for received in fetched {
        let envelope = Envelope::read(&received.document).unwrap();
        let Order::ResponseToFetchDelivery { card: Some(card), .. } = envelope.order else {
            panic!("no card")
        };
        cards.push(ProcessCardBundle { message_id: kept.message_id.clone(), ..card });
        roles.push(envelope.certificates.entries);
        let letter = addressee.read(received).await;
        assert_eq!(letter.document, own.document.bytes);
        assert!(!letter.clear, "the content is readable without a key");
        let ids: Vec<_> = letter.attachments.iter().map(|one| (one.0.as_str(), one.1)).collect();
        assert_eq!(ids, [("anlage-1.pdf", 200_000), ("anlage-2.txt", 0)]);
        assert_eq!(letter.attachments[0].2, own.attachments[0].describe().digest.0);
        assert_eq!(letter.list.0[0].name, "Größe (1).pdf");
        assert_eq!(letter.signatures, [("Valid".to_owned(), keys().sender.certificate())]);
    }
    let card = &cards[0];
    assert!(card.card.creation.is_some() && card.card.forwarding.is_some());
    assert_eq!((card.card.subject.as_deref(), card.inspections.len()), (Some("Antrag"), 3));
    assert_eq!(cards[0], cards[1]);
    assert_eq!(roles[0], roles[1]);
}

/// An attachment that takes an hour to read.
struct Slow(Arc<dyn AttachmentSource>, ManualClock);

#[async_trait]
impl AttachmentSource for Slow {
    fn describe(&self) -> &Attachment {
        self.0.describe()
    }

    async fn open(&self) -> Result<ByteStream, StoreError> {
        self.1.advance(Duration::from_secs(3_600));
        self.0.open().await
    }
}

/// Whoever fetches what came since his last look must find it.
#[tokio::test]
async fn a_delivery_is_of_the_time_when_it_is_stored() {
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let slow = Arc::new(Slow(Made::source("a.pdf", 1_000), clock.clone()));
    assert_eq!(told(&deliver(&direct(&place), &consignment("osci", 7, vec![slow])).await).0, "delivered");
    let received = Addressee::new(&place).fetch_all().await.remove(0);
    let Order::ResponseToFetchDelivery { card, .. } = Envelope::read(&received.document).unwrap().order
    else {
        panic!("no delivery")
    };
    let stored = jiff::Timestamp::from_millisecond(clock.now().0).unwrap();
    assert_eq!(card.unwrap().card.creation, Some(Stamp::Plain(stored)));
}

/// A key that counts what is done with it.
struct Counting {
    key: Arc<SoftwareKey>,
    uses: AtomicUsize,
}

impl Signer for Counting {
    fn certificate(&self) -> &Certificate {
        Signer::certificate(self.key.as_ref())
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.uses.fetch_add(1, Ordering::SeqCst);
        self.key.sign(algorithm, message)
    }
}

impl Decrypter for Counting {
    fn certificate(&self) -> &Certificate {
        Decrypter::certificate(self.key.as_ref())
    }

    fn unwrap_key(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.uses.fetch_add(1, Ordering::SeqCst);
        self.key.unwrap_key(transport, wrapped)
    }
}

/// The bound that `drehscheibe bench S` computes rests on it: what the author signs, and nothing else.
#[tokio::test]
async fn a_delivery_costs_one_operation_with_a_private_key() {
    let place = place().await;
    let key = Arc::new(Counting { key: keys().sender.key.clone(), uses: AtomicUsize::new(0) });
    let identity = Identity::new(key.clone(), key.clone());
    let own = OsciSender { identity, ..place.own_sender() };
    let wire = targets(OsciSender { own: None, ..own.clone() }, &place.url, |_| {});
    let uses = |targets: Targets, number| {
        let key = key.clone();
        async move {
            let sent = consignment("osci", number, vec![Made::source("a.pdf", 1_000)]);
            assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
            key.uses.swap(0, Ordering::SeqCst)
        }
    };
    assert_eq!(uses(targets(own, NOWHERE, |_| {}), 5).await, 1);
    // Author, two orders, two answers; and as many as there are orders and answers at the intermediary.
    assert_eq!(uses(wire, 6).await, 1 + 2 + 2);
}

/// What is written fails, whichever row it is: nothing of the step stays, no file either, and the next attempt delivers
/// once.
#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    let place = place().await;
    let targets = direct(&place);
    let sent = consignment("osci", 3, vec![Made::source("a.pdf", 1_000)]);
    for table in ["message_id", "delivery", "part", "card", "card_part", "sent"] {
        let fail = "BEGIN SELECT RAISE(ABORT, 'the disk is full, as the test wants it'); END";
        let broken = format!("CREATE TRIGGER broken BEFORE INSERT ON {table} {fail}");
        place.desktop.connection().execute_batch(&broken).unwrap();
        let verdict = deliver(&targets, &sent).await;
        assert_eq!(
            (told(&verdict).0, told(&verdict).1),
            ("temporary", Some(Code::OSCI_POSTBOX)),
            "{table}: {verdict:?}"
        );
        assert_eq!(rows(&place), [0; 6], "{table}");
        assert_eq!(place.desktop.files(), 0, "{table}");
        place.desktop.connection().execute_batch("DROP TRIGGER broken").unwrap();
    }
    assert!(place.wake.notified().now_or_never().is_none(), "there is nothing to collect");
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(rows(&place), [1, 1, 1, 1, 2, 1]);
    assert_eq!(Addressee::new(&place).fetch_all().await.len(), 1);
}

/// The attempt is given up wherever it may wait, as when its time is over or the process ends; the next one finds out.
#[tokio::test]
async fn an_attempt_that_is_given_up_anywhere_delivers_once() {
    let place = place().await;
    let targets = direct(&place);
    let mut cut = 1;
    loop {
        let sent = consignment("osci", 1_000 + cut, vec![Made::source("a.pdf", 1_000)]);
        let mut polls = 0;
        let finished = {
            let mut attempt = pin!(deliver(&targets, &sent));
            poll_fn(|context| {
                polls += 1;
                if polls > cut {
                    return Poll::Ready(None);
                }
                attempt.as_mut().poll(context).map(Some)
            })
            .await
        };
        let again = deliver(&targets, &sent).await;
        assert_eq!(told(&again).0, "delivered", "{cut}: {again:?}");
        if let Some(first) = finished {
            assert_eq!(told(&first), told(&again), "it was delivered before");
            break;
        }
        cut += 1;
    }
    assert!(cut > 3, "an attempt waits several times");
    let addressee = Addressee::new(&place);
    let fetched = addressee.fetch_all().await;
    assert_eq!(fetched.len() as u128, cut);
    for received in fetched {
        assert_eq!(addressee.read(received).await.attachments[0].1, 1_000);
    }
    assert_eq!(rows(&place)[..3], [cut as i64; 3]);
}

/// Two attempts side by side: the second one finds in its transaction what the first one has stored.
#[tokio::test]
async fn two_attempts_at_the_same_time_deliver_once() {
    let place = place().await;
    let targets = direct(&place);
    let sent = consignment("osci", 4, vec![Made::source("a.pdf", 1_000)]);
    let (one, two) = tokio::join!(deliver(&targets, &sent), deliver(&targets, &sent));
    assert_eq!(told(&one).0, "delivered", "{one:?}");
    assert_eq!(told(&one), told(&two));
    assert_eq!(rows(&place)[..3], [1; 3]);
    assert_eq!(place.desktop.files(), 1, "the parts of the other attempt are gone");
    assert_eq!(Addressee::new(&place).fetch_all().await.len(), 1);
}

/// An update of the process: what had begun by wire is resolved by its process card, without asking anybody.
#[tokio::test]
async fn what_had_begun_by_wire_is_resolved_by_its_process_card() {
    for (number, (orders, answers)) in [(1, 0), (0, 1)].into_iter().enumerate() {
        let place = place().await;
        let consigned = consignment("osci", 10 + number as u128, vec![Made::source("a.pdf", 1_000)]);
        place.lose_orders.store(orders, Ordering::SeqCst);
        place.lose_answers.store(answers, Ordering::SeqCst);
        let first = deliver(&by_wire(&place), &consigned).await;
        assert_eq!(told(&first).1, Some(Code::IN_DOUBT), "{first:?}");
        let begun = sent(&place, consigned.delivery).await.unwrap();
        assert_eq!(begun.state, SentState::Begun);
        let before = place.executed.lock().len();
        let second = deliver(&direct(&place), &consigned).await;
        assert_eq!(told(&second).0, "delivered", "{second:?}");
        let arrived = answers == 1;
        assert_eq!(told(&second).2 == begun.message_id.as_str(), arrived, "a card says that it had arrived");
        assert_eq!(sent(&place, consigned.delivery).await.unwrap().state, SentState::Stored);
        assert_eq!(place.executed.lock().len(), before);
        // The order may still be on its way: it comes too late.
        let client = keys().sender.certificate().sha256_hex().to_owned();
        let state =
            place.desktop.postbox.run(move |boxes| boxes.id_state(&begun.message_id, &client)).await.unwrap();
        assert_eq!(state, IdState::Used);
        assert_eq!(Addressee::new(&place).fetch_all().await.len(), 1);
    }
}

#[tokio::test]
async fn chunks_that_had_begun_by_wire_are_given_up() {
    let place = place().await;
    let chunked = targets(OsciSender { own: None, ..place.own_sender() }, &place.url, |way| {
        way["chunk_kb"] = json!(64);
    });
    let consigned = consignment("osci", 12, vec![Made::source("a.pdf", 200_000)]);
    place.pass.store(2, Ordering::SeqCst);
    place.lose_orders.store(1, Ordering::SeqCst);
    assert_eq!(told(&deliver(&chunked, &consigned).await).1, Some(Code::IN_DOUBT));
    let direct = targets(place.own_sender(), NOWHERE, |way| way["chunk_kb"] = json!(64));
    assert_eq!(told(&deliver(&direct, &consigned).await).0, "delivered");
    let delivery = consigned.delivery;
    let left = place.desktop.postbox.run(move |boxes| boxes.transfer(delivery)).await.unwrap();
    assert_eq!(left, None);
    // The wire, were it asked again, knows that it is there.
    assert_eq!(told(&deliver(&chunked, &consigned).await).0, "delivered");
    assert_eq!(Addressee::new(&place).fetch_all().await.len(), 1);
}

/// The same refusal, whichever way it comes.
#[tokio::test]
async fn a_refusal_has_the_code_that_the_wire_would_bring() {
    let place = place().await;
    let sender = keys().sender.pem.clone();
    let nobody = |way: &mut Value| way["addressee"] = json!(sender);
    let small = Intermediary::clone(&place.own.rules());
    for (number, own) in [Some(place.own.clone()), None].into_iter().enumerate() {
        let by = |change: &dyn Fn(&mut Value)| {
            let url = if own.is_some() { NOWHERE } else { &place.url };
            targets(OsciSender { own: own.clone(), ..place.own_sender() }, url, |way| change(way))
        };
        let number = 20 + 2 * number as u128;
        let verdict = deliver(&by(&nobody), &consignment("osci", number, Vec::new())).await;
        assert_eq!(
            (told(&verdict).0, told(&verdict).1),
            ("permanent", Some(Code::OSCI_NO_MAILBOX)),
            "{verdict:?}"
        );
        let mut full = small.clone();
        full.rules.mailbox_deliveries = 0;
        place.own.replace(full);
        let waiting = consignment("osci", number + 20, Vec::new());
        let verdict = deliver(&by(&|_| {}), &waiting).await;
        assert_eq!(
            (told(&verdict).0, told(&verdict).1),
            ("temporary", Some(Code::TARGET_BUSY)),
            "{verdict:?}"
        );
        place.own.replace(small.clone());
        assert_eq!(told(&deliver(&by(&|_| {}), &waiting).await).0, "delivered");

        let mut rules = small.clone();
        rules.rules.max_message_kb = 64;
        place.own.replace(rules);
        let large = consignment("osci", number + 1, vec![Made::source("a.pdf", 200_000)]);
        let verdict = deliver(&by(&|_| {}), &large).await;
        assert_eq!(
            (told(&verdict).0, told(&verdict).1),
            ("permanent", Some(Code::TARGET_TOO_LARGE)),
            "{verdict:?}"
        );
        place.own.replace(small.clone());
        assert_eq!(told(&deliver(&by(&|_| {}), &large).await).0, "delivered");
    }
}

/// Revocation lists are read anew while the process runs: the sender goes by those in force.
#[tokio::test]
async fn our_own_certificate_is_revoked_from_one_delivery_to_the_next() {
    let pki = OsciPki::new().unwrap();
    let own = pki.identity("stadt").unwrap();
    let root = Certificate::from_pem(pki.root_pem()).unwrap();
    let place = Place::trusting(&ManualClock::default(), &[], vec![root]).await;
    let identity = Identity::new(own.cipher.clone(), own.signature.clone());
    let targets = targets(OsciSender { identity, ..place.own_sender() }, NOWHERE, |_| {});
    assert_eq!(told(&deliver(&targets, &consignment("osci", 30, Vec::new())).await).0, "delivered");
    let good = Intermediary::clone(&place.own.rules());
    let mut rules = good.clone();
    let list = pki.revoke(&[own.signature_certificate()]).unwrap();
    let list = CertificateRevocationListDer::from_pem_slice(list.as_bytes()).unwrap();
    rules.trust.crls.push(RevocationList::from_der(list.to_vec()).unwrap());
    place.own.replace(rules);
    let waiting = consignment("osci", 31, Vec::new());
    let verdict = deliver(&targets, &waiting).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::OSCI_CERTIFICATE)),
        "{verdict:?}"
    );
    assert!(told(&verdict).2.starts_with("OSCI 9701: "), "{verdict:?}");
    assert_eq!(rows(&place)[1], 1);
    place.own.replace(good);
    assert_eq!(told(&deliver(&targets, &waiting).await).0, "delivered");
}

/// A responder is asked about the certificates of the delivery, and what it says counts at once.
#[tokio::test]
async fn responders_are_asked_before_anything_is_stored() {
    let authority = Authority::new("Erfundene Stelle").await;
    let trust = asking(
        TrustPolicy { anchors: vec![authority.anchor()], self_signed_ok: true, ..TrustPolicy::default() },
        vec![Responder { url: authority.url.clone(), issuer: None }],
    );
    let place = place().await;
    place.own.replace(Intermediary {
        trust: TrustPolicy::clone(&trust.policy()),
        ..Intermediary::clone(&place.own.rules())
    });
    let identity = Party::issued("Erfundene Drehscheibe", &authority.ca).identity();
    let targets = targets(OsciSender { identity, trust, ..place.own_sender() }, NOWHERE, |_| {});
    authority.say(Says::Revoked);
    let verdict = deliver(&targets, &consignment("osci", 40, Vec::new())).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::OSCI_CERTIFICATE)),
        "{verdict:?}"
    );
    assert_eq!(authority.asked(), 1);
}

/// Only whoever has pinned both certificates of our intermediary means it.
#[tokio::test]
async fn other_intermediaries_stay_on_the_wire() {
    let place = place().await;
    let other = keys().addressee.certificate();
    let rules = place.own.rules();
    let foreign = [
        Intermediary { cipher: other.clone(), ..Intermediary::clone(&rules) },
        Intermediary { signature: other, ..Intermediary::clone(&rules) },
    ];
    for (number, rules) in foreign.into_iter().enumerate() {
        let own = OwnIntermediary::new(rules, place.wake.clone());
        let targets = targets(OsciSender { own: Some(own), ..place.own_sender() }, &place.url, |_| {});
        let sent = consignment("osci", 50 + number as u128, Vec::new());
        assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
        assert_eq!(place.count(MessageKind::StoreDelivery), number + 1);
    }
}

/// A push has a recipient on the wire: it stays an order, also at our own intermediary.
#[tokio::test]
async fn pushes_stay_on_the_wire() {
    let clock = ManualClock::default();
    let office = Office::start(&clock).await;
    let place = Place::start(&clock, &[&office.url]).await;
    for (number, mode) in ["forward", "mediate"].into_iter().enumerate() {
        let targets = targets(place.own_sender(), &place.url, |way| {
            way["mode"] = json!(mode);
            way["receiver"] = json!(office.url);
        });
        let sent = consignment("osci", 60 + number as u128, Vec::new());
        assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    }
    assert_eq!(place.count(MessageKind::ForwardDelivery), 1);
    assert_eq!(place.count(MessageKind::MediateDelivery), 1);
    assert_eq!(office.taken.load(Ordering::SeqCst), 2);
}
