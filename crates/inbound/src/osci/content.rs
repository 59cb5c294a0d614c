//! What a delivery holds: its document, its attachments as clear octets, and whether its authors signed it.

use std::sync::Arc;

use bytes::Bytes;
use dds_courier::{AttachmentList, Identity};
use dds_message::{Code, Format, Problem};
use dds_osci::{
    content::{AttachmentPart, AttachmentReader, Content, ContentBody, open},
    intermediary::Attachment,
    keys::Decrypter,
    random::SystemRandom,
    signature::{PartDigests, Verdict},
};
use dds_postbox::{Postbox, StoredPart};
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};

use super::door::{Delivered, Door};
use crate::Limits;

/// Pieces of an attachment under way.
const WAITING: usize = 4;
/// Octets handed over at once.
const PIECE: usize = 256 * 1024;

/// The content of a delivery, opened.
pub(super) struct Opened {
    pub(super) document: Bytes,
    pub(super) format: Format,
    /// Attachments, each with what decrypts it.
    pub(super) parts: Vec<(AttachmentPart, Attachment<StoredPart>)>,
    /// Their names.
    pub(super) list: AttachmentList,
    pub(super) content: Content,
}

impl Door {
    pub(super) async fn open(
        &self,
        delivered: Delivered,
        identity: &Identity,
        limits: Limits,
    ) -> Result<Opened, Problem> {
        let (door, cipher) = (self.clone(), Arc::clone(&identity.cipher));
        let opening = spawn_blocking(move || door.open_blocking(&delivered, cipher.as_ref(), limits));
        opening.await.map_err(|_| Problem::new(Code::INTERNAL, "opening OSCI content ended unexpectedly"))?
    }

    fn open_blocking(
        &self,
        delivered: &Delivered,
        cipher: &dyn Decrypter,
        limits: Limits,
    ) -> Result<Opened, Problem> {
        let digests: Vec<PartDigests> =
            delivered.attachments.iter().map(|attachment| attachment.digests.clone()).collect();
        let content = open(&delivered.document, &digests, &[cipher], &self.intake, &mut SystemRandom)
            .map_err(|refused| unreadable(&refused.detail))?;
        if content.all_containers().is_empty() {
            return Err(unreadable("no container can be read with our key"));
        }
        authors(&content, false)?;
        let (mut document, mut list) = (None, AttachmentList::default());
        let mut parts = Vec::new();
        for container in content.all_containers() {
            for item in &container.contents {
                match &item.body {
                    ContentBody::Inline(octets) => match AttachmentList::read(octets) {
                        Some(found) => list = found,
                        None if document.is_none() => {
                            document = format_of(octets).map(|format| (octets.clone(), format));
                        }
                        None => {}
                    },
                    ContentBody::Container(_) => {}
                    ContentBody::Attachment(part) => parts.push(self.named(part, delivered)?),
                }
            }
        }
        if document.is_none() {
            document = self.attached_document(&mut parts, limits)?;
        }
        let (document, format) =
            document.ok_or_else(|| unreadable("no content is an XML or JSON document"))?;
        if document.len() as u64 > limits.document_bytes {
            return Err(too_large(limits.document_bytes));
        }
        if parts.len() > limits.attachments {
            return Err(Problem::new(
                Code::TOO_LARGE,
                format!("more than {} attachments", limits.attachments),
            ));
        }
        Ok(Opened { document: Bytes::from(document), format, parts, list, content })
    }

    fn named(
        &self,
        part: &AttachmentPart,
        delivered: &Delivered,
    ) -> Result<(AttachmentPart, Attachment<StoredPart>), Problem> {
        let found = delivered.attachments.iter().find(|attachment| attachment.content_id == part.content_id);
        found
            .map(|attachment| (part.clone(), attachment.clone()))
            .ok_or_else(|| unreadable("an attachment is missing"))
    }

    /// The first attachment that is a document, where nothing inline is one.
    #[allow(clippy::type_complexity, reason = "the pair is what the caller destructures")]
    fn attached_document(
        &self,
        parts: &mut Vec<(AttachmentPart, Attachment<StoredPart>)>,
        limits: Limits,
    ) -> Result<Option<(Vec<u8>, Format)>, Problem> {
        for place in 0..parts.len() {
            let (part, attachment) = &parts[place];
            if attachment.bytes > limits.document_bytes {
                continue;
            }
            let mut octets = Vec::new();
            clear_into(&self.postbox, part, attachment, |piece| {
                octets.extend_from_slice(&piece);
                true
            })?;
            if let Some(format) = format_of(&octets) {
                parts.remove(place);
                return Ok(Some((octets, format)));
            }
        }
        Ok(None)
    }

    /// Clear octets of an attachment, and afterwards their digests where they were encrypted.
    pub(super) fn clear(
        &self,
        part: AttachmentPart,
        attachment: &Attachment<StoredPart>,
    ) -> (impl futures::Stream<Item = Result<Bytes, Problem>> + Send + use<>, oneshot::Receiver<PartDigests>)
    {
        let (send, receive) = mpsc::channel(WAITING);
        let (tell, settled) = oneshot::channel();
        let (postbox, attachment) = (self.postbox.clone(), attachment.clone());
        spawn_blocking(move || {
            let result =
                clear_into(&postbox, &part, &attachment, |piece| send.blocking_send(Ok(piece)).is_ok());
            match result {
                Ok(Some(digests)) => {
                    let _gone = tell.send(digests);
                }
                Ok(None) => {}
                Err(problem) => {
                    let _gone = send.blocking_send(Err(problem));
                }
            }
        });
        let stream = futures::stream::unfold(receive, |mut receive| async move {
            receive.recv().await.map(|piece| (piece, receive))
        });
        (stream, settled)
    }
}

/// Gives the clear octets of an attachment in pieces; blocks. Returns the digests of what was encrypted.
fn clear_into(
    postbox: &Postbox,
    part: &AttachmentPart,
    attachment: &Attachment<StoredPart>,
    mut take: impl FnMut(Bytes) -> bool,
) -> Result<Option<PartDigests>, Problem> {
    let gone = |error: dds_postbox::PostboxError| Problem::new(Code::OSCI_POSTBOX, error.0);
    let mut reader = postbox.open_part(&attachment.handle).map_err(gone)?;
    let mut cipher =
        AttachmentReader::new(part).transpose().map_err(|refused| unreadable(&refused.detail))?;
    let mut clear = Vec::new();
    while let Some(piece) =
        reader.next_chunk().map_err(|error| Problem::new(Code::OSCI_POSTBOX, error.to_string()))?
    {
        match &mut cipher {
            None => {
                if !take(piece) {
                    return Ok(None);
                }
            }
            Some(cipher) => {
                cipher.update(&piece, &mut clear);
                if clear.len() >= PIECE && !take(Bytes::from(std::mem::take(&mut clear))) {
                    return Ok(None);
                }
            }
        }
    }
    let Some(cipher) = cipher else { return Ok(None) };
    let digests = cipher.finish(&mut clear).map_err(|refused| unreadable(&refused.detail))?;
    if !clear.is_empty() {
        take(Bytes::from(clear));
    }
    Ok(Some(digests))
}

/// Every author's signature must be right; one that waits for an encrypted attachment may wait until it was read.
pub(super) fn authors(content: &Content, complete: bool) -> Result<(), Problem> {
    for container in content.all_containers() {
        for signature in &container.signatures {
            let sound = match &signature.verdict {
                Verdict::Valid => true,
                Verdict::Pending => !complete,
                Verdict::Invalid(_) | Verdict::Absent => false,
            };
            if !sound {
                let fault = signature.faults.first().map_or_else(String::new, |fault| fault.refused().detail);
                let word = signature.verdict.word();
                return Err(Problem::new(Code::OSCI_AUTHOR, format!("author's signature: {word} {fault}")));
            }
        }
    }
    Ok(())
}

fn format_of(octets: &[u8]) -> Option<Format> {
    let text = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match text.iter().find(|octet| !octet.is_ascii_whitespace())? {
        b'<' => Some(Format::Xml),
        b'{' => Some(Format::Json),
        _ => None,
    }
}

fn unreadable(detail: &str) -> Problem {
    Problem::new(Code::OSCI_CONTENT, detail.to_owned())
}

pub(super) fn too_large(limit: u64) -> Problem {
    Problem::new(Code::TOO_LARGE, format!("more than {limit} bytes"))
}
