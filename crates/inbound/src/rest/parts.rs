//! Multipart bodies: the [`Splitter`] fed from a request.

use bytes::{Bytes, BytesMut};
use dds_message::{Code, Problem};
use futures::{StreamExt, stream::BoxStream};

use crate::{
    body::{self, Pieces},
    multipart::{Event, PartHead, Splitter},
};

/// The parts of a body, one after the other.
pub(super) struct Parts<'a> {
    pieces: &'a mut Pieces,
    splitter: Splitter,
    /// Inside a part whose content is not yet read to its end.
    open: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn new(content_type: &str, pieces: &'a mut Pieces) -> Result<Self, Problem> {
        Ok(Self { pieces, splitter: Splitter::new(content_type)?, open: false })
    }

    /// The next part; `None` when the body is complete. Content of the part before that was not read is passed over.
    pub(super) async fn next(&mut self) -> Result<Option<PartHead>, Problem> {
        while self.open {
            let _passed_over = self.piece().await?;
        }
        match self.event().await? {
            Event::Part(head) => {
                self.open = true;
                Ok(Some(head))
            }
            _ => {
                // Only what is complete to its last byte is accepted.
                while let Some(piece) = self.pieces.next().await? {
                    self.splitter.push(&piece);
                    self.event().await?;
                }
                Ok(None)
            }
        }
    }

    /// The next piece of the part; `None` at its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.event().await? {
            Event::Data(piece) => Ok(Some(piece)),
            _ => {
                self.open = false;
                Ok(None)
            }
        }
    }

    /// The content of the part as a stream of at most `limit` bytes.
    pub(super) fn content(&mut self, limit: u64) -> BoxStream<'_, Result<Bytes, Problem>> {
        futures::stream::try_unfold((self, 0), move |(parts, before)| async move {
            let Some(piece) = parts.piece().await? else { return Ok(None) };
            let received = before + piece.len() as u64;
            if received > limit {
                return Err(body::large_attachment(limit));
            }
            Ok(Some((piece, (parts, received))))
        })
        .boxed()
    }

    /// The content of the part at once.
    /// What it is stands in refusals: German, English.
    pub(super) async fn whole(&mut self, limit: u64, what: (&str, &str)) -> Result<Bytes, Problem> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            if (whole.len() + piece.len()) as u64 > limit {
                return Err(body::larger(what.0, what.1, limit));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The content of the part as a short text.
    pub(super) async fn text(&mut self) -> Result<String, Problem> {
        let bytes = self.whole(1024, ("ein Formularfeld", "a form field")).await?;
        String::from_utf8(bytes.to_vec()).map_err(|_| {
            Problem::new(Code::BAD_REQUEST, ("ein Formularfeld ist kein UTF-8", "a form field is not UTF-8"))
        })
    }

    async fn event(&mut self) -> Result<Event, Problem> {
        loop {
            match self.splitter.event()? {
                Event::Hungry => match self.pieces.next().await? {
                    Some(piece) => self.splitter.push(&piece),
                    None => self.splitter.finish()?,
                },
                event => return Ok(event),
            }
        }
    }
}
