//! Payload bytes: written once, encrypted with the key of their message, read as a stream.

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{Digest, Timestamp};
use futures::stream::BoxStream;

use crate::{BlobRef, MessageKey, StoreError};

/// Clear bytes of a payload, in pieces of at most 64 KB, each authenticated before it is yielded.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Where payloads above the inline limit lie: one fsynced file each on a single node.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Begins a payload of unknown length. Nothing is visible before [`BlobWriter::finish`].
    async fn create(&self, key: &MessageKey) -> Result<Box<dyn BlobWriter>, StoreError>;
    /// The clear bytes of a payload. [`StoreError::NotFound`] if no message has it (any more), [`StoreError::Corrupt`]
    /// if one has it and it is damaged or gone.
    async fn open(&self, blob: &BlobRef, key: &MessageKey) -> Result<ByteStream, StoreError>;
    /// Removes a payload; one that is gone already is no error.
    async fn delete(&self, blob: &BlobRef) -> Result<(), StoreError>;
    /// Names of payload files older than `before`, for the sweep of orphans.
    async fn list(&self, before: Timestamp) -> Result<Vec<BlobRef>, StoreError>;
}

/// A payload being written. Dropping it without [`BlobWriter::finish`] leaves nothing behind.
#[async_trait]
pub trait BlobWriter: Send {
    /// Appends clear bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;
    /// Makes the payload durable (fsync of file and folder) and names it, with size and digest of the clear bytes.
    async fn finish(self: Box<Self>) -> Result<(BlobRef, u64, Digest), StoreError>;
}
