//! What a delivery holds: its document, its attachments as clear octets, and whether its authors signed it.

use std::sync::Arc;

use bytes::Bytes;
use dds_courier::{AttachmentList, Identity};
use dds_message::{Code, Format, Problem};
use dds_osci::{
    content::{
        AttachmentCipher, AttachmentPart, AttachmentReader, Container, Content, ContentBody, ContentItem,
        EncryptedContent, Layer, LayerState, open,
    },
    feedback::{FeedbackCode, Refused},
    german,
    intermediary::Attachment,
    keys::Decrypter,
    random::SystemRandom,
    signature::{PartDigests, Verdict},
};
use dds_postbox::{Postbox, PostboxError, StoredPart};
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};

use super::door::{Delivered, Door};
use crate::{Limits, body};

/// Pieces of an attachment under way.
const WAITING: usize = 4;
/// Octets handed over at once.
const PIECE: usize = 256 * 1024;

/// What a delivery holds for the main path.
pub(super) struct Picked {
    pub(super) document: Bytes,
    pub(super) format: Format,
    /// Everything else, in the order of the content.
    pub(super) parts: Vec<Part>,
    /// Names of attachments.
    pub(super) list: AttachmentList,
}

/// A content beside the document.
pub(super) enum Part {
    /// It stands in the message itself.
    Inline { name: String, octets: Bytes },
    /// An attachment with what decrypts it.
    Attached(AttachmentPart, Attachment<StoredPart>),
}

impl Door {
    /// Opens the content as far as our keys reach. Every author's signature in it is right, or waits for an
    /// attachment.
    pub(super) async fn open(
        &self,
        delivered: &Arc<Delivered>,
        identity: &Identity,
    ) -> Result<Content, Problem> {
        let (door, delivered, keys) = (self.clone(), Arc::clone(delivered), identity.decrypters());
        let opening = spawn_blocking(move || {
            let digests: Vec<PartDigests> =
                delivered.attachments.iter().map(|attachment| attachment.digests.clone()).collect();
            let ciphers: Vec<&dyn Decrypter> = keys.iter().map(AsRef::as_ref).collect();
            let content = open(&delivered.document, &digests, &ciphers, &door.intake, &mut SystemRandom)
                .map_err(|refused| unreadable("der Inhalt ist nicht lesbar", &refused.detail))?;
            let failed = content.all_encrypted().into_iter().find_map(|layer| match &layer.state {
                LayerState::Failed(refused) => Some(refused),
                LayerState::Opened(_) | LayerState::Closed => None,
            });
            if let Some(refused) = failed {
                let why = &refused.detail;
                let text = (
                    format!("ein für uns verschlüsselter Teil ist nicht lesbar ({})", german::reason(why)),
                    format!("an encrypted part for us cannot be read: {why}"),
                );
                // Trouble with a key of ours is none of the sender's, and may be over at the next try.
                let ours = refused.code == FeedbackCode::S9000;
                let code = if ours { Code::OSCI_KEYS } else { Code::OSCI_CONTENT };
                return Err(Problem::new(code, text));
            }
            if content.all_containers().is_empty() {
                let text = (
                    "kein Container ist mit unserem Schlüssel lesbar",
                    "no container can be read with our key",
                );
                return Err(Problem::new(Code::OSCI_CONTENT, text));
            }
            authors(&content, Reading::Opened)?;
            Ok(content)
        });
        opening.await.map_err(|_| {
            let text =
                ("das Öffnen des OSCI-Inhalts endete unerwartet", "opening OSCI content ended unexpectedly");
            Problem::new(Code::INTERNAL, text)
        })?
    }

    /// Finds the document and what belongs to it; the content learns what was read of attachments.
    pub(super) async fn pick(
        &self,
        delivered: &Arc<Delivered>,
        mut content: Content,
        limits: Limits,
    ) -> Result<(Picked, Content), Problem> {
        let (door, delivered) = (self.clone(), Arc::clone(delivered));
        let picking = spawn_blocking(move || {
            let picked = door.pick_blocking(&delivered, &mut content, limits)?;
            Ok((picked, content))
        });
        picking.await.map_err(|_| {
            let text =
                ("das Lesen des OSCI-Inhalts endete unerwartet", "reading OSCI content ended unexpectedly");
            Problem::new(Code::INTERNAL, text)
        })?
    }

    fn pick_blocking(
        &self,
        delivered: &Delivered,
        content: &mut Content,
        limits: Limits,
    ) -> Result<Picked, Problem> {
        let (mut document, mut list) = (None, AttachmentList::default());
        let mut parts = Vec::new();
        for (number, item) in items(content)?.into_iter().enumerate() {
            match &item.body {
                ContentBody::Inline(octets) => match (AttachmentList::read(octets), format_of(octets)) {
                    (Some(found), _) => list.0.extend(found.0),
                    (None, Some(format)) if document.is_none() => document = Some((octets.clone(), format)),
                    (None, _) => {
                        let name = item.id.clone().unwrap_or_else(|| format!("inhalt-{}", number + 1));
                        parts.push(Part::Inline { name, octets: Bytes::copy_from_slice(octets) });
                    }
                },
                ContentBody::Container(_) => {}
                ContentBody::Attachment(part) => parts.push(named(part, delivered)?),
            }
        }
        if document.is_none() {
            document = self.attached_document(&mut parts, content, limits)?;
        }
        let (document, format) = document.ok_or_else(|| {
            let text =
                ("kein Inhalt ist ein XML- oder JSON-Dokument", "no content is an XML or JSON document");
            Problem::new(Code::OSCI_CONTENT, text)
        })?;
        if document.len() as u64 > limits.document_bytes {
            return Err(body::larger("das Dokument", "the main document", limits.document_bytes));
        }
        if parts.len() > limits.attachments {
            return Err(body::many_attachments(limits.attachments));
        }
        Ok(Picked { document: Bytes::from(document), format, parts, list })
    }

    /// The first attachment that is a document, where nothing inline is one.
    fn attached_document(
        &self,
        parts: &mut Vec<Part>,
        content: &mut Content,
        limits: Limits,
    ) -> Result<Option<(Vec<u8>, Format)>, Problem> {
        for place in 0..parts.len() {
            let Some(Part::Attached(part, attachment)) = parts.get(place) else { continue };
            if attachment.bytes > limits.document_bytes {
                continue;
            }
            let mut octets = Vec::new();
            let digests = clear_into(&self.postbox, part, attachment, |piece| {
                octets.extend_from_slice(&piece);
                true
            })?;
            if let Some(format) = format_of(&octets) {
                // It is not read once more: what its author signed is settled here.
                if let Some(digests) = digests {
                    content.settle(&digests);
                }
                parts.remove(place);
                return Ok(Some((octets, format)));
            }
        }
        Ok(None)
    }

    /// Clear octets of an attachment, and afterwards the digests that signatures wait for.
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

fn named(part: &AttachmentPart, delivered: &Delivered) -> Result<Part, Problem> {
    let found = delivered.attachments.iter().find(|attachment| attachment.content_id == part.content_id);
    found
        .map(|attachment| Part::Attached(part.clone(), attachment.clone()))
        .ok_or_else(|| Problem::new(Code::OSCI_CONTENT, ("eine Anlage fehlt", "an attachment is missing")))
}

/// Every content in its order. If an author has signed any, each must be covered by a signature: nobody else may add to
/// what he signed, and nothing is left out silently.
fn items(content: &Content) -> Result<Vec<&ContentItem>, Problem> {
    let mut found = Vec::new();
    content.containers.iter().for_each(|container| Cover::default().collect(container, &mut found));
    for layer in content.encrypted.iter().filter_map(opened) {
        Cover::default().collect(&layer.container, &mut found);
    }
    let signed = found.iter().any(|(signed, _)| *signed);
    if signed && found.iter().any(|(signed, _)| !signed) {
        let text = (
            "ein Inhalt steht außerhalb dessen, was der Autor signiert hat",
            "a content stands outside of what the author has signed",
        );
        return Err(Problem::new(Code::OSCI_AUTHOR, text));
    }
    Ok(found.into_iter().map(|(_, item)| item).collect())
}

fn opened(encrypted: &EncryptedContent) -> Option<&Layer> {
    if let LayerState::Opened(layer) = &encrypted.state { Some(layer) } else { None }
}

/// What signatures further out cover of a container.
#[derive(Debug, Clone, Copy, Default)]
struct Cover<'s, 'c> {
    /// A container around it is signed: all that it holds, and the octets of its attachments.
    signed: bool,
    /// Layers around it, beginning with the one whose ciphertext is signed: what stands in them.
    layers: &'s [&'c Layer],
}

impl<'c> Cover<'_, 'c> {
    /// Each content, and whether a signature covers it.
    fn collect(self, container: &'c Container, found: &mut Vec<(bool, &'c ContentItem)>) {
        let inside = Self { signed: self.signed || !container.signatures.is_empty(), ..self };
        for item in &container.contents {
            match &item.body {
                ContentBody::Container(inner) => inside.collect(inner, found),
                ContentBody::Inline(_) => found.push((inside.covers_octets(), item)),
                ContentBody::Attachment(part) => found.push((inside.covers_attachment(part), item)),
            }
        }
        for encrypted in &container.encrypted {
            let Some(layer) = opened(encrypted) else { continue };
            // A signature need not refer to what is encrypted in its container.
            let named =
                |uri: &str| uri.strip_prefix('#').is_some_and(|id| encrypted.id.as_deref() == Some(id));
            let mut references = container.signatures.iter().flat_map(|signature| &signature.references);
            if self.covers_octets() || references.any(|reference| named(&reference.uri)) {
                let layers = [self.layers, &[layer]].concat();
                Cover { signed: false, layers: &layers }.collect(&layer.container, found);
            } else {
                Cover::default().collect(&layer.container, found);
            }
        }
    }

    const fn covers_octets(self) -> bool {
        self.signed || !self.layers.is_empty()
    }

    /// The octets of an attachment stand elsewhere. A signed ciphertext covers them only if it holds their key, and
    /// they open with no others.
    fn covers_attachment(self, part: &AttachmentPart) -> bool {
        let bound = |cipher: &AttachmentCipher| {
            cipher.data.is_authenticated()
                && self.layers.iter().any(|layer| layer.keys.contains(&part.content_id))
        };
        self.signed || part.cipher.as_ref().is_some_and(bound)
    }
}

/// Gives the clear octets of an attachment in pieces; blocks. Returns the digests that signatures wait for.
fn clear_into(
    postbox: &Postbox,
    part: &AttachmentPart,
    attachment: &Attachment<StoredPart>,
    mut take: impl FnMut(Bytes) -> bool,
) -> Result<Option<PartDigests>, Problem> {
    let undecipherable =
        |refused: Refused| unreadable("eine Anlage lässt sich nicht entschlüsseln", &refused.detail);
    let mut reader = postbox.open_part(&attachment.handle)?;
    let mut clearing = AttachmentReader::new(part).transpose().map_err(undecipherable)?;
    let mut clear = Vec::new();
    while let Some(piece) = reader.next_chunk().map_err(PostboxError::from)? {
        match &mut clearing {
            None => {
                if !take(piece) {
                    return Ok(None);
                }
            }
            Some(clearing) => {
                clearing.update(&piece, &mut clear);
                if clear.len() >= PIECE && !take(Bytes::from(std::mem::take(&mut clear))) {
                    return Ok(None);
                }
            }
        }
    }
    let Some(clearing) = clearing else { return Ok(None) };
    let digests = clearing.finish(&mut clear).map_err(undecipherable)?;
    if !clear.is_empty() {
        take(Bytes::from(clear));
    }
    Ok(Some(digests))
}

/// How far a content was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Attachments are still to come.
    Opened,
    /// All of it.
    Complete,
}

/// Every author's signature must be right; one that waits for an attachment may wait until it was read.
pub(super) fn authors(content: &Content, reading: Reading) -> Result<(), Problem> {
    for container in content.all_containers() {
        for signature in &container.signatures {
            let sound = match &signature.verdict {
                Verdict::Valid => true,
                Verdict::Pending => reading == Reading::Opened,
                Verdict::Invalid(_) | Verdict::Absent => false,
            };
            if !sound {
                let text = match signature.faults.first().map(|fault| fault.refused().detail) {
                    Some(why) => (
                        format!("die Signatur des Autors ist ungültig ({})", german::reason(&why)),
                        format!("the author's signature is invalid: {why}"),
                    ),
                    None => (
                        "die Signatur des Autors ist nicht vollständig prüfbar".to_owned(),
                        "the author's signature cannot be verified to its end".to_owned(),
                    ),
                };
                return Err(Problem::new(Code::OSCI_AUTHOR, text));
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

/// The media type of a content that has none: by its first octets.
pub(super) fn media_type(octets: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 5] = [
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"II*\0", "image/tiff"),
        (b"PK\x03\x04", "application/zip"),
    ];
    if let Some((_, known)) = KNOWN.iter().find(|(start, _)| octets.starts_with(start)) {
        return known;
    }
    match format_of(octets) {
        Some(Format::Xml) => "application/xml",
        Some(Format::Json) => "application/json",
        None if std::str::from_utf8(octets).is_ok() => "text/plain; charset=utf-8",
        None => "application/octet-stream",
    }
}

/// `DDS-O010`: what cannot be read, and why in the words of the protocol crate.
pub(super) fn unreadable(what: &str, why: &str) -> Problem {
    Problem::new(Code::OSCI_CONTENT, (format!("{what} ({})", german::reason(why)), why))
}
