//! What a fuzzer reads with: frames between service and workers, whose readers are bound to a socket otherwise.

use std::io::Result;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::frame::{Reply, Request, decode, encode, read};

/// Bytes of the prefix that says how long a frame is.
const PREFIX: usize = 8;

/// A frame from a worker, as the service reads it, written again.
///
/// # Errors
/// It is longer than `limit`, cut off or malformed.
pub fn reply(octets: &[u8], limit: u64) -> Result<Option<Vec<u8>>> {
    again::<Reply>(octets, limit)
}

/// A frame from the service, as a worker reads it, written again.
///
/// # Errors
/// As [`reply`].
pub fn request(octets: &[u8], limit: u64) -> Result<Option<Vec<u8>>> {
    again::<Request>(octets, limit)
}

/// The body of a frame without its prefix, with the prefix it must have.
#[must_use]
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(PREFIX + body.len());
    frame.extend_from_slice(&(body.len() as u64).to_le_bytes());
    frame.extend_from_slice(body);
    frame
}

fn again<T: Serialize + DeserializeOwned>(mut octets: &[u8], limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(frame) = read(&mut octets, limit)? else { return Ok(None) };
    let (header, parts): (T, Vec<Bytes>) = decode(&frame)?;
    encode(&header, &parts.iter().map(Bytes::as_ref).collect::<Vec<_>>()).map(Some)
}
