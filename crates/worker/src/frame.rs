//! Frames on the socket pair: a postcard header, then raw bytes.
//!
//! ```text
//! u64 length of what follows │ u32 header length │ u32 number of parts │ u32 length of each part │ header │ parts
//! ```
//! All numbers are little-endian. The parts stay raw so that a document is copied once and never encoded.

use std::io::{self, Read};

use bytes::Bytes;
use dds_message::{Digest, Finding, Format, OutputForm, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{CompileError, StageTimes};

/// To the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// First frame: enter the sandbox.
    Start(Settings),
    /// Compile a bundle. Parts: the files in the order of `files`.
    Load {
        id: Digest,
        files: Vec<String>,
        stylesheets: Vec<String>,
        schemas: Vec<String>,
        schematrons: Vec<String>,
    },
    /// Say that you are there.
    Ping,
    /// Forget a bundle; no answer.
    Unload(Digest),
    /// Run a job. Parts: the document, then the `sendung` of each target.
    Run(RunHeader),
}

/// What a worker must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) jobs: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) operations: u64,
    pub(crate) depth: u32,
    pub(crate) variables: u32,
    pub(crate) output_bytes: u64,
    pub(crate) limits: dds_xml::Limits,
}

/// A job without its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunHeader {
    pub(crate) bundle: Digest,
    pub(crate) format: Format,
    pub(crate) schema: Option<String>,
    pub(crate) schematrons: Vec<String>,
    pub(crate) canonical: Option<String>,
    pub(crate) canonical_schema: Option<String>,
    pub(crate) procedure: Option<String>,
    pub(crate) targets: Vec<(Option<String>, OutputForm)>,
}

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The sandbox stands; what of it is missing.
    Ready { missing: Option<String> },
    /// It is there.
    Pong,
    /// A bundle is loaded.
    Loaded(Vec<CompileError>),
    /// A job is done, one way or the other. Parts: the canonical form if `canonical`, then the outputs.
    Done {
        /// This process must be replaced now.
        recycle: bool,
        outcome: Result<Done, Problem>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) findings: Vec<Finding>,
    pub(crate) canonical: bool,
    pub(crate) micros: StageTimes,
}

const PREFIX: usize = 8;

/// Writes a frame.
pub(crate) fn encode(header: &impl Serialize, parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let header = postcard::to_allocvec(header).map_err(io::Error::other)?;
    let length = 8 + 4 * parts.len() + header.len() + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(PREFIX + length);
    frame.extend_from_slice(&(length as u64).to_le_bytes());
    frame.extend_from_slice(&size(header.len())?);
    frame.extend_from_slice(&size(parts.len())?);
    for part in parts {
        frame.extend_from_slice(&size(part.len())?);
    }
    frame.extend_from_slice(&header);
    for part in parts {
        frame.extend_from_slice(part);
    }
    Ok(frame)
}

fn size(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(|_| io::Error::other("part of 4 GiB or more"))
}

/// Reads what stands behind the prefix of a frame. The parts share its memory.
pub(crate) fn decode<T: DeserializeOwned>(frame: &Bytes) -> io::Result<(T, Vec<Bytes>)> {
    let number = |at: usize| {
        let bytes = frame.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(|bytes| u32::from_le_bytes(bytes) as usize).ok_or_else(|| malformed("frame too short"))
    };
    let (header, count) = (number(0)?, number(4)?);
    if count > frame.len() / 4 {
        return Err(malformed("more parts than bytes"));
    }
    let mut at = 8 + 4 * count;
    let mut take = |length: usize| {
        let range =
            at..at.checked_add(length).filter(|end| *end <= frame.len()).ok_or_else(|| malformed("part"))?;
        at = range.end;
        Ok::<_, io::Error>(frame.slice(range))
    };
    let header = take(header)?;
    let parts = (0..count).map(|part| take(number(8 + 4 * part)?)).collect::<io::Result<_>>()?;
    Ok((postcard::from_bytes(&header).map_err(malformed)?, parts))
}

/// Reads a frame of at most `limit` bytes; `None` at the end of the stream.
pub(crate) fn read(stream: &mut impl Read, limit: u64) -> io::Result<Option<Bytes>> {
    let mut prefix = [0; PREFIX];
    match stream.read_exact(&mut prefix) {
        Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut frame = vec![0; length_of(prefix, limit)?];
    stream.read_exact(&mut frame)?;
    Ok(Some(frame.into()))
}

/// As [`read`], for the service; the end of the stream is an error.
pub(crate) async fn read_async(stream: &mut (impl AsyncRead + Unpin), limit: u64) -> io::Result<Bytes> {
    let mut prefix = [0; PREFIX];
    stream.read_exact(&mut prefix).await?;
    let mut frame = vec![0; length_of(prefix, limit)?];
    stream.read_exact(&mut frame).await?;
    Ok(frame.into())
}

fn length_of(prefix: [u8; PREFIX], limit: u64) -> io::Result<usize> {
    let length = u64::from_le_bytes(prefix);
    usize::try_from(length).ok().filter(|_| length <= limit).ok_or_else(|| malformed("frame too long"))
}

fn malformed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back() {
        let frame = encode(&Request::Unload(Digest([7; 32])), &[b"ab", b"", b"c"]).unwrap();
        let body = read(&mut frame.as_slice(), 1000).unwrap().unwrap();
        let (request, parts) = decode::<Request>(&body).unwrap();
        assert!(matches!(request, Request::Unload(id) if id == Digest([7; 32])));
        assert_eq!(parts, [&b"ab"[..], b"", b"c"]);
    }

    #[test]
    fn a_broken_frame_is_an_error_not_a_panic() {
        let frame = encode(&Request::Unload(Digest([7; 32])), &[b"abc"]).unwrap();
        assert!(read(&mut frame.as_slice(), 10).is_err());
        let body = Bytes::from(frame).slice(PREFIX..);
        for end in 0..body.len() {
            assert!(decode::<Request>(&body.slice(..end)).is_err());
        }
        assert!(decode::<Request>(&Bytes::from_static(&[0, 0, 0, 0, 255, 255, 255, 255])).is_err());
    }

    #[test]
    fn a_problem_crosses_in_both_languages() {
        let problem = Problem::new(dds_message::Code::WORKER_DIED, ("deutsch", "english"));
        let reply = Reply::Done { recycle: true, outcome: Err(problem.clone()) };
        let frame = Bytes::from(encode(&reply, &[]).unwrap());
        let Reply::Done { outcome: Err(back), .. } = decode(&frame.slice(PREFIX..)).unwrap().0 else {
            panic!("another reply");
        };
        assert_eq!(back, problem);
    }
}
