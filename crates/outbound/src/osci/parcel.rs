//! What is sent: document and attachments as signed and encrypted content.

use std::sync::Arc;

use bytes::Bytes;
use dds_courier::{AttachmentList, ListedAttachment};
use dds_delivery::{AttachmentSource, Consignment, Verdict};
use dds_message::Code;
use dds_osci::{
    algorithm::{DigestAlgorithm, KeyTransport},
    client::Delivery,
    content::{AttachmentEncryption, Author, ContainerDraft, encrypt_container, package},
    encryption::KeyWrap,
    intake::PartStore as _,
    intermediary::Attachment,
    message::{CertificateRole, ContentPackage},
    random::SystemRandom,
    signature::{PartDigests, SigningOptions},
};
use dds_postbox::{Parts, PostboxError, StoredPart};
use futures::StreamExt as _;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{OsciSender, adapter::store, judge::unusable, name::content_id, partner::Partner};
use crate::fault::{broke_off, temporary, unreadable_attachment};

/// Id of the container.
pub(crate) const CONTAINER: &str = "Sendung";
/// Id of the encrypted container.
const ENCRYPTED: &str = "SendungVerschluesselt";
/// Id of the document, the first content of the container.
pub(crate) const DOCUMENT: &str = "Dokument";
/// Id of the list that says how the files are called; there is one where there are attachments.
const LIST: &str = "Anlagenverzeichnis";

/// A delivery ready for any number of orders, or for a mailbox.
pub(crate) struct Parcel {
    pub(crate) delivery: Delivery,
    pub(crate) attachments: Vec<Attachment<StoredPart>>,
    /// The part files vanish with it, unless they are kept.
    pub(crate) parts: Parts,
}

/// An attachment, encrypted and stored.
struct Sealed {
    plaintext: PartDigests,
    wrap: KeyWrap,
    part: Attachment<StoredPart>,
}

impl Parcel {
    pub(crate) async fn pack(
        sender: &OsciSender,
        partner: &Partner,
        consignment: &Consignment,
    ) -> Result<Self, Verdict> {
        let (parts, sealed) = seal_all(sender, &consignment.attachments).await?;
        let (author, time) = (sender.identity.clone(), sender.now());
        let (readers, certificates) = partner.readers();
        let document = consignment.document.bytes.clone();
        let files: Vec<_> = consignment.attachments.iter().map(|source| source.describe().clone()).collect();
        let packing = spawn_blocking(move || {
            let mut draft = ContainerDraft::new(CONTAINER).inline(DOCUMENT, &document);
            let mut attachments = Vec::with_capacity(sealed.len());
            for (number, Sealed { plaintext, wrap, part }) in sealed.into_iter().enumerate() {
                draft = draft.encrypted_attachment(&format!("Anlage{}", number + 1), plaintext, &wrap);
                attachments.push(part);
            }
            if !attachments.is_empty() {
                draft = draft.inline(LIST, &list(&attachments, files).write());
            }
            let key_id = CertificateRole::SignatureOriginator.usual_id(author.signature_certificate(), 0);
            let authors = [Author { signer: author.signature.as_ref(), key_id: &key_id, time: Some(time) }];
            let container =
                draft.write(&authors, SigningOptions::default()).map_err(|error| error.to_string())?;
            let readers: Vec<_> =
                readers.iter().map(|(id, certificate)| (id.as_str(), certificate)).collect();
            let encrypted =
                encrypt_container(ENCRYPTED, &container, &readers, KeyTransport::DEFAULT, &mut SystemRandom);
            Ok((encrypted.map_err(|error| error.to_string())?, attachments))
        });
        let unusable = |why: String| temporary(Code::OSCI_KEYS, unusable(why));
        let packed: Result<_, String> = packing.await.map_err(|error| unusable(error.to_string()))?;
        let (encrypted, attachments) = packed.map_err(unusable)?;
        let content = ContentPackage::new(package(&[encrypted], &[]));
        let mut delivery = Delivery::new(content, partner.addressee.clone());
        delivery.certificates = certificates;
        delivery.subject.clone_from(&partner.subject);
        Ok(Self { delivery, attachments, parts })
    }

    /// About how long the message becomes: content and attachments without the order around them.
    pub(crate) fn octets(&self) -> u64 {
        let attachments: u64 = self.attachments.iter().map(|attachment| attachment.bytes).sum();
        self.delivery.content.xml.len() as u64 + attachments
    }
}

/// Which file is behind which Content-ID.
fn list(attachments: &[Attachment<StoredPart>], files: Vec<dds_message::Attachment>) -> AttachmentList {
    let listed = attachments.iter().zip(files).map(|(part, file)| ListedAttachment {
        content_id: part.content_id.clone(),
        name: file.name,
        media_type: file.media_type,
    });
    AttachmentList(listed.collect())
}

/// What the encrypting thread is told.
enum Piece {
    Begin(String),
    Octets(Bytes),
    End,
}

/// Pieces under way: bounds the memory.
const WAITING: usize = 8;

/// Encrypts each attachment with a key of its own into a part file; both digests are computed while the octets pass.
async fn seal_all(
    sender: &OsciSender,
    sources: &[Arc<dyn AttachmentSource>],
) -> Result<(Parts, Vec<Sealed>), Verdict> {
    let (send, pieces) = mpsc::channel(WAITING);
    let postbox = sender.postbox.clone();
    let sealing = spawn_blocking(move || seal_pieces(postbox.parts()?, pieces));
    for (number, source) in (1..).zip(sources) {
        if !feed(source, content_id(number, &source.describe().name), &send).await? {
            // The thread has given up and says why.
            break;
        }
    }
    drop(send);
    let sealed = sealing.await.map_err(|error| broke_off(&error))?;
    let (parts, sealed) = sealed.map_err(store)?;
    // We sign as author what was accepted, and nothing else.
    let same = |(source, sealed): (&Arc<dyn AttachmentSource>, &Sealed)| {
        sealed.plaintext.get(DigestAlgorithm::Sha256) == Some(source.describe().digest.0.as_slice())
    };
    if sealed.len() != sources.len() || !sources.iter().zip(&sealed).all(same) {
        let text = (
            "eine Anlage ist nicht mehr, was angenommen wurde",
            "an attachment differs from what was accepted",
        );
        return Err(temporary(Code::STORE_CORRUPT, text));
    }
    Ok((parts, sealed))
}

/// Hands over an attachment piece by piece; `false` when nobody takes it any more.
async fn feed(
    source: &Arc<dyn AttachmentSource>,
    id: String,
    send: &mpsc::Sender<Piece>,
) -> Result<bool, Verdict> {
    let mut left = source.describe().size;
    let mut octets = source.open().await.map_err(|error| unreadable_attachment(error.code()))?;
    if send.send(Piece::Begin(id)).await.is_err() {
        return Ok(false);
    }
    while let Some(piece) = octets.next().await {
        let piece = piece.map_err(|error| unreadable_attachment(error.code()))?;
        left =
            left.checked_sub(piece.len() as u64).ok_or_else(|| unreadable_attachment(Code::STORE_CORRUPT))?;
        if send.send(Piece::Octets(piece)).await.is_err() {
            return Ok(false);
        }
    }
    if left > 0 {
        return Err(unreadable_attachment(Code::STORE_CORRUPT));
    }
    Ok(send.send(Piece::End).await.is_ok())
}

/// Runs on a thread that may block. An attachment that does not end leaves nothing: `parts` removes it.
fn seal_pieces(
    mut parts: Parts,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<(Parts, Vec<Sealed>), PostboxError> {
    let mut sealed = Vec::new();
    let mut current: Option<(String, KeyWrap, AttachmentEncryption, u64)> = None;
    let mut out = Vec::new();
    let broken = || PostboxError::Failed("an attachment has no beginning".to_owned());
    let cipher = |error: &dyn std::fmt::Display| {
        PostboxError::Failed(format!("an attachment cannot be encrypted: {error}"))
    };
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Begin(id) => {
                let wrap = AttachmentEncryption::key(&mut SystemRandom);
                let encryption = AttachmentEncryption::new(&id, &wrap, DigestAlgorithm::Sha256)
                    .map_err(|error| cipher(&error))?;
                parts.start()?;
                current = Some((id, wrap, encryption, 0));
            }
            Piece::Octets(octets) => {
                let (_, _, encryption, bytes) = current.as_mut().ok_or_else(broken)?;
                encryption.update(&octets, &mut out);
                *bytes += out.len() as u64;
                parts.write(&out)?;
                out.clear();
            }
            Piece::End => {
                let (content_id, wrap, encryption, bytes) = current.take().ok_or_else(broken)?;
                let (plaintext, digests) = encryption.finish(&mut out).map_err(|error| cipher(&error))?;
                let bytes = bytes + out.len() as u64;
                parts.write(&out)?;
                out.clear();
                let part = Attachment {
                    content_id,
                    media_type: "application/octet-stream".to_owned(),
                    bytes,
                    offset: 0,
                    digests,
                    handle: parts.end()?,
                };
                sealed.push(Sealed { plaintext, wrap, part });
            }
        }
    }
    Ok((parts, sealed))
}
