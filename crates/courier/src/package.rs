//! A sealed message with its attachments, as a stream of octets.

use std::io;

use bytes::Bytes;
use dds_osci::{
    algorithm::DigestAlgorithm,
    intermediary::Attachment,
    outgoing::{AttachmentHead, Outgoing, PartHasher},
    signature::PartDigests,
};
use dds_postbox::{Postbox, PostboxError, StoredPart};
use futures::Stream;
use tokio::{sync::mpsc, task::spawn_blocking};

/// Octets handed over at once.
const PIECE: usize = 256 * 1024;
/// Pieces under way: bounds the memory of one transfer.
const WAITING: usize = 4;

/// A message ready to go.
pub struct Package {
    /// Signed and, where wanted, to be encrypted on the way.
    pub outgoing: Outgoing,
    /// Its attachments.
    pub attachments: Vec<Attachment<StoredPart>>,
}

impl Package {
    /// `Content-Length` of the whole.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.outgoing.length(&self.attachments.iter().map(head).collect::<Vec<_>>())
    }

    /// The octets. Reading and encrypting happen on a blocking thread, at the pace of whoever takes them.
    pub fn stream(self, postbox: Postbox) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (send, receive) = mpsc::channel(WAITING);
        spawn_blocking(move || {
            let failed = send.clone();
            if let Err(error) = self.write(&postbox, |piece| send.blocking_send(Ok(piece)).is_ok()) {
                tracing::error!(%error, "osci.message_broken_off");
                // The partner sees a connection that breaks, never a message that looks whole.
                let _gone = failed.blocking_send(Err(io::Error::other("a stored part cannot be read")));
            }
        });
        futures::stream::unfold(receive, |mut receive| async move {
            receive.recv().await.map(|piece| (piece, receive))
        })
    }

    /// Writes the octets into `take` until it says no; blocks.
    ///
    /// # Errors
    /// [`PostboxError`] if a part cannot be read.
    pub fn write(self, postbox: &Postbox, mut take: impl FnMut(Bytes) -> bool) -> Result<(), PostboxError> {
        let Self { mut outgoing, attachments } = self;
        let mut out = Vec::with_capacity(PIECE + 65_536);
        outgoing.start(&mut out);
        for attachment in &attachments {
            outgoing.attachment(&head(attachment), &mut out);
            let wanted = each_piece(postbox, attachment, |octets| {
                outgoing.data(octets, &mut out);
                out.len() < PIECE
                    || take(Bytes::from(std::mem::replace(&mut out, Vec::with_capacity(PIECE + 65_536))))
            })?;
            if !wanted {
                return Ok(());
            }
        }
        outgoing.finish(&mut out).map_err(|error| PostboxError(error.to_string()))?;
        take(Bytes::from(out));
        Ok(())
    }
}

/// Digests of attachments by `algorithm`, in their order; computed where they are not known (a range of a stored message). Blocks.
///
/// # Errors
/// [`PostboxError`] if a part cannot be read.
pub fn digests(
    postbox: &Postbox,
    attachments: &[Attachment<StoredPart>],
    algorithm: DigestAlgorithm,
) -> Result<Vec<PartDigests>, PostboxError> {
    let digest = |attachment: &Attachment<StoredPart>| {
        if attachment.digests.get(algorithm).is_some() {
            return Ok(attachment.digests.clone());
        }
        let mut hasher = PartHasher::new(&attachment.content_id, &[algorithm]);
        each_piece(postbox, attachment, |octets| {
            hasher.update(octets);
            true
        })?;
        Ok(hasher.finish())
    };
    attachments.iter().map(digest).collect()
}

fn head(attachment: &Attachment<StoredPart>) -> AttachmentHead {
    AttachmentHead {
        content_id: attachment.content_id.clone(),
        media_type: attachment.media_type.clone(),
        length: Some(attachment.bytes),
    }
}

/// Gives the octets of an attachment, or of its range, piece by piece; `false` when `take` had enough.
fn each_piece(
    postbox: &Postbox,
    attachment: &Attachment<StoredPart>,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<bool, PostboxError> {
    let mut reader = postbox.open_part(&attachment.handle)?;
    let (mut skip, mut left) = (attachment.offset, attachment.bytes);
    while left > 0 {
        let Some(piece) = reader.next_chunk()? else {
            return Err(PostboxError("a stored part is shorter than it was".to_owned()));
        };
        let passed = skip.min(piece.len() as u64);
        skip -= passed;
        let piece = piece.slice(usize::try_from(passed).unwrap_or(piece.len())..);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        left -= wanted as u64;
        if wanted > 0 && !take(&piece[..wanted]) {
            return Ok(false);
        }
    }
    Ok(true)
}
