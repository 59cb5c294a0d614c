//! The state of an intermediary behind a port: dialogues, message ids, deliveries, process cards, chunks.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use crate::certificate::Certificate;
use crate::feedback::{FeedbackCode, Refused};
use crate::intake::AttachmentRef;
use crate::laufzettel::ProcessCardBundle;
use crate::message::{CardQuery, DeliverySelection, MessageId};
use crate::signature::PartDigests;

/// SHA-256 of a certificate (DER), in lower-case hex. Names mailboxes and clients.
pub type Fingerprint = String;

/// A delivery, and whether more match the selection.
pub type Found<H> = Option<(Delivery<H>, bool)>;

/// The store could not do it: feedback 9811, the reason goes to the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mailboxes cannot be used: {0}")]
pub struct StoreFailed(pub String);

impl From<StoreFailed> for Refused {
    fn from(failed: StoreFailed) -> Self {
        Self::new(FeedbackCode::S9811, failed.0)
    }
}

/// Postfächer: the durable state. The driver wraps each call of `execute` into one transaction; no method commits by
/// itself.
pub trait Mailboxes {
    /// What names a stored attachment.
    type Handle: Clone + std::fmt::Debug;

    /// The dialogue with this ConversationId.
    fn dialogue(&mut self, conversation: &str) -> Result<Option<Dialogue>, StoreFailed>;
    /// Keeps a dialogue, new or changed.
    fn keep_dialogue(&mut self, dialogue: &Dialogue) -> Result<(), StoreFailed>;
    /// Ends a dialogue.
    fn end_dialogue(&mut self, conversation: &str) -> Result<(), StoreFailed>;
    /// Ends dialogues whose last order lies outside of this time.
    fn expire_dialogues(&mut self, used: RangeInclusive<Timestamp>) -> Result<(), StoreFailed>;
    /// How many dialogues are open: all, and those of a client.
    fn open_dialogues(&mut self, client: &Fingerprint) -> Result<(usize, usize), StoreFailed>;
    /// Ends the dialogue that has waited longest for an order after its initDialog, of this client or of all. Whether
    /// there was one.
    fn end_unbegun(&mut self, client: Option<&Fingerprint>) -> Result<bool, StoreFailed>;

    /// How many MessageIds a client holds unused.
    fn unused_ids(&mut self, client: &Fingerprint) -> Result<usize, StoreFailed>;
    /// The MessageId that a client was issued for an order, named by the digest of its Challenge.
    fn issued_for(
        &mut self,
        order: &[u8],
        client: &Fingerprint,
    ) -> Result<Option<(MessageId, IdState)>, StoreFailed>;
    /// Notes a MessageId as issued to a client, and for which order, if that could come again.
    fn issue_id(
        &mut self,
        id: &MessageId,
        client: &Fingerprint,
        order: Option<&[u8]>,
        at: Timestamp,
    ) -> Result<(), StoreFailed>;
    /// What is known of a MessageId.
    fn id_state(&mut self, id: &MessageId, client: &Fingerprint) -> Result<IdState, StoreFailed>;
    /// Marks a MessageId as used, for ever.
    fn use_id(&mut self, id: &MessageId) -> Result<(), StoreFailed>;

    /// Whether a mailbox is registered under this cipher certificate.
    fn has_mailbox(&mut self, owner: &Certificate) -> Result<bool, StoreFailed>;
    /// How many deliveries of a mailbox wait for their reception, and their octets ([`Delivery::bytes`]).
    fn load(&mut self, mailbox: &Fingerprint) -> Result<(u64, u64), StoreFailed>;
    /// How many of them a client stored and the recipient could not take over, and their octets: they wait until
    /// somebody acts.
    fn refused(&mut self, mailbox: &Fingerprint, client: &Fingerprint) -> Result<(u64, u64), StoreFailed>;
    /// Puts a delivery into its mailbox.
    fn put_delivery(&mut self, delivery: &Delivery<Self::Handle>) -> Result<(), StoreFailed>;
    /// The delivery of a mailbox that a selection names (specification 1.2, 6.6.9 and 6.6.10; facts 13), oldest first,
    /// and whether more match. `None`: the oldest one not received yet.
    fn find_delivery(
        &mut self,
        mailbox: &Fingerprint,
        selection: Option<&DeliverySelection>,
    ) -> Result<Found<Self::Handle>, StoreFailed>;

    /// Keeps a process card, new or changed.
    fn keep_card(&mut self, card: &Card) -> Result<(), StoreFailed>;
    /// The process card of a delivery.
    fn card(&mut self, id: &MessageId) -> Result<Option<Card>, StoreFailed>;
    /// Cards that a query names and `client` has a part in, oldest change first, at most `limit`; and whether more
    /// match.
    fn find_cards(
        &mut self,
        client: &Client,
        query: &CardQuery,
        limit: u64,
    ) -> Result<(Vec<Card>, bool), StoreFailed>;

    /// What is known of a transfer in chunks.
    fn upload(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Option<ChunkUpload>, StoreFailed>;
    /// Keeps one more chunk of a transfer, and with its first one the transfer. The cost is that of one chunk, however
    /// many there are.
    fn keep_chunk(
        &mut self,
        upload: &ChunkUpload,
        number: u64,
        chunk: &Attachment<Self::Handle>,
    ) -> Result<(), StoreFailed>;
    /// The chunks of a transfer in their order.
    fn upload_chunks(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Vec<Attachment<Self::Handle>>, StoreFailed>;
    /// Octets of all chunks of a client that wait for the rest of their transfer.
    fn upload_bytes(&mut self, client: &Fingerprint) -> Result<u64, StoreFailed>;
    /// Forgets a transfer; its chunks may be deleted.
    fn end_upload(&mut self, client: &Fingerprint, transfer: &MessageId) -> Result<(), StoreFailed>;
    /// The response rendered for a chunked fetch of this delivery.
    fn rendered(&mut self, id: &MessageId) -> Result<Option<RenderedFetch<Self::Handle>>, StoreFailed>;
    /// Keeps a rendered response until the delivery is received. Its owner may give up the dialogue in between: in
    /// another one he goes on with the same octets.
    fn keep_rendered(&mut self, rendered: &RenderedFetch<Self::Handle>) -> Result<(), StoreFailed>;
    /// Forgets a rendered response, if there is one.
    fn end_rendered(&mut self, id: &MessageId) -> Result<(), StoreFailed>;
}

/// A client as its orders show him.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Cipher certificate: his responses are encrypted for it; it names his mailbox.
    pub cipher: Option<Certificate>,
    /// Certificate that signed, verified.
    pub signature: Option<Certificate>,
}

impl Client {
    /// Whom MessageIds are bound to: the signer, else the holder of the cipher certificate, else nobody in particular.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let certificate = self.signature.as_ref().or(self.cipher.as_ref());
        certificate.map_or_else(String::new, |certificate| certificate.sha256_hex().to_owned())
    }

    /// Fingerprint of the mailbox.
    #[must_use]
    pub fn mailbox(&self) -> Option<Fingerprint> {
        self.cipher.as_ref().map(|certificate| certificate.sha256_hex().to_owned())
    }
}

/// An explicit dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// ConversationId; digits.
    pub conversation: String,
    /// Who opened it.
    pub client: Client,
    /// It was opened by an encrypted order.
    pub encrypted: bool,
    /// The challenge we sent last; the next order must return it.
    pub challenge: String,
    /// SequenceNumber of the next order.
    pub next_sequence: u32,
    /// Deliveries handed out by the last response; the next order acknowledges them.
    pub handed_out: Vec<MessageId>,
    /// Last order.
    pub used: Timestamp,
}

/// What is known of a MessageId.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdState {
    /// Issued to this client, unused.
    Free,
    /// Never issued here.
    Unknown,
    /// Issued to somebody else.
    Foreign,
    /// Used before.
    Used,
}

impl IdState {
    /// The state for `client` of an id that was issued to somebody and perhaps used, or never issued.
    #[must_use]
    pub fn of(issued: Option<(&str, bool)>, client: &str) -> Self {
        match issued {
            None => Self::Unknown,
            Some((owner, _)) if owner != client => Self::Foreign,
            Some((_, true)) => Self::Used,
            Some((_, false)) => Self::Free,
        }
    }
}

/// An attachment kept, or a range of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment<H> {
    /// `Content-ID` without `<>`.
    pub content_id: String,
    /// Media type.
    pub media_type: String,
    /// Octets (of the range, if there is one).
    pub bytes: u64,
    /// First octet within what the handle names; 0 for a whole attachment.
    pub offset: u64,
    /// Digests known; empty for a range: whoever sends it computes them.
    pub digests: PartDigests,
    /// Where the octets are.
    pub handle: H,
}

impl<H: Clone> From<&AttachmentRef<H>> for Attachment<H> {
    fn from(received: &AttachmentRef<H>) -> Self {
        Self {
            content_id: received.content_id.clone(),
            media_type: received.media_type.clone(),
            bytes: received.bytes,
            offset: 0,
            digests: received.digests.clone(),
            handle: received.handle.clone(),
        }
    }
}

/// Zustellung: a delivery in a mailbox, kept as the order it came with; signed, unless it was a
/// [`Deposit`](super::Deposit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery<H> {
    /// Id.
    pub id: MessageId,
    /// Mailbox.
    pub mailbox: Fingerprint,
    /// When it was submitted.
    pub submitted: Timestamp,
    /// The envelope of the storeDelivery, octet for octet.
    pub envelope: Vec<u8>,
    /// Its attachments.
    pub attachments: Vec<Attachment<H>>,
}

impl<H> Delivery<H> {
    /// Octets of envelope and attachments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let attachments: u64 = self.attachments.iter().map(|attachment| attachment.bytes).sum();
        self.envelope.len() as u64 + attachments
    }
}

/// Laufzettel with those who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The card with its inspections.
    pub bundle: ProcessCardBundle,
    /// Fingerprints of the originator's certificates.
    pub originator: Vec<Fingerprint>,
    /// Fingerprint of the addressee's cipher certificate.
    pub addressee: Option<Fingerprint>,
    /// When the delivery was submitted.
    pub submitted: Timestamp,
}

/// A transfer in chunks that is not complete, or was not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkUpload {
    /// Whose it is.
    pub client: Fingerprint,
    /// Id of the transfer.
    pub transfer: MessageId,
    /// Chunk size in KB.
    pub size: u64,
    /// Number of chunks.
    pub total_chunks: u64,
    /// Size of the whole in KB.
    pub total_size: u64,
    /// Numbers of the chunks that have arrived.
    pub received: BTreeSet<u64>,
    /// First chunk.
    pub begun: Timestamp,
}

/// A response to fetchDelivery, written once for a chunked fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFetch<H> {
    /// Delivery.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// Octets of the whole.
    pub bytes: u64,
    /// Where they are.
    pub handle: H,
}
