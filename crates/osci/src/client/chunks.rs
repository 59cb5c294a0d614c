//! Chunked transfer (supplement EFFI, facts 14): how a message is cut, and how chunks become one again.

use std::ops::Range;

use super::Client;
use super::answer::{Answer, Answered, Fetched};
use super::demand::Demand;
use crate::certificate::Certificate;
use crate::control::Expected;
use crate::feedback::{FeedbackCode, Refused};
use crate::intake::{PartStore, Received};
use crate::message::{
    CertificateRole, ChunkInformation, ChunkRequest, ContentPackage, Envelope, FeatureDescription, Message,
    MessageId, MessageKind, NamespaceContext, Qualities,
};
use crate::xml::XmlWriter;

/// Octets of a KB.
const KB: u64 = 1024;

/// The id of a transfer: the id of the delivery inside with `_Partial`, as the Java library makes it.
pub fn partial_id(inside: &MessageId) -> MessageId {
    MessageId::new(format!("{inside}_Partial"))
}

/// How a message is cut. What is cut is the complete storeDelivery as MIME message: signed, not encrypted for transport
/// (each chunk travels in an order that is).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPlan {
    octets: u64,
    chunk_kb: u64,
}

impl ChunkPlan {
    /// Content-ID of the attachment with the chunk's octets.
    pub const CONTENT_ID: &str = "ChunkBlobStoreDelivery";

    /// Cuts a message of so many octets into chunks of at most `wished_kb`, within the limits the intermediary
    /// announced.
    ///
    /// # Errors
    /// 9904 if the message is bigger than it takes.
    pub fn new(octets: u64, wished_kb: u64, partner: Option<&FeatureDescription>) -> Result<Self, Refused> {
        let limit = |value: fn(&FeatureDescription) -> Option<u64>| partner.and_then(value);
        // 0 is no limit (schema: nonNegativeInteger).
        if let Some(max) = limit(|partner| partner.max_message_size).filter(|max| *max > 0)
            && octets.div_ceil(KB) > max
        {
            return Err(Refused::new(
                FeedbackCode::S9904,
                format!("the intermediary takes {max} KB at most"),
            ));
        }
        let lowest = limit(|partner| partner.min_chunk_size).unwrap_or(1).max(1);
        let highest = limit(|partner| partner.max_chunk_size).unwrap_or(u64::MAX).max(lowest);
        Ok(Self { octets, chunk_kb: wished_kb.clamp(lowest, highest) })
    }

    /// Size of a chunk in KB, the last one excepted.
    pub const fn chunk_kb(&self) -> u64 {
        self.chunk_kb
    }

    /// How many chunks there are.
    pub const fn count(&self) -> u64 {
        let chunks = self.octets.div_ceil(self.chunk_kb.saturating_mul(KB));
        if chunks == 0 { 1 } else { chunks }
    }

    /// The octets of a chunk; chunks are counted from 1. `None` if there is no such chunk.
    pub fn range(&self, number: u64) -> Option<Range<u64>> {
        let size = self.chunk_kb.saturating_mul(KB);
        let start = number.checked_sub(1)?.checked_mul(size)?;
        (number <= self.count()).then(|| start..self.octets.min(start.saturating_add(size)))
    }

    /// What the order says of a chunk.
    pub const fn request(&self, number: u64) -> ChunkRequest {
        ChunkRequest::Chunk(ChunkInformation {
            number: Some(number),
            size: Some(self.chunk_kb),
            received: None,
            total_chunks: Some(self.count()),
            total_size: Some(self.octets.div_ceil(KB)),
        })
    }
}

/// The blocks of a partialStoreDelivery.
pub(super) fn fill(client: &Client, envelope: &mut Envelope, chunk: &ChunkRequest, addressee: &Certificate) {
    envelope.certificates =
        client.certificates(&[CertificateRole::CipherOriginator, CertificateRole::SignatureOriginator]);
    envelope.certificates.add(CertificateRole::CipherAddressee, addressee);
    envelope.qualities = Qualities { creation: Qualities::PLAIN.creation, reception: None };
    let mut writer = XmlWriter::new();
    writer.open("osci:ContentPackage");
    if matches!(chunk, ChunkRequest::Chunk(_)) {
        let mut attributes = NamespaceContext::default().declarations();
        attributes.push(("Id".to_owned(), "ChunkContentContainer".to_owned()));
        let href = format!("cid:{}", ChunkPlan::CONTENT_ID);
        writer
            .start("osci:ContentContainer", &attributes)
            .empty("osci:Content", &[("Id", "ChunkContent"), ("href", href.as_str())]);
        writer.end();
    }
    envelope.content = Some(ContentPackage::new(writer.finish()));
}

/// Chunks of a fetched delivery in their order; the caller keeps the octets.
#[derive(Debug, Clone)]
pub struct Reassembly {
    chunk_kb: u64,
    received: Vec<u64>,
    total: Option<(u64, Option<u64>)>,
    message_id: Option<MessageId>,
}

impl Reassembly {
    /// A transfer in chunks of this size.
    pub const fn new(chunk_kb: u64) -> Self {
        Self { chunk_kb, received: Vec::new(), total: None, message_id: None }
    }

    /// Goes on with a transfer of which the first `received` chunks are there; `chunks` and `size_kb` are its totals as
    /// they were told with them.
    pub fn resumed(
        chunk_kb: u64,
        received: u64,
        (chunks, size_kb): (u64, Option<u64>),
        message_id: MessageId,
    ) -> Self {
        Self {
            chunk_kb,
            received: (1..=received).collect(),
            total: Some((chunks, size_kb)),
            message_id: Some(message_id),
        }
    }

    /// Nothing has come yet.
    pub const fn is_new(&self) -> bool {
        self.received.is_empty()
    }

    /// How many chunks have come.
    pub const fn received(&self) -> u64 {
        self.received.len() as u64
    }

    /// Size of a chunk in KB, the last one excepted.
    pub const fn chunk_kb(&self) -> u64 {
        self.chunk_kb
    }

    /// How many chunks there are, and the size of the whole in KB if it was told.
    pub const fn totals(&self) -> Option<(u64, Option<u64>)> {
        self.total
    }

    /// What the whole has at least: every chunk but the last is full.
    pub fn least_bytes(&self) -> u64 {
        let full = self.total.map_or(0, |(chunks, _)| chunks.saturating_sub(1));
        full.saturating_mul(self.chunk_kb).saturating_mul(KB)
    }

    /// The delivery is there already, and only its receipt is missing: the next order asks for the last chunk as if all
    /// others had come, so that the one behind it acknowledges the whole.
    pub fn skip_to_last(&mut self) {
        if let Some((chunks, _)) = self.total {
            self.received = (1..chunks).collect();
        }
    }

    /// What the next order asks for.
    pub fn next(&self) -> ChunkInformation {
        ChunkInformation {
            number: Some(self.received.len() as u64 + 1),
            size: Some(self.chunk_kb),
            received: Some(self.received.clone()),
            total_chunks: None,
            total_size: None,
        }
    }

    /// Takes note of a chunk that came. Returns whether it was the last one.
    ///
    /// # Errors
    /// 9901 if it is not the chunk asked for, 9905 if its totals differ from those before.
    pub fn take(
        &mut self,
        answer: &ChunkInformation,
        message_id: Option<&MessageId>,
        bytes: u64,
    ) -> Result<bool, Refused> {
        let asked = self.received.len() as u64 + 1;
        if answer.number != Some(asked) {
            return Err(Refused::new(
                FeedbackCode::S9901,
                format!("chunk {asked} was asked for, {:?} came", answer.number),
            ));
        }
        let inconsistent = |detail: &str| Err(Refused::new(FeedbackCode::S9905, detail));
        let Some(chunks) = answer.total_chunks.filter(|chunks| *chunks >= asked) else {
            return inconsistent("TotalChunkNumbers is missing or smaller than the chunk's number");
        };
        let total = (chunks, answer.total_size);
        if self.total.is_some_and(|known| known != total) {
            return inconsistent("the totals changed between two chunks");
        }
        if self.message_id.is_some() && self.message_id.as_ref() != message_id {
            return inconsistent("the chunks are of different deliveries");
        }
        let last = asked == chunks;
        let full = self.chunk_kb.saturating_mul(KB);
        if (last && bytes > full) || (!last && bytes != full) {
            return inconsistent("the chunk has not the size asked for");
        }
        self.total = Some(total);
        self.message_id = message_id.cloned();
        self.received.push(asked);
        Ok(last)
    }
}

impl Client {
    /// Reads the responseToFetchDelivery that the chunks make together. It need not be signed: the response with each
    /// chunk was, and covers its octets. The dialogue was bound by the orders that fetched them. A signature that is
    /// there must be right and the intermediary's.
    ///
    /// # Errors
    /// 9100 if it is none, 9601 or 9602 if its signature is wrong.
    pub fn read_reassembled<P: PartStore>(&self, received: &Received<P>) -> Result<Answer<Fetched>, Refused> {
        let envelope = match Message::read(&received.document)? {
            Message::Envelope(envelope) => *envelope,
            Message::Fault(fault) => return Err(Refused::new(fault.code, "the chunks make up a fault")),
        };
        let demand = Demand {
            expected: Expected {
                kind: MessageKind::ResponseToFetchDelivery,
                challenge: String::new(),
                conversation_id: None,
                sequence_number: None,
            },
            signed: false,
            encrypted: false,
            signer: self.intermediary_signature.clone(),
            policy: self.policy.clone(),
        };
        let signer = demand.signature(received, &envelope)?;
        let feedback = envelope.order.feedback().cloned().unwrap_or_default();
        let features = envelope.features.clone();
        let value = Fetched::take(envelope).ok_or_else(|| {
            Refused::new(FeedbackCode::S9100, "the chunks make up no responseToFetchDelivery")
        })?;
        Ok(Answer { feedback, value, features, signer })
    }
}
