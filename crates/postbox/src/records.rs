//! What the columns hold: the values of the protocol in a form that lasts.

use std::collections::BTreeSet;

use dds_message::DeliveryId;
use dds_osci::{
    algorithm::DigestAlgorithm,
    certificate::Certificate,
    intermediary::{Attachment, ChunkUpload, Client, Delivery, Dialogue, RenderedFetch},
    message::MessageId,
    signature::PartDigests,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Fetching, PostboxError, StoredPart, Transfer};

/// Time in microseconds since 1970.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn time(micros: i64) -> Result<Timestamp, PostboxError> {
    Timestamp::from_microsecond(micros).map_err(|error| PostboxError::Damaged(error.to_string()))
}

fn certificate(der: Option<Vec<u8>>) -> Result<Option<Certificate>, PostboxError> {
    der.map(Certificate::from_der).transpose().map_err(|error| PostboxError::Damaged(error.to_string()))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DialogueRecord {
    #[serde(with = "serde_bytes")]
    cipher: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    signature: Option<Vec<u8>>,
    encrypted: bool,
    challenge: String,
    next_sequence: u32,
    handed_out: Vec<String>,
}

impl DialogueRecord {
    pub(crate) fn of(dialogue: &Dialogue) -> Self {
        let der = |certificate: &Option<Certificate>| certificate.as_ref().map(|one| one.der().to_vec());
        Self {
            cipher: der(&dialogue.client.cipher),
            signature: der(&dialogue.client.signature),
            encrypted: dialogue.encrypted,
            challenge: dialogue.challenge.clone(),
            next_sequence: dialogue.next_sequence,
            handed_out: dialogue.handed_out.iter().map(|id| id.as_str().to_owned()).collect(),
        }
    }

    pub(crate) fn dialogue(self, conversation: &str, used: i64) -> Result<Dialogue, PostboxError> {
        Ok(Dialogue {
            conversation: conversation.to_owned(),
            client: Client { cipher: certificate(self.cipher)?, signature: certificate(self.signature)? },
            encrypted: self.encrypted,
            challenge: self.challenge,
            next_sequence: self.next_sequence,
            handed_out: self.handed_out.into_iter().map(MessageId::new).collect(),
            used: time(used)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AttachmentRecord {
    content_id: String,
    media_type: String,
    bytes: u64,
    digests: Vec<(String, Vec<u8>)>,
    part: StoredPart,
}

impl AttachmentRecord {
    pub(crate) fn of(attachment: &Attachment<StoredPart>) -> Self {
        let digests = attachment.digests.digests.iter();
        Self {
            content_id: attachment.content_id.clone(),
            media_type: attachment.media_type.clone(),
            bytes: attachment.bytes,
            digests: digests.map(|(algorithm, value)| (algorithm.uri().to_owned(), value.clone())).collect(),
            part: attachment.handle.clone(),
        }
    }

    pub(crate) fn attachment(self) -> Attachment<StoredPart> {
        let known = |(uri, value): (String, Vec<u8>)| Some((DigestAlgorithm::from_uri(&uri)?, value));
        Attachment {
            digests: PartDigests {
                content_id: self.content_id.clone(),
                digests: self.digests.into_iter().filter_map(known).collect(),
            },
            content_id: self.content_id,
            media_type: self.media_type,
            bytes: self.bytes,
            offset: 0,
            handle: self.part,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    #[serde(with = "serde_bytes")]
    envelope: Vec<u8>,
    attachments: Vec<AttachmentRecord>,
}

impl DeliveryRecord {
    pub(crate) fn of(delivery: &Delivery<StoredPart>) -> Self {
        Self {
            envelope: delivery.envelope.clone(),
            attachments: delivery.attachments.iter().map(AttachmentRecord::of).collect(),
        }
    }

    pub(crate) fn delivery(
        self,
        id: String,
        mailbox: String,
        submitted: i64,
    ) -> Result<Delivery<StoredPart>, PostboxError> {
        Ok(Delivery {
            id: MessageId::new(id),
            mailbox,
            submitted: time(submitted)?,
            envelope: self.envelope,
            attachments: self.attachments.into_iter().map(AttachmentRecord::attachment).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CardRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) bundle: Vec<u8>,
    pub(crate) originator: Vec<String>,
    pub(crate) addressee: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    size: u64,
    total_chunks: u64,
    total_size: u64,
}

impl UploadRecord {
    pub(crate) const fn of(upload: &ChunkUpload) -> Self {
        Self { size: upload.size, total_chunks: upload.total_chunks, total_size: upload.total_size }
    }

    pub(crate) fn upload(
        self,
        client: &str,
        transfer: &MessageId,
        begun: i64,
        received: BTreeSet<u64>,
    ) -> Result<ChunkUpload, PostboxError> {
        Ok(ChunkUpload {
            client: client.to_owned(),
            transfer: transfer.clone(),
            size: self.size,
            total_chunks: self.total_chunks,
            total_size: self.total_size,
            received,
            begun: time(begun)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TransferRecord {
    message_id: String,
    octets: u64,
    chunk_kb: u64,
    chunks: Vec<AttachmentRecord>,
}

impl TransferRecord {
    pub(crate) fn of(transfer: &Transfer) -> Self {
        Self {
            message_id: transfer.message_id.as_str().to_owned(),
            octets: transfer.octets,
            chunk_kb: transfer.chunk_kb,
            chunks: transfer.chunks.iter().map(AttachmentRecord::of).collect(),
        }
    }

    pub(crate) fn transfer(self, delivery: DeliveryId, parties: String) -> Transfer {
        Transfer {
            delivery,
            message_id: MessageId::new(self.message_id),
            parties,
            octets: self.octets,
            chunk_kb: self.chunk_kb,
            chunks: self.chunks.into_iter().map(AttachmentRecord::attachment).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RenderedRecord {
    bytes: u64,
    part: StoredPart,
}

impl RenderedRecord {
    pub(crate) fn of(rendered: &RenderedFetch<StoredPart>) -> Self {
        Self { bytes: rendered.bytes, part: rendered.handle.clone() }
    }

    pub(crate) fn rendered(self, id: &MessageId, at: i64) -> Result<RenderedFetch<StoredPart>, PostboxError> {
        Ok(RenderedFetch { id: id.clone(), at: time(at)?, bytes: self.bytes, handle: self.part })
    }
}

/// What a row of `download` says of the whole, and its chunk.
#[derive(Serialize, Deserialize)]
pub(crate) struct DownloadRecord {
    chunk_kb: u64,
    total_chunks: u64,
    total_kb: Option<u64>,
    chunk: AttachmentRecord,
}

impl DownloadRecord {
    pub(crate) fn of(fetching: &Fetching, chunk: &Attachment<StoredPart>) -> Self {
        Self {
            chunk_kb: fetching.chunk_kb,
            total_chunks: fetching.total_chunks,
            total_kb: fetching.total_kb,
            chunk: AttachmentRecord::of(chunk),
        }
    }

    pub(crate) fn open(self) -> (Fetching, Attachment<StoredPart>) {
        let fetching =
            Fetching { chunk_kb: self.chunk_kb, total_chunks: self.total_chunks, total_kb: self.total_kb };
        (fetching, self.chunk.attachment())
    }
}
