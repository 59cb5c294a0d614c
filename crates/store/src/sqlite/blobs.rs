//! Payload files as async streams: file work runs off the async threads, a few chunks at a time.

use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{Digest, Timestamp};
use futures::stream;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{
    SqliteStore,
    files::{FileReader, FileWriter},
    payload::{self, lost},
    reader::blocking,
};
use crate::{BlobRef, BlobStore, BlobWriter, ByteStream, MessageKey, StoreError, seal::CHUNK};

/// Clear bytes handed over at once: four chunks. Bounds the memory of one transfer at about three times that.
const HANDOVER: usize = 4 * CHUNK;

#[async_trait]
impl BlobStore for SqliteStore {
    async fn create(&self, key: &MessageKey) -> Result<Box<dyn BlobWriter>, StoreError> {
        let (files, key) = (self.inner.files.clone(), key.clone());
        let work = spawn_blocking(move || files.writer(&key));
        Ok(Box::new(Upload { work: Some(work), waiting: Vec::new(), length: 0 }))
    }

    async fn open(&self, blob: &BlobRef, key: &MessageKey) -> Result<ByteStream, StoreError> {
        let (files, wanted, key) = (self.inner.files.clone(), blob.clone(), key.clone());
        let reader = match blocking(spawn_blocking(move || files.reader(&wanted, &key))).await {
            Err(StoreError::NotFound(what)) => {
                let wanted = blob.clone();
                let owned = self.inner.readers.read(move |db| payload::is_owned(db, &wanted)).await?;
                return Err(if owned { lost(&what) } else { StoreError::NotFound(what) });
            }
            reader => reader?,
        };
        let download = Download { reader: Some(reader), ready: VecDeque::new() };
        Ok(Box::pin(stream::try_unfold(download, Download::next)))
    }

    async fn delete(&self, blob: &BlobRef) -> Result<(), StoreError> {
        let (files, blob) = (self.inner.files.clone(), blob.clone());
        blocking(spawn_blocking(move || files.delete(&blob).map(drop))).await
    }

    async fn list(&self, before: Timestamp) -> Result<Vec<BlobRef>, StoreError> {
        let files = self.inner.files.clone();
        blocking(spawn_blocking(move || {
            let mut found = Vec::new();
            for folder in files.folders(before)? {
                found.extend(files.names(&folder, before)?);
            }
            Ok(found)
        }))
        .await
    }
}

/// An upload. While one piece of work writes, the next bytes gather.
struct Upload {
    /// The writer, or the work that will give it back; `None` after a failure.
    work: Option<JoinHandle<Result<FileWriter, StoreError>>>,
    waiting: Vec<Bytes>,
    length: usize,
}

impl Upload {
    async fn writer(&mut self) -> Result<FileWriter, StoreError> {
        let broken = || StoreError::Unavailable("the upload failed before".into());
        blocking(self.work.take().ok_or_else(broken)?).await
    }
}

#[async_trait]
impl BlobWriter for Upload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.length += bytes.len();
        self.waiting.push(bytes);
        if self.length >= HANDOVER {
            let mut writer = self.writer().await?;
            let waiting = std::mem::take(&mut self.waiting);
            self.length = 0;
            self.work = Some(spawn_blocking(move || {
                waiting.iter().try_for_each(|bytes| writer.write(bytes))?;
                Ok(writer)
            }));
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(BlobRef, u64, Digest), StoreError> {
        let mut writer = self.writer().await?;
        let waiting = std::mem::take(&mut self.waiting);
        blocking(spawn_blocking(move || {
            waiting.iter().try_for_each(|bytes| writer.write(bytes))?;
            writer.finish()
        }))
        .await
    }
}

struct Download {
    reader: Option<FileReader>,
    ready: VecDeque<Bytes>,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        if self.ready.is_empty()
            && let Some(mut reader) = self.reader.take()
        {
            let batch = move || {
                let mut ready = VecDeque::new();
                while ready.len() * CHUNK < HANDOVER {
                    match reader.next_chunk()? {
                        Some(chunk) => ready.push_back(chunk),
                        None => return Ok((None, ready)),
                    }
                }
                Ok((Some(reader), ready))
            };
            (self.reader, self.ready) = blocking(spawn_blocking(batch)).await?;
        }
        Ok(self.ready.pop_front().map(|chunk| (chunk, self)))
    }
}
