//! OSCI-Transport 1.2: the protocol in which German authorities speak to each other and to citizens.
//!
//! Sans-IO: octets, time ([`jiff::Timestamp`]) and randomness ([`random::Random`]) are arguments; there is no socket,
//! file, clock or task in here. The crate reads and writes all 26 messages, signs and verifies, encrypts and decrypts,
//! and holds the dialogues of all three parties as values that can only be used in the right order.
//!
//! # Roles
//!
//! | role | does | here |
//! |---|---|---|
//! | *Autor* (author) | signs content | [`content::ContainerDraft`] |
//! | *Sender* (originator) | hands deliveries to the intermediary | [`client`] |
//! | *Intermediär* (intermediary) | keeps mailboxes, pushes, writes process cards; sees nothing that is encrypted for a reader | [`intermediary`] |
//! | *Empfänger* (addressee), active | fetches from its mailbox | [`client`] |
//! | *Empfänger*, passive | is pushed to at its own address | [`recipient`] |
//! | *Leser* (reader) | decrypts content | [`content::open`] |
//!
//! Each role has up to two certificates, one for encryption and one for signature. The addressee's cipher certificate
//! names its mailbox.
//!
//! # The way of a message
//!
//! ```text
//! HTTP body ─► intake::Intake ─► Received ─► signature::verify_message ─► message::Message ─► client | recipient | intermediary
//! HTTP body ◄─ outgoing::Outgoing ◄─ message::Envelope::seal ◄─────────── message::Envelope ◄─┘
//! ```
//!
//! Attachments never lie in memory: [`intake::PartStore`] takes them piece by piece, [`outgoing::Outgoing`] gives them
//! out piece by piece. Every answer goes out with HTTP status 200, faults too (facts 6).
//!
//! # Explicit and implicit dialogues
//!
//! An explicit dialogue is opened by initDialog and ended by exitDialog; each order returns the challenge of the
//! response before it and counts on. getMessageId, storeDelivery, forwardDelivery and partialStoreDelivery may stand
//! alone (implicit dialogue). [`control`] has the rules.
//!
//! # A sender
//!
//! ```
//! use dds_osci::client::{Client, Delivery, Lost};
//! use dds_osci::content::{ContainerDraft, package};
//! use dds_osci::feedback::Refused;
//! use dds_osci::intake::{Intake, IntakeConfig, MemoryStore, Received};
//! use dds_osci::keys::{Decrypter, Signer};
//! use dds_osci::message::ContentPackage;
//! use dds_osci::outgoing::message_bytes;
//! use dds_osci::random::Random;
//! use dds_osci::signature::SigningOptions;
//!
//! /// Reads an HTTP body whole; a server would push piece by piece.
//! fn read(body: &[u8], key: &dyn Decrypter, random: &mut dyn Random) -> Result<Received<MemoryStore>, Refused> {
//!     let config = IntakeConfig::default();
//!     let keys = [key];
//!     let mut intake = Intake::new(&config, &keys, random, MemoryStore::default());
//!     intake.push(body)?;
//!     intake.finish()
//! }
//!
//! /// Stores a delivery in two single orders. `post` is the HTTP client; an error of it is a `Refused` as well.
//! fn store(
//!     client: &Client,
//!     keys: (&dyn Signer, &dyn Decrypter),
//!     addressee: dds_osci::certificate::Certificate,
//!     post: &mut dyn FnMut(Vec<u8>) -> Result<Vec<u8>, Refused>,
//!     random: &mut dyn Random,
//! ) -> Result<bool, Box<dyn std::error::Error>> {
//!     let (signer, decrypter) = keys;
//!     let sign = Some((signer, SigningOptions::default()));
//!
//!     let (request, awaiting) = client.get_message_id(random);
//!     let body = message_bytes(request.seal(sign, &[], random)?, &[])?;
//!     let answer = post(body).and_then(|body| read(&body, decrypter, random));
//!     let answer = awaiting.receive(answer.as_ref().map_err(Clone::clone))?;
//!     let Some(id) = answer.value.message_id else { return Ok(false) };
//!
//!     let container = ContainerDraft::new("container").inline("inhalt", b"<anmeldung/>");
//!     let content = ContentPackage::new(package(&[], &[container.write(&[], SigningOptions::default())?]));
//!     let (request, awaiting) = client.store(id, Delivery::new(content, addressee), random);
//!     let body = message_bytes(request.seal(sign, &[], random)?, &[])?;
//!     let answer = post(body).and_then(|body| read(&body, decrypter, random));
//!     let answer = awaiting.receive(answer.as_ref().map_err(Clone::clone))?;
//!     Ok(answer.is_success())
//! }
//! ```
//!
//! # A recipient that fetches
//!
//! The order *after* a fetch is the receipt, so that what was fetched must be durable before it is sent: when it cannot
//! be kept, nothing more is sent, not even exitDialog. The intermediary lets the dialogue expire and keeps the
//! delivery. A [`client::Lost`] has nothing to send with.
//!
//! ```
//! use dds_osci::client::{Client, Request};
//! use dds_osci::feedback::{FeedbackCode, Refused};
//! use dds_osci::intake::{MemoryStore, Received};
//! use dds_osci::random::Random;
//!
//! fn empty_the_mailbox(
//!     client: &Client,
//!     send: &mut dyn FnMut(&Request) -> Result<Received<MemoryStore>, Refused>,
//!     keep: &mut dyn FnMut(&Received<MemoryStore>) -> std::io::Result<()>,
//!     random: &mut dyn Random,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let (request, awaiting) = client.init(random);
//!     let mut dialogue = awaiting.receive(send(&request).as_ref().map_err(Clone::clone))?;
//!     loop {
//!         let (request, awaiting) = dialogue.fetch(None, random);
//!         let received = send(&request);
//!         let (next, answer) = awaiting.receive(received.as_ref().map_err(Clone::clone))?;
//!         dialogue = next;
//!         if let Ok(delivery) = &received && answer.is_success() {
//!             keep(delivery)?; // durable, before the next order acknowledges it
//!         }
//!         if !answer.feedback.has(FeedbackCode::S3800) {
//!             break;
//!         }
//!     }
//!     let (request, awaiting) = dialogue.exit(random);
//!     awaiting.receive(send(&request).as_ref().map_err(Clone::clone))?;
//!     Ok(())
//! }
//! ```
//!
//! # A recipient that is pushed to
//!
//! ```
//! use dds_osci::feedback::Refused;
//! use dds_osci::intake::{MemoryStore, Received};
//! use dds_osci::recipient::{Incoming, Recipient, Refusal, Response};
//!
//! /// `keep` makes the content durable; only then the positive answer leaves.
//! fn answer(
//!     recipient: &Recipient,
//!     received: Result<Received<MemoryStore>, Refused>,
//!     keep: &mut dyn FnMut(&Received<MemoryStore>, &Incoming) -> bool,
//! ) -> Response {
//!     let received = match received {
//!         Ok(received) => received,
//!         Err(refused) => return Response::fault(refused),
//!     };
//!     match recipient.receive(&received) {
//!         Err(response) => *response,
//!         Ok(incoming) if !keep(&received, &incoming) => incoming.refused(Refusal::Internal, "the store is full"),
//!         Ok(Incoming::Accept(accepting)) => accepting.accepted(),
//!         Ok(Incoming::Process(processing)) => processing.accepted(),
//!     }
//! }
//! ```
//!
//! # An intermediary
//!
//! [`intermediary::Intermediary::examine`] works on the message alone, [`intermediary::Examined::execute`] on the state
//! behind [`intermediary::Mailboxes`], in one transaction that is committed before the answer leaves. A process that
//! sends through its own intermediary needs no order: [`intermediary::Intermediary::deposit`].
//!
//! ```
//! use dds_osci::intake::{MemoryStore, Received};
//! use dds_osci::intermediary::{Intermediary, Mailboxes, PushFailure, Reply, Step, StoreFailed};
//! use dds_osci::random::Random;
//!
//! fn serve<M: Mailboxes<Handle = usize>>(
//!     intermediary: &Intermediary,
//!     received: &Received<MemoryStore>,
//!     boxes: &mut M,
//!     now: jiff::Timestamp,
//!     random: &mut dyn Random,
//! ) -> Result<Reply<usize>, StoreFailed> {
//!     let order = match intermediary.examine(received, now) {
//!         Ok(order) => order,
//!         Err(fault) => return Ok(*fault),
//!     };
//!     Ok(match order.execute(intermediary, boxes, random)? {
//!         Step::Answer(reply) => reply,
//!         // Commit, POST the request, then `then.answered(…)` in a transaction of its own.
//!         Step::Push { then, .. } => then.failed(intermediary, PushFailure::NotReached),
//!         // See the types: chunks are put together, or a response is cut into chunks.
//!         Step::Reassemble { .. } | Step::Render { .. } => return Err(StoreFailed("not in this example".into())),
//!     })
//! }
//! ```
//!
//! # An author and a reader
//!
//! ```
//! use dds_osci::algorithm::KeyTransport;
//! use dds_osci::certificate::Certificate;
//! use dds_osci::content::{Author, ContainerDraft, ContentBody, encrypt_container, open, package};
//! use dds_osci::feedback::Refused;
//! use dds_osci::intake::{IntakeConfig, MemoryStore, Received};
//! use dds_osci::keys::{Decrypter, Signer};
//! use dds_osci::message::ContentPackage;
//! use dds_osci::random::Random;
//! use dds_osci::signature::{SigningOptions, Verdict};
//!
//! /// Signs as author, then encrypts for a reader: each by the Id of the certificate element in the message.
//! fn write(
//!     (key_id, signer): (&str, &dyn Signer),
//!     reader: (&str, &Certificate),
//!     random: &mut dyn Random,
//! ) -> Result<ContentPackage, Box<dyn std::error::Error>> {
//!     let author = Author { signer, key_id, time: None };
//!     let container = ContainerDraft::new("sendung").inline("dokument", b"<anmeldung/>");
//!     let container = container.write(&[author], SigningOptions::default())?;
//!     let encrypted = encrypt_container("geheim", &container, &[reader], KeyTransport::DEFAULT, random)?;
//!     Ok(ContentPackage::new(package(&[encrypted], &[])))
//! }
//!
//! /// What stands in the containers that authors have signed, each signature valid. Whom the certificates belong to,
//! /// and whether they count, is for [`dds_osci::trust`].
//! fn read(
//!     received: &Received<MemoryStore>,
//!     key: &dyn Decrypter,
//!     random: &mut dyn Random,
//! ) -> Result<Vec<Vec<u8>>, Refused> {
//!     let content = open(&received.document, &received.digests(), &[key], &IntakeConfig::default(), random)?;
//!     let mut found = Vec::new();
//!     for container in content.all_containers() {
//!         let signatures = &container.signatures;
//!         if signatures.is_empty() || signatures.iter().any(|one| one.verdict != Verdict::Valid) {
//!             continue;
//!         }
//!         for item in &container.contents {
//!             if let ContentBody::Inline(octets) = &item.body {
//!                 found.push(octets.clone());
//!             }
//!         }
//!     }
//!     Ok(found)
//! }
//! ```
//!
//! # What is checked, and where it says so
//!
//! Each check names the section of specification 1.2, the Korrigendum or the schema it enforces. "facts n" is section n
//! of
//! [`facts`]: what partners do and no text at hand says, in our words, with its evidence. Conclusions that
//! no text settles are marked where they are drawn, and always decided for the protection of data.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")
)]

pub mod algorithm;
pub mod c14n;
pub mod certificate;
pub mod cipher;
pub mod client;
pub mod content;
pub mod control;
pub mod encryption;
#[doc = include_str!("../facts.md")]
#[allow(
    rustdoc::broken_intra_doc_links,
    reason = "[spec], [lib] and the like are marks of evidence, not links"
)]
pub mod facts {}
pub mod feedback;
pub mod german;
pub mod inspect;
pub mod intake;
pub mod intermediary;
pub mod keys;
pub mod laufzettel;
pub mod message;
pub mod mime;
pub mod outgoing;
pub mod random;
pub mod recipient;
pub mod signature;
pub mod trust;
pub mod xml;
