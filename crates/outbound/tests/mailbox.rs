//! The mailbox, over a real store and real connections.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use dds_message::{
    CaseRef, Channel, Code, DeliveryId, DeliveryState, Digest, Direction, Format, JournalEvent, MessageId,
    ReleaseId, SourceId, TargetId,
};
use dds_outbound::mailbox::{self, Mailbox, PeerCertificate, Polls};
use dds_store::{
    AuditLog as _, BlobStore as _, ClaimFilter, Journal as _, MasterKey, NewDelivery, NewEntry, NewMessage,
    NewPlan, Outcome, Output, PlanState, Settlement, StoredAttachment,
    sqlite::{Options, SqliteStore},
};
use dds_testbench::{Answered, Client, FetchingFachverfahren, Inbox, ManualClock, whole};
use support::{Town, target};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(300);
/// Long polls that may wait together.
const ALL: usize = 10;

struct Office {
    store: SqliteStore,
    clock: ManualClock,
    telemetry: dds_telemetry::Telemetry,
    address: SocketAddr,
    polls: Polls,
    closing: watch::Sender<bool>,
    server: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn office() -> Office {
    office_with(None, None).await
}

/// The product takes so many bytes of attachments; the listener saw the certificate of this source.
async fn office_with(attachment_limit: Option<u64>, certificate_of: Option<&str>) -> Office {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let key = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
    let store =
        SqliteStore::open(Options::new(folder.path().join("store"), key, Arc::new(clock.clone()))).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "box-token").unwrap();
    let secret = Some(format!("file:{}", secret.display()));
    let targets = Town { secret, attachment_limit, ..Town::default() }.targets();
    let (closing, closed) = watch::channel(false);
    let polls = Polls::new(ALL);
    let telemetry = dds_telemetry::Telemetry::default();
    let journal = Arc::new(store.clone());
    let router = mailbox::router(Mailbox {
        journal: journal.clone(),
        blobs: journal,
        vault: store.vault().clone(),
        targets,
        clock: Arc::new(clock.clone()),
        telemetry: telemetry.clone(),
        lease: LEASE,
        polls: polls.clone(),
        closing: closed,
    });
    let router = match certificate_of {
        Some(source) => router.layer(axum::Extension(PeerCertificate(Digest::of(source.as_bytes())))),
        None => router,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Office { store, clock, telemetry, address, polls, closing, server, _folder: folder }
}

impl Office {
    /// Asks for the next delivery without the simulator, which always has a token.
    async fn next_status(&self, of: &TargetId, token: Option<&str>) -> u16 {
        self.ask(of, token, 0).await.status.as_u16()
    }

    async fn ask(&self, of: &TargetId, token: Option<&str>, wait: u32) -> Answered {
        let path = format!("/v1/mailbox/{}/next?wait={wait}", of.as_str().replace('/', "%2F"));
        let mut request = http::Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(whole(Bytes::new())).unwrap();
        Client::new(self.address).send(request).await.unwrap()
    }

    /// A long poll that waits; it ends when the task is aborted.
    async fn wait(&self, of: &TargetId, token: &'static str) -> JoinHandle<Option<dds_testbench::Fetched>> {
        let before = self.polls.waiting();
        let mut client = FetchingFachverfahren::new(self.address, of.clone(), token);
        let waiting = tokio::spawn(async move { client.next(60).await.unwrap() });
        self.waiting(before + 1).await;
        waiting
    }

    /// Resolves when so many long polls wait.
    async fn waiting(&self, count: usize) {
        let counted = async {
            while self.polls.waiting() != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), counted).await.unwrap();
    }

    /// Accepts and plans a message with one attachment of 100,000 bytes for `target`.
    async fn post(&self, n: u128, target: &TargetId) -> DeliveryId {
        self.post_with(n, target, 1).await
    }

    async fn post_with(&self, n: u128, target: &TargetId, attachments: usize) -> DeliveryId {
        let store = &self.store;
        let id = MessageId(Uuid::from_u128((7 << 76) | (2 << 62) | n));
        let (key, wrapped) = store.vault().new_message_key(id).unwrap();
        let mut stored = Vec::new();
        for _ in 0..attachments {
            let mut writer = store.create(&key).await.unwrap();
            writer.write(Bytes::from(vec![b'a'; 100_000])).await.unwrap();
            let (blob, size, digest) = writer.finish().await.unwrap();
            let attachment = dds_message::Attachment {
                name: "Ausweis ä.pdf".to_owned(),
                media_type: "application/pdf".to_owned(),
                size,
                digest,
            };
            stored.push(StoredAttachment { attachment, blob });
        }
        let now = dds_message::Clock::now(&self.clock);
        let document = Bytes::from(format!("<antrag nummer=\"{n}\"/>"));
        let accepted = store.accept(NewMessage {
            id,
            at: now,
            direction: Direction::Application,
            answers: None,
            source: SourceId::parse("amt24").unwrap(),
            channel: Channel::Rest,
            sender_key: format!("key-{n}"),
            key: wrapped,
            digest: Digest::of(&document),
            document,
            format: Format::Xml,
            attachments: stored,
            procedure: None,
            message_type: None,
            municipality: None,
            addressee: None,
            case: Some(CaseRef::parse("HS-2026/17").unwrap()),
            entry: NewEntry::new(JournalEvent::MessageAccepted),
        });
        accepted.await.unwrap();
        let bytes = Bytes::from(format!("{{\"nummer\":{n}}}"));
        let delivery = DeliveryId::derive(id, target, "hundesteuer@1.0", 0);
        let new = NewDelivery {
            id: delivery,
            target: target.clone(),
            authority: None,
            product: Some("fv-box@1.0".to_owned()),
            output: Some(Output {
                digest: Digest::of(&bytes),
                bytes,
                media_type: "application/json".to_owned(),
                file_name: "vorgang.json".to_owned(),
            }),
            lane: None,
            pull: true,
            due: now,
            deadline: now.plus(Duration::from_secs(72 * 3_600)),
        };
        let plan = NewPlan {
            message: id,
            at: now,
            release: ReleaseId(Digest::of(b"release")),
            rule: "hundesteuer@1.0".to_owned(),
            authority: None,
            state: PlanState::Routed,
            deliveries: vec![new],
            report: None,
            entries: Vec::new(),
        };
        assert!(store.plan(plan).await.unwrap());
        delivery
    }

    fn client(&self, token: &str) -> FetchingFachverfahren {
        FetchingFachverfahren::new(self.address, target("box"), token).with_inbox(Inbox::keep_documents(true))
    }

    async fn state(&self, delivery: DeliveryId) -> (DeliveryState, Option<String>) {
        let record = self.store.delivery(delivery).await.unwrap().unwrap();
        (record.state, record.receipt)
    }
}

#[tokio::test]
async fn a_delivery_is_fetched_read_and_acknowledged() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let fetched = client.next(0).await.unwrap().unwrap();
    assert_eq!(fetched.delivery, delivery);
    assert_eq!(fetched.metadata["case"], "HS-2026/17");
    assert_eq!(fetched.metadata["lease_until"], "2026-11-22T08:05:00.000Z");
    assert_eq!(fetched.metadata["attachments"][0]["name"], "Ausweis ä.pdf");
    assert!(client.next(0).await.unwrap().is_none(), "under lease nobody else gets it");

    client.read(&fetched).await.unwrap();
    let received = client.inbox().get(delivery).unwrap();
    assert_eq!(received.bytes.unwrap(), "{\"nummer\":1}");
    assert_eq!(received.attachments[0].size, 100_000);

    let answer = client.acknowledge(&fetched, Some("AZ-7")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json()["duplicate"].clone()), (200, false.into()));
    assert_eq!(office.state(delivery).await, (DeliveryState::Delivered, Some("AZ-7".to_owned())));
    // Who did not get our answer asks again and is told the same.
    let answer = client.acknowledge(&fetched, None).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json()["duplicate"].clone()), (200, true.into()));
    assert_eq!(office.state(delivery).await.1, Some("AZ-7".to_owned()));
}

#[tokio::test]
async fn a_long_poll_ends_with_the_arrival_and_with_the_shutdown() {
    let office = office().await;
    let mut client = office.client("box-token");
    let waiting = tokio::spawn(async move {
        let fetched = client.next(60).await.unwrap();
        (client, fetched)
    });
    tokio::task::yield_now().await;
    let delivery = office.post(1, &target("box")).await;
    let (mut client, fetched) =
        tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap();
    assert_eq!(fetched.unwrap().delivery, delivery);

    let waiting = tokio::spawn(async move { client.next(60).await.unwrap() });
    tokio::task::yield_now().await;
    office.closing.send_replace(true);
    assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap().is_none());
}

/// What is refused says when to come again; whoever asks without waiting is answered as ever.
#[tokio::test]
async fn only_so_many_long_polls_wait_for_one_target_and_in_all() {
    let office = office().await;
    let (own, answers) = (target("box"), TargetId::parse("source/amt24").unwrap());
    let refused = async |of: &TargetId, token, status: u16, code: &str| {
        let answer = office.ask(of, Some(token), 60).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].clone()), (status, code.into()));
        assert_eq!(answer.headers["retry-after"], "5");
        assert_eq!(office.ask(of, Some(token), 0).await.status.as_u16(), 204);
    };
    office.post(1, &own).await;
    assert_eq!(office.next_status(&own, Some("box-token")).await, 200);
    let mut waiting = Vec::new();
    for _ in 0..Polls::PER_TARGET {
        waiting.push(office.wait(&own, "box-token").await);
    }
    refused(&own, "box-token", 429, "DDS-I016").await;
    // What is there goes out all the same: the lease has ended, which those who wait do not know yet.
    office.clock.advance(LEASE * 2);
    assert_eq!(office.ask(&own, Some("box-token"), 60).await.status.as_u16(), 200);

    // Another target has its own; those of all are fewer than both together.
    let mut others = Vec::new();
    for _ in Polls::PER_TARGET..ALL {
        others.push(office.wait(&answers, "portal-token").await);
    }
    refused(&answers, "portal-token", 503, "DDS-I009").await;

    // A client that goes away leaves its place, and so does one that got something.
    waiting.remove(0).abort();
    office.waiting(ALL - 1).await;
    others.push(office.wait(&answers, "portal-token").await);
    let delivery = office.post(2, &own).await;
    office.waiting(ALL - 1).await;
    waiting.push(office.wait(&own, "box-token").await);

    office.closing.send_replace(true);
    let mut fetched = Vec::new();
    for poll in waiting.into_iter().chain(others) {
        fetched.extend(poll.await.unwrap().map(|fetched| fetched.delivery));
    }
    assert_eq!(fetched, [delivery]);
    assert_eq!(office.polls.waiting(), 0);
}

#[tokio::test]
async fn a_lost_lease_cannot_reject_or_extend_but_a_late_receipt_counts() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let first = client.next(0).await.unwrap().unwrap();
    assert_eq!(client.extend(&first).await.unwrap().status.as_u16(), 200);

    office.clock.advance(LEASE * 2);
    let second = client.next(0).await.unwrap().unwrap();
    assert_eq!(second.delivery, delivery);
    assert_ne!(second.lease, first.lease);
    for answer in [client.reject(&first, "doppelt", "").await.unwrap(), client.extend(&first).await.unwrap()]
    {
        assert_eq!((answer.status.as_u16(), answer.json()["code"].clone()), (409, "DDS-D009".into()));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        // The same document as at every other address (`/openapi.json`).
        assert_eq!(answer.json()["findings"], serde_json::json!([]));
    }
    assert_eq!(client.acknowledge(&first, Some("spaet")).await.unwrap().status.as_u16(), 200);
    assert_eq!(office.state(delivery).await, (DeliveryState::Delivered, Some("spaet".to_owned())));
}

#[tokio::test]
async fn a_refused_rejection_is_counted_as_nothing() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let fetched = client.next(0).await.unwrap().unwrap();
    assert_eq!(client.acknowledge(&fetched, None).await.unwrap().status.as_u16(), 200);
    assert_eq!(client.reject(&fetched, "unzustaendig", "").await.unwrap().status.as_u16(), 409);
    assert_eq!(office.state(delivery).await.0, DeliveryState::Delivered);
    let page = office.telemetry.metrics().page(&dds_telemetry::Gauges::default()).unwrap();
    let attempts: Vec<_> =
        page.lines().filter(|line| line.starts_with("dds_delivery_attempts_total{")).collect();
    assert!(attempts.len() == 1 && attempts[0].contains("outcome=\"delivered\""), "{attempts:#?}");
}

#[tokio::test]
async fn a_rejection_is_a_dead_letter_whose_text_is_kept_nowhere() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let fetched = client.next(0).await.unwrap().unwrap();
    let answer = client.reject(&fetched, "Erika Mustermann", "").await.unwrap();
    assert_eq!(answer.json()["code"], "DDS-I004", "free text is no reason");
    let answer = client.reject(&fetched, "unzustaendig", "Erika Mustermann wohnt nicht hier").await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(office.state(delivery).await.0, DeliveryState::DeadLetter);
    let journal = serde_json::to_string(&office.store.rows(1, 100).await.unwrap()).unwrap();
    assert!(journal.contains("reason unzustaendig") && journal.contains("DDS-D008"), "{journal}");
    assert!(!journal.contains("Erika"), "{journal}");
    // What was rejected can be read no more.
    assert!(client.read(&fetched).await.is_err());
}

#[tokio::test]
async fn an_acknowledgement_undoes_no_rejection_and_no_redirection() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let fetched = client.next(0).await.unwrap().unwrap();
    let next = (fetched.lease.parse::<u128>().unwrap() + 1).to_string();
    let refused = async |client: &mut FetchingFachverfahren, lease: &str| {
        let shown = dds_testbench::Fetched { lease: lease.to_owned(), ..fetched.clone() };
        let answer = client.acknowledge(&shown, None).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (409, "DDS-D009".into()),
            "{lease}"
        );
    };
    // Numbers that were never given out.
    refused(&mut client, "999").await;
    refused(&mut client, &next).await;
    let plus = dds_testbench::Fetched { lease: format!("+{}", fetched.lease), ..fetched.clone() };
    assert_eq!(client.acknowledge(&plus, None).await.unwrap().status.as_u16(), 400);
    assert_eq!(office.state(delivery).await.0, DeliveryState::Prepared);

    assert_eq!(client.reject(&fetched, "unzustaendig", "").await.unwrap().status.as_u16(), 200);
    for lease in [fetched.lease.as_str(), "999"] {
        refused(&mut client, lease).await;
    }
    assert_eq!(office.state(delivery).await.0, DeliveryState::DeadLetter);

    // A person offers it once more: what was said of it before is not said of it now.
    let now = dds_message::Clock::now(&office.clock);
    let again = NewEntry::new(JournalEvent::DeliveryAgain);
    office.store.revive(delivery, now, now.plus(LEASE * 9), again).await.unwrap();
    refused(&mut client, &fetched.lease).await;
    assert_eq!(office.state(delivery).await.0, DeliveryState::Prepared);
    let second = client.next(0).await.unwrap().unwrap();
    refused(&mut client, &fetched.lease).await;
    assert_eq!(client.reject(&second, "unzustaendig", "").await.unwrap().status.as_u16(), 200);

    let message = office.store.delivery(delivery).await.unwrap().unwrap().message;
    office.store.replan(message, Some(delivery), vec![], vec![]).await.unwrap();
    refused(&mut client, &fetched.lease).await;
    assert_eq!(office.state(delivery).await.0, DeliveryState::Redirected);
    assert!(client.read(&fetched).await.is_err(), "it can be read by whom it was taken from");
}

/// The numbers of leases count up, and those of deliveries that have a past are not kept: a guess must not count all
/// the same. Here nobody has fetched, the deadline passed, and a person offers the delivery again.
#[tokio::test]
async fn a_guessed_lease_does_not_count() {
    let office = office().await;
    let delivery = office.post(1, &target("box")).await;
    let mut client = office.client("box-token");
    let now = dds_message::Clock::now(&office.clock);
    let taken = office.store.claim(&ClaimFilter::Pull(target("box")), 1, LEASE, now).await.unwrap();
    let lease = taken[0].lease;
    let passed = Settlement {
        lease,
        outcome: Outcome::DeadLetter { code: Code::DEADLINE_PASSED },
        at: now,
        late: false,
        entry: NewEntry::new(JournalEvent::DeliveryDeadLetter),
    };
    office.store.settle(vec![passed]).await.unwrap();
    let again = NewEntry::new(JournalEvent::DeliveryAgain);
    office.store.revive(delivery, now, now.plus(LEASE * 9), again).await.unwrap();
    for guess in [lease.epoch.to_string(), format!("{}0000000000", lease.epoch)] {
        let guessed =
            dds_testbench::Fetched { delivery, lease: guess.clone(), metadata: serde_json::Value::Null };
        let answer = client.acknowledge(&guessed, None).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (409, "DDS-D009".into()),
            "{guess}"
        );
    }
    assert_eq!(office.state(delivery).await.0, DeliveryState::Prepared);
}

/// A document that does not open any more is a matter for a person; what is behind it goes out.
#[tokio::test]
async fn a_damaged_document_becomes_a_dead_letter_and_holds_nobody_up() {
    let office = office().await;
    let damaged = office.post(1, &target("box")).await;
    let fine = office.post(2, &target("box")).await;
    let database = office._folder.path().join("store").join("store.db");
    let changed = rusqlite::Connection::open(database).unwrap().execute(
        "UPDATE output SET sealed = zeroblob(length(sealed)) WHERE owner = (SELECT min(owner) FROM output)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let mut client = office.client("box-token");
    assert_eq!(client.next(0).await.unwrap().unwrap().delivery, fine);
    assert_eq!(office.state(damaged).await.0, DeliveryState::DeadLetter);
    let record = office.store.delivery(damaged).await.unwrap().unwrap();
    assert_eq!(record.code, Some(Code::STORE_CORRUPT));
}

#[tokio::test]
async fn nobody_gets_what_is_not_theirs() {
    let office = office().await;
    let answers = TargetId::parse("source/amt24").unwrap();
    let delivery = office.post(1, &target("box")).await;
    let answer = office.post(2, &answers).await;

    for token in ["", "falsch", "portal-token"] {
        let error = office.client(token).next(0).await.unwrap_err().to_string();
        assert!(error.contains("HTTP 401") && error.contains("DDS-I001"), "{token}: {error}");
    }
    // The source fetches its answers with its own token, and nothing else.
    let mut portal = FetchingFachverfahren::new(office.address, answers.clone(), "portal-token");
    let fetched = portal.next(0).await.unwrap().unwrap();
    assert_eq!(fetched.delivery, answer);
    let foreign = dds_testbench::Fetched { delivery, ..fetched.clone() };
    let refused = portal.acknowledge(&foreign, None).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.json()["code"].clone()), (404, "DDS-I007".into()));
    assert_eq!(office.state(delivery).await.0, DeliveryState::Prepared);
    // Lease 0 is the right of an operator.
    let manual = dds_testbench::Fetched { lease: "0".to_owned(), ..fetched };
    assert_eq!(portal.acknowledge(&manual, None).await.unwrap().status.as_u16(), 409);
    assert_eq!(office.state(answer).await.0, DeliveryState::Prepared);
}

#[tokio::test]
async fn a_client_certificate_opens_the_boxes_of_its_source_unless_a_token_says_otherwise() {
    let office = office_with(None, Some("leitstelle")).await;
    let delivery = office.post(1, &target("box")).await;
    let answers = TargetId::parse("source/amt24").unwrap();
    office.post(2, &answers).await;
    assert_eq!(
        office.next_status(&target("box"), Some("falsch")).await,
        401,
        "a wrong token beside the certificate"
    );
    assert_eq!(office.next_status(&answers, None).await, 401, "the box of another source");
    assert_eq!(office.next_status(&target("box"), None).await, 200);
    assert_eq!(office.next_status(&target("box"), None).await, 204, "{delivery} is under lease");

    let stranger = office_with(None, Some("fremd")).await;
    stranger.post(1, &target("box")).await;
    assert_eq!(stranger.next_status(&target("box"), None).await, 401);
    // Its own token opens the box, whoever's certificate the connection has.
    assert_eq!(stranger.next_status(&target("box"), Some("box-token")).await, 200);
}

#[tokio::test]
async fn everything_there_is_can_be_taken_one_after_the_other() {
    let office = office().await;
    for n in 1..=5 {
        office.post(n, &target("box")).await;
    }
    let mut client = office.client("box-token");
    assert_eq!(client.take_all(0).await.unwrap(), 5);
    assert_eq!((client.inbox().len(), client.inbox().repeats()), (5, 0));
}

#[tokio::test]
async fn what_the_product_cannot_take_is_a_dead_letter_and_the_next_is_handed_out() {
    // One attachment has 100,000 bytes.
    let office = office_with(Some(150_000), None).await;
    let (small, large) = (office.post(1, &target("box")).await, office.post_with(2, &target("box"), 2).await);
    let mut client = office.client("box-token");
    assert_eq!(client.take_all(0).await.unwrap(), 1);
    assert_eq!(office.state(small).await.0, DeliveryState::Delivered);
    assert_eq!(office.state(large).await.0, DeliveryState::DeadLetter);
    let journal = serde_json::to_string(&office.store.rows(1, 100).await.unwrap()).unwrap();
    assert!(journal.contains("DDS-D006") && journal.contains("200000 bytes"), "{journal}");
}
