//! Request bodies and mails as a list of pieces: bytes that are there, and attachments read when they are sent.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use dds_delivery::AttachmentSource;
use dds_message::Code;
use dds_store::ByteStream;
use futures::{Stream, StreamExt as _, stream};

/// Bytes in a line of base64: 57 become 76 characters (RFC 2045 section 6.8).
const LINE: usize = 57;

/// How the bytes of an attachment are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As they are.
    Plain,
    /// Base64 without line breaks (RFC 4648 section 4), as `xs:base64Binary` takes it.
    Base64,
    /// Base64 in lines of 76 characters that end with CRLF (RFC 2045 section 6.8).
    Lines,
}

#[derive(Clone)]
enum Piece {
    Bytes(Bytes),
    Attachment(Arc<dyn AttachmentSource>, Coding),
}

/// The pieces in order. Their length is known before the first byte is read, so that a peer can be told.
#[derive(Clone, Default)]
pub(crate) struct Content(Vec<Piece>);

/// Reading broke off; what was sent so far must not be taken for the whole.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: an attachment cannot be read")]
pub(crate) struct Broken {
    pub(crate) code: Code,
}

impl Content {
    pub(crate) fn push(&mut self, bytes: impl Into<Bytes>) {
        self.0.push(Piece::Bytes(bytes.into()));
    }

    pub(crate) fn attach(&mut self, attachment: &Arc<dyn AttachmentSource>, coding: Coding) {
        self.0.push(Piece::Attachment(Arc::clone(attachment), coding));
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        let piece = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Attachment(source, coding) => coded_len(source.describe().size, *coding),
        };
        self.0.iter().map(piece).sum()
    }

    /// The bytes, if no attachment has to be read for them.
    pub(crate) fn whole(&self) -> Option<Bytes> {
        if let [Piece::Bytes(bytes)] = self.0.as_slice() {
            return Some(bytes.clone());
        }
        let mut whole = BytesMut::new();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => whole.extend_from_slice(bytes),
                Piece::Attachment(..) => return None,
            }
        }
        Some(whole.freeze())
    }

    /// The bytes as a stream that holds one piece at a time.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
        stream::iter(self.0).flat_map(|piece| match piece {
            Piece::Bytes(bytes) => stream::iter(cut(bytes)).map(Ok).boxed(),
            Piece::Attachment(source, coding) => attachment(source, coding).boxed(),
        })
    }
}

/// Pieces that also a slow line takes in a moment: who takes none for long has stopped.
fn cut(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    const LONGEST: usize = 64 << 10;
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(LONGEST))))
}

/// What is left to read of an attachment.
struct Reading {
    source: Arc<dyn AttachmentSource>,
    open: Option<ByteStream>,
    left: u64,
    coder: Option<Coder>,
}

fn attachment(
    source: Arc<dyn AttachmentSource>,
    coding: Coding,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send {
    let left = source.describe().size;
    let coder = match coding {
        Coding::Plain => None,
        Coding::Base64 => Some(Coder { rest: BytesMut::new(), lines: false }),
        Coding::Lines => Some(Coder { rest: BytesMut::new(), lines: true }),
    };
    let reading = Reading { source, open: None, left, coder };
    stream::try_unfold(Some(reading), |reading| async move {
        let Some(mut reading) = reading else { return Ok(None) };
        match reading.next().await? {
            Some(bytes) => {
                let bytes = match &mut reading.coder {
                    Some(coder) => coder.code(&bytes),
                    None => bytes,
                };
                Ok(Some((bytes, Some(reading))))
            }
            None => Ok(reading.coder.map(|coder| (coder.finish(), None))),
        }
    })
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        let broken = |error: dds_store::StoreError| Broken { code: error.code() };
        if self.open.is_none() {
            self.open = Some(self.source.open().await.map_err(broken)?);
        }
        let next = match &mut self.open {
            Some(open) => open.next().await.transpose().map_err(broken)?,
            None => None,
        };
        // More or less than described: the length was promised to the peer, and the slip names it.
        let damaged = Broken { code: Code::STORE_CORRUPT };
        match &next {
            Some(bytes) => self.left = self.left.checked_sub(bytes.len() as u64).ok_or(damaged)?,
            None if self.left > 0 => return Err(damaged),
            None => {}
        }
        Ok(next)
    }
}

/// Base64 of a stream: keeps back what does not fill a group (or line) yet.
struct Coder {
    rest: BytesMut,
    lines: bool,
}

impl Coder {
    fn code(&mut self, bytes: &[u8]) -> Bytes {
        self.rest.extend_from_slice(bytes);
        let unit = if self.lines { LINE } else { 3 };
        let ready = self.rest.len() - self.rest.len() % unit;
        let ready = self.rest.split_to(ready);
        coded(&ready, self.lines)
    }

    fn finish(self) -> Bytes {
        coded(&self.rest, self.lines)
    }
}

fn coded(bytes: &[u8], lines: bool) -> Bytes {
    if !lines {
        return STANDARD.encode(bytes).into();
    }
    let mut text = String::with_capacity(bytes.len() / LINE * 78 + 80);
    for line in bytes.chunks(LINE) {
        STANDARD.encode_string(line, &mut text);
        text.push_str("\r\n");
    }
    text.into()
}

/// Bytes in lines of base64, for what is in memory.
pub(crate) fn base64_lines(bytes: &[u8]) -> Bytes {
    coded(bytes, true)
}

fn coded_len(size: u64, coding: Coding) -> u64 {
    let text = size.div_ceil(3) * 4;
    match coding {
        Coding::Plain => size,
        Coding::Base64 => text,
        Coding::Lines => text + 2 * size.div_ceil(LINE as u64),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use async_trait::async_trait;
    use dds_message::{Attachment, Digest};
    use dds_store::StoreError;

    use super::*;

    /// An attachment in memory, yielded in pieces of `step`; says `described` of its size.
    pub(crate) struct Memory {
        attachment: Attachment,
        bytes: Bytes,
        step: usize,
    }

    impl Memory {
        pub(crate) fn source(name: &str, bytes: impl Into<Bytes>, step: usize) -> Arc<dyn AttachmentSource> {
            let bytes = bytes.into();
            let attachment = Attachment {
                name: name.to_owned(),
                media_type: "application/pdf".to_owned(),
                size: bytes.len() as u64,
                digest: Digest::of(&bytes),
            };
            Arc::new(Self { attachment, bytes, step })
        }

        pub(crate) fn short(name: &str) -> Arc<dyn AttachmentSource> {
            let bytes = Bytes::from_static(b"only this");
            let attachment = Attachment {
                name: name.to_owned(),
                media_type: "x/y".to_owned(),
                size: 4_000,
                digest: Digest::of(&bytes),
            };
            Arc::new(Self { attachment, bytes, step: 3 })
        }
    }

    #[async_trait]
    impl AttachmentSource for Memory {
        fn describe(&self) -> &Attachment {
            &self.attachment
        }

        async fn open(&self) -> Result<ByteStream, StoreError> {
            let mut rest = self.bytes.clone();
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                pieces.push(Ok(rest.split_to(self.step.min(rest.len()))));
            }
            Ok(stream::iter(pieces).boxed())
        }
    }

    pub(crate) async fn read(content: Content) -> Result<Vec<u8>, Broken> {
        let mut all = Vec::new();
        let mut stream = Box::pin(content.stream());
        while let Some(piece) = stream.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn every_coding_gives_the_same_bytes_however_they_are_cut_and_as_many_as_promised() {
        for size in [0, 1, 2, 3, 56, 57, 58, 1_000] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            for step in [1, 7, 57, 4_096] {
                for coding in [Coding::Plain, Coding::Base64, Coding::Lines] {
                    let mut content = Content::default();
                    content.push("<");
                    content.attach(&Memory::source("a", bytes.clone(), step), coding);
                    content.push(">");
                    let promised = content.len();
                    let read = read(content).await.unwrap();
                    assert_eq!(read.len() as u64, promised, "{size} {step} {coding:?}");
                    let inner = &read[1..read.len() - 1];
                    let text: Vec<u8> =
                        inner.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
                    let back =
                        if coding == Coding::Plain { inner.to_vec() } else { STANDARD.decode(text).unwrap() };
                    assert_eq!(back, bytes);
                }
            }
        }
    }

    #[tokio::test]
    async fn an_attachment_shorter_than_described_breaks_off() {
        let mut content = Content::default();
        content.attach(&Memory::short("a"), Coding::Plain);
        assert_eq!(read(content).await.unwrap_err().code, Code::STORE_CORRUPT);
    }
}
