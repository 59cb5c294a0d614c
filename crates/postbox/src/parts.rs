//! Attachments on their way into and out of the postbox: encrypted files, written as they stream in.

use std::{collections::HashSet, sync::Arc};

use dds_message::MessageId;
use dds_osci::{intake::PartStore, mime::PartHeaders};
use dds_store::{
    BlobRef, MessageKey, Vault, WrappedKey,
    sqlite::files::{FileReader, FileWriter, Files},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::PostboxError;

/// Where a stored part lies and how it is read: file, and the wrapped key of the message it came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// File.
    pub blob: BlobRef,
    /// Name under which the key is wrapped.
    pub owner: Uuid,
    /// Key, wrapped under the root key of the store.
    pub key: Vec<u8>,
}

/// Part store of one message. Blocks: to be used off the async threads. Dropped before [`Self::keep`], it removes what
/// it wrote, so a message that broke off or was refused leaves nothing behind; what a crash leaves, the sweep removes.
pub struct Parts {
    files: Files,
    owner: Uuid,
    key: MessageKey,
    wrapped: WrappedKey,
    writer: Option<FileWriter>,
    written: Vec<BlobRef>,
    /// What was written is no orphan as long as it is in somebody's hands, however long that lasts.
    held: Held,
    kept: bool,
}

/// Files that no record names yet, and somebody still has in his hands.
pub(crate) type Held = Arc<Mutex<HashSet<BlobRef>>>;

impl Drop for Parts {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        for blob in &self.written {
            held.remove(blob);
        }
        drop(held);
        if self.kept {
            return;
        }
        for blob in &self.written {
            if let Err(error) = self.files.delete(blob) {
                tracing::warn!(%error, "osci.part_not_removed");
            }
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parts({}, {} written)", self.owner, self.written.len())
    }
}

impl Parts {
    pub(crate) fn new(files: Files, vault: &Vault, owner: Uuid, held: Held) -> Result<Self, PostboxError> {
        let (key, wrapped) = vault.new_message_key(MessageId(owner))?;
        Ok(Self { files, owner, key, wrapped, writer: None, written: Vec::new(), held, kept: false })
    }

    /// Writes a whole part, for what we make ourselves.
    pub fn put(&mut self, octets: &[u8]) -> Result<StoredPart, PostboxError> {
        let blob = self.files.write(&self.key, octets)?;
        Ok(self.part(blob))
    }

    /// Begins a part that we make ourselves; written and ended like one that is received.
    pub fn start(&mut self) -> Result<(), PostboxError> {
        self.writer = Some(self.files.writer(&self.key)?);
        Ok(())
    }

    /// The parts belong to something durable now.
    pub fn keep(mut self) {
        self.kept = true;
    }

    fn part(&mut self, blob: BlobRef) -> StoredPart {
        self.held.lock().insert(blob.clone());
        self.written.push(blob.clone());
        StoredPart { blob, owner: self.owner, key: self.wrapped.0.clone() }
    }
}

impl PartStore for Parts {
    type Handle = StoredPart;
    type Error = PostboxError;

    fn begin(&mut self, _: &PartHeaders) -> Result<(), PostboxError> {
        self.start()
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), PostboxError> {
        match &mut self.writer {
            Some(writer) => Ok(writer.write(octets)?),
            None => Err(PostboxError::Failed("a part was written before it began".to_owned())),
        }
    }

    fn end(&mut self) -> Result<StoredPart, PostboxError> {
        let writer = self
            .writer
            .take()
            .ok_or_else(|| PostboxError::Failed("a part ended before it began".to_owned()))?;
        let (blob, _, _) = writer.finish()?;
        Ok(self.part(blob))
    }
}

/// Opens a stored part.
pub(crate) fn open(files: &Files, vault: &Vault, part: &StoredPart) -> Result<FileReader, PostboxError> {
    let key = vault.unwrap_key(MessageId(part.owner), &WrappedKey(part.key.clone()))?;
    Ok(files.reader(&part.blob, &key)?)
}
