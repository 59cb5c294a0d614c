//! A sealed message with its attachments, as a stream of octets.

use std::io;

use bytes::Bytes;
use dds_osci::{
    algorithm::DigestAlgorithm,
    intermediary::Attachment,
    outgoing::{AttachmentHead, Outgoing, PartHasher},
    signature::PartDigests,
};
use dds_postbox::{PartReader, Postbox, PostboxError, StoredPart};
use futures::Stream;
use tokio::task::spawn_blocking;

/// Octets handed over at once; with a partner who does not read, all that his transfer holds.
const PIECE: usize = 64 * 1024;

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

    /// The octets, at the pace of whoever takes them: each piece is read and encrypted when it is asked for, so that
    /// nobody who does not read holds a thread.
    pub fn stream(self, postbox: Postbox) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let pieces = self.pieces(postbox);
        futures::stream::try_unfold(pieces, |mut pieces| async move {
            if pieces.outgoing.is_none() {
                return Ok(None);
            }
            let work =
                spawn_blocking(move || pieces.next_piece().map(|piece| piece.map(|piece| (piece, pieces))));
            work.await.map_err(io::Error::other)?.map_err(|error| {
                tracing::error!(%error, "osci.message_broken_off");
                // The partner sees a connection that breaks, never a message that looks whole.
                io::Error::other("a stored part cannot be read")
            })
        })
    }

    /// The octets piece by piece.
    #[must_use]
    pub fn pieces(self, postbox: Postbox) -> Pieces {
        let Self { outgoing, attachments } = self;
        let attachments = attachments.into_iter();
        Pieces {
            postbox,
            outgoing: Some(outgoing),
            is_begun: false,
            attachments,
            open: None,
            out: Vec::new(),
        }
    }
}

/// A [`Package`] on its way.
pub struct Pieces {
    postbox: Postbox,
    /// Until it is finished.
    outgoing: Option<Outgoing>,
    /// The envelope, which may be long, is written with the first piece.
    is_begun: bool,
    attachments: std::vec::IntoIter<Attachment<StoredPart>>,
    open: Option<Octets>,
    out: Vec<u8>,
}

impl Pieces {
    /// The next octets; `None` at the end. Blocks.
    ///
    /// # Errors
    /// [`PostboxError`] if a part cannot be read.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, PostboxError> {
        let Some(outgoing) = &mut self.outgoing else { return Ok(None) };
        if !std::mem::replace(&mut self.is_begun, true) {
            outgoing.start(&mut self.out);
        }
        while self.out.len() < PIECE {
            if let Some(open) = &mut self.open {
                match open.next()? {
                    Some(octets) => outgoing.data(&octets, &mut self.out),
                    None => self.open = None,
                }
            } else if let Some(attachment) = self.attachments.next() {
                outgoing.attachment(&head(&attachment), &mut self.out);
                self.open = Some(Octets::of(&self.postbox, &attachment)?);
            } else {
                if let Some(outgoing) = self.outgoing.take() {
                    outgoing
                        .finish(&mut self.out)
                        .map_err(|error| PostboxError::Failed(error.to_string()))?;
                }
                break;
            }
        }
        Ok(Some(Bytes::from(std::mem::take(&mut self.out))))
    }
}

/// Digests of attachments by `algorithm`, in their order; computed where they are not known (a range of a stored
/// message). Blocks.
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
        let mut octets = Octets::of(postbox, attachment)?;
        while let Some(piece) = octets.next()? {
            hasher.update(&piece);
        }
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

/// The octets of an attachment, or of its range.
struct Octets {
    reader: PartReader,
    skip: u64,
    left: u64,
}

impl Octets {
    fn of(postbox: &Postbox, attachment: &Attachment<StoredPart>) -> Result<Self, PostboxError> {
        let reader = postbox.open_part(&attachment.handle)?;
        Ok(Self { reader, skip: attachment.offset, left: attachment.bytes })
    }

    fn next(&mut self) -> Result<Option<Bytes>, PostboxError> {
        while self.left > 0 {
            let Some(mut piece) = self.reader.next_chunk()? else {
                return Err(PostboxError::Damaged("a stored part is shorter than it was".to_owned()));
            };
            let passed = self.skip.min(piece.len() as u64);
            self.skip -= passed;
            piece = piece.slice(usize::try_from(passed).unwrap_or(piece.len())..);
            piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= piece.len() as u64;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}
