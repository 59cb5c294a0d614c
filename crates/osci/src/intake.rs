//! The reading path (facts 6, 7 and 16, steps 1 to 3): octets of an HTTP body in, envelope and attachments out.
//!
//! Streaming: attachments go to a [`PartStore`] piece by piece, their digests are computed as they pass, and only the
//! envelope is held in memory. With transport encryption the plaintext is not authenticated before the last octet: the
//! envelope is not even parsed, and the store must be able to forget what it took ([`Intake::finish`] says when it may
//! keep it).

mod digests;
pub(crate) use digests::MultiHasher;
mod encrypted;
mod memory;
mod parts;
mod store;

pub use memory::EnvelopeMemory;
pub use store::{MemoryStore, PartStore};

use std::fmt;

use zeroize::Zeroizing;

use crate::algorithm::{CryptoPolicy, DataAlgorithm, IvLength, KeyTransport};
use crate::certificate::Certificate;
use crate::encryption::{TransportTarget, failure};
use crate::feedback::{FeedbackCode, Refused};
use crate::keys::Decrypter;
use crate::message::MessageKind;
use crate::mime::{MimeLimits, MimeReader, PartHeaders, PartSink, ReadError};
use crate::random::Random;
use crate::signature::PartDigests;
use crate::xml::{Document, schema_location};
use encrypted::Encrypted;
use memory::Held;
use parts::Parts;

/// Bounds and policy of the reading path.
#[derive(Debug, Clone)]
pub struct IntakeConfig {
    /// Bounds of the envelope and of decrypted containers.
    pub xml: dds_xml::Limits,
    /// Bounds of the MIME packaging.
    pub mime: MimeLimits,
    /// Octets of the whole HTTP body; more is refused with 9100 as soon as it is seen.
    pub message_bytes: u64,
    /// Which algorithms are accepted.
    pub policy: CryptoPolicy,
    /// Memory of all envelopes that are being received with this configuration.
    pub memory: EnvelopeMemory,
}

impl Default for IntakeConfig {
    /// Strict policy, 2 GiB.
    fn default() -> Self {
        Self {
            xml: crate::xml::limits(),
            mime: MimeLimits::default(),
            message_bytes: 2 << 30,
            policy: CryptoPolicy::default(),
            memory: EnvelopeMemory::default(),
        }
    }
}

/// Anlage einer Nachricht, as it was received.
#[derive(Debug, Clone)]
pub struct AttachmentRef<H> {
    /// `Content-ID` without `<>`, unique in the message.
    pub content_id: String,
    /// Media type as the sender labelled it.
    pub media_type: String,
    /// Octets, transfer encoding undone.
    pub bytes: u64,
    /// Digests of these octets: SHA-256 and every algorithm the envelope names.
    pub digests: PartDigests,
    /// Where the store put them.
    pub handle: H,
}

/// How the message was encrypted for transport; a response answers in kind (facts 7).
#[derive(Debug, Clone)]
pub struct TransportEncryption {
    /// Our certificate that the partner used.
    pub certificate: Certificate,
    /// Data algorithm.
    pub data: DataAlgorithm,
    /// IV length.
    pub iv: IvLength,
    /// Key transport.
    pub key: KeyTransport,
}

impl TransportEncryption {
    /// How an answer is encrypted for the partner's certificate: with the data algorithm he used, as far as it is still
    /// written. Only GCM is, whatever was read; the feature GCMPaddingModus in our answers moves a library client on
    /// (facts 7).
    #[must_use]
    pub fn answering(&self, certificate: &Certificate) -> TransportTarget {
        let mut target = TransportTarget::new(certificate.clone());
        if self.data.is_authenticated() {
            target.data = self.data;
        }
        target
    }
}

/// Algorithms and certificate, in one line for people.
impl fmt::Display for TransportEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, data, iv, key } = self;
        let digest = key.digest().map(|digest| format!(" {digest:?}")).unwrap_or_default();
        let (octets, subject) = (data.iv_len(*iv), certificate.subject());
        write!(f, "{} (IV {octets} octets), {}{digest}, for {subject}", data.uri(), key.uri())
    }
}

/// A message that was read completely; signatures are not verified yet.
#[derive(Debug)]
pub struct Received<P: PartStore> {
    /// The envelope.
    pub document: Document,
    /// Type of the message; a SOAP fault is [`MessageKind::Fault`].
    pub kind: MessageKind,
    /// Attachments in the order of the message.
    pub attachments: Vec<AttachmentRef<P::Handle>>,
    /// `None` when the message came unencrypted.
    pub transport: Option<TransportEncryption>,
    /// The store, with everything it took.
    pub store: P,
    /// Octets of the HTTP body.
    pub bytes: u64,
    /// The memory of the envelope counts as long as the message is here.
    _held: Held,
}

impl<P: PartStore> Received<P> {
    /// Digests of all attachments, as [`verify_message`](crate::signature::verify_message) wants them.
    #[must_use]
    pub fn digests(&self) -> Vec<PartDigests> {
        self.attachments.iter().map(|attachment| attachment.digests.clone()).collect()
    }
}

/// Reads one message, pushed in pieces.
pub struct Intake<'a, P: PartStore> {
    reader: MimeReader,
    outer: Outer<'a, P>,
    limit: u64,
    bytes: u64,
}

impl<'a, P: PartStore> Intake<'a, P> {
    /// A fresh reading. `decrypters` are our cipher keys; the message chooses among them by certificate.
    pub fn new(
        config: &'a IntakeConfig,
        decrypters: &'a [&'a dyn Decrypter],
        random: &mut dyn Random,
        store: P,
    ) -> Self {
        // Drawn for every message, needed or not: the key that stands in for one that cannot be unwrapped.
        let mut fallback = Zeroizing::new([0; 32]);
        random.fill(&mut *fallback);
        Self {
            reader: MimeReader::new(config.mime),
            outer: Outer {
                config,
                decrypters,
                fallback,
                root: Vec::new(),
                held: config.memory.begin(),
                in_root: false,
                state: State::Start(Some(store)),
            },
            limit: config.message_bytes,
            bytes: 0,
        }
    }

    /// Takes the next octets of the HTTP body.
    ///
    /// # Errors
    /// 9100 for MIME and XML that are no message, 9200 when the message is for a key we have not, 9202 for algorithms
    /// we refuse, 9000 when the store fails. Failures inside an encrypted message show only in [`Self::finish`]. After
    /// an error nothing of the store may be kept.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), Refused> {
        self.bytes += octets.len() as u64;
        if self.bytes > self.limit {
            return Err(Refused::new(
                FeedbackCode::S9100,
                format!("the message is longer than {} octets", self.limit),
            ));
        }
        self.reader.push(octets, &mut self.outer).map_err(refused)
    }

    /// Ends the message.
    ///
    /// # Errors
    /// As [`Self::push`]; 9202 for every failure of decryption, always after the whole message was worked through.
    pub fn finish(self) -> Result<Received<P>, Refused> {
        let Self { reader, mut outer, bytes, .. } = self;
        reader.finish(&mut outer).map_err(refused)?;
        let missing =
            || Refused::new(FeedbackCode::S9100, "the message has no root part, or no encrypted part");
        match outer.state {
            State::Start(_) => Err(missing()),
            State::Plain(document, kind, parts) => {
                let (store, attachments) = parts.finish();
                Ok(Received {
                    document: *document,
                    kind,
                    attachments,
                    transport: None,
                    store,
                    bytes,
                    _held: outer.held,
                })
            }
            State::Encrypted(encrypted) => encrypted.finish(outer.config, bytes),
        }
    }
}

fn refused(error: ReadError<Refused>) -> Refused {
    match error {
        ReadError::Mime(error) => Refused::new(FeedbackCode::S9100, error.to_string()),
        ReadError::Sink(refused) => refused,
    }
}

struct Outer<'a, P: PartStore> {
    config: &'a IntakeConfig,
    decrypters: &'a [&'a dyn Decrypter],
    fallback: Zeroizing<[u8; 32]>,
    root: Vec<u8>,
    held: Held,
    in_root: bool,
    state: State<P>,
}

enum State<P: PartStore> {
    Start(Option<P>),
    Plain(Box<Document>, MessageKind, Parts<P>),
    Encrypted(Box<Encrypted<P>>),
}

impl<P: PartStore> PartSink for Outer<'_, P> {
    type Error = Refused;

    fn begin(&mut self, index: usize, headers: &PartHeaders) -> Result<(), Refused> {
        self.in_root = index == 0;
        match &mut self.state {
            State::Start(_) => Ok(()),
            State::Plain(_, _, parts) => parts.begin(headers),
            State::Encrypted(encrypted) => encrypted.begin(headers),
        }
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Refused> {
        match &mut self.state {
            State::Start(_) => collect(&mut self.root, &mut self.held, octets, self.config.xml.bytes),
            State::Plain(_, _, parts) => parts.data(octets),
            State::Encrypted(encrypted) => {
                encrypted.data(octets);
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), Refused> {
        match &mut self.state {
            State::Start(store) => {
                let Some(store) = store.take() else { return Ok(()) };
                let root = std::mem::take(&mut self.root);
                let algorithms = digests::named(&root);
                let (document, kind) = parse(root, self.config)?;
                self.state = if kind == MessageKind::MessageEncrypted {
                    State::Encrypted(Box::new(Encrypted::open(
                        &document,
                        self.config,
                        self.decrypters,
                        &self.fallback,
                        store,
                    )?))
                } else {
                    State::Plain(Box::new(document), kind, Parts::new(store, algorithms))
                };
                Ok(())
            }
            State::Plain(_, _, parts) => parts.end(),
            State::Encrypted(_) => Ok(()),
        }
    }
}

/// Gathers a root part within the limit of the envelope.
fn collect(root: &mut Vec<u8>, held: &mut Held, octets: &[u8], limit: usize) -> Result<(), Refused> {
    if root.len() + octets.len() > limit {
        return Err(Refused::new(FeedbackCode::S9100, format!("the envelope is longer than {limit} octets")));
    }
    held.grow(root.len() + octets.len())?;
    root.extend_from_slice(octets);
    Ok(())
}

/// Steps 1 and 3 of facts 16: XML, one Header and one Body, type by schemaLocation. Only a fault may come without.
fn parse(root: Vec<u8>, config: &IntakeConfig) -> Result<(Document, MessageKind), Refused> {
    let invalid = |what: &str| Refused::new(FeedbackCode::S9100, what);
    let document = Document::parse(root, &config.xml).map_err(|error| invalid(&error.to_string()))?;
    let body = document.body().ok_or_else(|| invalid("not a SOAP envelope with one Body"))?;
    let kind = match schema_location(&document) {
        Some(location) => MessageKind::from_schema_location(location)
            .ok_or_else(|| invalid("schemaLocation names no message type"))?,
        None if crate::xml::child(body, crate::xml::NS_SOAP, "Fault").is_some() => MessageKind::Fault,
        None => return Err(invalid("xsi:schemaLocation is missing")),
    };
    let header_expected = !matches!(kind, MessageKind::MessageEncrypted | MessageKind::Fault);
    if header_expected && document.header().is_none() {
        return Err(invalid("not a SOAP envelope with one Header"));
    }
    // Wrapping hides a second Body or Header beside or inside another element: the Envelope holds these two and nothing
    // else.
    let root = document.root();
    if crate::xml::elements(root).any(|node| Some(node) != document.header() && node != body) {
        return Err(invalid("the Envelope holds more than Header and Body"));
    }
    Ok((document, kind))
}

/// Reads a whole message that is in memory: for tests, `inspect` and reassembled chunks.
///
/// # Errors
/// As [`Intake::push`] and [`Intake::finish`].
pub fn read_all(
    config: &IntakeConfig,
    decrypters: &[&dyn Decrypter],
    random: &mut dyn Random,
    octets: &[u8],
) -> Result<Received<MemoryStore>, Refused> {
    let mut intake = Intake::new(config, decrypters, random, MemoryStore::default());
    intake.push(octets)?;
    intake.finish()
}
